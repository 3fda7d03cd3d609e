"""When a loop visits open sagas: often, between its sweeps, and never instead of one."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from batchaccess.control.accountloop import LoopRhythm
from batchaccess.ports import Catalogue
from tests.support.build import connection
from tests.support.sweeps import FakeSweep, World
from tests.support.waiting import eventually


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """The clock stands still, so a sweep is due once and a visit always."""
    made = World(rhythm=LoopRhythm(min_pause_seconds=0, grace_seconds=2, saga_seconds=0))
    yield made
    await made.supervisor.stop()


async def swept(world: World) -> FakeSweep:
    world.declare(connection("one"))
    await eventually(lambda: world.swept == ["one"])
    return world.made[0]


async def test_open_sagas_are_visited_again_and_again_without_a_sweep(world: World) -> None:
    world.acts["one"] = lambda: setattr(world.made[0], "has_open_sagas", True)
    sweep = await swept(world)
    await eventually(lambda: len(sweep.visits) > 3)
    assert len(sweep.passes) == 1
    assert all(isinstance(each, Catalogue) for each in sweep.visits)


async def test_without_open_sagas_nothing_is_visited_and_visits_end_with_the_last_of_them(world: World) -> None:
    sweep = await swept(world)
    await asyncio.sleep(0.05)
    assert sweep.visits == []
    sweep.act = lambda: setattr(sweep, "has_open_sagas", True)
    world.supervisor.wake(["one"])
    await eventually(lambda: sweep.visits)
    sweep.has_open_sagas = False
    visited = len(sweep.visits)
    await asyncio.sleep(0.05)
    assert len(sweep.visits) <= visited + 1, "one may have been under way"


async def test_a_sweep_that_is_due_or_asked_for_comes_before_a_visit(world: World) -> None:
    world.acts["one"] = lambda: setattr(world.made[0], "has_open_sagas", True)
    sweep = await swept(world)
    await eventually(lambda: sweep.visits)
    world.clock.advance(60)
    await eventually(lambda: len(sweep.passes) == 2)
    world.supervisor.wake(["one"])
    await eventually(lambda: len(sweep.passes) == 3)
    before = len(sweep.visits)
    await eventually(lambda: len(sweep.visits) > before)


async def test_a_visit_that_fails_is_followed_by_the_next_one(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([RuntimeError("boom")])
    visits: list[Catalogue] = []

    async def visit(_: FakeSweep, catalogue: Catalogue) -> None:
        for failure in failures:
            raise failure
        visits.append(catalogue)

    monkeypatch.setattr(FakeSweep, "visit_sagas", visit)
    world.acts["one"] = lambda: setattr(world.made[0], "has_open_sagas", True)
    await swept(world)
    await eventually(lambda: visits)
    assert "boom" in caplog.text
    assert world.failures == [], "a visit is no sweep"


async def test_between_two_visits_there_is_a_pause() -> None:
    world = World(rhythm=LoopRhythm(min_pause_seconds=0, grace_seconds=2, saga_seconds=0.3))
    world.acts["one"] = lambda: setattr(world.made[0], "has_open_sagas", True)
    sweep = await swept(world)
    loop = asyncio.get_running_loop()
    await eventually(lambda: len(sweep.visits) == 1)
    first = loop.time()
    await eventually(lambda: len(sweep.visits) == 2)
    assert loop.time() - first >= 0.2
    await world.supervisor.stop()
