"""What a person is told of the step from one status of a pool to the next, and of what its sagas went through."""

from dataclasses import replace
from typing import Any

import pytest

from batchaccess.core.announcements import Announcement, announcements
from batchaccess.core.model import NodeCounts
from batchaccess.core.reasons import ConditionStatus, ConditionType, EventReason, EventType
from batchaccess.core.saga.course import UNKNOWN_COURSE, Course
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import Ending, KubernetesJournal, Step
from batchaccess.core.status import Condition
from tests.core.saga.situations import copy, journal
from tests.support.build import NOW

ENDED, STEP, PENDING = EventReason.REMEDIATION_ENDED, EventReason.REMEDIATING, EventReason.RESTORE_PENDING
NORMAL, WARNING = EventType.NORMAL, EventType.WARNING
NOBODY = UNKNOWN_COURSE.seen(None).told()
"""A process that saw no saga so far."""

LATE = "The pool was not empty in time."
PREPARING, DRAINING = copy(Step.PREPARING), copy(Step.DRAINING)
RESTORING = copy(Step.RESTORING, ending=Ending.DRAIN_TIMED_OUT, message=LATE)
BY_FORMULA = RecordedScale(targets=NodeCounts(dedicated=2), autoscale_formula="$TargetDedicatedNodes = 2;")


def said(type: ConditionType, reason: str, message: str = "so", *, status: ConditionStatus) -> Condition:
    return Condition(
        type=type, status=status, reason=reason, message=message, observed_generation=1, last_transition_time=NOW
    )


def remediating(reason: str | None, message: str = "so") -> Condition:
    """`Remediating` at a step, or idle."""
    status = ConditionStatus.FALSE if reason is None else ConditionStatus.TRUE
    return said(ConditionType.REMEDIATING, reason or "Idle", message, status=status)


def drifted(reason: str) -> Condition:
    status = ConditionStatus.FALSE if reason in ("None", "Neutral") else ConditionStatus.TRUE
    return said(ConditionType.DRIFTED, reason, status=status)


def compliant(status: ConditionStatus, message: str) -> Condition:
    return said(ConditionType.COMPLIANT, "Compliant", message, status=status)


def told(*before: Condition, now: tuple[Condition, ...] = (), **more: Any) -> list[Announcement]:  # noqa: ANN401
    given: dict[str, Any] = {"corrected": None, "is_governed": True, "course": NOBODY, **more}
    return [*announcements(before, now, **given)]


def through(*copies: KubernetesJournal | None, since: Course = NOBODY) -> Course:
    """The course over these copies."""
    for each in copies:
        since = since.seen(each)
    return since


def ending(of: Ending, message: str) -> KubernetesJournal:
    """The last copy of a saga that ended so, everything else done."""
    return copy(Step.CLEARING, ending=of, message=message)


UNGOVERNED = "No policy governs this pool any more, so nothing is declared that its network could differ from."
CLOSED = {
    "a policy governs it: the drift was closed by somebody else": (
        {},
        EventReason.DRIFT_CLOSED,
        "The network no longer differs from what is declared; the operator did not change it.",
    ),
    "a saga is open: whose doing it was is not known": (
        {"course": through(DRAINING).told()},
        EventReason.DRIFT_CLOSED,
        "The network no longer differs from what is declared.",
    ),
    "no policy governs it any more: nothing is claimed of its network": (
        {"is_governed": False},
        EventReason.NO_LONGER_MANAGED,
        f"{UNGOVERNED} The operator leaves it as it is.",
    ),
}


@pytest.mark.parametrize(("facts", "reason", "message"), CLOSED.values(), ids=CLOSED.keys())
def test_a_pool_drifts_no_more_and(facts: dict[str, Any], reason: EventReason, message: str) -> None:
    assert told(drifted("Widening"), now=(drifted("None"),), **facts) == [
        Announcement(type=NORMAL, reason=reason, message=message)
    ]


def test_a_pool_in_order_that_no_policy_governs_any_more_is_nothing_to_tell() -> None:
    assert told(drifted("None"), now=(drifted("None"),), is_governed=False) == []


NODES = "2 dedicated and 0 low-priority nodes"
ENDINGS = {
    "the network was corrected": (
        ending(Ending.CORRECTED, "The network was found as declared."),
        NORMAL,
        "Corrected: The network was found as declared.",
    ),
    "there was nothing to correct": (ending(Ending.NOT_NEEDED, "Gone."), NORMAL, "NotNeeded: Gone."),
    "the drain took too long": (ending(Ending.DRAIN_TIMED_OUT, LATE), WARNING, f"DrainTimedOut: {LATE}"),
    "its policy is gone": (ending(Ending.POLICY_GONE, "Gone."), WARNING, "PolicyGone: Gone."),
    "somebody else set a scale": (ending(Ending.SCALE_CHANGED, "Theirs."), WARNING, "ScaleChanged: Theirs."),
    "it was another holder's": (ending(Ending.ADOPTED, "Taken over."), WARNING, "Adopted: Taken over."),
    "its journal is gone before the scale is back": (
        RESTORING,
        WARNING,
        f"Forgotten: The correction does not go on here. The scale that it had recorded: {NODES}",
    ),
}


@pytest.mark.parametrize(("last", "type", "message"), ENDINGS.values(), ids=ENDINGS.keys())
def test_the_end_of_a_saga_says_how_it_ended_where(last: KubernetesJournal, type: EventType, message: str) -> None:
    course = through(last).told().seen(None)
    assert told(remediating(last.step), now=(remediating(None),), course=course) == [
        Announcement(type=type, reason=ENDED, message=message)
    ]


