"""A slow API server, in virtual time: who leads under it, and what becomes of writes whose answer is not awaited."""

import pytest

from tests.support.elections import Distance, Trouble, field_of, in_virtual_time

SLOW = [
    pytest.param(Distance(there=1.6), id="a request takes 1.6 s to arrive"),
    pytest.param(Distance(back=1.6), id="an answer takes 1.6 s to arrive"),
    pytest.param(Distance(there=2.5), id="a request takes 2.5 s to arrive"),
    pytest.param(Distance(back=2.5), id="an answer takes 2.5 s to arrive"),
    pytest.param(Distance(there=1.2, back=1.3), id="both take their time"),
]


@pytest.mark.parametrize("distance", SLOW)
@in_virtual_time
async def test_a_slow_server_is_led_under_and_the_lease_is_kept(distance: Distance) -> None:
    async with field_of() as field:
        a, b = field.join("a", distance), field.join("b", distance)
        await field.until(lambda: a.leading or b.leading, within=10)
        leader, other = (a, b) if a.leading else (b, a)
        for _ in range(600):
            await field.time.pass_by(0.2)
            assert leader.may_write
            assert field.holders == 1
        assert (leader.terms, other.terms) == (1, 0)


@pytest.mark.parametrize("distance", SLOW)
@in_virtual_time
async def test_a_server_that_becomes_slow_ends_no_term(distance: Distance) -> None:
    async with field_of("a", "b") as field:
        await field.time.pass_by(30.7)
        field.move(distance)
        await field.time.pass_by(60)
        assert [(each.leading, each.terms) for each in field.candidates] == [(True, 1), (False, 0)]


@pytest.mark.parametrize("distance", SLOW)
@in_virtual_time
async def test_a_leader_that_loses_a_slow_server_stops_writing_before_another_could_lead(distance: Distance) -> None:
    async with field_of("a", "b") as field:
        a, b = field.candidates
        field.move(distance)
        await field.time.pass_by(30.7)
        a.view.trouble = Trouble.UNHEARD
        stopped = await field.until(lambda: not a.may_write, within=15)
        # What was sent last still takes effect, and the other waits for as long as that says.
        a.view.trouble = Trouble.LOST
        taken = await field.until(lambda: b.leading, within=30)
        assert stopped < 10
        assert taken >= 2


@in_virtual_time
async def test_nobody_leads_under_a_server_that_takes_longer_than_a_request_may() -> None:
    async with field_of() as field:
        distance = Distance(there=3.1)
        a, b = field.join("a", distance), field.join("b", distance)
        await field.time.pass_by(60)
        assert (a.terms, b.terms, field.server.writes) == (0, 0, [])
        field.move(Distance())
        await field.until(lambda: a.leading or b.leading, within=5)


@in_virtual_time
async def test_one_request_without_an_answer_does_not_end_a_term() -> None:
    async with field_of("a", "b") as field:
        a, _ = field.candidates
        await field.time.pass_by(10.1)
        field.move(Distance(there=1000))
        await field.time.pass_by(1.5)
        field.move(Distance())
        await field.time.pass_by(30)
        assert (a.leading, a.terms) == (True, 1)


@in_virtual_time
async def test_a_holder_renews_without_reading_what_it_wrote_itself() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        await field.time.pass_by(0.5)
        a.view.reads = 0
        await field.time.pass_by(30)
        assert (a.terms, a.view.reads) == (1, 0)
        assert 19 <= len(field.server.writes) - 2 <= 21


@in_virtual_time
async def test_somebody_edits_the_lease_of_a_holder() -> None:
    async with field_of("a", "b") as field:
        for _ in range(20):
            await field.time.pass_by(1.1)
            field.server.label()
        assert [each.terms for each in field.candidates] == [1, 0]


@pytest.mark.parametrize("distance", SLOW)
@in_virtual_time
async def test_what_is_left_counts_from_when_the_renewal_was_sent(distance: Distance) -> None:
    async with field_of() as field:
        a = field.join("a", distance)
        await field.until(lambda: a.leading, within=10)
        assert a.leadership.seconds_left <= 10 - distance.there - distance.back + 0.1
