"""A pool that becomes unreadable in the middle of its saga: it is not said to be in order, and goes on later."""

from typing import Any

import pytest

from batchaccess.core.reasons import EventReason
from tests.support.drains import OPEN_SSH, Drains, busy_pool
from tests.telemetry.read_exposition import value_of

NAME = "prod-weu.busy"
NAT_POOL = OPEN_SSH["endpointConfiguration"]["inboundNATPools"][0]
ODD_RULE = {"priority": 200, "access": "allow", "sourceAddressPrefix": "*", "sourcePortRanges": ["ephemeral"]}
ODD_NETWORK = {
    "networkConfiguration": {
        "endpointConfiguration": {"inboundNATPools": [{**NAT_POOL, "networkSecurityGroupRules": [ODD_RULE]}]}
    }
}


def pending(world: Drains) -> float | None:
    return value_of(world.metrics, "batchaccess_restore_pending", connection="prod-weu")


def remediating(world: Drains) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in world.reports.status(NAME)["conditions"] if each["type"] == "Remediating"
    )
    return found


@pytest.fixture
async def drained() -> Drains:
    """Its pool was just drained, and somebody gave it a network that nobody understands."""
    world = Drains.of(busy_pool())
    await world.sweep()
    assert world.pool().targets.dedicated == 0
    world.edit(ODD_NETWORK)
    await world.live(300)
    return world


async def test_it_says_that_its_restore_is_pending_what_is_odd_and_what_to_set_by_hand(drained: Drains) -> None:
    told = remediating(drained)
    assert (told["status"], told["reason"]) == ("True", "RestorePending")
    assert "sourcePortRanges" in told["message"]
    assert "3 dedicated and 0 low-priority nodes" in told["message"]
    assert pending(drained) == 1
    assert drained.recorder.reasons(NAME).count(EventReason.RESTORE_PENDING) == 1
    assert EventReason.NO_LONGER_REACHABLE not in drained.recorder.reasons(NAME)
    assert drained.finalizers.connections == {"prod-weu"}


async def test_as_long_as_nothing_changes_nothing_is_written(drained: Drains) -> None:
    before = list(drained.reports.writes)
    await drained.live(3600)
    assert drained.reports.writes == before
    assert drained.pool().targets.dedicated == 0


@pytest.mark.parametrize("restarts", [False, True])
async def test_once_it_can_be_read_again_its_saga_goes_on(drained: Drains, restarts: bool) -> None:  # noqa: FBT001 named
    if restarts:
        drained.restart()
        await drained.live(120)
        assert pending(drained) == 1
    drained.edit({"networkConfiguration": OPEN_SSH})
    await drained.live_until(lambda: drained.is_settled)
    await drained.sweep()
    assert drained.pool().targets.dedicated == 3
    assert pending(drained) == 0
    assert drained.reports.condition(NAME, "Remediating") == ("False", "Idle")
    assert drained.finalizers.connections == set()


async def test_without_a_saga_there_is_nothing_pending() -> None:
    world = Drains.of(busy_pool(nodes=0, networkConfiguration=ODD_NETWORK["networkConfiguration"]))
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("Unknown", "Unreadable")
    assert world.reports.condition(NAME, "Remediating") == ("False", "Idle")
    assert pending(world) == 0
