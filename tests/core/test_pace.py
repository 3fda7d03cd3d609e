"""How often what many may ask for is done: a few times at once, then at a steady pace, and nothing is forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.pace import Asked, Pace, TokenBucket, Urgency

THREE_THEN_TEN = Pace(burst=3, seconds=10)
START = 1000.0
FRESH = Asked(bucket=TokenBucket.full(THREE_THEN_TEN, now=START))


def spent(*times: float) -> TokenBucket:
    """A bucket from which one was taken at each of these seconds after its start."""
    bucket = TokenBucket.full(THREE_THEN_TEN, now=START)
    for time in times:
        bucket = bucket.taken(START + time)
    return bucket


@pytest.mark.parametrize(
    ("taken_at", "now", "free_at"),
    [
        pytest.param((), 0, 0, id="a full bucket has one at once"),
        pytest.param((0, 0), 0, 0, id="and so it has a second and a third"),
        pytest.param((0, 0, 0), 0, 10, id="after the burst the next one comes in ten seconds"),
        pytest.param((0, 0, 0), 4, 10, id="which is so however often one asks meanwhile"),
        pytest.param((0, 0, 0), 10, 10, id="then it is there"),
        pytest.param((0, 0, 0), 25, 25, id="and stays there"),
        pytest.param((0, 0, 0, 10), 10, 20, id="one each ten seconds, not one more"),
        pytest.param((0, 0, 0, 10, 20, 30), 31, 40, id="for as long as it is asked"),
        pytest.param((0, 0, 0, 29), 29, 29, id="a rest gives back a part of the burst"),
        pytest.param((0, 0, 0, 100, 100, 100), 100, 110, id="never more than the burst"),
        pytest.param((0, 0, 0, 3), 3, 20, id="one taken before its time is not given twice"),
    ],
)
def test_when_the_next_one_is_there(taken_at: tuple[float, ...], now: float, free_at: float) -> None:
    assert spent(*taken_at).free_at(START + now) == pytest.approx(START + free_at)


EMPTY = Asked(bucket=spent(0, 0, 0))


@pytest.mark.parametrize(
    ("asked", "due_at"),
    [
        pytest.param(FRESH, None, id="nobody asked"),
        pytest.param(FRESH.by(Urgency.PACED), 0, id="the first that asks at a pace is answered at once"),
        pytest.param(EMPTY.by(Urgency.PACED), 10, id="after a burst it waits for its turn"),
        pytest.param(EMPTY.by(Urgency.PACED).by(Urgency.PACED), 10, id="two that ask are one"),
        pytest.param(EMPTY.by(Urgency.AT_ONCE), 0, id="what is urgent waits for nothing"),
        pytest.param(EMPTY.by(Urgency.PACED).by(Urgency.AT_ONCE), 0, id="nor behind those that wait"),
    ],
)
def test_when_what_was_asked_for_is_due(asked: Asked, due_at: float | None) -> None:
    assert asked.due_at(START) == (None if due_at is None else pytest.approx(START + due_at))


@pytest.mark.parametrize(
    ("asked", "anyway", "left"),
    [
        pytest.param(FRESH.by(Urgency.PACED), False, 2, id="what was done at a pace takes one"),
        pytest.param(FRESH.by(Urgency.AT_ONCE), False, 3, id="what was urgent takes none"),
        pytest.param(FRESH.by(Urgency.PACED).by(Urgency.AT_ONCE), False, 3, id="nor what came along with it"),
        pytest.param(FRESH.by(Urgency.PACED), True, 3, id="nor what would have been done anyway"),
        pytest.param(FRESH, True, 3, id="nor what nobody asked for"),
    ],
)
def test_what_answering_takes(asked: Asked, left: int, *, anyway: bool) -> None:
    done = asked.answered(START, anyway=anyway)
    assert done.due_at(START) is None, "everybody who asked is answered"
    free = [spent for spent in range(5) if _after(done, spent).due_at(START) == START]
    assert free == list(range(left))


def _after(asked: Asked, times: int) -> Asked:
    for _ in range(times):
        asked = asked.by(Urgency.PACED).answered(START, anyway=False)
    return asked.by(Urgency.PACED)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_stretch_of_time_sees_more_than_the_burst_and_one_each_ten_seconds(pauses: list[float]) -> None:
    """Asked at any times, answered as soon as due: the answers of any stretch stay below the bound."""
    now, asked, answers = START, FRESH, []
    for pause in pauses:
        now += pause
        asked = asked.by(Urgency.PACED)
        due_at = asked.due_at(now)
        assert due_at is not None
        now = max(now, due_at)
        asked = asked.answered(now, anyway=False)
        answers.append(now)
    for first in range(len(answers)):
        for last in range(first, len(answers)):
            assert last - first + 1 <= 3 + (answers[last] - answers[first]) / 10 + 1e-6


@given(st.floats(0, 1e6), st.integers(1, 10), st.floats(0.1, 600))
def test_what_is_free_at_a_time_is_free_at_that_time(now: float, burst: int, seconds: float) -> None:
    """Rounding must not make who waits until then wait again, for ever."""
    bucket = TokenBucket.full(Pace(burst=burst, seconds=seconds), now=now)
    for _ in range(burst):
        bucket = bucket.taken(now)
    free_at = bucket.free_at(now)
    assert free_at > now
    assert bucket.free_at(free_at) == free_at
