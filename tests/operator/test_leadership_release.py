"""A graceful stop lets the Lease go, whatever became of the last renewal; in virtual time."""

import pytest

from batchaccess.kube.lease import LeaseRecord
from tests.support.elections import Distance, Trouble, field_of, in_virtual_time


@pytest.mark.parametrize("tenths", range(26))
@pytest.mark.parametrize(("there", "back"), [(0.3, 0.2), (0, 0.5), (0.5, 0)])
@in_virtual_time
async def test_a_renewal_that_was_under_way_at_a_graceful_stop_costs_no_time(
    there: float, back: float, tenths: int
) -> None:
    async with field_of("a", "b") as field:
        a, b = field.candidates
        field.move(Distance(there=there, back=back))
        await field.time.pass_by(30 + tenths / 10)
        await a.stop()
        assert field.server.lease is not None
        assert field.server.lease.record.holder in {"", "b"}
        assert await field.until(lambda: b.leading, within=10) <= 1.5 + 2 * (there + back) + 0.1


@in_virtual_time
async def test_a_lease_that_was_edited_since_its_last_renewal_is_let_go_all_the_same() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        await field.time.pass_by(5)
        field.server.label()
        await a.stop()
        assert field.server.lease is not None
        assert field.server.lease.record.holder == ""


@in_virtual_time
async def test_a_lease_that_a_candidate_got_without_hearing_of_it_is_let_go_too() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        a.view.trouble = Trouble.UNHEARD
        await field.time.pass_by(20)
        a.view.trouble = Trouble.NONE
        await a.stop()
        assert field.server.lease is not None
        assert field.server.lease.record.holder == ""


@in_virtual_time
async def test_a_lease_of_somebody_else_is_not_let_go() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        await field.time.pass_by(5)
        field.server.store(
            LeaseRecord(holder="stranger", duration_seconds=10, acquired="a", renewed="r", transitions=3)
        )
        await a.stop()
        assert field.server.lease is not None
        assert field.server.lease.record.holder == "stranger"


@in_virtual_time
async def test_a_standby_that_stops_asks_for_nothing() -> None:
    async with field_of("a", "b") as field:
        _, b = field.candidates
        await field.time.pass_by(5)
        await b.kill()
        b.view.reads = 0
        written = len(field.server.writes)
        await b.leadership.release()
        assert (b.view.reads, len(field.server.writes)) == (0, written)


@in_virtual_time
async def test_letting_go_takes_no_longer_than_the_lease() -> None:
    async with field_of("a") as field:
        (a,) = field.candidates
        await field.time.pass_by(5)
        field.move(Distance(there=1000))
        began = field.time.monotonic()
        await a.stop()
        assert field.time.monotonic() - began <= 10
