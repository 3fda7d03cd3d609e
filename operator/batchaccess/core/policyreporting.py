"""Derives the status of a policy from its acceptance and from what its pools come to.

| Enforced                      | Ready                | Reconciling, Stalled |
|-------------------------------|----------------------|----------------------|
| True (Enforced, AuditOnly)    | True                 | none                 |
| False AuditOnly, Suspended    | True: as asked for   | none                 |
| Unknown NothingSelected       | True                 | none                 |
| Unknown NotObserved           | Unknown              | Reconciling          |
| Pending, Contended, BackingOff| False                | Reconciling          |
| ForeignJournal, BreakerOpen   | False                | Reconciling          |
| Deleting                      | False                | Reconciling          |
| everything else               | False                | Stalled              |
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from batchaccess.core.acceptance import Acceptance
from batchaccess.core.conditions import Finding, dated
from batchaccess.core.declared import (
    AccessPolicy,
    Mode,
)
from batchaccess.core.departing import deletion_message, left_alone_message
from batchaccess.core.reasons import (
    CompliantReason,
    ConditionStatus,
    ConditionType,
    ConnectionReason,
    EnforcedReason,
)
from batchaccess.core.status import Condition, PolicyStatus
from batchaccess.core.tally import NOTHING_TALLIED, PolicyTally
from batchaccess.core.texts import listed

_ENFORCED_BY_COMPLIANT: Final = {
    CompliantReason.ACCESS_DENIED: EnforcedReason.ACCESS_DENIED,
    CompliantReason.REJECTED: EnforcedReason.REJECTED,
    CompliantReason.UNEXPECTED_RESULT: EnforcedReason.UNEXPECTED_RESULT,
    CompliantReason.PRECONDITION_UNSUPPORTED: EnforcedReason.PRECONDITION_UNSUPPORTED,
    CompliantReason.LIMIT_EXCEEDED: EnforcedReason.LIMIT_EXCEEDED,
    CompliantReason.SHARED_KEY_SUBNET: EnforcedReason.SHARED_KEY_SUBNET,
    CompliantReason.IMPLICIT_MAPPING: EnforcedReason.IMPLICIT_MAPPING,
    CompliantReason.UNREADABLE_JOURNAL: EnforcedReason.UNREADABLE_JOURNAL,
    CompliantReason.JOURNAL_REFUSED: EnforcedReason.JOURNAL_REFUSED,
    CompliantReason.SCALE_CHANGED: EnforcedReason.SCALE_CHANGED,
    CompliantReason.DRAIN_INCOMPLETE: EnforcedReason.DRAIN_INCOMPLETE,
    CompliantReason.DRAIN_TIMED_OUT: EnforcedReason.DRAIN_TIMED_OUT,
    CompliantReason.BREAKER_OPEN: EnforcedReason.BREAKER_OPEN,
    CompliantReason.FOREIGN_JOURNAL: EnforcedReason.FOREIGN_JOURNAL,
    CompliantReason.CONTENDED: EnforcedReason.CONTENDED,
    CompliantReason.BACKING_OFF: EnforcedReason.BACKING_OFF,
    CompliantReason.SUSPENDED: EnforcedReason.SUSPENDED,
    CompliantReason.CORRECTING: EnforcedReason.PENDING,
    CompliantReason.POOL_NOT_EMPTY: EnforcedReason.PENDING,
    CompliantReason.POOL_DELETING: EnforcedReason.PENDING,
    CompliantReason.OUTSIDE_WINDOW: EnforcedReason.PENDING,
    CompliantReason.DRAIN_LIMIT: EnforcedReason.PENDING,
    CompliantReason.AUDIT_ONLY: EnforcedReason.AUDIT_ONLY,
}
"""Weightiest first: the first reason that any pool has is the reason of the policy."""

_AS_ASKED: Final = frozenset({EnforcedReason.AUDIT_ONLY, EnforcedReason.SUSPENDED, EnforcedReason.NOTHING_SELECTED})
_UNDER_WAY: Final = frozenset(
    {
        EnforcedReason.PENDING,
        EnforcedReason.CONTENDED,
        EnforcedReason.BACKING_OFF,
        EnforcedReason.FOREIGN_JOURNAL,
        EnforcedReason.BREAKER_OPEN,
        EnforcedReason.DELETING,
    }
)

NOTHING_UNOBSERVED: Final[Mapping[str, ConnectionReason]] = MappingProxyType({})


def policy_status(
    policy: AccessPolicy,
    acceptance: Acceptance,
    tally: PolicyTally | None,
    *,
    previous: Iterable[Condition],
    now: datetime,
    unobserved: Mapping[str, ConnectionReason] = NOTHING_UNOBSERVED,
    leaving: Collection[str] = (),
    restoring: Collection[str] = (),
    requested_at: str | None = None,
) -> PolicyStatus:
    """The status of a policy that could be read.

    Args:
        policy: the policy.
        acceptance: what the connections make of it.
        tally: what its pools come to, over all accepting connections that are observed; None while no sweep has looked.
        previous: the conditions in Kubernetes now.
        now: the time of day.
        unobserved: the accepting connections whose sweeps could not look, and why.
        leaving: the accepting connections on which nothing is begun any more.
        restoring: the objects of the pools whose scale is brought back before the policy may go, if it is deleted.
        requested_at: the last handled `batchaccess.dev/requested-at`.
    """
    if policy.deleting:
        enforced = _deleting(restoring)
    elif acceptance.accepted:
        enforced = _with_departures(_enforced(policy, tally, unobserved), leaving)
    else:
        enforced = _not_accepted(acceptance)
    return _status(
        acceptance,
        [enforced, *_summary(acceptance, enforced)],
        tally if acceptance.accepted else NOTHING_TALLIED,
        generation=policy.generation,
        previous=previous,
        now=now,
        requested_at=requested_at,
    )


def invalid_policy_status(
    acceptance: Acceptance,
    *,
    generation: int,
    previous: Iterable[Condition],
    now: datetime,
    deleting: bool = False,
    restoring: Collection[str] = (),
    requested_at: str | None = None,
) -> PolicyStatus:
    """The status of a policy that the API server stored but that we refuse; see `core.acceptance.invalid`."""
    enforced = _deleting(restoring) if deleting else _not_accepted(acceptance)
    findings = [enforced, *_summary(acceptance, enforced)]
    return _status(
        acceptance,
        findings,
        NOTHING_TALLIED,
        generation=generation,
        previous=previous,
        now=now,
        requested_at=requested_at,
    )


def _status(
    acceptance: Acceptance,
    findings: Iterable[Finding],
    tally: PolicyTally | None,
    *,
    generation: int,
    previous: Iterable[Condition],
    now: datetime,
    requested_at: str | None = None,
) -> PolicyStatus:
    accepted = Finding(
        type=ConditionType.ACCEPTED,
        status=ConditionStatus.TRUE if acceptance.accepted else ConditionStatus.FALSE,
        reason=acceptance.reason,
        message=acceptance.message,
    )
    return PolicyStatus(
        observed_generation=generation,
        conditions=dated([accepted, *findings], previous=previous, generation=generation, now=now),
        connections=acceptance.targets,
        pools=None if tally is None else tally.pools,
        overridden=0 if tally is None else tally.overridden,
        not_in_order=() if tally is None else tally.not_in_order,
        last_handled_requested_at=requested_at,
    )


def _not_accepted(acceptance: Acceptance) -> Finding:
    return _enforced_finding(
        ConditionStatus.FALSE, EnforcedReason.NOT_ACCEPTED, f"The policy is not accepted: {acceptance.reason}."
    )


def _deleting(restoring: Collection[str]) -> Finding:
    return _enforced_finding(ConditionStatus.FALSE, EnforcedReason.DELETING, deletion_message(restoring))


def _with_departures(enforced: Finding, leaving: Collection[str]) -> Finding:
    if not leaving:
        return enforced
    return replace(enforced, message=f"{enforced.message} {left_alone_message(leaving)}")


def _enforced(policy: AccessPolicy, tally: PolicyTally | None, unobserved: Mapping[str, ConnectionReason]) -> Finding:
    if not unobserved:
        return _observed(policy, tally)
    names = listed(f"{name} ({reason})" for name, reason in sorted(unobserved.items()))
    message = f"The pools of these connections cannot be observed: {names}."
    if tally is None:
        return _enforced_finding(ConditionStatus.UNKNOWN, EnforcedReason.NOT_OBSERVED, message)
    others = _observed(policy, tally)
    if others.status is ConditionStatus.FALSE and others.reason not in _AS_ASKED:
        return replace(others, message=f"{others.message} {message}")
    return _enforced_finding(
        ConditionStatus.UNKNOWN, EnforcedReason.NOT_OBSERVED, f"{message} status.pools counts those of the others."
    )


def _observed(policy: AccessPolicy, tally: PolicyTally | None) -> Finding:
    if tally is None:
        return _enforced_finding(
            ConditionStatus.UNKNOWN, EnforcedReason.NOT_OBSERVED, "No sweep has looked at the pools yet."
        )
    if tally.pools.total == 0 and tally.overridden == 0:
        return _enforced_finding(
            ConditionStatus.UNKNOWN, EnforcedReason.NOTHING_SELECTED, "No pool matches spec.pools and the grants."
        )
    reason = _reason_of_pools(policy, tally)
    if reason is None:
        return _all_as_declared(policy, tally)
    unsure = reason is EnforcedReason.BACKING_OFF
    status = ConditionStatus.UNKNOWN if unsure else ConditionStatus.FALSE
    return _enforced_finding(status, reason, _message(reason, tally))


def _reason_of_pools(policy: AccessPolicy, tally: PolicyTally) -> EnforcedReason | None:
    """What keeps the policy from being so on its pools; None if nothing does."""
    if tally.pools.total == 0:
        return EnforcedReason.OVERRIDDEN
    found = next((mine for theirs, mine in _ENFORCED_BY_COMPLIANT.items() if theirs in tally.reasons), None)
    if tally.failed_assertions and (found is None or found in _UNDER_WAY):
        return EnforcedReason.AUDIT_ONLY if policy.mode is Mode.AUDIT else EnforcedReason.ASSERTION_VIOLATED
    return found


def _all_as_declared(policy: AccessPolicy, tally: PolicyTally) -> Finding:
    message = f"Every pool that the policy governs is as declared.{_overridden_text(tally)}"
    reason = EnforcedReason.AUDIT_ONLY if policy.mode is Mode.AUDIT else EnforcedReason.ENFORCED
    return _enforced_finding(ConditionStatus.TRUE, reason, message)


def _message(reason: EnforcedReason, tally: PolicyTally) -> str:
    if reason is EnforcedReason.OVERRIDDEN:
        return f"Every pool it selects is governed by others: {listed(str(key) for key in tally.winners)}."
    causes = sorted(tally.reasons)
    if tally.failed_assertions and CompliantReason.ASSERTION_VIOLATED not in causes:
        causes.append(CompliantReason.ASSERTION_VIOLATED)
    return f"Not every pool is as declared: {', '.join(causes)}; see status.notInOrder.{_overridden_text(tally)}"


def _overridden_text(tally: PolicyTally) -> str:
    if not tally.overridden:
        return ""
    return f" Other policies govern some that it selects: {listed(str(key) for key in tally.winners)}."


def _enforced_finding(status: ConditionStatus, reason: EnforcedReason, message: str) -> Finding:
    return Finding(type=ConditionType.ENFORCED, status=status, reason=reason, message=message)


def _summary(acceptance: Acceptance, enforced: Finding) -> Iterable[Finding]:
    """Ready and, only while true, Reconciling or Stalled: what kstatus reads."""
    if not acceptance.accepted and enforced.reason != EnforcedReason.DELETING:
        yield _ready(ConditionStatus.FALSE, acceptance.reason, acceptance.message)
        yield _abnormal(ConditionType.STALLED, acceptance.reason, acceptance.message)
    elif enforced.status is ConditionStatus.TRUE or enforced.reason in _AS_ASKED:
        yield _ready(ConditionStatus.TRUE, enforced.reason, enforced.message)
    elif enforced.reason == EnforcedReason.NOT_OBSERVED:
        yield _ready(ConditionStatus.UNKNOWN, enforced.reason, enforced.message)
        yield _abnormal(ConditionType.RECONCILING, enforced.reason, enforced.message)
    else:
        under_way = enforced.reason in _UNDER_WAY
        yield _ready(ConditionStatus.FALSE, enforced.reason, enforced.message)
        yield _abnormal(
            ConditionType.RECONCILING if under_way else ConditionType.STALLED, enforced.reason, enforced.message
        )


def _ready(status: ConditionStatus, reason: str, message: str) -> Finding:
    return Finding(type=ConditionType.READY, status=status, reason=reason, message=message)


def _abnormal(type: ConditionType, reason: str, message: str) -> Finding:
    return Finding(type=type, status=ConditionStatus.TRUE, reason=reason, message=message)
