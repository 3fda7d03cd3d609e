"""Performs one action of a saga through the ports, and remembers what the answer teaches.

Each action is small and may be repeated. Nothing is concluded from an answer that did not come: the next visit reads.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from batchaccess.core.decision import PatchNetwork
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.reasons import ErrorKind
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    DisableAutoscale,
    EnableAutoscale,
    RemoveAzureJournal,
    Resize,
    SagaAction,
    StopResize,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.copies import drains_status, journal_status
from batchaccess.core.saga.outcomes import SagaMemory, after_action, after_refused_action
from batchaccess.core.saga.steps import DrainHistory, KubernetesJournal
from batchaccess.ports import Clock, Finalizers, PoolReports, Pools, PortError
from batchaccess.sweep.preconditions import Preconditions
from batchaccess.sweep.sagabook import SagaBook

_log = logging.getLogger(__name__)

_CHANGED_MEANWHILE: Final = "the pool was written to between our reading and our writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an action is about: the pool by its object and id, and what governs it."""

    name: str
    pool_id: str
    connection: AccountConnection
    policy: AccessPolicy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """How an action ended: what is remembered, and whether it was accepted, so that the next one need not wait."""

    memory: SagaMemory
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaSteps:
    """Performs the actions of one account's sagas, all but the PATCH of a network, which is the executor's."""

    pools: Pools
    reports: PoolReports
    finalizers: Finalizers
    book: SagaBook
    preconditions: Preconditions
    clock: Clock
    jitter: Callable[[], float]

    async def perform(self, action: SagaAction, subject: Subject, memory: SagaMemory) -> Performed:
        """Carry out one action."""
        try:
            accepted = await self._send(action, subject, memory)
        except PortError as error:
            return self._refused(action, memory, error)
        if not accepted:
            return Performed(memory=memory, accepted=False)
        learnt = after_action(memory, action, now=self.clock.now(), jitter=self.jitter())
        return Performed(memory=learnt, accepted=True)

    async def _send(self, action: SagaAction, subject: Subject, memory: SagaMemory) -> bool:
        match action:
            case WriteKubernetesJournal(copy=copy, history=history):
                return await self._write_journal(subject, copy, history)
            case ClearKubernetesJournal(history=history):
                return await self._write_journal(subject, None, history)
            case DisableAutoscale():
                await self._disable_autoscale(action)
            case WriteAzureJournal() | RemoveAzureJournal() | Resize() | StopResize() | EnableAutoscale():
                await self.preconditions.send(
                    lambda unquoted: self._conditional(action, unquoted=unquoted), bare_trial=memory.bare_trial
                )
            case PatchNetwork():
                raise ValueError("the network is the executor's to change")
            case _:
                assert_never(action)
        return True

    async def _conditional(
        self,
        action: WriteAzureJournal | RemoveAzureJournal | Resize | StopResize | EnableAutoscale,
        *,
        unquoted: bool,
    ) -> None:
        match action:
            case WriteAzureJournal(metadata=metadata) | RemoveAzureJournal(metadata=metadata):
                await self.pools.patch_metadata(action.pool_id, metadata, etag=action.etag, unquoted=unquoted)
            case Resize():
                await self.pools.resize(
                    action.pool_id,
                    action.targets,
                    resize_timeout=action.resize_timeout,
                    node_deallocation=action.deallocation,
                    etag=action.etag,
                    unquoted=unquoted,
                )
            case StopResize():
                await self.pools.stop_resize(action.pool_id, etag=action.etag, unquoted=unquoted)
            case EnableAutoscale():
                await self.pools.enable_autoscale(
                    action.pool_id,
                    formula=action.formula,
                    interval=action.interval,
                    etag=action.etag,
                    unquoted=unquoted,
                )
            case _:
                assert_never(action)

    async def _disable_autoscale(self, action: DisableAutoscale) -> None:
        """The service takes no condition here, so the pool is read right before and must be as the journal has it."""
        pool = await self.pools.get_pool(action.pool_id)
        scale = pool.scale
        if pool.etag != action.etag or not scale.autoscale or scale.autoscale_formula != action.formula:
            raise PortError(ErrorKind.RACE, "ConditionNotMet", _CHANGED_MEANWHILE)
        await self.pools.disable_autoscale(action.pool_id)

    async def _write_journal(
        self, subject: Subject, copy: KubernetesJournal | None, history: DrainHistory | None
    ) -> bool:
        """Whether the Kubernetes copy certainly is what it should be now."""
        record = self.book.of(subject.name)
        # One that cannot be read holds nothing: what it held was let go of since.
        if copy is not None and not isinstance(record.journal, KubernetesJournal):
            self.book.begin(subject.name, copy.journal.policy)
            if not await self._held(subject):
                self.book.note(subject.name, record.reported)
                return False
        reported = record.reported or await self.reports.create(
            subject.connection, name=subject.name, pool_id=subject.pool_id
        )
        if reported is None:
            self.book.note(subject.name, None)
            return False
        written = await self.reports.write_journal(
            reported,
            journal=None if copy is None else journal_status(copy),
            drains=None if history is None else drains_status(history),
        )
        self.book.note(subject.name, written or self.reports.find(subject.connection, subject.name))
        return written is not None

    async def forget(self, name: str, connection: AccountConnection) -> bool:
        """Remove the Kubernetes copy without doing anything else; what earlier drains taught stays."""
        record = self.book.of(name)
        if record.reported is None:
            return True
        drains = None if record.history is None else drains_status(record.history)
        written = await self.reports.write_journal(record.reported, journal=None, drains=drains)
        self.book.note(name, written or self.reports.find(connection, name))
        return written is not None

    async def _held(self, subject: Subject) -> bool:
        """Connection and policy stay while the saga is open; one that is going already is not waited for.

        On a connection that leaves only restores are begun, which need no policy: an uninstallation that has let go of
        all policies must not find one held anew.
        """
        connection = subject.connection
        held = await self.finalizers.hold(connection, None if connection.deleting else subject.policy)
        return held or connection.deleting

    def _refused(self, action: SagaAction, memory: SagaMemory, error: PortError) -> Performed:
        log = _log.info if error.kind in (ErrorKind.RACE, ErrorKind.WAITING) else _log.warning
        log("%s was not done: %s", type(action).__name__, error)
        learnt = after_refused_action(
            memory,
            action,
            kind=error.kind,
            message=error.message,
            code=error.code,
            precondition=self.preconditions.known,
            now=self.clock.now(),
            jitter=self.jitter(),
            retry_after=error.retry_after,
            outcome_unknown=error.outcome_unknown,
        )
        return Performed(memory=learnt, accepted=False)
