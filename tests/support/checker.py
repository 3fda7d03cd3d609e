"""What holds for every status we write: kstatus, the Kubernetes API conventions, and our own rules.

`assert_valid_status` takes a value of `core.status`, or the JSON of a status subresource together with its kind.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from batchaccess.core.reasons import (
    AcceptedReason,
    CompliantReason,
    ConditionStatus,
    ConditionType,
    ConnectionReason,
    DriftClass,
    EnforcedReason,
    ExposedReason,
    RemediatingReason,
)
from batchaccess.core.status import Condition, ConnectionStatus, PolicyStatus, PoolCounts, PoolStatus

LONGEST_MESSAGE = 1024

CONNECTION, POLICY, POOL = "BatchAccountConnection", "BatchPoolAccessPolicy", "BatchPoolAccess"

REQUIRED = {
    CONNECTION: {"Ready"},
    POLICY: {"Ready", "Accepted", "Enforced"},
    POOL: {"Compliant", "Drifted", "Exposed", "Remediating"},
}
ALLOWED = {**REQUIRED, POLICY: REQUIRED[POLICY] | {"Reconciling", "Stalled"}}


def _words(*enums: type[StrEnum]) -> set[str]:
    return {member.value for enum in enums for member in enum}


REASONS = {
    (CONNECTION, "Ready"): _words(ConnectionReason),
    (POLICY, "Ready"): _words(AcceptedReason, EnforcedReason),
    (POLICY, "Accepted"): _words(AcceptedReason),
    (POLICY, "Enforced"): _words(EnforcedReason),
    (POLICY, "Reconciling"): _words(EnforcedReason),
    (POLICY, "Stalled"): _words(AcceptedReason, EnforcedReason),
    (POOL, "Compliant"): _words(CompliantReason),
    (POOL, "Drifted"): _words(DriftClass) | {CompliantReason.UNREADABLE.value},
    (POOL, "Exposed"): _words(ExposedReason) | {CompliantReason.UNREADABLE.value},
    (POOL, "Remediating"): _words(RemediatingReason),
}

UNSTABLE = re.compile(r"\d{2}:\d{2}:\d{2}|RequestId|[0-9a-f]{8}-[0-9a-f]{4}-(?!0000)", re.IGNORECASE)
"""Times of day, request ids and the like, which would make every visit a write."""


def assert_valid_status(
    status: ConnectionStatus | PolicyStatus | PoolStatus | Mapping[str, Any], kind: str | None = None
) -> None:
    """Fail with a sentence unless `status` keeps every rule; JSON needs its `kind`."""
    match status:
        case ConnectionStatus():
            kind, generation, conditions = CONNECTION, status.observed_generation, _as_json(status.conditions)
            counts = _counts_as_json(status.pools)
        case PolicyStatus():
            kind, generation, conditions = POLICY, status.observed_generation, _as_json(status.conditions)
            counts = _counts_as_json(status.pools)
        case PoolStatus():
            kind, generation, conditions = POOL, status.observed_generation, _as_json(status.conditions)
            counts = None
        case _:
            assert kind is not None, "JSON of a status needs its kind"
            generation, conditions = status["observedGeneration"], status["conditions"]
            counts = status.get("pools")
    assert generation >= 1, "observedGeneration starts at 1"
    _check_set(kind, conditions)
    for condition in conditions:
        _check_condition(kind, condition, generation)
    if kind == POLICY:
        _check_kstatus({condition["type"]: condition for condition in conditions})
    if kind == POOL:
        _check_pool({condition["type"]: condition for condition in conditions})
    if counts is not None:
        _check_counts(counts)


def _as_json(conditions: tuple[Condition, ...]) -> list[dict[str, Any]]:
    return [
        {
            "type": each.type.value,
            "status": each.status.value,
            "reason": str(each.reason),
            "message": each.message,
            "observedGeneration": each.observed_generation,
            "lastTransitionTime": each.last_transition_time.isoformat(),
        }
        for each in conditions
    ]


def _counts_as_json(counts: PoolCounts | None) -> dict[str, int] | None:
    if counts is None:
        return None
    names = ("total", "compliant", "drifted", "pending", "stalled", "violating", "unmanaged", "unknown")
    return {**{name: getattr(counts, name) for name in names}, "internetReachable": counts.internet_reachable}


def _check_set(kind: str, conditions: list[dict[str, Any]]) -> None:
    types = [condition["type"] for condition in conditions]
    assert len(types) == len(set(types)), f"types repeat: {types}"
    missing, foreign = REQUIRED[kind] - set(types), set(types) - ALLOWED[kind]
    assert not missing, f"{kind} lacks {sorted(missing)}"
    assert not foreign, f"{kind} has {sorted(foreign)}"
    order = [member.value for member in ConditionType]
    assert types == sorted(types, key=order.index), f"conditions are not in their order: {types}"


def _check_condition(kind: str, condition: Mapping[str, Any], generation: int) -> None:
    name, message, reason = condition["type"], condition["message"], condition["reason"]
    assert condition["status"] in _words(ConditionStatus), f"{name} is {condition['status']}"
    assert reason in REASONS[kind, name], f"{name} has the reason {reason!r}, which is none of its words"
    assert message.strip() == message != "", f"{name} says {message!r}"
    assert len(message) <= LONGEST_MESSAGE, f"the message of {name} has {len(message)} characters"
    assert "\n" not in message, f"the message of {name} has several lines"
    assert not UNSTABLE.search(message), f"the message of {name} is not stable: {message}"
    assert condition["observedGeneration"] == generation, f"{name} was observed at another generation"
    since = datetime.fromisoformat(condition["lastTransitionTime"])
    assert since.utcoffset() == UTC.utcoffset(None), f"{name} is dated in another time zone"
    assert since.microsecond == 0, f"{name} is dated more finely than Kubernetes stores"


def _check_kstatus(conditions: Mapping[str, Mapping[str, Any]]) -> None:
    ready = conditions["Ready"]
    abnormal = [conditions[name] for name in ("Reconciling", "Stalled") if name in conditions]
    assert len(abnormal) <= 1, "a policy is either still at work or stalled"
    for condition in abnormal:
        assert condition["status"] == "True", f"{condition['type']} exists only while it is true"
        assert condition["reason"] == ready["reason"], f"{condition['type']} and Ready give different reasons"
    assert bool(abnormal) == (ready["status"] != "True"), "Ready is not True exactly if something says what is wrong"
    if conditions["Accepted"]["status"] == "False":
        assert ready["status"] == "False", "what is not accepted is not ready"
        assert conditions["Enforced"]["status"] != "True", "what is not accepted is not enforced"


def _check_pool(conditions: Mapping[str, Mapping[str, Any]]) -> None:
    compliant = conditions["Compliant"]["status"] == "True"
    assert not (compliant and conditions["Drifted"]["status"] != "False"), "a drifted pool is not compliant"


def _check_counts(counts: Mapping[str, int]) -> None:
    beside = ("total", "internetReachable")
    parts = sum(count for name, count in counts.items() if name not in beside)
    assert parts == counts["total"], f"the parts do not add up to the total: {dict(counts)}"
    assert counts["internetReachable"] <= counts["total"], "more pools are reachable than there are"
