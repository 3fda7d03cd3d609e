"""How late drift is found: from the change of the pool, as the service dates it, to the sweep that saw it."""

from dataclasses import replace

import pytest

from tests.support.drains import OPEN_SSH, Drains, busy_pool, draining
from tests.telemetry.read_exposition import value_of


def lags(world: Drains) -> tuple[float | None, float | None]:
    """How many were observed, and their sum in seconds."""
    name = "batchaccess_drift_detection_lag_seconds"
    count, total = (value_of(world.metrics, f"{name}_{part}", connection="prod-weu") for part in ("count", "sum"))
    return count, total


async def in_order(*, nodes: int) -> Drains:
    """A pool that the operator saw drifted, and corrected."""
    world = Drains.of(busy_pool(nodes=nodes))
    await world.sweep()
    await world.live_until(lambda: world.is_settled)
    await world.live(120)
    assert world.reports.condition("prod-weu.busy", "Compliant") == ("True", "Compliant")
    return world


async def test_what_was_there_at_the_first_look_has_no_known_beginning() -> None:
    assert lags(await in_order(nodes=0)) == (0, 0)


@pytest.mark.parametrize("nodes", [0, 3], ids=["corrected at once", "drained"])
async def test_a_change_is_found_as_late_as_the_next_sweep_comes(nodes: int) -> None:
    world = await in_order(nodes=nodes)
    world.edit({"networkConfiguration": OPEN_SSH})
    world.advance(40)
    await world.sweep()
    assert lags(world) == (1, 40)
    await world.live_until(lambda: world.is_settled)
    await world.live(120)
    assert lags(world) == (1, 40)


async def test_what_a_policy_declares_anew_is_not_the_change_of_a_pool() -> None:
    world = await in_order(nodes=0)
    world.policies.clear()
    await world.sweep()
    world.edit({"networkConfiguration": OPEN_SSH})
    world.advance(40)
    world.policies.append(replace(draining(), generation=2))
    await world.sweep()
    assert lags(world) == (0, 0)
