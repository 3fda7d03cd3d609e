"""Somebody writes to the pool between what is written down ahead of the drain and the drain itself."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from batchaccess.ports import Pools
from tests.support.drains import FORMULA, Drains, busy_pool

NAME = "prod-weu.busy"
NOTE = {"name": "note", "value": "x"}


class Between:
    """Pools of which somebody edits one when it is read with a drain written down, right before the reading."""

    def __init__(self, pools: Pools, world: Drains, changes: Sequence[Callable[[], dict[str, Any]]]) -> None:
        self._pools = pools
        self._world = world
        self._changes = list(changes)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever pools have
        return getattr(self._pools, name)

    async def get_pool(self, pool_id: str) -> Any:  # noqa: ANN401 what pools answer
        if self._changes and step(self._world) == "Draining":
            self._world.edit(self._changes.pop(0)())
        return await self._pools.get_pool(pool_id)


class Dying:
    """Pools whose first resize reaches the service, and then something breaks that nobody thought of."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._broken = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever pools have
        return getattr(self._pools, name)

    async def resize(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 those of the port
        await self._pools.resize(*arguments, **named)
        if not self._broken:
            self._broken = True
            raise RuntimeError("out of the blue")


def step(world: Drains) -> str:
    status = world.reports.status(NAME) if NAME in world.reports.objects else {}
    return str(status.get("journal", {}).get("step", ""))


def with_note(world: Drains) -> dict[str, Any]:
    return {"metadata": [NOTE, *world.pool().settings.get("metadata", ())]}


def is_corrected(world: Drains) -> bool:
    return NAME in world.reports.objects and "lastChange" in world.reports.status(NAME) and world.is_settled


def resizes(world: Drains) -> list[int]:
    entries = [entry for entry in world.service.requests if entry.operation == "resize_pool"]
    return [entry.json()["targetDedicatedNodes"] for entry in entries]


@pytest.mark.parametrize("more", [{}, {"enableAutoScale": True, "autoScaleFormula": FORMULA}])
async def test_metadata_edited_before_the_drain_does_not_stop_the_correction(more: dict[str, Any]) -> None:
    world = Drains.of(busy_pool(**more))
    world.wrap = lambda pools: cast("Pools", Between(pools, world, [lambda: with_note(world)]))
    await world.live_until(lambda: is_corrected(world), within=7200)
    assert [drained for drained in resizes(world) if drained == 0] == [0]
    assert world.pool().settings["metadata"] == [NOTE]
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_a_scale_set_before_the_drain_is_what_comes_back() -> None:
    world = Drains.of(busy_pool())
    change = {"targetDedicatedNodes": 5, "currentDedicatedNodes": 5}
    world.wrap = lambda pools: cast("Pools", Between(pools, world, [lambda: change]))
    await world.live_until(lambda: is_corrected(world), within=7200)
    assert resizes(world) == [0, 5]


async def test_a_resize_that_broke_in_the_middle_may_have_been_done_so_a_scale_set_after_it_stands() -> None:
    world = Drains.of(busy_pool())
    world.wrap = lambda pools: cast("Pools", Dying(pools))
    await world.sweeping.run_once(world.catalogue())
    assert "RuntimeError" in world.sweeping.surprises["busy"]
    world.advance(120)
    world.edit({"targetDedicatedNodes": 3, "currentDedicatedNodes": 3, "allocationState": "steady"})
    await world.live(1200)
    assert world.reports.condition(NAME, "Compliant") == ("False", "ScaleChanged")
    assert resizes(world) == [0]
    assert world.pool().targets.dedicated == 3
