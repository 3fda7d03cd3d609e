"""Visits the pools with an open saga: read, assess, decide, perform one action; again while that goes on.

Only one task visits the pools of an account, so two visits of one pool never overlap.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from batchaccess.core.decision import PatchNetwork
from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import ObservedPool
from batchaccess.core.saga.actions import (
    Remediate,
    RemoveAzureJournal,
    Resize,
    SagaAction,
    Underway,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.journal import Journal, UnreadableJournal
from batchaccess.core.saga.metadata import journal_in, metadata_without
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY, while_sending
from batchaccess.core.saga.steps import KubernetesJournal, Step
from batchaccess.ports import PortError
from batchaccess.sweep.executor import Attempt, Executor, Judgement
from batchaccess.sweep.pooltracks import PoolTrack
from batchaccess.sweep.sagabook import SagaRecord
from batchaccess.sweep.sagadecisions import is_abandoned
from batchaccess.sweep.sagaprogress import SagaProgress
from batchaccess.sweep.sagasteps import SagaSteps, Subject
from batchaccess.telemetry.words import CorrectionOutcome

_log = logging.getLogger(__name__)

_MOST_STEPS: Final = 12
"""Actions of one visit, so that no pool keeps the others waiting; what they lead to takes minutes anyway."""

_MOST_REMOVALS: Final = 3
"""Accepted removals of an abandoned journal after which one that is still there is left there."""

Look = Callable[[ObservedPool], PoolTrack]
"""Assesses a pool that was just read and decides about it."""

LookAfter = Callable[[Attempt, ObservedPool], None]
"""Takes in how a PATCH ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaVisits:
    """Visits the pools of one account."""

    steps: SagaSteps
    executor: Executor
    progress: SagaProgress

    async def visit(self, track: PoolTrack, connection: AccountConnection, look: Look, look_after: LookAfter) -> None:
        """Go on with the saga of one pool as far as it goes now, or begin one if that was decided."""
        for _ in range(_MOST_STEPS):
            try:
                pool = await self.steps.pools.get_pool(track.pool_id)
            except PortError as error:
                _log.info("the pool was not read: %s", error)
                return
            current = look(pool)
            self.progress.seen(current.name, pool)
            if _is_restored(current, self.steps.book.of(current.name)):
                self.steps.book.restored(current.name)
            if is_abandoned(self.steps.book.of(current.name), connection):
                goes_on = await self._given_up(current, connection)
            else:
                goes_on = await self._act(current, connection, look_after)
            if not goes_on:
                return

    async def _act(self, track: PoolTrack, connection: AccountConnection, look_after: LookAfter) -> bool:
        """Whether something was done after which the next step need not wait."""
        decision = track.decision
        if not isinstance(decision, Remediate):
            return False
        if isinstance(decision.action, PatchNetwork):
            return await self._patch(track, decision.action, look_after)
        return await self._perform(track, decision, decision.action, connection)

    async def _perform(
        self, track: PoolTrack, decision: Remediate, action: SagaAction, connection: AccountConnection
    ) -> bool:
        subject = Subject(name=track.name, pool_id=track.pool_id, connection=connection, policy=track.assessment.policy)
        before, memory = self.steps.book.of(track.name), track.saga_memory
        _follow(track, before)
        is_drain = isinstance(action, Resize) and not action.is_restore
        if is_drain:
            self.progress.drain_sent(track.name, await self._running_tasks(track.basis.pool))
        track.saga_memory = while_sending(memory, action)
        performed = await self.steps.perform(action, subject, memory)
        track.saga_memory = performed.memory
        if performed.accepted:
            _log.info("%s: %s was accepted", decision.reason, type(action).__name__)
        if is_drain and performed.accepted:
            self.progress.drained(track.name)
        elif is_drain and performed.memory.sent_etag is None:
            self.progress.drain_refused(track.name)
        after = self.steps.book.of(track.name)
        _follow(track, after)
        self.progress.stepped(track.name, before, after)
        return performed.accepted

    async def _running_tasks(self, pool: ObservedPool) -> int:
        """How many tasks a drain is about to affect, for people to know; without an answer the drain goes on."""
        try:
            return (await self.steps.pools.list_node_endpoints(pool)).running_tasks
        except PortError as error:
            _log.info("the tasks on the nodes to be drained were not counted: %s", error)
            return 0

    async def _patch(self, track: PoolTrack, action: PatchNetwork, look_after: LookAfter) -> bool:
        judgement = Judgement(assessment=track.assessment, decision=action)
        attempt = await self.executor.patch(judgement, action, track.memory)
        track.attempt, track.memory = attempt, attempt.memory
        if attempt.outcome is not None:
            self.progress.corrected(attempt)
        if attempt.pool is not None:
            look_after(attempt, attempt.pool)
        return attempt.outcome in (CorrectionOutcome.VERIFIED, CorrectionOutcome.RACED)

    async def _given_up(self, track: PoolTrack, connection: AccountConnection) -> bool:
        """Give up what is open as a person asked for: the pool stays as it is, and both copies go.

        Whether something was done after which the next step need not wait: the Azure copy is seen to be gone, or is
        known to stay whatever is tried, before the Kubernetes copy is forgotten.
        """
        record, pool = self.steps.book.of(track.name), track.basis.pool
        if _is_in_azure(pool, record) and track.removal.removals < _MOST_REMOVALS:
            if track.removal.backs_off(self.steps.clock.now()):
                return False
            accepted = await self._remove(track, pool, connection)
            if accepted or track.removal.refusal is None:
                return accepted
            _log.warning("the journal of the abandoned saga stays in the pool's metadata")
        if record.journal is not None and await self.steps.forget(track.name, connection):
            _follow(track, record)
            track.course = track.course.seen(None, abandoned=True)
            self.progress.abandoned(track.name, record)
            track.saga_memory = track.removal = NO_SAGA_MEMORY
        return False

    async def _remove(self, track: PoolTrack, pool: ObservedPool, connection: AccountConnection) -> bool:
        subject = Subject(name=track.name, pool_id=track.pool_id, connection=connection, policy=track.assessment.policy)
        metadata = metadata_without(pool.metadata, empty_is_ignored=track.removal.removals > 0)
        action = RemoveAzureJournal(pool_id=pool.id, etag=pool.etag, metadata=metadata)
        performed = await self.steps.perform(action, subject, track.removal)
        track.removal = performed.memory
        return performed.accepted


def _follow(track: PoolTrack, record: SagaRecord) -> None:
    """Take in the Kubernetes copy; one that cannot be understood says nothing."""
    if not isinstance(record.journal, UnreadableJournal):
        track.course = track.course.seen(record.journal)


def _is_restored(track: PoolTrack, record: SagaRecord) -> bool:
    """Whether the pool as it was just read leaves a saga nothing but its journal to be removed."""
    copy, decision = record.journal, track.decision
    if not isinstance(copy, KubernetesJournal) or copy.step is not Step.CLEARING:
        return False
    if isinstance(decision, Remediate):
        return not isinstance(decision.action, WriteKubernetesJournal)
    return isinstance(decision, Underway)


def _is_in_azure(pool: ObservedPool, record: SagaRecord) -> bool:
    """Whether a copy of ours is in the metadata, or one that nobody can read; that of another holder stays."""
    found = journal_in(pool.metadata)
    is_foreign = (
        isinstance(found, Journal)
        and isinstance(record.journal, KubernetesJournal)
        and found.holder != record.journal.journal.holder
    )
    return found is not None and not is_foreign
