"""The same lives with operators that have one rule broken; each of them has to be noticed."""

from dataclasses import replace
from typing import Any, cast

from batchaccess.core.model import AllocationState, NodeCounts
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.core.status import DrainsStatus, JournalStatus, PoolStatus
from batchaccess.ports import Pools, ReportedPool
from tests.endurance.lives import Lives
from tests.support.drains import Drains, draining
from tests.support.reports import FakeReports


class _Around:
    """Pools with a method replaced."""

    def __init__(self, real: Pools) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever pools have
        return getattr(self._real, name)


class _Unconditional(_Around):
    async def resize(self, pool_id: str, targets: NodeCounts, **named: Any) -> None:  # noqa: ANN401 of the port
        await self._real.resize(pool_id, targets, **(named | {"etag": None}))


class _Impatient(_Around):
    async def get_pool(self, pool_id: str) -> Any:  # noqa: ANN401 of the port
        pool = await self._real.get_pool(pool_id)
        scale = replace(pool.scale, current=NodeCounts())
        return replace(pool, scale=scale, allocation_state=AllocationState.STEADY)


class _Forgetful(FakeReports):
    async def write_journal(
        self,
        reported: ReportedPool,
        *,
        journal: JournalStatus | None,
        drains: DrainsStatus | None,  # noqa: ARG002 forgotten
    ) -> ReportedPool | None:
        return await super().write_journal(reported, journal=journal, drains=None)


class _Restless(FakeReports):
    async def write(self, reported: ReportedPool, status: PoolStatus) -> ReportedPool | None:
        written = await super().write(reported, status)
        self.writes += [f"write {reported.stored.name}"] * (written is not None)
        if written is not None:
            self.overwrite(reported.stored.name, {**written.stored.status, "writes": len(self.writes)})
        return written


class _WithoutMemory(FakeReports):
    async def write(self, reported: ReportedPool, status: PoolStatus) -> ReportedPool | None:
        return await super().write(reported, replace(status, in_order_under=None))


class Unconditional(Lives):
    """Resizes without If-Match."""

    def make_world(self) -> Drains:
        world = super().make_world()
        world.wrap = lambda pools: cast("Pools", _Unconditional(pools))
        return world


class Impatient(Lives):
    """Does not wait for nodes to leave."""

    def make_world(self) -> Drains:
        world = super().make_world()
        world.wrap = lambda pools: cast("Pools", _Impatient(pools))
        return world


class Forgetful(Lives):
    """Does not remember its drains, which take too long here."""

    removal_seconds = 3000

    def make_world(self) -> Drains:
        world = super().make_world()
        world.policies = [draining(timeout_seconds=300)]
        world.reports = _Forgetful()
        return world


class Restless(Lives):
    """Writes in steady state."""

    def make_world(self) -> Drains:
        world = super().make_world()
        world.reports = _Restless()
        return world


class Crowding(Lives):
    """Drains as many pools at once as there are."""

    def allowed(self, number: int) -> int:  # noqa: ARG002 it does not hear
        return 1000


class Unpunctual(Lives):
    """Knows no windows."""

    def make_world(self) -> Drains:
        world = super().make_world()
        world.windows = lambda *_: WindowVerdict(permitted=True)
        return world


class Trusting(Lives):
    """Forgets over a restart what the breaker goes by."""

    def make_world(self) -> Drains:
        world = super().make_world()
        world.reports = _WithoutMemory()
        return world


BROKEN: dict[type[Lives], tuple[str, int]] = {
    Unconditional: ("without If-Match", 60),
    Impatient: ("is not empty", 60),
    Restless: ("still writing", 60),
    Forgetful: ("drained twice", 60),
    Crowding: ("other sagas", 60),
    Unpunctual: ("outside the windows", 60),
    Trusting: ("every pool drifts", 60),
}
"""What is said of each, and the lives within which that is certain."""
