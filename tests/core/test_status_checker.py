"""The checker that other tests rely on refuses what it should refuse."""

from typing import Any

import pytest

from tests.support.checker import CONNECTION, POLICY, POOL, assert_valid_status


def condition(type: str, status: str = "True", reason: str = "Enforced", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    return {
        "type": type,
        "status": status,
        "reason": reason,
        "message": "It is so.",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
        **changes,
    }


def policy(*conditions: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    return {"observedGeneration": 1, "conditions": list(conditions), **changes}


READY, ACCEPTED, ENFORCED = condition("Ready"), condition("Accepted", reason="Accepted"), condition("Enforced")
PENDING = condition("Ready", "False", "Pending")
NOT_ENFORCED = condition("Enforced", "False", "Pending")
RECONCILING = condition("Reconciling", reason="Pending")
IN_ORDER = [
    condition("Compliant", reason="Compliant"),
    condition("Drifted", "False", "None"),
    condition("Exposed", "False", "None"),
    condition("Remediating", "False", "Idle"),
]
COUNTS = {"total": 2, "compliant": 1, "stalled": 1, "internetReachable": 0}

VALID = {
    "a policy in order": (policy(READY, ACCEPTED, ENFORCED, pools=COUNTS), POLICY),
    "a policy at work": (policy(PENDING, ACCEPTED, NOT_ENFORCED, RECONCILING), POLICY),
    "a pool in order": (policy(*IN_ORDER), POOL),
    "a connection": (policy(condition("Ready", reason="Connected")), CONNECTION),
}


@pytest.mark.parametrize(("status", "kind"), VALID.values(), ids=VALID.keys())
def test_a_valid_status_passes(status: dict[str, Any], kind: str) -> None:
    assert_valid_status(status, kind)


INVALID = {
    "a type is missing": (policy(READY, ACCEPTED), POLICY, "lacks"),
    "a type is foreign": (policy(READY, ACCEPTED, ENFORCED, condition("Exposed")), POLICY, "has"),
    "a type repeats": (policy(READY, READY, ACCEPTED, ENFORCED), POLICY, "repeat"),
    "the order is another": (policy(ACCEPTED, READY, ENFORCED), POLICY, "order"),
    "a reason is no word of ours": (
        policy(condition("Ready", reason="whatever"), ACCEPTED, ENFORCED),
        POLICY,
        "none of its words",
    ),
    "a status is no status": (policy(condition("Ready", "Maybe"), ACCEPTED, ENFORCED), POLICY, "Maybe"),
    "a message is empty": (policy(condition("Ready", message=""), ACCEPTED, ENFORCED), POLICY, "says"),
    "a message is too long": (policy(condition("Ready", message="x" * 1025), ACCEPTED, ENFORCED), POLICY, "1025"),
    "a message has two lines": (policy(condition("Ready", message="a\nb"), ACCEPTED, ENFORCED), POLICY, "lines"),
    "a message tells the time": (
        policy(condition("Ready", message="At 12:00:01 it was."), ACCEPTED, ENFORCED),
        POLICY,
        "not stable",
    ),
    "a message tells a request id": (
        policy(condition("Ready", message="RequestId:ba63916c."), ACCEPTED, ENFORCED),
        POLICY,
        "not stable",
    ),
    "a generation differs": (
        policy(condition("Ready", observedGeneration=2), ACCEPTED, ENFORCED),
        POLICY,
        "generation",
    ),
    "a time is finer than a second": (
        policy(condition("Ready", lastTransitionTime="2026-03-01T12:00:00.5Z"), ACCEPTED, ENFORCED),
        POLICY,
        "finely",
    ),
    "a time is in another zone": (
        policy(condition("Ready", lastTransitionTime="2026-03-01T12:00:00+01:00"), ACCEPTED, ENFORCED),
        POLICY,
        "time zone",
    ),
    "Reconciling is false": (
        policy(PENDING, ACCEPTED, NOT_ENFORCED, condition("Reconciling", "False", "Pending")),
        POLICY,
        "only while it is true",
    ),
    "Reconciling gives another reason": (
        policy(PENDING, ACCEPTED, NOT_ENFORCED, condition("Reconciling", reason="Contended")),
        POLICY,
        "different reasons",
    ),
    "Reconciling and Stalled at once": (
        policy(PENDING, ACCEPTED, NOT_ENFORCED, RECONCILING, condition("Stalled", reason="Pending")),
        POLICY,
        "either",
    ),
    "ready while still at work": (
        policy(condition("Ready", reason="Pending"), ACCEPTED, NOT_ENFORCED, RECONCILING),
        POLICY,
        "exactly if",
    ),
    "not ready, and nothing says why": (policy(PENDING, ACCEPTED, NOT_ENFORCED), POLICY, "exactly if"),
    "enforced though not accepted": (
        policy(
            condition("Ready", "False", "Invalid"),
            condition("Accepted", "False", "Invalid"),
            ENFORCED,
            condition("Stalled", reason="Invalid"),
        ),
        POLICY,
        "not enforced",
    ),
    "compliant though drifted": (
        policy(IN_ORDER[0], condition("Drifted", "True", "Widening"), *IN_ORDER[2:]),
        POOL,
        "not compliant",
    ),
    "counts that do not add up": (policy(READY, ACCEPTED, ENFORCED, pools={**COUNTS, "total": 3}), POLICY, "add up"),
    "more reachable than there are": (
        policy(READY, ACCEPTED, ENFORCED, pools={**COUNTS, "internetReachable": 3}),
        POLICY,
        "reachable",
    ),
    "a generation of zero": (policy(READY, ACCEPTED, ENFORCED, observedGeneration=0), POLICY, "starts at 1"),
}


@pytest.mark.parametrize(("status", "kind", "complaint"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_status_is_refused(status: dict[str, Any], kind: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        assert_valid_status(status, kind)
