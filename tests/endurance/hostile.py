"""Somebody rewrites the network of a busy pool every few seconds, whatever the operator does."""

from itertools import pairwise

from tests.endurance.ledger import Ledger, Verdict
from tests.support.drains import OPEN_SSH, Drains, busy_pool

_NODES = 3
_TURN_SECONDS = 5
_TURNS_A_SWEEP = 12
_TURNS_AN_HOUR = 720
_MOST_DRAINS_AN_HOUR = 3
_AFTERWARDS = 36_000
_ALERTED_ON = ("batchaccess_remediation_total", "batchaccess_drift_detected_total")


async def hostile_actor(hours: float = 6) -> Verdict:
    """Drains are bounded, the pool says so, and what alerts are made of rises every hour."""
    ledger = Ledger()
    world = Drains.of(busy_pool(nodes=_NODES))
    ledger.watch(world, "operator", "cluster-1")
    rises: list[float] = []
    for turn in range(int(hours * _TURNS_AN_HOUR)):
        await (world.sweep() if turn % _TURNS_A_SWEEP == 0 else world.visit())
        ledger.listen(world)
        world.edit({"networkConfiguration": OPEN_SSH})
        if turn % _TURNS_AN_HOUR == 0:
            rises.append(sum(_counted(world, family) for family in _ALERTED_ON))
        world.advance(_TURN_SECONDS)
    await world.live_until(lambda: world.is_settled, within=_AFTERWARDS)
    problems = []
    if world.pool().targets.dedicated != _NODES:
        problems.append(f"the scale is {world.pool().targets}")
    if not all(later > earlier for earlier, later in pairwise(rises)):
        problems.append(f"no metric rose in some hour: {rises}")
    if "Contended" not in ledger.reasons:
        problems.append(f"Contended was not said, only {sorted(ledger.reasons)}")
    verdict = ledger.verdict(problems, f"{hours:g} hours, metrics by the hour {rises}, said {sorted(ledger.reasons)}")
    if verdict.most_drains_an_hour <= _MOST_DRAINS_AN_HOUR:
        return verdict
    return ledger.verdict([*problems, f"{verdict.most_drains_an_hour} drains within an hour"], verdict.figures)


def _counted(world: Drains, family: str) -> float:
    """The sum over all series of a counter."""
    lines = world.metrics.exposition().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{family}{{"))