ABANDONED = "Abandoned: The pool stays as it is. If its scale is to be as before, set it by hand: "
GIVEN_UP = {
    "the nodes it had": (DRAINING, NODES),
    "the formula it had": (
        copy(Step.CLEARING, journal(recorded=BY_FORMULA), ending=Ending.CORRECTED),
        "autoscale with the recorded formula: $TargetDedicatedNodes = 2;",
    ),
}


@pytest.mark.parametrize(("last", "scale"), GIVEN_UP.values(), ids=GIVEN_UP.keys())
def test_a_saga_that_is_abandoned_is_a_warning_that_names(last: KubernetesJournal, scale: str) -> None:
    course = through(last).told().seen(None, abandoned=True)
    assert told(remediating(last.step), now=(remediating(None),), course=course) == [
        Announcement(type=WARNING, reason=ENDED, message=f"{ABANDONED}{scale}")
    ]


def test_each_step_of_a_visit_is_told_once_and_in_order() -> None:
    draining_now = remediating("Draining", "Nodes are leaving the pool.")
    course = through(PREPARING, replace(PREPARING, etag="written anew"), DRAINING)
    assert [each.message for each in told(remediating(None), now=(draining_now,), course=course)] == [
        "Preparing: The scale of the pool is being recorded.",
        "Draining: The pool is being drained.",
    ]
    assert told(draining_now, now=(draining_now,), course=course.told()) == []


def test_a_step_that_a_condition_shows_late_is_not_told_again() -> None:
    course = through(DRAINING, RESTORING).told()
    assert told(remediating("Draining"), now=(remediating("Restoring"),), course=course) == []


def test_a_step_after_the_correction_says_how_that_ended() -> None:
    course = through(DRAINING).told().seen(RESTORING)
    (step,) = told(remediating("Draining"), now=(remediating("Restoring"),), course=course)
    assert step.message == f"Restoring: The recorded scale is being brought back. {LATE}"


SECOND = copy(Step.DRAINING, journal(saga_id="fedcba987654"))
SUCCESSORS = {
    "begins anew": (None, copy(Step.PREPARING, SECOND.journal), SECOND),
    "takes its place": (SECOND,),
}


@pytest.mark.parametrize("later", SUCCESSORS.values(), ids=SUCCESSORS.keys())
def test_the_end_of_a_saga_is_told_also_where_another_at_the_same_step(
    later: tuple[KubernetesJournal | None, ...],
) -> None:
    same = remediating("Draining")
    course = through(*later, since=through(DRAINING).told())
    first, *_, last = told(same, now=(same,), course=course)
    assert (first.reason, first.type) == (ENDED, WARNING)
    assert (last.reason, last.message) == (STEP, "Draining: The pool is being drained.")


TROUBLE = {
    "begins": ("Restoring", "RestorePending", [(WARNING, PENDING, "so")]),
    "is over": ("RestorePending", "Restoring", [(NORMAL, STEP, "Restoring: so")]),
    "stays": ("RestorePending", "RestorePending", []),
}


@pytest.mark.parametrize(("before", "now", "expected"), TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_with_a_restore(before: str, now: str, expected: list[tuple[EventType, EventReason, str]]) -> None:
    course = through(RESTORING).told()
    found = told(remediating(before), now=(remediating(now),), course=course)
    assert [(each.type, each.reason, each.message) for each in found] == expected


def test_what_an_earlier_process_did_not_tell_is_told_from_the_conditions() -> None:
    stands = UNKNOWN_COURSE.seen(DRAINING)
    (step,) = told(remediating(None), now=(remediating("Draining"),), course=stands)
    assert step.message == "Draining: so"
    assert told(remediating("Draining"), now=(remediating("Draining"),), course=stands) == []
    gone = UNKNOWN_COURSE.seen(None)
    well, unwell = compliant(ConditionStatus.TRUE, "All is well."), compliant(ConditionStatus.FALSE, "It drifts.")
    for now, kind in ((well, NORMAL), (unwell, WARNING)):
        assert told(remediating("Draining"), now=(remediating(None), now), course=gone) == [
            Announcement(type=kind, reason=ENDED, message=f"The correction does not go on. {now.message}")
        ]


def test_an_end_that_was_told_is_not_told_again_where_its_condition_comes_late() -> None:
    course = through(DRAINING, None).told()
    assert told(remediating("Draining"), now=(remediating(None),), course=course) == []


def test_what_is_wrong_comes_first_then_what_was_done_then_what_that_came_to() -> None:
    course = through(DRAINING, RESTORING)
    exposed = said(ConditionType.EXPOSED, "InternetReachable", status=ConditionStatus.TRUE)
    closed = said(ConditionType.EXPOSED, "None", status=ConditionStatus.FALSE)
    assert [each.reason for each in told(drifted("None"), now=(drifted("Widening"), exposed), course=course)] == [
        EventReason.DRIFT_DETECTED,
        EventReason.INTERNET_REACHABLE,
        STEP,
        STEP,
    ]
    assert [each.reason for each in told(exposed, drifted("Widening"), now=(drifted("None"), closed), course=course)][
        -2:
    ] == [EventReason.DRIFT_CLOSED, EventReason.NO_LONGER_REACHABLE]
