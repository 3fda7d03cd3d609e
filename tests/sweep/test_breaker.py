"""The breaker of an account, over restarts too: most pools drift at once though nobody edited a policy."""

from dataclasses import replace

import pytest

from batchaccess.core.declared import AccountConnection
from tests.endurance.soak import CLOSED
from tests.support.drains import OPEN_SSH, Drains, busy_pool
from tests.sweep.test_drains import is_closed

POOLS = tuple(f"busy-{number}" for number in range(12))


async def in_order() -> Drains:
    """Busy pools that are as declared, and a process that has seen and reported it."""
    world = Drains.of(*(busy_pool(pool, nodes=1) | {"networkConfiguration": CLOSED} for pool in POOLS))
    await world.sweep()
    assert reasons(world) == {"Compliant"}
    return world


def edit_all(world: Drains) -> None:
    """Everybody reaches every pool from now on."""
    for pool in POOLS:
        world.edit({"networkConfiguration": OPEN_SSH}, pool)


def reasons(world: Drains) -> set[str]:
    return {world.reports.condition(f"prod-weu.{pool}", "Compliant")[1] for pool in POOLS}


def resizes(world: Drains) -> int:
    return sum(entry.operation == "resize_pool" for entry in world.service.requests)


def requested(world: Drains, at: str) -> AccountConnection:
    return replace(world.declared, requested_at=at)


async def drained_all(world: Drains) -> None:
    await world.live_until(
        lambda: world.is_settled and all(is_closed(world, pool) for pool in POOLS), within=72_000, step=15
    )


async def test_the_breaker_holds_drains_back_until_somebody_asks() -> None:
    world = await in_order()
    edit_all(world)
    await world.live(600)
    assert (world.journals(), reasons(world)) == ([], {"BreakerOpen"})
    world.declared = requested(world, "now")
    await drained_all(world)


async def test_a_restart_leaves_the_breaker_open() -> None:
    world = await in_order()
    edit_all(world)
    await world.live(180)
    world.restart()
    await world.live(600)
    assert (resizes(world), reasons(world)) == (0, {"BreakerOpen"})
    world.declared = requested(world, "now")
    await drained_all(world)


async def test_an_upgrade_that_takes_every_pool_for_drifting_drains_none() -> None:
    world = await in_order()
    world.restart()
    edit_all(world)
    await world.live(600)
    assert (resizes(world), reasons(world)) == (0, {"BreakerOpen"})


async def test_pools_that_drifted_one_by_one_before_a_restart_count_after_it() -> None:
    world = await in_order()
    for pool in POOLS[:5]:
        world.edit({"networkConfiguration": OPEN_SSH}, pool)
    world.policies = [replace(world.policies[0], suspend=True)]
    await world.live(120)
    world.restart()
    for pool in POOLS[5:]:
        world.edit({"networkConfiguration": OPEN_SSH}, pool)
    world.policies = [replace(world.policies[0], suspend=False)]
    await world.live(600)
    assert (resizes(world), reasons(world)) == (0, {"BreakerOpen"})


async def test_a_policy_that_is_edited_over_a_restart_is_rolled_out() -> None:
    world = await in_order()
    world.restart()
    edit_all(world)
    world.policies = [replace(world.policies[0], generation=2)]
    await drained_all(world)


async def test_a_request_that_was_answered_before_the_drift_does_not_close_it() -> None:
    world = await in_order()
    world.declared = requested(world, "last week")
    await world.sweep()
    world.restart()
    edit_all(world)
    await world.live(300)
    world.restart()
    await world.live(300)
    assert (resizes(world), reasons(world)) == (0, {"BreakerOpen"})


async def test_a_request_closes_it_over_a_restart_too() -> None:
    world = await in_order()
    edit_all(world)
    await world.live(180)
    world.declared = requested(world, "now")
    await world.live(60)
    world.restart()
    await world.live(120)
    assert "BreakerOpen" not in reasons(world)
    await drained_all(world)


async def test_a_request_that_comes_while_nobody_leads_closes_it() -> None:
    world = await in_order()
    edit_all(world)
    await world.live(180)
    world.declared = requested(world, "now")
    world.restart()
    await world.live(120)
    assert "BreakerOpen" not in reasons(world)
    await drained_all(world)


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_drifts_again_after_that_opens_it_again(restarts: bool) -> None:  # noqa: FBT001 a table
    world = await in_order()
    edit_all(world)
    await world.live(180)
    world.declared = requested(world, "now")
    await drained_all(world)
    await world.live(180)
    edit_all(world)
    if restarts:
        world.restart()
    world.service.requests.reset()
    await world.live(300)
    assert (resizes(world), reasons(world)) == (0, {"BreakerOpen"})


async def test_an_open_breaker_at_rest_writes_nothing() -> None:
    world = await in_order()
    edit_all(world)
    await world.live(180)
    before = len(world.reports.writes)
    await world.live(1800)
    world.restart()
    await world.live(1800)
    assert len(world.reports.writes) == before
