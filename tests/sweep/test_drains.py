"""Sagas from the sweep's side, on an emulated account: a busy pool is drained, corrected and restored."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchaccess.core.declared import NodeDeallocation, Remediation, Window, WindowKind
from batchaccess.core.reasons import EventReason
from batchemulator import Fault, FaultKind, Timings
from tests.support.build import policy, wanted
from tests.support.drains import FORMULA, Drains, account_connection, busy_pool, draining

NAME = "prod-weu.busy"
WRITES = ("update_pool", "resize_pool", "stop_pool_resize", "enable_pool_auto_scale", "disable_pool_auto_scale")


def network(world: Drains, pool_id: str = "busy") -> Any:  # noqa: ANN401 JSON
    return world.pool(pool_id).settings["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]


def is_closed(world: Drains, pool_id: str = "busy") -> bool:
    rules = network(world, pool_id)[0].get("networkSecurityGroupRules", [])
    return [rule["access"] for rule in rules] == ["deny"]


def written(world: Drains) -> list[str]:
    return [entry.operation for entry in world.service.requests if entry.operation in WRITES]


async def test_a_busy_pool_is_drained_corrected_and_restored() -> None:
    world = Drains.of(busy_pool(nodes=3, metadata=[{"name": "team", "value": "x"}], resizeTimeout="PT20M"))
    await world.sweep()
    assert world.reports.condition(NAME, "Remediating") == ("True", "Draining")
    assert world.finalizers.connections == {"prod-weu"}
    assert len(world.finalizers.policies) == 1
    await world.live_until(lambda: world.is_settled)
    await world.sweep()
    pool = world.pool()
    assert is_closed(world)
    assert (pool.targets.dedicated, pool.targets.low_priority) == (3, 0)
    assert pool.resize_timeout == timedelta(minutes=20)
    assert [item["name"] for item in pool.settings["metadata"]] == ["team"]
    assert written(world) == ["update_pool", "resize_pool", "update_pool", "resize_pool", "update_pool"]
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")
    assert world.reports.condition(NAME, "Remediating") == ("False", "Idle")
    change = world.reports.status(NAME)["lastChange"]
    assert "SSH" in change["before"]
    assert change["exposedSince"] < change["time"]
    assert (world.finalizers.connections, world.finalizers.policies) == (set(), set())
    assert world.begun >= 1
    assert EventReason.REMEDIATION_ENDED in world.recorder.reasons(NAME)


async def test_once_it_is_over_nothing_is_written_any_more() -> None:
    world = Drains.of(busy_pool())
    await world.live_until(lambda: world.is_settled)
    await world.live(300)
    before, reports, changes = len(written(world)), len(world.reports.writes), world.finalizers.changes
    await world.live(3600)
    assert len(written(world)) == before
    assert len(world.reports.writes) == reports
    assert world.finalizers.changes == changes


async def test_an_open_saga_is_visited_without_listing_the_account() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.service.requests.reset()
    world.advance(5)
    await world.visit()
    operations = [entry.operation for entry in world.service.requests]
    assert operations == ["get_pool"]


async def test_autoscale_is_back_as_it_was() -> None:
    world = Drains.of(
        busy_pool(enableAutoScale=True, autoScaleFormula=FORMULA, autoScaleEvaluationInterval="PT10M", nodes=2)
    )
    await world.live_until(lambda: world.is_settled and is_closed(world))
    autoscale = world.pool().autoscale
    assert autoscale is not None
    assert (autoscale.formula, autoscale.interval) == (FORMULA, timedelta(minutes=10))


async def test_a_resumed_operator_goes_on_where_the_dead_one_was() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.restart()
    await world.live_until(lambda: world.is_settled)
    assert is_closed(world)
    assert world.pool().targets.dedicated == 3
    assert written(world).count("resize_pool") == 2


async def test_with_the_kubernetes_copy_lost_the_scale_comes_back_from_azure() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.reports.objects.clear()
    world.restart()
    world.policies.clear()
    await world.live_until(lambda: world.is_settled)
    assert world.pool().targets.dedicated == 3


async def test_with_the_azure_copy_lost_the_scale_comes_back_from_kubernetes() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.edit({"metadata": []})
    world.restart()
    await world.live_until(lambda: world.is_settled)
    assert world.pool().targets.dedicated == 3
    assert is_closed(world)


@pytest.mark.parametrize("how", ["deleted", "suspended", "edited"])
async def test_a_policy_that_changes_midway_stops_after_restoring(how: str) -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    policy_ = world.policies[0]
    match how:
        case "deleted":
            world.policies[:] = [replace(policy_, deleting=True)]
        case "suspended":
            world.policies[:] = [replace(policy_, suspend=True)]
        case _:
            remediation = replace(policy_.remediation, max_concurrent=0)
            world.policies[:] = [replace(policy_, generation=2, remediation=remediation)]
    await world.live_until(lambda: world.is_settled)
    assert world.pool().targets.dedicated == 3
    assert not is_closed(world)
    await world.sweep()
    assert world.finalizers.policies == set()


async def test_no_more_pools_are_drained_at_once_than_policy_and_connection_permit() -> None:
    pools = [busy_pool(f"busy-{number}", nodes=1) for number in range(5)]
    world = Drains.of(*pools, policies=[draining(max_concurrent=2)])
    await world.sweep()
    assert len(world.journals()) == 2
    reasons = [world.reports.condition(f"prod-weu.busy-{number}", "Compliant")[1] for number in range(5)]
    assert reasons.count("DrainLimit") == 3
    world.declared = account_connection(max_concurrent_drains=1)
    await world.live_until(lambda: len(world.journals()) <= 1)
    for _ in range(500):
        await world.live(5)
        assert len(world.journals()) <= 1
        if all(is_closed(world, f"busy-{number}") for number in range(5)) and world.is_settled:
            break
    assert all(is_closed(world, f"busy-{number}") for number in range(5))


async def test_a_drain_starts_only_within_a_window_and_ends_outside_it() -> None:
    window = Window(kind=WindowKind.ALLOW, schedule="0 14 * * *", duration_seconds=600)
    drains = draining()
    world = Drains.of(
        busy_pool(),
        policies=[replace(drains, remediation=replace(drains.remediation, windows=(window,)))],
        timings=Timings(removal=900),
    )
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("False", "OutsideWindow")
    await world.live(2 * 3600 - 60)
    assert written(world) == []
    await world.live(120)
    assert world.journals() == [NAME]
    await world.live(600)
    assert world.journals() == [NAME]
    await world.live_until(lambda: world.is_settled)
    assert is_closed(world)


async def test_a_connection_being_deleted_restores_and_lets_go() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.declared = replace(world.declared, deleting=True, leaving_since=world.clock.now())
    await world.live_until(lambda: world.finalizers.connections == set(), within=600)
    assert world.pool().targets.dedicated == 3
    assert world.is_settled
    assert not is_closed(world)


async def test_a_deletion_that_cannot_restore_lets_go_after_its_time_and_leaves_the_azure_copy() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.declared = replace(world.declared, deleting=True, leaving_since=world.clock.now())
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", count=0))
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="stop_pool_resize", count=0))
    await world.live(540)
    assert world.finalizers.connections == {"prod-weu"}
    await world.live(120)
    assert world.finalizers.connections == set()
    assert world.azure_journals() == ["busy"]
    assert EventReason.RESTORE_PENDING in world.recorder.reasons("prod-weu")


async def test_abandoning_a_deleted_connection_lets_go_at_once() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.declared = replace(world.declared, deleting=True, leaving_since=world.clock.now(), abandon=True)
    await world.sweep()
    assert world.finalizers.connections == set()
    assert world.azure_journals() == ["busy"]


async def test_abandoning_a_pool_leaves_it_as_it_is() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], abandon=True)
    await world.live(1200)
    assert world.is_settled
    assert world.pool().targets.dedicated == 0
    assert world.finalizers.connections == set()


async def test_an_operator_told_to_leave_restores_and_begins_nothing_for_a_while() -> None:
    world = Drains.of(busy_pool(), busy_pool("later", nodes=1), policies=[draining(max_concurrent=1)])
    await world.sweep()
    world.declared = replace(world.declared, leaving_since=world.clock.now())
    await world.live_until(lambda: world.is_settled, within=600)
    begun = written(world).count("disable_pool_auto_scale") + len(world.journals())
    await world.live(240)
    assert begun == 0
    assert world.pool("later").targets.dedicated == 1
    assert not is_closed(world, "later")
    assert world.finalizers.connections == set()
    await world.live_until(lambda: is_closed(world) and is_closed(world, "later"))


async def test_nothing_is_drained_before_the_finalizers_are_there() -> None:
    world = Drains.of(busy_pool())
    world.finalizers.failing = True
    await world.live(120)
    assert written(world) == []
    assert world.journals() == []
    world.finalizers.failing = False
    await world.live_until(lambda: world.is_settled and is_closed(world))


async def test_nothing_is_drained_before_the_journal_is_stored_in_kubernetes() -> None:
    world = Drains.of(busy_pool())
    await world.reports.create(world.declared, name=NAME, pool_id="busy")
    world.reports.refuse = frozenset({NAME})
    await world.live(300)
    assert written(world) == []


async def test_autoscale_is_paused_for_a_pool_that_stands_at_zero_and_nothing_is_resized() -> None:
    pausing = replace(policy("ssh", wanted("SSH")), remediation=Remediation(pause_autoscale=True, max_concurrent=10))
    formula = "$TargetDedicatedNodes = 0;"
    world = Drains.of(
        busy_pool(nodes=0, enableAutoScale=True, autoScaleFormula=formula, autoScaleEvaluationInterval="PT5M"),
        policies=[pausing],
    )
    await world.live_until(lambda: world.is_settled and is_closed(world))
    assert "resize_pool" not in written(world)
    autoscale = world.pool().autoscale
    assert autoscale is not None
    assert autoscale.formula == formula


@pytest.mark.parametrize("deallocation", list(NodeDeallocation))
async def test_tasks_are_treated_as_the_policy_says(deallocation: NodeDeallocation) -> None:
    world = Drains.of(busy_pool(), policies=[draining(deallocation=deallocation)])
    await world.sweep()
    (entry,) = [each for each in world.service.requests if each.operation == "resize_pool"]
    assert entry.json()["nodeDeallocationOption"] == deallocation.lower()
    assert entry.json()["resizeTimeout"] == "PT2H"
    assert entry.if_match is not None
