"""Somebody sets a scale, no nodes included, after the operator brought the recorded one back or while it tries to."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from batchaccess.core.declared import Remediation
from batchemulator import Fault, FaultKind
from batchemulator.state import allocation
from tests.support.build import policy, wanted
from tests.support.drains import FORMULA, Drains, busy_pool

NAME = "prod-weu.busy"
NOTHING = "$TargetDedicatedNodes = 0;"


def step(world: Drains) -> str:
    status = world.reports.status(NAME) if NAME in world.reports.objects else {}
    return str(status.get("journal", {}).get("step", ""))


def requests(world: Drains, operation: str) -> int:
    return len([entry for entry in world.service.requests if entry.operation == operation])


def is_restored(world: Drains) -> bool:
    """The targets are back, and most nodes are not there yet."""
    return step(world) == "Restoring" and world.pool().targets.dedicated == 4


def resizes(world: Drains) -> list[int]:
    entries = [entry for entry in world.service.requests if entry.operation == "resize_pool"]
    return [entry.json()["targetDedicatedNodes"] for entry in entries]


async def lacking_nodes(monkeypatch: pytest.MonkeyPatch) -> Drains:
    """A pool whose restore was accepted; the region has only one of its nodes."""
    world = Drains.of(busy_pool(nodes=4))
    await world.live_until(lambda: step(world) == "Draining")
    monkeypatch.setattr(allocation, "MAX_NODES", 1)
    await world.live_until(lambda: is_restored(world))
    return world


async def test_no_nodes_stand_where_the_restore_lacks_some(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await lacking_nodes(monkeypatch)
    await world.live(900)
    assert world.reports.condition(NAME, "Remediating") == ("True", "RestorePending")
    world.resize(0)
    sent = len(resizes(world))
    await world.live(7200)
    assert world.pool().targets.dedicated == 0
    assert len(resizes(world)) == sent
    assert requests(world, "stop_pool_resize") == 0
    assert world.is_settled


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_scale_to_no_nodes_right_after_the_restore_is_neither_stopped_nor_undone(
    restarts: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    world = Drains.of(busy_pool(nodes=4))
    await world.live_until(lambda: is_restored(world))
    world.edit({"targetDedicatedNodes": 4})  # steady at once, so that somebody may resize
    world.resize(0)
    if restarts:
        world.restart()
    sent = len(resizes(world))
    await world.live(3600)
    assert world.pool().targets.dedicated == 0
    assert len(resizes(world)) == sent
    assert requests(world, "stop_pool_resize") == 0
    assert world.is_settled


async def test_a_scale_to_no_nodes_stands_though_the_answer_to_the_restore_was_lost_and_the_operator_died() -> None:
    world = Drains.of(busy_pool(nodes=4))
    world.fail(Fault(kind=FaultKind.SILENT_AFTER, operation="resize_pool", skip=1))
    await world.live_until(lambda: is_restored(world))
    world.edit({"targetDedicatedNodes": 4})
    world.resize(0)
    world.restart()
    await world.live(3600)
    assert world.pool().targets.dedicated == 0
    assert world.is_settled


async def test_a_restore_that_was_written_down_and_not_sent_is_sent_after_a_crash_whatever_else_was_edited() -> None:
    world = Drains.of(busy_pool(nodes=4))
    world.fail(Fault(kind=FaultKind.SERVER_BUSY, operation="resize_pool", skip=1))
    await world.live_until(lambda: step(world) == "Restoring")
    await world.visit()
    assert world.pool().targets.dedicated == 0
    world.edit({"metadata": [{"name": "note", "value": "x"}, *world.pool().settings["metadata"]]})
    world.restart()
    await world.live_until(lambda: world.is_settled, within=3600)
    assert world.pool().targets.dedicated == 4


async def test_no_nodes_stand_where_they_were_set_while_a_restore_was_refused() -> None:
    world = Drains.of(busy_pool(nodes=4))
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", skip=1, count=0))
    await world.live_until(lambda: step(world) == "Restoring")
    await world.live(600)
    assert world.reports.condition(NAME, "Remediating") == ("True", "RestorePending")
    world.service.faults.clear()
    world.resize(0)
    await world.live(7200)
    assert resizes(world)[-1] == 0
    assert world.pool().targets.dedicated == 0
    assert world.is_settled


async def test_with_the_kubernetes_copy_lost_no_nodes_count_as_ours() -> None:
    world = Drains.of(busy_pool(nodes=4))
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", skip=1))
    await world.live_until(lambda: step(world) == "Restoring")
    world.reports.objects.clear()
    world.restart()
    await world.live_until(lambda: world.is_settled, within=14_400)
    assert world.pool().targets.dedicated == 4


async def paused(*, nodes: int = 0) -> Drains:
    """A pool standing at no nodes whose autoscale is paused while its PATCH fails."""
    pausing = replace(policy("ssh", wanted("SSH")), remediation=Remediation(pause_autoscale=True, max_concurrent=10))
    world = Drains.of(
        busy_pool(nodes=nodes, enableAutoScale=True, autoScaleFormula=NOTHING, autoScaleEvaluationInterval="PT5M"),
        policies=[pausing],
    )
    world.fail(Fault(kind=FaultKind.SERVER_BUSY, operation="update_pool", skip=1, count=0))
    await world.live_until(lambda: step(world) == "Correcting")
    return world


async def test_a_scale_that_somebody_sets_while_autoscale_is_paused_stands() -> None:
    world = await paused()
    world.resize(5)
    world.service.faults.clear()
    await world.live(7200)
    assert world.pool().autoscale is None
    assert world.pool().targets.dedicated == 5
    assert world.reports.condition(NAME, "Compliant")[0] == "False"
    assert world.is_settled


async def test_a_paused_formula_comes_back_where_nobody_set_a_scale() -> None:
    world = await paused()
    world.service.faults.clear()
    await world.live_until(lambda: world.is_settled, within=7200)
    autoscale = world.pool().autoscale
    assert autoscale is not None
    assert autoscale.formula == NOTHING


FIXED_SCALES: dict[str, Callable[[Drains], None]] = {
    "no nodes": lambda world: world.resize(0),
    "the targets it was drained from": lambda world: world.resize(2),
}


@pytest.mark.parametrize("fixed", FIXED_SCALES.values(), ids=FIXED_SCALES.keys())
async def test_a_formula_that_somebody_takes_out_of_force_again_stays_out(fixed: Callable[[Drains], None]) -> None:
    world = Drains.of(busy_pool(nodes=2, enableAutoScale=True, autoScaleFormula=FORMULA))
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="update_pool", skip=2, count=0))
    await world.live_until(lambda: step(world) == "Clearing")
    await world.live(120)
    world.edit({"enableAutoScale": False, "targetDedicatedNodes": 1})
    fixed(world)
    wish = world.pool().targets
    world.service.faults.clear()
    await world.live(14_400)
    assert world.pool().autoscale is None
    assert world.pool().targets == wish
    assert world.is_settled
