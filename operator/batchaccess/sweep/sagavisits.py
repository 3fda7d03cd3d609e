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
from batchaccess.core.reasons import ErrorKind
from batchaccess.core.saga.actions import Remediate, Resize, SagaAction
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import journal_in, metadata_without
from batchaccess.core.saga.outcomes import while_sending
from batchaccess.core.saga.steps import KubernetesJournal
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
            if await self._abandoned(current, connection) or not await self._act(current, connection, look_after):
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
        running_tasks = await self._running_tasks(track.basis.pool, action)
        track.saga_memory = while_sending(memory, action)
        performed = await self.steps.perform(action, subject, memory)
        track.saga_memory = performed.memory
        if performed.accepted:
            _log.info("%s: %s was accepted", decision.reason, type(action).__name__)
            self.progress.affected(running_tasks)
        self.progress.stepped(track.name, before, self.steps.book.of(track.name))
        return performed.accepted

    async def _running_tasks(self, pool: ObservedPool, action: SagaAction) -> int:
        """How many tasks a drain is about to affect, for people to know; without an answer the drain goes on."""
        if not isinstance(action, Resize) or action.is_restore:
            return 0
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

    async def _abandoned(self, track: PoolTrack, connection: AccountConnection) -> bool:
        """Give up what is open if a person asked for it: the pool stays as it is, and both copies go."""
        record = self.steps.book.of(track.name)
        if not is_abandoned(record, connection):
            return False
        if not await self._removed_from_azure(track.basis.pool, record):
            return True
        if record.journal is not None and await self.steps.forget(track.name, connection):
            self.progress.abandoned(track.name, record)
        return True

    async def _removed_from_azure(self, pool: ObservedPool, record: SagaRecord) -> bool:
        """Whether the Azure copy is gone, or cannot be removed by trying again; that of another holder stays."""
        found = journal_in(pool.metadata)
        is_foreign = (
            isinstance(found, Journal)
            and isinstance(record.journal, KubernetesJournal)
            and found.holder != record.journal.journal.holder
        )
        if found is None or is_foreign:
            return True
        try:
            await self.steps.pools.patch_metadata(pool.id, metadata_without(pool.metadata), etag=pool.etag)
        except PortError as error:
            _log.warning("the journal of the abandoned saga is still in the pool's metadata: %s", error)
            return error.kind not in (ErrorKind.RACE, ErrorKind.TRANSIENT, ErrorKind.WAITING)
        return True
