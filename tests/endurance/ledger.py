"""What the service was asked to change, by whom, and what must never have been asked; how a scene ended."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from batchaccess.core.model import MetadataItem
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import is_ours, journal_in
from batchemulator.assumptions import Emptiness
from batchemulator.operations.pool_updates import is_empty
from batchemulator.state.pool import Pool
from batchemulator.wire.messages import Request, Response
from tests.endurance.witness import items_of, scale_of
from tests.support.drains import Drains

WRITES = frozenset({"PATCH", "POST"})
_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a scene ended: it went well if there are no problems."""

    problems: tuple[str, ...]
    drains: int
    most_drains_an_hour: int
    figures: str


@dataclass
class Ledger:
    """Watches the requests of one or more operators, whether they are answered or not.

    Attributes:
        drains: emulated seconds at which a pool began to lose its nodes, by pool.
        drifts: how often each pool was made to drift, for the scenes that tell.
        writes: requests to change something, by operator.
        reasons: what the pools said of themselves.
    """

    drains: dict[str, list[float]] = field(default_factory=dict)
    drifts: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    reasons: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def drained(self) -> int:
        """The drains of all pools."""
        return sum(map(len, self.drains.values()))

    def watch(self, world: Drains, who: str, cluster: str) -> None:
        """Look at every request of one operator from now on."""

        def handle(request: Request) -> Response:
            if request.method not in WRITES:
                return world.service.handle(request)
            self.writes[who] += 1
            pool = world.pool(request.path.split("/")[2])
            self._judge(pool, request, who, cluster)
            before, foreign = pool.targets, _foreign_items(pool, cluster)
            response = world.service.handle(request)
            after = pool.targets
            if request.path.endswith("/resize") and before != after and not (after.dedicated or after.low_priority):
                self.drains.setdefault(pool.id, []).append(world.clock.monotonic())
            if foreign and foreign != _foreign_items(pool, cluster):
                self.problems.append(f"{who} changed the journal of another holder on {pool.id}")
            return response

        world.handle = handle

    def listen(self, world: Drains) -> None:
        """Note what the pools say of themselves."""
        self.reasons |= set(reasons_of(world))

    def verdict(self, problems: Iterable[str], figures: str) -> Verdict:
        """How it ended. A scene without a drain proves nothing, so that is a problem as well."""
        nothing = () if self.drained else ("no pool was drained at all",)
        moments = sorted(moment for each in self.drains.values() for moment in each)
        return Verdict(
            problems=(*self.problems, *problems, *nothing),
            drains=self.drained,
            most_drains_an_hour=most_within(moments, _HOUR),
            figures=figures,
        )

    def drained_too_often(self) -> tuple[str, ...]:
        """The pools that were drained more often than they were made to drift."""
        return tuple(
            f"{pool_id} was drained {len(moments)} times for {self.drifts[pool_id]} drifts"
            for pool_id, moments in sorted(self.drains.items())
            if len(moments) > self.drifts[pool_id]
        )

    def _judge(self, pool: Pool, request: Request, who: str, cluster: str) -> None:
        if _foreign_items(pool, cluster) and b"metadata" not in request.body:
            self.problems.append(f"{who} wrote to {pool.id} under the journal of another holder")
        if b"networkConfiguration" in request.body and not is_empty(pool, Emptiness.NO_NODES_STEADY_AND_NO_AUTOSCALE):
            self.problems.append(f"{who} changed the network of {pool.id}, which is not empty")


def _foreign_items(pool: Pool, cluster: str) -> tuple[MetadataItem, ...]:
    """The journal of another holder as it stands in a pool's metadata; empty if there is none."""
    items = items_of(pool)
    journal = journal_in(items)
    if not isinstance(journal, Journal) or journal.holder.cluster_uid == cluster:
        return ()
    return tuple(item for item in items if is_ours(item))


def reasons_of(world: Drains) -> Counter[str]:
    """Why the pools of a world are compliant or not, as they say it."""
    reports = world.reports
    named = [name for name in reports.objects if "conditions" in reports.status(name)]
    return Counter(reports.condition(name, "Compliant")[1] for name in named)


Scales = dict[str, tuple[object, ...]]
"""What decides the size of each pool, by its id."""


def scales_of(world: Drains) -> Scales:
    """What decides the size of each pool now."""
    return {pool.id: scale_of(pool) for pool in world.account.pools}


def changes(before: Scales, after: Scales) -> list[str]:
    """The pools whose scale is not what it was."""
    return [
        f"the scale of {pool_id} went from {was} to {after[pool_id]}"
        for pool_id, was in sorted(before.items())
        if was != after[pool_id]
    ]


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments within any span of so many seconds."""
    return max((sum(start <= each < start + seconds for each in moments) for start in moments), default=0)
