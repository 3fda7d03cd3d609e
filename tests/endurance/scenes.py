"""Long and hard lives of the operator on emulated time: a rival, a hostile actor, a month of faults."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from batchaccess.core.model import MetadataItem
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import journal_in
from batchemulator import Fault, FaultKind
from batchemulator.assumptions import Emptiness
from batchemulator.operations.pool_updates import is_empty
from batchemulator.wire.messages import Request, Response
from tests.support.build import policy, wanted
from tests.support.drains import OPEN_SSH, Drains, account_connection, busy_pool, draining
from tests.support.reports import FakeFinalizers

WRITES = frozenset({"PATCH", "POST"})


@dataclass
class Ledger:
    """What the service was asked to change, by whom, and what must never have been asked."""

    drains: list[float] = field(default_factory=list)
    """Emulated seconds at which a pool was told to let its nodes go."""
    problems: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)

    def watch(self, world: Drains, who: str, cluster: str) -> None:
        """Look at every request of one operator from now on."""

        def handle(request: Request) -> Response:
            if request.method not in WRITES:
                return world.service.handle(request)
            self._judge(world, request, who, cluster)
            pool_id = request.path.split("/")[2]
            before = world.pool(pool_id).targets
            response = world.service.handle(request)
            if request.path.endswith("/resize") and response.status == 202 and before.dedicated > 0:
                self.drains += [world.clock.monotonic()] * (world.pool(pool_id).targets.dedicated == 0)
            return response

        world.handle = handle

    def _judge(self, world: Drains, request: Request, who: str, cluster: str) -> None:
        pool = world.pool(request.path.split("/")[2])
        self.writes[who] += 1
        items = [MetadataItem(name=each["name"], value=each["value"]) for each in pool.settings.get("metadata", ())]
        journal = journal_in(items)
        if isinstance(journal, Journal) and journal.holder.cluster_uid != cluster and b"metadata" not in request.body:
            self.problems.append(f"{who} wrote to {pool.id} under the journal of {journal.holder.cluster_uid}")
        if b"networkConfiguration" in request.body and not is_empty(pool, Emptiness.NO_NODES_AND_STEADY):
            self.problems.append(f"{who} changed the network of {pool.id}, which is not empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a scene ended."""

    problems: tuple[str, ...]
    drains: int
    most_drains_an_hour: int
    said: frozenset[str]
    figures: str


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments within any span of so many seconds."""
    return max((sum(start <= each < start + seconds for each in moments) for start in moments), default=0)


async def two_operators(hours: float = 1) -> Verdict:
    """Two clusters with different policies for one account by mistake."""
    ledger, said = Ledger(), set[str]()
    one = Drains.of(busy_pool(nodes=3), busy_pool("second", nodes=2))
    other = Drains(
        service=one.service,
        clock=one.clock,
        declared=account_connection(uid="uid-of-the-other"),
        policies=[draining(policy("open", wanted("SSH", allow_from=["10.0.0.0/8"])))],
        finalizers=FakeFinalizers(cluster="cluster-2"),
        begun=1 << 40,
    )
    ledger.watch(one, "one", "cluster-1")
    ledger.watch(other, "other", "cluster-2")
    before = {pool.id: pool.targets for pool in one.account.pools}
    end, turn = one.clock.monotonic() + hours * 3600, 0
    while one.clock.monotonic() < end:
        for world in (one, other):
            await (world.sweep() if turn % 12 == 0 else world.visit())
            said |= {
                world.reports.condition(name, "Compliant")[1]
                for name in world.reports.objects
                if "conditions" in world.reports.status(name)
            }
        one.advance(5)
        turn += 1
    await one.live_until(lambda: not one.journals(), within=7200)
    await other.live_until(lambda: not other.journals(), within=7200)
    problems = list(ledger.problems)
    after = {pool.id: pool.targets for pool in one.account.pools}
    if after != before:
        problems.append(f"the scale is {after}, it was {before}")
    if not said & {"Contended", "ForeignJournal"}:
        problems.append(f"neither Contended nor ForeignJournal was said, only {sorted(said)}")
    return _verdict(ledger, problems, said, f"writes {dict(ledger.writes)}")


async def hostile_actor(hours: float = 6) -> Verdict:
    """Somebody rewrites the network of a busy pool every few seconds, whatever the operator does."""
    ledger, said = Ledger(), set[str]()
    world = Drains.of(busy_pool(nodes=3))
    ledger.watch(world, "operator", "cluster-1")
    rises: list[float] = []
    end, turn = world.clock.monotonic() + hours * 3600, 0
    while world.clock.monotonic() < end:
        await (world.sweep() if turn % 12 == 0 else world.visit())
        if "conditions" in world.reports.status("prod-weu.busy"):
            said.add(world.reports.condition("prod-weu.busy", "Compliant")[1])
        world.edit({"networkConfiguration": OPEN_SSH})
        if turn % 720 == 0:
            rises.append(
                counted(world, "batchaccess_remediation_total") + counted(world, "batchaccess_drift_detected_total")
            )
        world.advance(5)
        turn += 1
    await world.live_until(lambda: world.is_settled, within=36_000)
    problems = list(ledger.problems)
    if world.pool().targets.dedicated != 3:
        problems.append(f"the scale is {world.pool().targets}")
    if not any(later > earlier for earlier, later in pairwise(rises)):
        problems.append("no metric rose")
    return _verdict(ledger, problems, said, f"metric {rises}")


def counted(world: Drains, family: str) -> float:
    """The sum over all series of a counter."""
    lines = world.metrics.exposition().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{family}{{"))


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


async def soak(
    pools: int = 2000, days: float = 30, *, seed: int = 0, period: int = 7200, tell: Callable[[str], None] = print
) -> Verdict:
    """Pools of which a fifth, at random, drift in each of five waves, on a service with faults all the while."""
    dice, ledger = random.Random(seed), Ledger()  # noqa: S311 no secret
    world = Drains.of(
        *(
            busy_pool(f"pool-{number:04}", nodes=dice.randint(1, 4)) | {"networkConfiguration": CLOSED}
            for number in range(pools)
        ),
        policies=[draining(max_concurrent=100_000)],
    )
    world.jitter = dice.random
    world.declared = replace(world.declared, sync_period_seconds=period, max_concurrent_drains=100_000)
    ledger.watch(world, "operator", "cluster-1")
    before = {pool.id: (pool.targets.dedicated, pool.targets.low_priority) for pool in world.account.pools}
    rounds = int(days * 86400 / period)
    wave = max(1, rounds // 6)
    started, drifted = time.monotonic(), 0
    for number in range(rounds):
        if number < rounds - wave:
            for pool_id in dice.sample(sorted(before), pools // 5 if number % wave == 0 else 0):
                world.edit({"networkConfiguration": OPEN_SSH}, pool_id)
                drifted += 1
            for _ in range(3):
                kind, operation = dice.choice(_FAULTS), dice.choice(_OPERATIONS)
                world.fail(Fault(kind=kind, operation=operation, skip=dice.randint(0, 20)))
        else:
            world.service.faults.clear()
        await world.sweep()
        left = period
        while left > 0:
            step = 300 if world.sweeping.has_open_sagas else left
            world.advance(min(step, left))
            left -= step
            await world.visit()
        if number % max(1, rounds // 10) == 0:
            tell(f"day {number * period / 86400:.1f}: {drifted} drifts, {len(ledger.drains)} drains")
    await world.sweep()
    problems = list(ledger.problems)
    after = {pool.id: (pool.targets.dedicated, pool.targets.low_priority) for pool in world.account.pools}
    changed = {pool_id: (before[pool_id], after[pool_id]) for pool_id in before if before[pool_id] != after[pool_id]}
    problems += [f"the scale of {pool_id} went from {was} to {now}" for pool_id, (was, now) in sorted(changed.items())]
    reasons = Counter(world.reports.condition(name, "Compliant")[1] for name in world.reports.objects)
    unexplained = {reason for reason in reasons if reason not in _EXPLAINED}
    problems += [f"{reasons[reason]} pools say {reason}, which is no explanation" for reason in sorted(unexplained)]
    if not ledger.drains:
        problems.append("no pool was drained at all")
    if world.journals() or world.azure_journals():
        problems.append(f"journals are left: {world.journals()[:5]} {world.azure_journals()[:5]}")
    figures = (
        f"{pools} pools, {days:g} days in {time.monotonic() - started:.0f} s: {drifted} drifts, {len(ledger.drains)} "
        f"drains, {sum(was for was, _ in before.values())} nodes before and "
        f"{sum(now for now, _ in after.values())} after, {dict(reasons)}"
    )
    return _verdict(ledger, problems, set(reasons), figures)


_EXPLAINED = frozenset({"Compliant", "DrainTimedOut", "DrainIncomplete", "ScaleChanged", "Rejected", "AccessDenied"})
"""What a pool may say at the end: in order, or why it stays as it is until somebody asks anew."""


def _verdict(ledger: Ledger, problems: list[str], said: set[str], figures: str) -> Verdict:
    return Verdict(
        problems=tuple(problems),
        drains=len(ledger.drains),
        most_drains_an_hour=most_within(ledger.drains, 3600),
        said=frozenset(said),
        figures=figures,
    )
