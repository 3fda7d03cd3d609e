import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from batchaccess.control.accountloop import LoopRhythm
from batchaccess.core.declared import AuthType
from tests.support.build import RECENT, connection
from tests.support.sweeps import World
from tests.support.waiting import eventually


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    for gate in made.gates.values():
        gate.set()
    await made.supervisor.stop()


async def test_a_declared_connection_is_swept_at_once_and_then_rests(world: World) -> None:
    world.declare(connection("one"))
    await eventually(lambda: world.swept == ["one"])
    await asyncio.sleep(0.05)
    assert world.swept == ["one"]


async def test_the_period_brings_the_next_sweep(world: World) -> None:
    # The fake clock stands still, so a period of 0 s is always due.
    world.declare(replace(connection("one"), sync_period_seconds=0))
    await eventually(lambda: len(world.swept) > 3)


async def test_waking_brings_a_sweep_before_its_turn(world: World) -> None:
    world.declare(connection("one"), connection("two"))
    await eventually(lambda: sorted(world.swept) == ["one", "two"])
    world.supervisor.wake(["two", "unknown"])
    await eventually(lambda: world.swept.count("two") == 2)
    assert world.swept.count("one") == 1


async def test_many_wake_ups_during_a_sweep_become_one_more_sweep(world: World) -> None:
    gate = world.gates["one"] = asyncio.Event()
    world.declare(connection("one"))
    await eventually(lambda: world.made and world.made[0].running)
    for _ in range(50):
        world.supervisor.wake(["one"])
    gate.set()
    await eventually(lambda: len(world.swept) == 2)
    await asyncio.sleep(0.05)
    assert len(world.swept) == 2


async def test_between_two_sweeps_there_is_a_pause_however_often_it_is_woken() -> None:
    world = World(rhythm=LoopRhythm(min_pause_seconds=0.3, grace_seconds=2))
    loop = asyncio.get_running_loop()
    world.declare(connection("one"))
    await eventually(lambda: len(world.swept) == 1)
    first = loop.time()
    world.supervisor.wake(["one"])
    await eventually(lambda: len(world.swept) == 2)
    assert loop.time() - first >= 0.25
    await world.supervisor.stop()


async def test_a_failing_sweep_ends_neither_its_own_loop_nor_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def explode() -> None:
        raise RuntimeError("boom")

    world.acts["bad"] = explode
    world.declare(connection("bad"), connection("good"))
    await eventually(lambda: world.failures == ["bad"] and world.swept == ["good"])
    world.sweeps_of("bad")[0].act = lambda: None
    world.supervisor.wake(["bad", "good"])
    await eventually(lambda: "bad" in world.swept)
    assert "the sweep failed" in caplog.text
    assert "boom" in caplog.text


async def test_a_hanging_sweep_does_not_hold_up_the_others(world: World) -> None:
    world.gates["hangs"] = asyncio.Event()
    world.declare(connection("hangs"), connection("good"))
    await eventually(lambda: world.swept == ["good"])
    world.supervisor.wake(["hangs", "good"])
    await eventually(lambda: world.swept == ["good", "good"])


async def test_a_connection_that_goes_is_no_longer_swept_and_is_forgotten(world: World) -> None:
    world.declare(connection("one"))
    await eventually(lambda: world.swept == ["one"])
    world.declare()
    await eventually(lambda: world.ended == ["one"])
    assert world.made[0].closed
    assert world.deadlines.problems() == []


async def test_all_connections_that_begin_together_are_told_of_before_the_first_of_them_is_swept(world: World) -> None:
    told: list[list[str]] = []
    world.acts["one"] = lambda: told.append(list(world.begun))
    world.declare(connection("one"), connection("two"))
    await eventually(lambda: told)
    assert told == [["one", "two"]]


