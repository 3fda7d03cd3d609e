"""Sweeps that reach for nothing: they count, fail, block or take their time as a test wants."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from batchaccess.control.accountloop import Beat, LoopCallbacks, LoopRhythm, SweepFactory
from batchaccess.control.supervisor import Spread, Supervisor
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.ports import Catalogue
from batchaccess.telemetry.liveness import SweepDeadlines
from tests.support.clock import FakeClock


@dataclass
class FakeStore:
    """A `PolicyStore` whose content a test sets."""

    connections: list[AccountConnection] = field(default_factory=list)
    policies: list[AccessPolicy] = field(default_factory=list)

    def catalogue(self) -> Catalogue:
        return Catalogue(version=0, connections=self.connections, policies=self.policies, namespace_labels={})


class WithoutSagas:
    """What a made-up sweep without sagas says of them."""

    has_open_sagas = False

    async def visit_sagas(self, _: Catalogue) -> None:
        """There are none."""


@dataclass
class FakeSweep:
    """A sweep that does what `act` says."""

    connection: AccountConnection
    act: Callable[[], object]
    beat: Beat
    passes: list[Catalogue] = field(default_factory=list)
    visits: list[Catalogue] = field(default_factory=list)
    has_open_sagas: bool = False
    running: bool = False
    closed: bool = False
    winding_down: bool = False
    gate: asyncio.Event | None = None

    async def run_once(self, catalogue: Catalogue) -> object:
        self.running = True
        try:
            self.passes.append(catalogue)
            if self.gate is not None:
                await self.gate.wait()
            return self.act()
        finally:
            self.running = False

    def wind_down(self) -> None:
        self.winding_down = True

    async def visit_sagas(self, catalogue: Catalogue) -> None:
        self.visits.append(catalogue)

    async def close(self) -> None:
        self.closed = True


class World:
    """A supervisor with fake sweeps, a fake clock and a record of everything it told."""

    def __init__(self, *, rhythm: LoopRhythm | None = None) -> None:
        self.clock = FakeClock()
        self.store = FakeStore()
        self.deadlines = SweepDeadlines(self.clock)
        self.made: list[FakeSweep] = []
        self.swept: list[str] = []
        self.failures: list[str] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.acts: dict[str, Callable[[], object]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.supervisor = Supervisor(
            factory=self.factory(),
            store=self.store,
            clock=self.clock,
            deadlines=self.deadlines,
            callbacks=LoopCallbacks(
                swept=lambda connection, _: self.swept.append(connection.name),
                failed=lambda connection, _: self.failures.append(connection.name),
            ),
            begun=lambda connection: self.begun.append(connection.name),
            ended=self.ended.append,
            rhythm=rhythm or LoopRhythm(min_pause_seconds=0, grace_seconds=2),
            spread=Spread(seconds_per_loop=0),
        )

    def factory(self) -> SweepFactory:
        def make(connection: AccountConnection, beat: Beat) -> FakeSweep:
            act = self.acts.get(connection.name, lambda: None)
            sweep = FakeSweep(connection, act, beat, gate=self.gates.get(connection.name))
            self.made.append(sweep)
            return sweep

        return make

    def declare(self, *connections: AccountConnection) -> None:
        self.store.connections = list(connections)
        self.supervisor.reconcile()

    def sweeps_of(self, name: str) -> list[FakeSweep]:
        return [sweep for sweep in self.made if sweep.connection.name == name]
