"""Who leads and when: tables of the rules, and candidates in time that the test moves."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchaccess.control.election import (
    Claim,
    LeaseTimings,
    Sighting,
    claim,
    claimed,
    released,
    sighted,
)
from batchaccess.control.leadership import NOT_LEADING
from batchaccess.kube.lease import LeaseRecord, StoredLease
from batchaccess.ports import PortError
from tests.support.elections import EPOCH, Candidate, Distance, Trouble, field_of, in_virtual_time

ME, OTHER = "me", "other"


def record(holder: str, *, duration: int = 10, renewed: str = "r1") -> LeaseRecord:
    return LeaseRecord(holder=holder, duration_seconds=duration, acquired="a", renewed=renewed, transitions=3)


def seen(holder: str, *, duration: int = 10, since: float = 0) -> Sighting:
    return Sighting(lease=StoredLease(record=record(holder, duration=duration), version="1"), since=since)


@pytest.mark.parametrize(
    ("sighting", "now", "verdict"),
    [
        pytest.param(None, 0, Claim.CREATE, id="there is no Lease"),
        pytest.param(seen(ME), 999, Claim.RENEW, id="it is ours, however old"),
        pytest.param(seen(""), 0, Claim.TAKE, id="its holder let it go"),
        pytest.param(seen(OTHER), 9.999, Claim.WAIT, id="its holder's time is not over"),
        pytest.param(seen(OTHER), 10, Claim.TAKE, id="its holder's time is over"),
        pytest.param(seen(OTHER, duration=60), 10, Claim.WAIT, id="its holder said it takes longer than ours would"),
        pytest.param(seen(OTHER, since=5), 14.9, Claim.WAIT, id="it changed after it was first seen"),
        pytest.param(seen(OTHER, duration=0), 0, Claim.TAKE, id="it says no duration"),
    ],
)
def test_what_may_be_done(sighting: Sighting | None, now: float, verdict: Claim) -> None:
    assert claim(sighting, identity=ME, now=now) is verdict


def test_only_a_changed_record_starts_the_wait_anew() -> None:
    first = sighted(None, StoredLease(record=record(OTHER), version="1"), 1)
    labelled = sighted(first, StoredLease(record=record(OTHER), version="2"), 5)
    assert (labelled.since, labelled.lease.version) == (1, "2")
    assert sighted(labelled, StoredLease(record=record(OTHER, renewed="r2"), version="3"), 7).since == 7


def test_a_record_counts_holders_and_keeps_when_ours_began() -> None:
    timings = LeaseTimings()
    first = claimed(None, identity=ME, timings=timings, now=EPOCH)
    assert (first.transitions, first.acquired, first.duration_seconds) == (0, "2026-01-01T00:00:00.000000Z", 10)
    renewed = claimed(record(ME), identity=ME, timings=timings, now=EPOCH)
    assert (renewed.transitions, renewed.acquired, renewed.renewed) == (3, "a", "2026-01-01T00:00:00.000000Z")
    taken = claimed(record(OTHER), identity=ME, timings=timings, now=EPOCH)
    assert (taken.holder, taken.transitions, taken.acquired) == (ME, 4, taken.renewed)
    assert released(taken, now=EPOCH).holder == ""


@pytest.mark.parametrize(
    ("timings", "why"),
    [
        pytest.param({"lease_seconds": 7}, "stop before its lease ends", id="a lease without a margin"),
        pytest.param({"request_seconds": 3.5}, "two requests", id="a slow request may end a term"),
        pytest.param({"retry_seconds": 3.5}, "two requests", id="a quick request may end a term"),
    ],
)
def test_timings_that_are_not_safe_are_refused(timings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        LeaseTimings(**timings)


@in_virtual_time
async def test_one_leads_and_the_other_stands_by() -> None:
    async with field_of("a", "b") as field:
        a, b = field.candidates
        await field.time.pass_by(100)
        assert (a.leading, b.leading, a.terms, b.terms) == (True, False, 1, 0)
        assert not b.may_write
        assert len({each.acquired for each in field.server.writes}) == 1
        assert a.leadership.seconds_left >= 10 - 1.5


@in_virtual_time
async def test_after_a_kill_the_other_leads_once_the_lease_is_over() -> None:
    async with field_of("a", "b") as field:
        a, b = field.candidates
        await field.time.pass_by(30.7)
        await a.kill()
        waited = await field.until(lambda: b.leading, within=15)
        assert waited > 8


@in_virtual_time
async def test_after_a_graceful_stop_the_other_leads_at_once() -> None:
    async with field_of("a", "b") as field:
        a, b = field.candidates
        await field.time.pass_by(30.7)
        await a.stop()
        assert not a.may_write
        assert await field.until(lambda: b.leading, within=2) <= 1.5


@in_virtual_time
async def test_a_leader_without_the_api_stops_writing_before_another_could_lead() -> None:
    async with field_of("a", "b") as field:
        a, b = field.candidates
        await field.time.pass_by(10)
        a.view.trouble = Trouble.LOST
        stopped = await field.until(lambda: not a.may_write, within=15)
        took_over = stopped + await field.until(lambda: b.leading, within=15)
        assert took_over - stopped >= 2
        assert not a.leading
        a.view.trouble = Trouble.NONE
        await field.time.pass_by(30)
        assert (a.leading, b.leading) == (False, True)


@in_virtual_time
async def test_when_nobody_reaches_the_api_nobody_leads_and_afterwards_one_does() -> None:
    async with field_of("a", "b") as field:
        await field.time.pass_by(10)
        for each in field.candidates:
            each.view.trouble = Trouble.LOST
        await field.time.pass_by(60)
        assert not any(each.leading for each in field.candidates)
        for each in field.candidates:
            each.view.trouble = Trouble.NONE
        await field.until(lambda: sum(each.leading for each in field.candidates) == 1, within=2)


@in_virtual_time
async def test_one_failed_renewal_does_not_end_a_term() -> None:
    async with field_of("a", "b") as field:
        a, _ = field.candidates
        await field.time.pass_by(10)
        a.view.trouble = Trouble.UNHEARD
        await field.time.pass_by(3)
        a.view.trouble = Trouble.NONE
        await field.time.pass_by(30)
        assert (a.leading, a.terms) == (True, 1)


@in_virtual_time
async def test_a_lease_that_somebody_deletes_is_made_anew_by_its_holder_only() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        # The other looks at other moments than the holder: it could else miss every Lease that is made anew.
        await field.time.pass_by(0.7)
        b = field.join("b")
        for _ in range(20):
            await field.time.pass_by(1.1)
            field.server.lease = None
        await field.time.pass_by(5)
        assert (a.terms, b.terms) == (1, 0)


@in_virtual_time
async def test_a_lease_that_somebody_else_took_is_given_up_at_once() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        await field.time.pass_by(5)
        field.server.store(record("stranger"))
        await field.until(lambda: not a.may_write, within=1.6 * 2)
        assert not a.leading


SECONDS_APART = st.sampled_from([0, 0, 0.4, 1.6, 2.5, 7])


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 6),
            st.sampled_from(["trouble", "heal", "kill", "stop", "move", "move"]),
            st.integers(0, 2),
            st.sampled_from([Trouble.LOST, Trouble.UNHEARD]),
            st.builds(Distance, there=SECONDS_APART, back=SECONDS_APART),
        ),
        max_size=25,
    )
)
@settings(deadline=None)
def test_never_two_may_write_whatever_happens(
    story: list[tuple[float, str, int, Trouble, Distance]],
) -> None:
    @in_virtual_time
    async def play() -> None:
        async with field_of("a", "b", "c") as field:
            for number, (seconds, event, who, trouble, distance) in enumerate(story):
                for _ in range(max(1, round(seconds / 0.5))):
                    await field.time.pass_by(min(seconds, 0.5))
                    assert field.holders <= 1
                candidate = field.candidates[who]
                if event == "move":
                    candidate.view.distance = distance
                elif event in ("trouble", "heal"):
                    candidate.view.trouble = trouble if event == "trouble" else Trouble.NONE
                else:
                    await (candidate.kill() if event == "kill" else candidate.stop())
                    # The dead one's lease still counts: what it sent last may be under way.
                    field.graves.append(candidate)
                    field.candidates[who] = Candidate(f"again-{number}", field.server, field.time)
            field.move(Distance())
            for each in field.candidates:
                each.view.trouble = Trouble.NONE
            await field.time.pass_by(25)
            assert sum(each.leading for each in field.candidates) == 1

    play()


@in_virtual_time
async def test_a_write_may_take_what_is_left_less_two_seconds() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        await field.time.pass_by(0)
        assert a.leadership.leave() == pytest.approx(8)
        a.view.trouble = Trouble.LOST
        await field.time.pass_by(5)
        assert a.leadership.leave() == pytest.approx(3)
        await field.time.pass_by(2.6)
        with pytest.raises(PortError, match=NOT_LEADING):
            a.leadership.leave()