async def test_new_credentials_get_a_new_sweep_only_after_the_old_one_ended(world: World) -> None:
    gate = world.gates["one"] = asyncio.Event()
    world.declare(connection("one"))
    await eventually(lambda: world.made and world.made[0].running)
    world.declare(connection("one", auth=AuthType.SHARED_KEY))
    await asyncio.sleep(0.05)
    assert len(world.made) == 1, "two sweeps of one account at once are two writers on one pool"
    gate.set()
    await eventually(lambda: len(world.made) == 2)
    assert world.made[0].closed
    assert world.ended == []


async def test_what_only_the_catalogue_tells_keeps_the_sweep_and_wakes_it(world: World) -> None:
    world.declare(connection("one"))
    await eventually(lambda: world.swept == ["one"])
    world.declare(connection("one", forbid=[22], generation=2))
    await eventually(lambda: world.swept == ["one", "one"])
    assert len(world.made) == 1
    assert world.made[0].passes[-1].connections[0].forbid_internet_ports == (22,)


async def test_two_connections_to_one_account_never_both_sweep_and_the_younger_takes_over(world: World) -> None:
    older = replace(connection("old"), endpoint="https://acc.batch.azure.com", created=RECENT - timedelta(days=2))
    younger = replace(connection("new"), endpoint="https://ACC.batch.azure.com/", created=RECENT)
    gate = world.gates["old"] = asyncio.Event()
    world.declare(younger, older)
    await eventually(lambda: world.made and world.made[0].running)
    assert world.supervisor.assignment.duplicates == {"new": "old"}
    world.declare(younger)
    await asyncio.sleep(0.05)
    assert [sweep.connection.name for sweep in world.made] == ["old"]
    gate.set()
    await eventually(lambda: world.swept == ["old", "new"])


async def test_stopping_lets_a_sweep_finish(world: World) -> None:
    gate = world.gates["one"] = asyncio.Event()
    world.declare(connection("one"))
    await eventually(lambda: world.made and world.made[0].running)
    stopping = asyncio.create_task(world.supervisor.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    assert world.made[0].winding_down
    gate.set()
    await stopping
    assert world.swept == ["one"]
    assert world.made[0].closed


async def test_stopping_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    world = World(rhythm=LoopRhythm(min_pause_seconds=0, grace_seconds=0.1))
    world.gates["one"] = asyncio.Event()
    world.declare(connection("one"))
    await eventually(lambda: world.made and world.made[0].running)
    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(world.supervisor.stop(), timeout=5)
    assert world.swept == []
    assert world.made[0].closed
    assert "did not end in time" in caplog.text


async def test_nothing_starts_after_the_stop(world: World) -> None:
    await world.supervisor.stop()
    world.declare(connection("one"))
    await asyncio.sleep(0.05)
    assert world.made == []


async def test_liveness_fails_when_a_sweep_hangs_for_three_periods(world: World) -> None:
    world.gates["one"] = asyncio.Event()
    world.declare(connection("one"), connection("two"))
    await eventually(lambda: "two" in world.swept and world.sweeps_of("one"))
    world.clock.advance(3 * 60)
    assert world.deadlines.problems() == []
    world.clock.advance(1)
    world.supervisor.wake(["two"])
    await eventually(lambda: world.swept == ["two", "two"])
    assert world.deadlines.problems() == ["no sweep of connection one has ended for 3 periods of 60 s"]


async def test_a_long_sweep_that_gets_on_is_not_taken_for_a_hanging_one(world: World) -> None:
    world.gates["one"] = asyncio.Event()
    world.declare(connection("one"))
    await eventually(lambda: world.made and world.made[0].running)
    for _ in range(5):
        world.clock.advance(2 * 60)
        world.made[0].beat()
        assert world.deadlines.problems() == []


async def test_a_failing_sweep_is_alive(world: World) -> None:
    def explode() -> None:
        raise RuntimeError("boom")

    world.acts["bad"] = explode
    world.declare(connection("bad"))
    await eventually(lambda: world.failures == ["bad"])
    world.clock.advance(170)
    world.supervisor.wake(["bad"])
    await eventually(lambda: len(world.failures) > 1)
    world.clock.advance(170)
    assert world.deadlines.problems() == []
