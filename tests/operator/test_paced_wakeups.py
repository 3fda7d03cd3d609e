"""Wake-ups that policies cause are bounded per connection; those of administrators and the period are not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from batchaccess.control.accountloop import LoopRhythm
from batchaccess.core.pace import Pace, Urgency
from tests.support.build import connection
from tests.support.sweeps import World
from tests.support.waiting import eventually

BURST, SECONDS = 3, 10


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """One connection, swept once; the clock stands still until a test moves it."""
    made = World()
    made.declare(connection("one"))
    await eventually(lambda: made.swept == ["one"])
    yield made
    for gate in made.gates.values():
        gate.set()
    await made.supervisor.stop()


async def ask(world: World) -> None:
    """A policy asks, and the loop has had time to heed it."""
    world.supervisor.wake(["one"], Urgency.PACED)
    await asyncio.sleep(0.02)


async def spend_the_burst(world: World) -> None:
    for number in range(BURST):
        await ask(world)
        await eventually(lambda: len(world.swept) == number + 2)  # noqa: B023 awaited at once


def test_an_edit_is_seen_at_once_and_many_edits_every_ten_seconds() -> None:
    assert LoopRhythm().policies == Pace(burst=BURST, seconds=SECONDS)


async def test_after_a_small_burst_policies_cause_one_sweep_in_ten_seconds(world: World) -> None:
    await spend_the_burst(world)
    for second in range(1, 31):
        world.clock.advance(1)
        await ask(world)
        due = 1 + BURST + second // SECONDS
        await eventually(lambda: len(world.swept) == due)  # noqa: B023 awaited at once
    await asyncio.sleep(0.05)
    assert len(world.swept) == 1 + BURST + 3


async def test_what_was_asked_for_before_its_turn_is_done_when_the_turn_comes() -> None:
    world = World(rhythm=LoopRhythm(min_pause_seconds=0, grace_seconds=2, policies=Pace(burst=1, seconds=0.3)))
    world.declare(connection("one"))
    await eventually(lambda: world.swept == ["one"])
    loop = asyncio.get_running_loop()
    world.supervisor.wake(["one"], Urgency.PACED)
    await eventually(lambda: len(world.swept) == 2)
    asked = loop.time()
    world.supervisor.wake(["one"], Urgency.PACED)
    await eventually(lambda: len(world.swept) == 3)
    assert loop.time() - asked >= 0.25
    await world.supervisor.stop()


async def test_administrators_wait_for_no_turn_and_use_up_nobodys(world: World) -> None:
    await spend_the_burst(world)
    await ask(world)
    assert len(world.swept) == 1 + BURST
    world.supervisor.wake(["one"])
    await eventually(lambda: len(world.swept) == 2 + BURST)
    world.clock.advance(SECONDS)
    await ask(world)
    await eventually(lambda: len(world.swept) == 3 + BURST, within=SECONDS / 4)
    await ask(world)
    assert len(world.swept) == 3 + BURST, "the turn that came was used by the policy"


async def test_a_sweep_in_its_regular_turn_answers_policies_and_takes_none_of_theirs(world: World) -> None:
    await spend_the_burst(world)
    world.clock.advance(60)
    await ask(world)
    await eventually(lambda: len(world.swept) == 2 + BURST)
    for more in range(BURST):
        await ask(world)
        await eventually(lambda: len(world.swept) == 3 + BURST + more, within=SECONDS / 4)  # noqa: B023 awaited at once


async def test_a_request_during_a_sweep_is_answered_by_another_one(world: World) -> None:
    gate = world.gates["two"] = asyncio.Event()
    world.declare(connection("one"), connection("two"))
    await eventually(lambda: world.sweeps_of("two") and world.sweeps_of("two")[0].running)
    for _ in range(20):
        world.supervisor.wake(["two"], Urgency.PACED)
    gate.set()
    await eventually(lambda: world.swept.count("two") == 2)
    await asyncio.sleep(0.05)
    assert world.swept.count("two") == 2


async def test_the_pace_is_kept_by_an_edit_of_the_connection(world: World) -> None:
    await spend_the_burst(world)
    world.declare(replace(connection("one"), sync_period_seconds=3600, generation=2))
    await eventually(lambda: len(world.swept) == 2 + BURST)
    await ask(world)
    await asyncio.sleep(0.05)
    assert len(world.swept) == 2 + BURST


async def test_a_flood_of_requests_starves_neither_the_period_nor_visits(world: World) -> None:
    flooding = True

    async def flood() -> None:
        while flooding:
            world.supervisor.wake(["one"], Urgency.PACED)
            await asyncio.sleep(0)

    await spend_the_burst(world)
    flood_task = asyncio.create_task(flood())
    world.made[0].has_open_sagas = True
    world.clock.advance(5)
    await eventually(lambda: world.made[0].visits)
    swept = len(world.swept)
    world.clock.advance(55)
    await eventually(lambda: len(world.swept) > swept)
    flooding = False
    await flood_task
