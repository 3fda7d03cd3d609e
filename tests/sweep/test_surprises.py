"""An exception that nobody expected, about one pool: it is told, and the other pools go on."""

import logging
from typing import Any, cast

import pytest

from batchaccess.core.model import ObservedPool
from batchaccess.ports import Pools
from batchaccess.sweep.trackedpools import TrackedPools
from tests.support.drains import Drains, busy_pool
from tests.telemetry.read_exposition import value_of

ODD, FINE = "prod-weu.odd", "prod-weu.fine"


class _Odd:
    """Pools one of which nobody can read for itself."""

    def __init__(self, real: Pools) -> None:
        self._real = real
        self.heals = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever pools have
        return getattr(self._real, name)

    async def get_pool(self, pool_id: str) -> ObservedPool:
        if pool_id == "odd" and not self.heals:
            raise OverflowError("nobody expected this")
        return await self._real.get_pool(pool_id)


async def live(world: Drains, seconds: int) -> None:
    """As `Drains.live`, which takes no surprises."""
    for second in range(0, seconds, 5):
        if second % 60 == 0:
            await world.sweeping.run_once(world.catalogue())
        elif world.sweeping.has_open_sagas:
            await world.sweeping.visit_sagas(world.catalogue())
        world.advance(5)


def incomplete(world: Drains) -> float | None:
    return value_of(world.metrics, "batchaccess_sweeps_total", connection="prod-weu", result="Incomplete")


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.exc_info]


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Drains:
    """Assessing one of two busy pools raises."""
    real = TrackedPools.look

    def look(self: TrackedPools, pool: Any, this: Any) -> Any:  # noqa: ANN401 of the method
        if pool.id == "odd":
            raise OverflowError("nobody expected this")
        return real(self, pool, this)

    monkeypatch.setattr(TrackedPools, "look", look)
    return Drains.of(busy_pool("odd"), busy_pool("fine"))


async def test_a_pool_that_cannot_be_assessed_is_unknown_and_the_others_are_corrected(
    caught: Drains, caplog: pytest.LogCaptureFixture
) -> None:
    await live(caught, 3600)
    assert caught.reports.condition(FINE, "Compliant") == ("True", "Compliant")
    assert caught.pool("fine").targets.dedicated == 3
    assert caught.reports.condition(ODD, "Compliant") == ("Unknown", "Unreadable")
    assert caught.pool("odd").targets.dedicated == 3
    assert incomplete(caught) == 60
    assert tracebacks(caplog) == ["an exception that nobody expected; the other pools go on"], "once is enough"


async def test_a_pool_whose_visit_fails_in_its_saga_says_so_until_that_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Drains.of(busy_pool("odd"), busy_pool("fine"))
    await world.sweep()
    assert world.pool("odd").targets.dedicated == 0
    wrapped: list[_Odd] = []

    def wrap(pools: Pools) -> Pools:
        wrapped.append(_Odd(pools))
        return cast("Pools", wrapped[-1])

    world.restart()
    world.wrap = wrap
    await live(world, 3600)
    assert world.reports.condition(FINE, "Compliant") == ("True", "Compliant")
    assert world.reports.condition(ODD, "Remediating") == ("True", "RestorePending")
    assert value_of(world.metrics, "batchaccess_restore_pending", connection="prod-weu") == 1
    assert len(tracebacks(caplog)) == 1
    wrapped[-1].heals = True
    await live(world, 3600)
    assert world.is_settled
    assert world.pool("odd").targets.dedicated == 3
    assert world.reports.condition(ODD, "Compliant") == ("True", "Compliant")
    assert value_of(world.metrics, "batchaccess_restore_pending", connection="prod-weu") == 0


async def test_a_pool_that_cannot_be_reported_keeps_its_last_report_and_the_others_are_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = Drains.of(busy_pool("odd", nodes=0), busy_pool("fine", nodes=0))
    real = world.reports.write

    async def write(reported: Any, status: Any) -> Any:  # noqa: ANN401 of the port
        if reported.stored.name == ODD:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        return await real(reported, status)

    monkeypatch.setattr(world.reports, "write", write)
    with caplog.at_level(logging.ERROR):
        await live(world, 180)
    assert world.reports.condition(FINE, "Compliant") == ("True", "Compliant")
    assert world.reports.status(ODD) == {}
    assert incomplete(world) == 3


async def test_the_worlds_of_other_tests_take_no_surprises(caught: Drains) -> None:
    """So that the endurance of the operator is no matter of what it swallowed."""
    with pytest.raises(AssertionError, match="OverflowError"):
        await caught.sweep()
