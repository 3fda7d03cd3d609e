"""One sweep loop per connection: started, replaced and ended with its object.

Knows nothing of Azure or Kubernetes; it is given how to make a sweep and what to tell when one ended. Timers of kopf
are not used: one dies silently and for good with the first status that the API server refuses.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from batchaccess.control.accountloop import AccountLoop, LoopCallbacks, LoopRhythm, SweepFactory
from batchaccess.control.duplicates import Assignment, account_host, assign
from batchaccess.core.declared import AccountConnection
from batchaccess.core.pace import Urgency
from batchaccess.ports import Clock, PolicyStore
from batchaccess.telemetry.liveness import SweepDeadlines

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the first sweeps of many connections are spread, so that a restart is no thundering herd."""

    seconds_per_loop: float = 0.1
    most_seconds: float = 5

    def delay(self, loops: int) -> float:
        """Seconds to wait before the first sweep when so many loops run already."""
        return random.uniform(0, min(self.most_seconds, self.seconds_per_loop * loops))  # noqa: S311 no secret


class Supervisor:
    """The loops of all connections that may sweep."""

    def __init__(
        self,
        *,
        factory: SweepFactory,
        store: PolicyStore,
        clock: Clock,
        deadlines: SweepDeadlines,
        callbacks: LoopCallbacks,
        begun: Callable[[AccountConnection], None],
        ended: Callable[[str], None],
        rhythm: LoopRhythm | None = None,
        spread: Spread | None = None,
    ) -> None:
        """Keep what loops are made of.

        Args:
            factory: makes the sweep of a connection.
            store: where every sweep takes its catalogue from.
            clock: what due times are measured with.
            deadlines: what the liveness probe looks at; every loop renews its own.
            callbacks: told of every sweep.
            begun: called with a connection that is to be swept, before the first sweep of any that begins with it.
            ended: called with the name of a connection that is no longer swept, after its last sweep.
            rhythm: tempo of the loops.
            spread: of their first sweeps.
        """
        self._factory = factory
        self._store = store
        self._clock = clock
        self._deadlines = deadlines
        self._callbacks = callbacks
        self._begun = begun
        self._ended = ended
        self._rhythm = rhythm or LoopRhythm()
        self._spread = spread or Spread()
        self._loops: dict[str, AccountLoop] = {}
        self._retiring: dict[asyncio.Task[None], str] = {}
        self._assignment = Assignment(sweeping={}, duplicates={})
        self._closed = False

    @property
    def assignment(self) -> Assignment:
        """Who sweeps and who is a duplicate, as of the last `reconcile`."""
        return self._assignment

    def reconcile(self) -> None:
        """Make the loops match the connections declared now; returns at once, what ends does so in the background."""
        if self._closed:
            return
        self._assignment = assign(self._store.catalogue().connections)
        wanted = self._assignment.sweeping
        for name, loop in list(self._loops.items()):
            declared = wanted.get(name)
            if declared is None or not _fits(loop.connection, declared):
                self._retire(name, forget=declared is None)
            elif declared is not loop.connection:
                loop.update(declared)
        for name, connection in wanted.items():
            if name not in self._loops:
                self._start(connection)

    def wake(self, connections: Iterable[str], urgency: Urgency = Urgency.AT_ONCE) -> None:
        """Let these connections sweep soon; those that do not sweep are passed over."""
        for name in connections:
            if loop := self._loops.get(name):
                loop.wake(urgency)

    async def stop(self, *, forget: bool = False) -> None:
        """End all loops, each within the grace period; nothing starts any more until `reopen`.

        With `forget`, `ended` is called for each of them.
        """
        self._closed = True
        for name in list(self._loops):
            self._retire(name, forget=forget)
        if self._retiring:
            await asyncio.wait(self._retiring)

    def reopen(self) -> None:
        """Let `reconcile` start loops again after `stop`."""
        self._closed = False

    def _start(self, connection: AccountConnection) -> None:
        host = account_host(connection.endpoint)
        loop = AccountLoop(
            connection,
            factory=self._factory,
            store=self._store,
            clock=self._clock,
            deadlines=self._deadlines,
            callbacks=self._callbacks,
            rhythm=self._rhythm,
            first_delay_seconds=self._spread.delay(len(self._loops)),
        )
        self._loops[connection.name] = loop
        self._begun(connection)
        loop.start(after=[task for task, its_host in self._retiring.items() if its_host == host])
        _log.info("sweeping %s every %s s", connection.name, connection.sync_period_seconds)

    def _retire(self, name: str, *, forget: bool) -> None:
        loop = self._loops.pop(name)
        task = asyncio.create_task(self._end(loop, forget=forget), name=f"end of the sweeps of {name}")
        self._retiring[task] = account_host(loop.connection.endpoint)
        task.add_done_callback(self._retiring.pop)

    async def _end(self, loop: AccountLoop, *, forget: bool) -> None:
        await loop.stop()
        name = loop.connection.name
        if forget and name not in self._loops:
            _log.info("no longer sweeping %s", name)
            self._ended(name)


def _fits(running: AccountConnection, declared: AccountConnection) -> bool:
    """Whether a loop's clients still are what is declared; everything else a sweep reads from its catalogue."""
    return (running.uid, running.endpoint, running.auth, running.request_budget) == (
        declared.uid,
        declared.endpoint,
        declared.auth,
        declared.request_budget,
    )
