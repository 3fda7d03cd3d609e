"""The events of a drain: each step once, then how it ended, as a warning unless the network is as declared."""

from dataclasses import replace

import pytest

from batchaccess.core.reasons import EventReason
from batchemulator import Timings
from tests.support.drains import FORMULA, OPEN_SSH, Drains, busy_pool, draining

NAME = "prod-weu.busy"
STEPS = ("Preparing", "Draining", "Correcting", "Restoring", "Clearing")
KEPT = "3 dedicated and 0 low-priority nodes"


def steps(world: Drains) -> list[str]:
    """The steps that were told, in order."""
    return [message.partition(":")[0] for message in world.recorder.told(NAME, EventReason.REMEDIATING)]


def ends(world: Drains) -> list[str]:
    return world.recorder.told(NAME, EventReason.REMEDIATION_ENDED)


async def live_over(world: Drains) -> None:
    """Until no saga is open, and a pass after that."""
    await world.live_until(lambda: world.is_settled)
    await world.sweep()
    await world.sweep()


async def test_every_step_is_told_once_and_the_end_is_good_news() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    await live_over(world)
    assert steps(world) == [*STEPS]
    assert ends(world) == ["Corrected: The network was found as declared."]
    assert not {*ends(world)} & {*world.recorder.warnings}
    assert world.recorder.reasons(NAME)[:3] == [
        EventReason.DRIFT_DETECTED,
        EventReason.INTERNET_REACHABLE,
        EventReason.REMEDIATING,
    ]


async def test_pausing_autoscale_is_told_too() -> None:
    world = Drains.of(busy_pool(enableAutoScale=True, autoScaleFormula=FORMULA, autoScaleEvaluationInterval="PT10M"))
    await world.sweep()
    await live_over(world)
    assert steps(world) == ["Preparing", "PausingAutoscale", *STEPS[1:]]


async def test_a_new_process_repeats_no_step() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.restart()
    await live_over(world)
    world.restart()
    await live_over(world)
    assert steps(world) == [*STEPS]
    assert len(ends(world)) == 1


CUT_SHORT = {
    "the policy was deleted": "PolicyGone: Policy render/ssh does not govern the pool any more.",
    "the policy was suspended": "Suspended: Policy render/ssh was suspended.",
    "the operator was told to leave": (
        "ConnectionDeleting: Connection prod-weu is being deleted, or the operator uninstalled."
    ),
}


@pytest.mark.parametrize(("why", "end"), CUT_SHORT.items(), ids=CUT_SHORT.keys())
async def test_a_drain_is_cut_short_and_says_so_while_it_restores_and_at_its_end_because(why: str, end: str) -> None:
    world = Drains.of(busy_pool(), timings=Timings(removal=60))
    await world.sweep()
    match why:
        case "the policy was deleted":
            world.policies = []
        case "the policy was suspended":
            world.policies = [replace(world.policies[0], suspend=True, generation=2)]
        case _:
            world.declared = replace(world.declared, leaving_since=world.clock.now())
    said = set[str]()
    for _ in range(100):
        await world.visit()
        said.add(world.reports.message(NAME, "Remediating"))
        if not world.journals():
            break
        world.advance(5)
    message = end.partition(": ")[2]
    assert f"The recorded scale is set; its nodes are on their way. {message}" in said
    await world.sweep()
    assert ends(world) == [end]
    assert end in world.recorder.warnings
    assert world.pool().targets.dedicated == 3


async def test_a_drain_that_timed_out_is_a_warning() -> None:
    world = Drains.of(busy_pool(), policies=[draining(timeout_seconds=300)], timings=Timings(removal=3600))
    await world.sweep()
    await live_over(world)
    (end,) = ends(world)
    assert end.startswith("DrainTimedOut: The pool was not empty within")
    assert end in world.recorder.warnings


async def test_an_abandoned_drain_is_a_warning_that_names_the_scale() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], abandon=True)
    await live_over(world)
    assert world.pool().targets.dedicated == 0
    (end,) = ends(world)
    assert end == f"Abandoned: The pool stays as it is. If its scale is to be as before, set it by hand: {KEPT}"
    assert end in world.recorder.warnings


async def test_a_journal_that_somebody_removed_is_a_warning_that_names_the_scale() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    status = {key: value for key, value in world.reports.status(NAME).items() if key != "journal"}
    world.reports.overwrite(NAME, status)
    world.edit({"metadata": []})
    await world.sweep()
    (end,) = ends(world)
    assert end == f"Forgotten: The correction does not go on here. The scale that it had recorded: {KEPT}"
    assert end in world.recorder.warnings


async def test_a_second_drain_is_told_like_the_first() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    await live_over(world)
    world.edit({"networkConfiguration": OPEN_SSH})
    await world.sweep()
    await live_over(world)
    assert steps(world) == [*STEPS, *STEPS]
    assert len(ends(world)) == 2


async def test_drift_that_nothing_declares_any_more_is_not_said_to_be_closed() -> None:
    world = Drains.of(busy_pool(), policies=[replace(draining(), suspend=True)])
    await world.sweep()
    world.policies = []
    await world.sweep()
    assert EventReason.DRIFT_CLOSED not in world.recorder.reasons(NAME)
    assert world.recorder.reasons(NAME)[-1] is EventReason.NO_LONGER_MANAGED
