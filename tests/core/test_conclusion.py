import pytest

from batchaccess.core.assessment import Assessment, assess
from batchaccess.core.conclusion import Conclusion, conclude, drift_summary
from batchaccess.core.decision import Decision, Nothing, Stall, Wait, decide
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Mode,
)
from batchaccess.core.drift import NO_DRIFT
from batchaccess.core.memory import NOTHING_REMEMBERED
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import CompliantReason, ConditionStatus, PoolOutcome
from batchaccess.core.selection import Candidates
from tests.support.build import NOW, assertion, connection, endpoint, policy, pool, wanted

GOOD, WIDE = endpoint("SSH", "deny * priority 200"), endpoint("SSH", "allow * priority 200")
WANTED = wanted("SSH", "deny * priority 200")
GUARDED = connection(forbid=[22])


def assessed(of: ObservedPool, by: AccessPolicy | None, on: AccountConnection) -> Assessment:
    return assess(of, nodes=None, connection=on, candidates=Candidates.of(on, [by] if by else [], {}))


def concluded(
    of: ObservedPool,
    by: AccessPolicy | None,
    *,
    on: AccountConnection | None = None,
    decision: Decision | None = None,
) -> Conclusion:
    account = on or connection()
    assessment = assessed(of, by, account)
    return conclude(assessment, decision or decide(assessment, connection=account, memory=NOTHING_REMEMBERED, now=NOW))


TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
ENFORCING = policy("ssh", WANTED)
ASSERTING = policy("ssh", wanted("SSH", "allow *"), assertions=[assertion("no-login", ports=[22])])
OPENED = endpoint("SSH", "allow *")

CONCLUSIONS = {
    "nothing governs the pool": (
        concluded(pool("p", WIDE), None),
        PoolOutcome.UNMANAGED,
        UNKNOWN,
        CompliantReason.NOT_MANAGED,
        "No policy governs this pool.",
    ),
    "nothing governs the pool, and it breaks a guardrail": (
        concluded(pool("p", WIDE), None, on=GUARDED),
        PoolOutcome.VIOLATING,
        FALSE,
        CompliantReason.GUARDRAIL_VIOLATED,
        "The connection forbids this: SSH (TCP/22) is reachable from the Internet.",
    ),
    "it is as declared": (
        concluded(pool("p", GOOD), ENFORCING),
        PoolOutcome.COMPLIANT,
        TRUE,
        CompliantReason.COMPLIANT,
        "The network is as policy render/ssh declares.",
    ),
    "it differs in spelling": (
        concluded(pool("p", endpoint("SSH", "deny * priority 300")), ENFORCING),
        PoolOutcome.COMPLIANT,
        TRUE,
        CompliantReason.COMPLIANT,
        "The network is as policy render/ssh declares. It differs in spelling only.",
    ),
    "it was just corrected": (
        concluded(pool("p", GOOD), ENFORCING, decision=Nothing(outcome=PoolOutcome.CORRECTED)),
        PoolOutcome.CORRECTED,
        TRUE,
        CompliantReason.COMPLIANT,
        "The network is as policy render/ssh declares.",
    ),
    "it is as declared, but an assertion fails": (
        concluded(pool("p", OPENED), ASSERTING),
        PoolOutcome.VIOLATING,
        FALSE,
        CompliantReason.ASSERTION_VIOLATED,
        "Assertion no-login of render/ssh: Internet reaches SSH (TCP/22).",
    ),
    "it is as declared, but breaks a guardrail and an assertion": (
        concluded(pool("p", OPENED), ASSERTING, on=GUARDED),
        PoolOutcome.VIOLATING,
        FALSE,
        CompliantReason.GUARDRAIL_VIOLATED,
        "The connection forbids this: SSH (TCP/22) is reachable from the Internet.",
    ),
    "it drifts under an audit": (
        concluded(pool("p", WIDE), policy("ssh", WANTED, mode=Mode.AUDIT)),
        PoolOutcome.AUDIT_DRIFT,
        FALSE,
        CompliantReason.AUDIT_ONLY,
        "Policy render/ssh is in mode Audit and corrects nothing. Widening drift in endpoints[SSH].",
    ),
    "it is about to be corrected": (
        concluded(pool("p", WIDE), ENFORCING),
        PoolOutcome.PENDING,
        FALSE,
        CompliantReason.CORRECTING,
        "The network is about to be corrected. Widening drift in endpoints[SSH].",
    ),
    "it waits": (
        concluded(pool("p", WIDE), ENFORCING, decision=Wait(reason=CompliantReason.POOL_NOT_EMPTY, message="Busy.")),
        PoolOutcome.PENDING,
        FALSE,
        CompliantReason.POOL_NOT_EMPTY,
        "Busy. Widening drift in endpoints[SSH].",
    ),
    "it is stalled and breaks a guardrail": (
        concluded(
            pool("p", WIDE), ENFORCING, on=GUARDED, decision=Stall(reason=CompliantReason.REJECTED, message="No.")
        ),
        PoolOutcome.STALLED,
        FALSE,
        CompliantReason.REJECTED,
        (
            "No. Widening drift in endpoints[SSH]. "
            "The connection forbids this: SSH (TCP/22) is reachable from the Internet."
        ),
    ),
}


@pytest.mark.parametrize(
    ("found", "outcome", "compliant", "reason", "message"), CONCLUSIONS.values(), ids=CONCLUSIONS.keys()
)
def test_what_a_visit_comes_to_when(
    found: Conclusion,
    outcome: PoolOutcome,
    compliant: ConditionStatus,
    reason: CompliantReason,
    message: str,
) -> None:
    assert found == Conclusion(outcome=outcome, compliant=compliant, reason=reason, message=message)


def test_no_drift_is_said_too() -> None:
    assert drift_summary(NO_DRIFT) == "The network does not differ from what is declared."
