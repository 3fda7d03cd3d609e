"""What changed between two statuses of a pool that a person should be told; pure, so that a restart repeats nothing.

An event says what happened once; conditions say what is so. Both carry the same reasons' texts. What a saga went
through in between is told from its journals: conditions show but the step at which a visit ended.
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
from batchaccess.core.saga.course import Course, Turn, is_as_wished, over_line
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
    before: Iterable[Condition],
    after: Iterable[Condition],
    *,
    corrected: Drift | None,
    is_governed: bool,
    course: Course,
) -> tuple[Announcement, ...]:
    """What the step from one set of conditions to the next says: what is wrong, what was done, what that came to.

    Args:
        before: the conditions in Kubernetes now; none if the pool was never reported.
        after: the conditions about to be written.
        corrected: the drift for which we wrote the network in between; that it is closed is then our doing.
        is_governed: whether a policy governs the pool now.
        course: what was seen of its sagas, with the turns since the last announcement.
    """
    old = {condition.type: condition for condition in before}
    new = {condition.type: condition for condition in after}
    of_network = (
        *_of_drift(old, new, corrected=corrected, is_governed=is_governed, course=course),
        *_of_exposure(old, new),
    )
    return (
        *(each for each in of_network if each.type is EventType.WARNING),
        *(each for turn in course.turns for each in _of_turn(turn)),
        *_of_remediation(old, new, course),
        *(each for each in of_network if each.type is EventType.NORMAL),
    )


def _of_drift(
    old: Mapping[ConditionType, Condition],
    new: Mapping[ConditionType, Condition],
    *,
    corrected: Drift | None,
    is_governed: bool,
    course: Course,
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
        yield _no_drift_any_more(course) if is_governed else _NO_LONGER_MANAGED


_NO_LONGER_MANAGED: Final = Announcement(
    type=EventType.NORMAL,
    reason=EventReason.NO_LONGER_MANAGED,
    message="No policy governs this pool any more, so nothing is declared that its network could differ from. The "
    "operator leaves it as it is.",
)


def _no_drift_any_more(course: Course) -> Announcement:
    """That it was not our doing is not known where a saga was open, which an earlier process may have gone on with."""
    closed = "The network no longer differs from what is declared"
    is_ours_perhaps = course.copy is not None or course.turns
    return Announcement(
        type=EventType.NORMAL,
        reason=EventReason.DRIFT_CLOSED,
        message=f"{closed}." if is_ours_perhaps else f"{closed}; the operator did not change it.",
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


def _of_turn(turn: Turn) -> Iterator[Announcement]:
    over, after = turn.over, turn.after
    if over is not None:
        yield Announcement(
            type=EventType.NORMAL if is_as_wished(turn) else EventType.WARNING,
            reason=EventReason.REMEDIATION_ENDED,
            message=over_line(turn, over),
        )
    if after is not None:
        yield Announcement(
            type=EventType.NORMAL, reason=EventReason.REMEDIATING, message=f"{after.step}: {after.step_message}"
        )


def _of_remediation(
    old: Mapping[ConditionType, Condition], new: Mapping[ConditionType, Condition], course: Course
) -> Iterator[Announcement]:
    """What no turn tells: that a restore is in trouble or goes on again, and what an earlier process did not tell."""
    now, was = new.get(ConditionType.REMEDIATING), old.get(ConditionType.REMEDIATING)
    if now is None:
        return
    open_before = was is not None and was.status is ConditionStatus.TRUE
    before = was.reason if was is not None and open_before else None
    if now.status is not ConditionStatus.TRUE:
        if open_before and not _is_end_told(course):
            yield _goes_on_no_more(new.get(ConditionType.COMPLIANT))
    elif now.reason == before:
        return
    elif now.reason == RemediatingReason.RESTORE_PENDING:
        yield Announcement(type=EventType.WARNING, reason=EventReason.RESTORE_PENDING, message=now.message)
    elif (before == RemediatingReason.RESTORE_PENDING or not course.is_told) and not _is_told(now, course):
        yield Announcement(
            type=EventType.NORMAL, reason=EventReason.REMEDIATING, message=f"{now.reason}: {now.message}"
        )


def _is_told(now: Condition, course: Course) -> bool:
    """Whether a turn tells of the step that `Remediating` says."""
    return any(turn.after is not None and turn.after.step.value == now.reason for turn in course.turns)


def _is_end_told(course: Course) -> bool:
    """Whether this process told or tells how the saga ended."""
    is_over = course.is_known and course.copy is None
    return any(turn.over is not None for turn in course.turns) or (course.is_told and is_over)


def _goes_on_no_more(compliant: Condition | None) -> Announcement:
    """A journal is gone or cannot be read, and how far the saga came is not known."""
    is_well = compliant is not None and compliant.status is ConditionStatus.TRUE
    text = "The correction does not go on."
    return Announcement(
        type=EventType.NORMAL if is_well else EventType.WARNING,
        reason=EventReason.REMEDIATION_ENDED,
        message=text if compliant is None else f"{text} {compliant.message}",
    )
