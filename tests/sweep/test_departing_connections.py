"""A connection that goes while a pool of it is drained: the scale first, but not for ever."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import JsonObject
from batchaccess.core.reasons import EventReason
from batchemulator import Fault, FaultKind
from tests.support.build import policy, wanted
from tests.support.drains import OPEN_SSH, Drains, account_connection, busy_pool, draining

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


def deleted(world: Drains) -> AccountConnection:
    return replace(world.declared, deleting=True, leaving_since=world.clock.now())


def left(world: Drains) -> AccountConnection:
    return replace(world.declared, leaving_since=world.clock.now())


LEAVE = {"it is being deleted": deleted, "the operator is told to leave": left}
DRIFTING = {
    "an empty pool of a policy that waits for that": (busy_pool(nodes=0), policy("ssh", wanted("SSH"))),
    "an empty pool of a policy that drains": (busy_pool(nodes=0), draining()),
    "a busy pool of a policy that drains": (busy_pool(), draining()),
    "a pool at zero under a formula that may be paused": (
        busy_pool(nodes=0, enableAutoScale=True, autoScaleFormula="$TargetDedicatedNodes=0"),
        replace(draining(), remediation=replace(policy("ssh").remediation, pause_autoscale=True)),
    ),
}


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE.keys())
@pytest.mark.parametrize(("pool", "by"), DRIFTING.values(), ids=DRIFTING.keys())
async def test_while_a_connection_leaves_drift_is_told_and_left_alone(
    pool: JsonObject, by: AccessPolicy, leave: Callable[[Drains], AccountConnection]
) -> None:
    world = Drains.of(pool, policies=[by])
    world.declared = leave(world)
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("False", "Suspended")
    assert world.reports.condition(NAME, "Drifted") == ("True", "Widening")
    assert world.reports.condition(NAME, "Exposed") == ("True", "InternetReachable")
    assert world.reports.status(NAME)["policy"] == "render/ssh"
    told = list(world.reports.writes)
    await world.live(600)
    assert writes(world) == 0
    assert world.reports.writes == told, "nor is anything told twice"
    assert world.finalizers.changes == 0


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE.keys())
async def test_a_pool_found_open_before_stays_drifting_and_exposed_once_its_connection_leaves(
    leave: Callable[[Drains], AccountConnection],
) -> None:
    world = Drains.of(busy_pool(), policies=[policy("ssh", wanted("SSH"))])
    await world.sweep()
    before = list(world.recorder.events)
    world.declared = leave(world)
    await world.live(600)
    assert world.reports.condition(NAME, "Drifted") == ("True", "Widening")
    assert world.recorder.events == before


async def test_once_an_uninstallation_was_long_ago_what_was_left_alone_is_corrected() -> None:
    world = Drains.of(busy_pool(nodes=0), policies=[policy("ssh", wanted("SSH"))])
    world.declared = left(world)
    await world.live(890)
    assert writes(world) == 0
    await world.live(130)
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE.keys())
@pytest.mark.parametrize("late", [0, 10, 20, 30])
async def test_whenever_a_connection_leaves_the_drained_scale_comes_back_and_everything_is_let_go_of(
    late: int, leave: Callable[[Drains], AccountConnection]
) -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    await world.live(late)
    assert world.finalizers.policies
    world.declared = leave(world)
    await world.live_until(lambda: world.is_settled, within=600)
    await world.sweep()
    assert world.pool().targets.dedicated == 3
    assert (world.finalizers.connections, world.finalizers.policies) == (set(), set())


async def test_a_policy_deleted_with_its_connection_is_let_go_of_as_well() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.declared = deleted(world)
    world.policies[:] = [replace(world.policies[0], deleting=True)]
    await world.live_until(lambda: world.finalizers.connections == set(), within=600)
    assert world.finalizers.policies == set()
    assert world.pool().targets.dedicated == 3


async def test_a_saga_resumed_from_azure_while_the_operator_leaves_holds_no_policy() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.reports.objects.clear()
    world.finalizers.policies.clear()
    world.restart()
    world.declared = left(world)
    held = []
    while not world.is_settled:
        await world.live(5)
        held.append(set(world.finalizers.policies))
    assert world.pool().targets.dedicated == 3
    assert not any(held)
