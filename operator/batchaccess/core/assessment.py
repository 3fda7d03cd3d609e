"""Everything that is concluded about one pool from one reading of it: pure, and the base of decision and status."""

from dataclasses import dataclass

from batchaccess.core.assertions import GuardrailViolation, evaluate_assertions, guardrail_violations
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import NO_DRIFT, Drift, pool_drift
from batchaccess.core.exposure import exposed_by_assertion, exposed_by_guardrail, exposed_by_policy
from batchaccess.core.limits import Violation, limit_violations
from batchaccess.core.model import (
    Network,
    NodeFindings,
    ObjectKey,
    ObservedPool,
)
from batchaccess.core.reachability import BackendPort, PoolReachability, reachability
from batchaccess.core.reasons import ConditionStatus, DriftClass, ExposedReason
from batchaccess.core.selection import Candidates
from batchaccess.core.status import AssertionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is concluded about one pool.

    Attributes:
        pool: the pool as it was read.
        reachability: who reaches its nodes now.
        policy: the policy that governs it, None if none does.
        overridden: the other policies that select it, by precedence.
        desired: the network it should have, None if no policy governs it.
        violations: limits of the service that `desired` breaks.
        drift: how its network differs from `desired`.
        assertions: every assertion of every policy that selects it.
        guardrail_violations: where it breaks a guardrail of its connection.
        exposure_violations: the ports the Internet reaches although a guardrail, an assertion of a policy that selects
            the pool, or what is declared closes them: see `core.exposure`.
    """

    pool: ObservedPool
    reachability: PoolReachability
    policy: AccessPolicy | None = None
    overridden: tuple[ObjectKey, ...] = ()
    desired: Network | None = None
    violations: tuple[Violation, ...] = ()
    drift: Drift = NO_DRIFT
    assertions: tuple[AssertionStatus, ...] = ()
    guardrail_violations: tuple[GuardrailViolation, ...] = ()
    exposure_violations: frozenset[BackendPort] = frozenset()

    @property
    def exposed(self) -> ExposedReason:
        """Whether the pool is reachable from the Internet: whether some public address gets in somewhere."""
        return self.reachability.exposed

    @property
    def failed_assertions(self) -> tuple[AssertionStatus, ...]:
        """The assertions that do not hold for certain."""
        return tuple(each for each in self.assertions if each.holds is ConditionStatus.FALSE)


def assess(
    pool: ObservedPool, *, nodes: NodeFindings | None, connection: AccountConnection, candidates: Candidates
) -> Assessment:
    """Conclude everything about one pool.

    Args:
        pool: the pool as read.
        nodes: what listing its nodes showed; None if they were not listed.
        connection: the account it belongs to.
        candidates: the policies that this connection accepts.
    """
    selection = candidates.select(pool)
    reach = reachability(pool.network, legacy=pool.is_legacy, nodes=nodes)
    guardrails = guardrail_violations(reach, connection.forbid_internet_ports)
    policy = selection.governing
    if policy is None:
        return Assessment(
            pool=pool,
            reachability=reach,
            guardrail_violations=guardrails,
            exposure_violations=exposed_by_guardrail(guardrails),
        )
    desired = desired_network(pool.network, policy.access)
    return Assessment(
        pool=pool,
        reachability=reach,
        policy=policy,
        overridden=tuple(each.key for each in selection.overridden),
        desired=desired,
        violations=limit_violations(desired),
        drift=pool_drift(pool.network, desired, policy.access, nodes),
        assertions=evaluate_assertions(selection.all, reach),
        guardrail_violations=guardrails,
        exposure_violations=(
            exposed_by_guardrail(guardrails)
            | exposed_by_assertion(selection.all, reach)
            | exposed_by_policy(reach, desired, policy.access)
        ),
    )


_BY_DANGER = (DriftClass.WIDENING, DriftClass.MIXED, DriftClass.NARROWING, DriftClass.CONFIGURATION)
_BY_EXPOSURE = (ExposedReason.INTERNET_REACHABLE, ExposedReason.UNDETERMINED, ExposedReason.NONE)


def danger(assessment: Assessment) -> tuple[int, int, float, int, str]:
    """Sort key that puts the most dangerous pool first: who lets in too many, and most of the Internet."""
    drift = assessment.drift
    return (
        0 if drift.widens else 1,
        _BY_EXPOSURE.index(assessment.exposed),
        -assessment.reachability.exposed_share,
        _BY_DANGER.index(drift.kind) if drift.kind in _BY_DANGER else len(_BY_DANGER),
        assessment.pool.id,
    )
