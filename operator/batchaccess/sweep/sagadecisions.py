"""Puts together everything that a decision about one pool depends on, sagas included, and has it made.

Reads, and asks nobody: no request is made here.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from batchaccess.core.assessment import Assessment
from batchaccess.core.decision import Decision, Wait, decide
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.memory import PoolMemory
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.actions import SagaDecision
from batchaccess.core.saga.breaker import CLOSED, Breaker
from batchaccess.core.saga.decision import decide_saga, is_starting
from batchaccess.core.saga.gates import Blocked, OpenSagas, gate
from batchaccess.core.saga.journal import Holder
from batchaccess.core.saga.metadata import journal_in
from batchaccess.core.saga.outcomes import SagaMemory
from batchaccess.core.saga.requests import request_mark
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.ports import Clock, ReportedPool
from batchaccess.sweep.sagabook import SagaBook, SagaRecord, SagaRegister

_ABANDONED: Final = (
    "The annotation batchaccess.dev/abandon gives up every drain of this pool. Remove it to let the pool be corrected."
)

WindowsOf = Callable[[AccessPolicy, datetime], WindowVerdict]
"""What the windows of a policy say at a moment."""


@dataclass(slots=True, kw_only=True)
class SagaDecisions:
    """Decides for the pools of one connection.

    Attributes:
        book: what Kubernetes says of sagas.
        register: what is open on all connections.
        windows: asked only where a saga would start.
        new_saga_id: gives ids nobody else has.
        cluster_uid: None while it is not known; until then no saga is begun or gone on with.
        breaker: of the account, as of the last pass.
    """

    book: SagaBook
    register: SagaRegister
    windows: WindowsOf
    clock: Clock
    new_saga_id: Callable[[], str]
    cluster_uid: Callable[[], str | None]
    breaker: Breaker = field(default=CLOSED)
    _verdicts: dict[tuple[str, int], tuple[datetime, WindowVerdict]] = field(default_factory=dict)

    def decide(
        self,
        assessment: Assessment,
        *,
        name: str,
        connection: AccountConnection,
        memory: PoolMemory,
        saga_memory: SagaMemory,
        ahead: Collection[str] = (),
    ) -> SagaDecision:
        """What to do about the pool whose object is `name`, as it was assessed now.

        `ahead` are the policies, by UID, of the pools whose turn comes before this one's and was not yet.
        """
        record, now, cluster_uid = self.book.of(name), self.clock.now(), self.cluster_uid()
        if cluster_uid is None:
            return _without_sagas(decide(assessment, connection=connection, memory=memory, now=now), assessment, record)
        if is_abandoned(record, connection):
            return self._abandoned(assessment, connection, memory)
        situation = Situation(
            assessment=assessment,
            connection=connection,
            holder=Holder(cluster_uid=cluster_uid, connection_uid=connection.uid),
            new_saga_id=self.new_saga_id(),
            now=now,
            kubernetes=record.journal,
            history=record.history,
            requested=what_is_requested(assessment, connection, record.reported),
            adopt=None if record.reported is None else record.reported.adopt,
            breaker_open=self.breaker.is_open,
            memory=memory,
            saga_memory=saga_memory,
        )
        decision = decide_saga(situation)
        policy = assessment.policy
        if policy is None or not is_starting(decision):
            return decision
        blocked = self._blocked(policy, connection, now, ahead)
        return decision if blocked is None else decide_saga(replace(situation, blocked=blocked))

    def _blocked(
        self, policy: AccessPolicy, connection: AccountConnection, now: datetime, ahead: Collection[str]
    ) -> Blocked | None:
        open_sagas = OpenSagas(on_connection=len(self.book.at_risk()), by_policy=self.register.by_policy())
        for policy_uid in ahead:
            open_sagas.opened(policy_uid)
        windows = self._windows(policy, now.replace(microsecond=0))
        return gate(policy, connection, windows=windows, open_sagas=open_sagas, breaker=self.breaker)

    def _windows(self, policy: AccessPolicy, second: datetime) -> WindowVerdict:
        """What the windows say in this second: many pools of one policy ask within it."""
        known = self._verdicts.get((policy.uid, policy.generation))
        if known is None or known[0] != second:
            known = self._verdicts[policy.uid, policy.generation] = second, self.windows(policy, second)
        return known[1]

    def _abandoned(self, assessment: Assessment, connection: AccountConnection, memory: PoolMemory) -> Decision:
        base = decide(assessment, connection=connection, memory=memory, now=self.clock.now())
        if journal_in(assessment.pool.metadata) is not None:
            return Wait(reason=CompliantReason.FOREIGN_JOURNAL, message=_ABANDONED)
        if isinstance(base, Wait) and base.reason is CompliantReason.POOL_NOT_EMPTY:
            return Wait(reason=CompliantReason.POOL_NOT_EMPTY, message=_ABANDONED)
        return base


def is_abandoned(record: SagaRecord, connection: AccountConnection) -> bool:
    """Whether a person gave up the sagas of this pool, or of a connection that stays."""
    if connection.abandon and not connection.deleting:
        return True
    return record.reported is not None and record.reported.abandon


def _without_sagas(base: Decision, assessment: Assessment, record: SagaRecord) -> Decision:
    """Nothing is written to a pool that somebody, we perhaps, has a journal of."""
    if record.journal is None and journal_in(assessment.pool.metadata) is None:
        return base
    return Wait(
        reason=CompliantReason.FOREIGN_JOURNAL,
        message="Whose journal this pool has is not known before the namespace kube-system was read.",
    )


def what_is_requested(
    assessment: Assessment, connection: AccountConnection, reported: ReportedPool | None
) -> str | None:
    """The mark of what people asked for on the pool, its policy and its connection."""
    policy = assessment.policy
    return request_mark(
        pool=None if reported is None else reported.requested_at,
        policy=None if policy is None else policy.requested_at,
        connection=connection.requested_at,
    )
