"""How many tasks a drain affects is counted once, when the nodes are told to go, and never stands in its way."""

from dataclasses import replace
from typing import Any, cast

import pytest

from batchaccess.core.model import NodeFindings, ObservedPool
from batchaccess.ports import Pools
from batchemulator import Fault, FaultKind
from tests.support.drains import Drains, busy_pool
from tests.sweep.test_edits_before_the_drain import Between
from tests.telemetry.read_exposition import value_of


class Working:
    """Pools whose nodes run seven tasks."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever pools have
        return getattr(self._pools, name)

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        return replace(await self._pools.list_node_endpoints(pool), running_tasks=7)


def affected(world: Drains) -> float | None:
    return value_of(world.metrics, "batchaccess_tasks_affected_total", connection="prod-weu")


def drained(world: Drains) -> float | None:
    return value_of(world.metrics, "batchaccess_nodes_drained_total", connection="prod-weu")


def listings(world: Drains) -> int:
    return len([entry for entry in world.service.requests if entry.operation == "list_nodes"])


async def test_the_tasks_are_counted_when_a_drain_is_accepted_and_not_again() -> None:
    world = Drains.of(busy_pool())
    world.wrap = lambda pools: cast("Pools", Working(pools))
    await world.live_until(lambda: world.is_settled and "prod-weu.busy" in world.reports.objects)
    assert world.pool().targets.dedicated == 3
    assert affected(world) == 7
    assert listings(world) == 1


async def test_a_listing_that_fails_does_not_keep_the_pool_from_being_corrected() -> None:
    world = Drains.of(busy_pool())
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="list_nodes", count=0))
    await world.live_until(lambda: world.is_settled and "prod-weu.busy" in world.reports.objects)
    await world.sweep()
    assert world.reports.condition("prod-weu.busy", "Compliant") == ("True", "Compliant")
    assert affected(world) == 0


HARMLESS = {
    "it is refused and tried again": Fault(kind=FaultKind.SERVER_BUSY, operation="resize_pool"),
    "its answer is lost after it took effect": Fault(kind=FaultKind.SILENT_AFTER, operation="resize_pool"),
    "it loses a race": Fault(kind=FaultKind.CONDITION_NOT_MET, operation="resize_pool"),
}


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS.keys())
async def test_nodes_and_tasks_are_counted_once_for_a_drain_if(fault: Fault) -> None:
    world = Drains.of(busy_pool(nodes=3))
    world.wrap = lambda pools: cast("Pools", Working(pools))
    world.fail(fault)
    await world.live_until(lambda: world.is_settled and "prod-weu.busy" in world.reports.objects)
    assert (drained(world), affected(world)) == (3, 7)


async def test_a_drain_that_is_refused_for_good_counts_nothing() -> None:
    world = Drains.of(busy_pool(nodes=3))
    world.wrap = lambda pools: cast("Pools", Working(pools))
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", count=0))
    await world.live_until(lambda: world.is_settled and "prod-weu.busy" in world.reports.objects)
    assert (drained(world), affected(world)) == (0, 0)


async def test_a_drain_prepared_again_after_an_edit_counts_once() -> None:
    world = Drains.of(busy_pool(nodes=3))
    edits = [lambda: {"targetDedicatedNodes": 5, "currentDedicatedNodes": 5}]
    world.wrap = lambda pools: cast("Pools", Between(cast("Pools", Working(pools)), world, edits))
    await world.live_until(lambda: world.is_settled and "prod-weu.busy" in world.reports.objects)
    assert (drained(world), affected(world)) == (5, 7)
