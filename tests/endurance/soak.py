"""A month of drift on a service with faults: every pool keeps its scale, every drift is closed or explained."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from batchemulator import Fault, FaultKind
from tests.endurance.ledger import Ledger, Verdict, changes, reasons_of, scales_of
from tests.support.drains import OPEN_SSH, Drains, busy_pool, draining

_FAULTS = (
    FaultKind.SERVER_BUSY,
    FaultKind.INTERNAL_ERROR,
    FaultKind.TIMED_OUT_BEFORE,
    FaultKind.TIMED_OUT_AFTER,
    FaultKind.SILENT_AFTER,
    FaultKind.CONDITION_NOT_MET,
)
_OPERATIONS = (
    "update_pool",
    "resize_pool",
    "get_pool",
    "enable_pool_auto_scale",
    "disable_pool_auto_scale",
    "list_pools",
)
CLOSED = {
    "endpointConfiguration": {
        "inboundNATPools": [
            {
                **OPEN_SSH["endpointConfiguration"]["inboundNATPools"][0],
                "networkSecurityGroupRules": [{"priority": 1000, "access": "deny", "sourceAddressPrefix": "*"}],
            }
        ]
    }
}


_EXPLAINED = frozenset({"Compliant", "DrainTimedOut", "DrainIncomplete", "ScaleChanged", "Rejected", "AccessDenied"})
"""What a pool may say at the end: in order, or why it stays as it is until somebody asks anew."""

_DAY = 86_400
_WAVES = 5
_FAULTS_A_ROUND = 3
_VISIT_SECONDS = 300
_LINES = 10


async def soak(
    pools: int = 2000, days: float = 30, *, seed: int = 0, period: int = 7200, tell: Callable[[str], None] = print
) -> Verdict:
    """Pools of which a fifth, at random, drift in each of five waves, with faults all the while but for the end."""
    dice, ledger, began = random.Random(seed), Ledger(), time.monotonic()  # noqa: S311 no secret
    world = _world(pools, dice, period)
    ledger.watch(world, "operator", "cluster-1")
    before = scales_of(world)
    rounds = int(days * _DAY / period)
    wave = max(1, rounds // (_WAVES + 1))
    for number in range(rounds):
        if number < rounds - wave:
            _harm(world, ledger, dice.sample(sorted(before), pools // 5 if number % wave == 0 else 0), dice)
        else:
            world.service.faults.clear()
        await _one_period(world, period)
        if number % max(1, rounds // _LINES) == 0:
            tell(f"day {number * period / _DAY:.1f}: {ledger.drifts.total()} drifts, {ledger.drained} drains")
    await world.sweep()
    after, reasons = scales_of(world), reasons_of(world)
    figures = (
        f"{pools} pools, {days:g} days in {time.monotonic() - began:.0f} s: {ledger.drifts.total()} drifts, "
        f"{_nodes(before.values())} nodes before and {_nodes(after.values())} after, {dict(reasons)}"
    )
    problems = [*changes(before, after), *_left_over(world, reasons), *ledger.drained_too_often()]
    return ledger.verdict(problems, figures)


def _world(pools: int, dice: random.Random, period: int) -> Drains:
    world = Drains.of(
        *(
            busy_pool(f"pool-{number:04}", nodes=dice.randint(1, 4)) | {"networkConfiguration": CLOSED}
            for number in range(pools)
        ),
        policies=[draining(max_concurrent=100_000)],
    )
    world.jitter = dice.random
    world.declared = replace(world.declared, sync_period_seconds=period, max_concurrent_drains=100_000)
    return world


def _harm(world: Drains, ledger: Ledger, opened: list[str], dice: random.Random) -> None:
    for pool_id in opened:
        world.edit({"networkConfiguration": OPEN_SSH}, pool_id)
        ledger.drifts[pool_id] += 1
    for _ in range(_FAULTS_A_ROUND):
        kind, operation = dice.choice(_FAULTS), dice.choice(_OPERATIONS)
        world.fail(Fault(kind=kind, operation=operation, skip=dice.randint(0, 20)))


async def _one_period(world: Drains, period: int) -> None:
    await world.sweep()
    left = period
    while left > 0:
        step = _VISIT_SECONDS if world.sweeping.has_open_sagas else left
        world.advance(min(step, left))
        left -= step
        await world.visit()


def _nodes(scales: Iterable[tuple[object, ...]]) -> int:
    return sum(dedicated for _, dedicated, *_ in scales if isinstance(dedicated, int))


def _left_over(world: Drains, reasons: Counter[str]) -> list[str]:
    problems = [
        f"{count} pools say {reason}, which is no explanation"
        for reason, count in sorted(reasons.items())
        if reason not in _EXPLAINED
    ]
    if not world.is_settled:
        problems.append(f"journals are left: {world.journals()[:5]} {world.azure_journals()[:5]}")
    return problems
