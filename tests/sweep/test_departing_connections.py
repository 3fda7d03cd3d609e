"""A connection that goes while a pool of it is drained: the scale first, but not for ever."""

import re
from dataclasses import replace

import pytest

from batchaccess.core.reasons import EventReason
from batchemulator import Fault, FaultKind
from tests.support.drains import OPEN_SSH, Drains, account_connection, busy_pool

NAME = "prod-weu.busy"


def writes(world: Drains) -> int:
    return len([entry for entry in world.service.requests if entry.method != "GET"])


def told_saga(world: Drains) -> str:
    """The id that the last event about the connection names, as a person would read it."""
    found = re.search(r"\(saga ([0-9a-f]{12})\)", world.recorder.events[-1][2])
    assert found is not None
    return found[1]


@pytest.fixture
async def leaving() -> Drains:
    """Its connection is being deleted, and the service lets nobody resize."""
    world = Drains.of(busy_pool())
    await world.sweep()
    world.declared = replace(world.declared, deleting=True, leaving_since=world.clock.now())
    for operation in ("resize_pool", "stop_pool_resize"):
        world.fail(Fault(kind=FaultKind.FORBIDDEN, operation=operation, count=0))
    return world


async def test_until_its_time_is_over_the_pool_says_that_its_restore_is_pending(leaving: Drains) -> None:
    await leaving.live(590)
    assert leaving.reports.condition(NAME, "Remediating") == ("True", "RestorePending")
    assert leaving.finalizers.connections == {"prod-weu"}
    await leaving.live(70)
    assert leaving.finalizers.connections == set()
    assert leaving.finalizers.policies == set()
    told = [each for each in leaving.recorder.events if each[0] == "prod-weu"]
    assert [reason for _, reason, _ in told] == [EventReason.RESTORE_PENDING], "once is enough"
    assert "3 dedicated" in told[0][2]


async def test_what_was_let_go_of_is_not_written_to_any_more_and_can_be_adopted(leaving: Drains) -> None:
    await leaving.live(700)
    leaving.service.faults.clear()
    before = writes(leaving)
    await leaving.live(3 * 3600)
    assert writes(leaving) == before
    assert leaving.azure_journals() == ["busy"]
    successor = Drains(
        service=leaving.service, clock=leaving.clock, declared=account_connection(uid="uid-made-anew"), begun=1 << 40
    )
    await successor.sweep()
    successor.reports.objects[NAME] = replace(successor.reports.objects[NAME], adopt=told_saga(leaving))
    await successor.live_until(lambda: successor.is_settled and successor.pool().targets.dedicated == 3)


async def uninstalled_in_vain(world: Drains) -> None:
    """Somebody ran `batchaccess uninstall` and left it at that; the service lets nobody resize meanwhile."""
    for operation in ("resize_pool", "stop_pool_resize"):
        world.fail(Fault(kind=FaultKind.SERVER_BUSY, operation=operation, count=0))
    world.declared = replace(world.declared, leaving_since=world.clock.now())
    await world.live(700)
    assert world.finalizers.connections == set(), "the uninstallation does not hang"
    world.service.faults.clear()


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_connection_that_is_taken_back_goes_on_with_its_sagas_and_holds_what_they_need(restarts: bool) -> None:  # noqa: FBT001 named
    world = Drains.of(busy_pool())
    await world.sweep()
    policies = set(world.finalizers.policies)
    await uninstalled_in_vain(world)
    if restarts:
        world.restart()
    world.advance(5 * 60)
    await world.sweep()
    assert world.sweeping.has_open_sagas
    assert (world.finalizers.connections, world.finalizers.policies) == ({"prod-weu"}, policies)
    await world.live_until(lambda: world.is_settled)
    await world.sweep()
    assert world.pool().targets.dedicated == 3
    assert (world.finalizers.connections, world.finalizers.policies) == (set(), set())


async def test_a_later_saga_of_a_connection_that_was_taken_back_is_like_any_other() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    await uninstalled_in_vain(world)
    await world.live(3 * 3600)
    assert world.is_settled
    assert world.pool().targets.dedicated == 3
    world.edit({"networkConfiguration": OPEN_SSH})
    await world.sweep()
    assert world.journals() == [NAME]
    assert world.sweeping.has_open_sagas
    assert world.finalizers.connections == {"prod-weu"}
    assert len(world.finalizers.policies) == 1
