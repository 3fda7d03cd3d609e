"""What changed between two statuses of a pool that a person should be told; pure, so that a restart repeats nothing.

An event says what happened once; conditions say what is so. Both carry the same reasons' texts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from batchaccess.core.conclusion import drift_summary
from batchaccess.core.drift import Drift
from batchaccess.core.reasons import (
    ConditionStatus,
    ConditionType,
    DriftClass,
    EventReason,
    EventType,
    ExposedReason,
    RemediatingReason,
)
from batchaccess.core.status import Condition

_DRIFTS: Final = frozenset(
    {DriftClass.WIDENING, DriftClass.MIXED, DriftClass.NARROWING, DriftClass.CONFIGURATION, DriftClass.IMPLICIT_MAPPING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One event to emit; `drift` is set where drift was newly seen, for the metric that counts it."""

    type: EventType
    reason: EventReason
    message: str
    drift: DriftClass | None = None


def announcements(
    before: Iterable[Condition], after: Iterable[Condition], *, corrected: Drift | None
) -> tuple[Announcement, ...]:
    """What the step from one set of conditions to the next says.

    Args:
        before: the conditions in Kubernetes now; none if the pool was never reported.
        after: the conditions about to be written.
        corrected: the drift for which we wrote the network in between; that it is closed is then our doing.
    """
    old = {condition.type: condition for condition in before}
    new = {condition.type: condition for condition in after}
    return (*_of_drift(old, new, corrected=corrected), *_of_exposure(old, new), *_of_remediation(old, new))


def _of_drift(
    old: Mapping[ConditionType, Condition], new: Mapping[ConditionType, Condition], *, corrected: Drift | None
) -> Iterator[Announcement]:
    drifted, was = new.get(ConditionType.DRIFTED), old.get(ConditionType.DRIFTED)
    if drifted is None:
        return
    drifts, drifted_before = _drift(drifted), None if was is None else _drift(was)
    if drifts is not None and drifts is not drifted_before:
        yield Announcement(
            type=EventType.WARNING, reason=EventReason.DRIFT_DETECTED, message=drifted.message, drift=drifts
        )
    elif corrected is not None and drifts is None:
        yield Announcement(
            type=EventType.NORMAL,
            reason=EventReason.DRIFT_CORRECTED,
            message=f"Corrected: {drift_summary(corrected)}",
            drift=corrected.kind if corrected.kind is not drifted_before else None,
        )
    elif drifted_before is not None and drifted.status is ConditionStatus.FALSE:
        yield Announcement(
            type=EventType.NORMAL,
            reason=EventReason.DRIFT_CLOSED,
            message="The network no longer differs from what is declared; the operator did not change it.",
        )


def _drift(condition: Condition) -> DriftClass | None:
    if condition.status is not ConditionStatus.TRUE or condition.reason not in _DRIFTS:
        return None
    return DriftClass(condition.reason)


def _of_exposure(
    old: Mapping[ConditionType, Condition], new: Mapping[ConditionType, Condition]
) -> Iterator[Announcement]:
    exposed, was = new.get(ConditionType.EXPOSED), old.get(ConditionType.EXPOSED)
    if exposed is None:
        return
    reachable = exposed.reason == ExposedReason.INTERNET_REACHABLE
    before = was is not None and was.reason == ExposedReason.INTERNET_REACHABLE
    if reachable and not before:
        yield Announcement(type=EventType.WARNING, reason=EventReason.INTERNET_REACHABLE, message=exposed.message)
    elif before and not reachable:
        yield Announcement(type=EventType.NORMAL, reason=EventReason.NO_LONGER_REACHABLE, message=exposed.message)


def _of_remediation(
    old: Mapping[ConditionType, Condition], new: Mapping[ConditionType, Condition]
) -> Iterator[Announcement]:
    """The steps of a saga; its end tells what `Compliant` says then, which is how it came out."""
    now, was = new.get(ConditionType.REMEDIATING), old.get(ConditionType.REMEDIATING)
    if now is None:
        return
    open_before = was is not None and was.status is ConditionStatus.TRUE
    if now.status is ConditionStatus.TRUE:
        if was is None or not open_before or was.reason != now.reason:
            pending = now.reason == RemediatingReason.RESTORE_PENDING
            yield Announcement(
                type=EventType.WARNING if pending else EventType.NORMAL,
                reason=EventReason.RESTORE_PENDING if pending else EventReason.REMEDIATING,
                message=now.message if pending else f"{now.reason}: {now.message}",
            )
    elif open_before:
        compliant = new.get(ConditionType.COMPLIANT)
        yield Announcement(
            type=EventType.NORMAL,
            reason=EventReason.REMEDIATION_ENDED,
            message="The correction is over." if compliant is None else f"The correction is over. {compliant.message}",
        )
