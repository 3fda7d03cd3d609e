from datetime import timedelta

from batchaccess.core.conditions import Finding, dated
from batchaccess.core.reasons import ConditionStatus, ConditionType
from batchaccess.core.status import Condition
from tests.support.build import NOW

LATER = NOW + timedelta(minutes=5)


def finding(
    type: ConditionType = ConditionType.READY,
    status: ConditionStatus = ConditionStatus.TRUE,
    reason: str = "Fine",
    message: str = "It is.",
) -> Finding:
    return Finding(type=type, status=status, reason=reason, message=message)


def first(*findings: Finding) -> tuple[Condition, ...]:
    return dated(findings, previous=(), generation=1, now=NOW)


def test_a_new_condition_is_dated_now_to_the_second() -> None:
    (condition,) = dated([finding()], previous=(), generation=7, now=NOW + timedelta(microseconds=999999))
    assert (condition.last_transition_time, condition.observed_generation) == (NOW, 7)


def test_the_time_stays_while_the_status_does() -> None:
    other = finding(reason="Other", message="It is still.")
    (condition,) = dated([other], previous=first(finding()), generation=2, now=LATER)
    assert condition.last_transition_time == NOW
    assert (condition.reason, condition.message, condition.observed_generation) == ("Other", "It is still.", 2)


def test_the_time_moves_when_the_status_flips() -> None:
    flipped = finding(status=ConditionStatus.UNKNOWN)
    (condition,) = dated([flipped], previous=first(finding()), generation=1, now=LATER)
    assert condition.last_transition_time == LATER


def test_the_same_findings_give_equal_conditions() -> None:
    before = first(finding(), finding(ConditionType.STALLED))
    assert dated([finding(ConditionType.STALLED), finding()], previous=before, generation=1, now=LATER) == before


def test_conditions_have_one_order_with_ready_first() -> None:
    shuffled = first(*(finding(each) for each in reversed(ConditionType)))
    assert [condition.type for condition in shuffled] == list(ConditionType)
    assert shuffled[0].type is ConditionType.READY


def test_a_condition_that_is_not_found_any_more_goes() -> None:
    before = first(finding(), finding(ConditionType.STALLED))
    assert [each.type for each in dated([finding()], previous=before, generation=1, now=LATER)] == [ConditionType.READY]


def test_a_long_message_is_cut() -> None:
    (condition,) = first(finding(message="x" * 2000))
    assert len(condition.message) == 1024
    assert condition.message.endswith("...")
