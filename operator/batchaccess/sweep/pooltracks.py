"""What a sweep keeps of one pool from pass to pass, so that an unchanged pool costs next to nothing."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from batchaccess.core.assessment import Assessment
from batchaccess.core.conclusion import Conclusion, conclude
from batchaccess.core.declared import AccountConnection
from batchaccess.core.memory import NOTHING_REMEMBERED, PoolMemory
from batchaccess.core.model import (
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.saga.actions import SagaDecision
from batchaccess.core.saga.breaker import PolicyGeneration, PoolStanding
from batchaccess.core.saga.course import UNKNOWN_COURSE, Course
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY, SagaMemory
from batchaccess.core.saga.requests import asks_anew
from batchaccess.core.selection import Candidates
from batchaccess.core.status import Change
from batchaccess.core.texts import pool_access_name
from batchaccess.ports import StoredStatus
from batchaccess.sweep.executor import Attempt
from batchaccess.telemetry.logcontext import log_context
from batchaccess.telemetry.rows import PoolRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Everything an assessment depends on; each part is the same object while it did not change."""

    pool: ObservedPool
    nodes: NodeFindings | None
    candidates: Candidates
    connection: AccountConnection

    def is_same(self, other: "Basis") -> bool:
        """Whether an assessment on the other basis would come to the same."""
        return (
            self.pool is other.pool
            and self.nodes is other.nodes
            and self.candidates is other.candidates
            and self.connection is other.connection
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What was last seen to be in Kubernetes, and what it was made of."""

    stored: StoredStatus
    requested_at: str | None
    assessment: Assessment
    conclusion: Conclusion
    change: Change | None
    in_order_under: PolicyGeneration | None


@dataclass(slots=True, kw_only=True)
class PoolTrack:
    """One pool of one account.

    Attributes:
        name: of its BatchPoolAccess.
        basis: what the assessment was made from.
        assessment: what is known of the pool.
        decision: what is to be done, as of this pass.
        conclusion: what both come to; the same object while it says the same.
        memory: what earlier attempts taught.
        attempt: how this pass' correction ended; None if there was none.
        change: the last change of its network that we made since we started.
        saga_memory: what earlier actions of its saga taught.
        course: what was seen of its sagas and is still to be told.
        removal: what removing the Azure copy of an abandoned saga taught.
        in_order_under: the policy that governed it when it was last as declared, before we started perhaps; None if
            that was never, or once somebody saw the pool drift and closed the breaker all the same.
        reported: what is in Kubernetes; None if that is not known.
        row: the same for the metrics.
        requested: the mark of what was asked for at the last look, see `core.saga.requests`.
        noticed_after: seconds from the change that made the pool drift to the look that found it; None if not known.
    """

    name: str
    basis: Basis
    assessment: Assessment
    decision: SagaDecision
    conclusion: Conclusion
    memory: PoolMemory = field(default=NOTHING_REMEMBERED)
    attempt: Attempt | None = None
    saga_memory: SagaMemory = field(default=NO_SAGA_MEMORY)
    course: Course = field(default=UNKNOWN_COURSE)
    removal: SagaMemory = field(default=NO_SAGA_MEMORY)
    in_order_under: PolicyGeneration | None = None
    change: Change | None = None
    reported: Reported | None = None
    row: PoolRow | None = None
    requested: str | None = None
    noticed_after: float | None = None

    @classmethod
    def begin(
        cls,
        basis: Basis,
        assessment: Assessment,
        decision: SagaDecision,
        *,
        in_order_under: PolicyGeneration | None = None,
    ) -> "PoolTrack":
        """The track of a pool that was not there in the last pass; `in_order_under` is what its object remembers."""
        return cls(
            name=pool_access_name(basis.connection.name, basis.pool.id),
            basis=basis,
            assessment=assessment,
            decision=decision,
            conclusion=conclude(assessment, decision),
            in_order_under=in_order_under,
        )

    @property
    def pool_id(self) -> str:
        """The id of the pool, as the service spells it."""
        return self.basis.pool.id

    def logged(self) -> AbstractContextManager[None]:
        """Lines logged inside are about this pool and what governs it."""
        policy = self.assessment.policy
        return log_context(pool=self.pool_id, policy=None if policy is None else str(policy.key))

    @property
    def corrected(self) -> bool:
        """Whether this pass changed its network."""
        return self.attempt is not None and self.attempt.change is not None

    def is_newly(self, requested: str | None) -> bool:
        """Whether somebody asked for a sweep since the last look; asked once, it is known."""
        before, self.requested = self.requested, requested
        return asks_anew(requested, before)

    def assessed(self, basis: Basis, assessment: Assessment, *, now: datetime) -> None:
        """Take in a new assessment, how long what it finds had been so, and whether the pool is in order."""
        lag = detection_lag(self.assessment, assessment, now=now)
        self.noticed_after = self.noticed_after if lag is None else lag
        self.basis, self.assessment = basis, assessment
        if not assessment.drift.is_correctable:
            self.in_order_under = _governed_by(assessment)

    def standing(self) -> PoolStanding:
        """The pool as the breaker sees it."""
        return PoolStanding(
            drifts=self.assessment.drift.is_correctable,
            governed_by=_governed_by(self.assessment),
            in_order_under=self.in_order_under,
        )

    def acknowledged(self) -> None:
        """Somebody knows that it drifts and closed the breaker all the same."""
        if self.standing().drifts_unprompted:
            self.in_order_under = None

    def decided(self, decision: SagaDecision) -> None:
        """Take in a decision on the present assessment."""
        self.decision = decision
        conclusion = conclude(self.assessment, decision)
        if conclusion != self.conclusion:
            self.conclusion = conclusion

    def is_as_reported(self, stored: StoredStatus, requested_at: str | None) -> bool:
        """Whether nothing changed since it was reported, here or in Kubernetes."""
        reported = self.reported
        return (
            reported is not None
            and reported.stored is stored
            and reported.requested_at == requested_at
            and reported.assessment is self.assessment
            and reported.conclusion is self.conclusion
            and reported.change is self.change
            and reported.in_order_under == self.in_order_under
            and not self.course.turns
        )


def detection_lag(before: Assessment, after: Assessment, *, now: datetime) -> float | None:
    """Seconds since the pool was changed, if that change made it drift; None if it did not, or the policy changed too.

    Source: REST doc "Pool - Get", `lastModified`: of the pool itself, not of its nodes. A second change between the
    drift and our look makes the time appear shorter than it was.
    """
    was, is_now = before.pool.last_modified, after.pool.last_modified
    if is_now is None or is_now == was or _governed_by(before) != _governed_by(after):
        return None
    drifts_anew = after.drift.kind is not before.drift.kind and not after.drift.is_as_declared
    return max(0.0, (now - is_now).total_seconds()) if drifts_anew else None


def _governed_by(assessment: Assessment) -> PolicyGeneration | None:
    policy = assessment.policy
    return None if policy is None else PolicyGeneration(uid=policy.uid, generation=policy.generation)
