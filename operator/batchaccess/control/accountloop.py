"""The sweep loop of one connection: sweeps at its period, sooner when woken, and outlives every failure of a sweep."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Protocol, TypeAlias
from uuid import uuid4

from batchaccess.core.declared import AccountConnection
from batchaccess.core.pace import Asked, Pace, TokenBucket, Urgency
from batchaccess.ports import Catalogue, Clock, PolicyStore
from batchaccess.telemetry.liveness import SweepDeadlines
from batchaccess.telemetry.logcontext import log_context

_log = logging.getLogger(__name__)


class Sweep(Protocol):
    """Sweeps one account. What a pass returns goes to `LoopCallbacks.swept`."""

    async def run_once(self, catalogue: Catalogue) -> Any:  # noqa: ANN401 the supervisor only hands it on
        """One pass."""
        ...

    def wind_down(self) -> None:
        """Begin nothing more that changes the account; what is under way is finished."""
        ...

    @property
    def has_open_sagas(self) -> bool:
        """Whether `visit_sagas` has something to do."""
        ...

    async def visit_sagas(self, catalogue: Catalogue) -> None:
        """Go on with every open saga; much cheaper than a pass."""
        ...

    async def close(self) -> None:
        """Release connections and credentials."""
        ...


Beat: TypeAlias = Callable[[], None]
"""Called by a long sweep whenever it got on, so that it is not taken for a hanging one."""

SweepFactory: TypeAlias = Callable[[AccountConnection, Beat], Sweep]
"""Makes a sweep for the connection's endpoint, credentials and budget; the rest is in the catalogue of each pass."""


PACE_OF_POLICIES: Final = Pace(burst=3, seconds=10)
"""How often policies may have one account swept out of its turn: an edit is seen at once, a flood of them is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopRhythm:
    """Tempo beyond the period that the connection declares.

    Attributes:
        min_pause_seconds: between the end of a sweep and the next one, however often it is woken.
        grace_seconds: how long a stopping loop may finish its sweep before it is cancelled.
        saga_seconds: between two visits to the pools with an open saga.
        policies: how often policies may bring a sweep before its turn.
    """

    min_pause_seconds: float = 1
    grace_seconds: float = 20
    saga_seconds: float = 5
    policies: Pace = PACE_OF_POLICIES


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopCallbacks:
    """What a loop tells of its sweeps; the callbacks must not raise.

    Attributes:
        swept: a pass ended, and what it returned.
        failed: a pass died of an exception after so many seconds, which no pass should.
    """

    swept: Callable[[AccountConnection, Any], None]
    failed: Callable[[AccountConnection, float], None]


def _new_sweep_id() -> str:
    """What ties the log lines of one sweep, or of one visit to open sagas, together."""
    return uuid4().hex[:8]


class _Turn(Enum):
    """What a loop does next."""

    SWEEP = auto()
    VISIT = auto()


class AccountLoop:
    """The loop of one connection, for as long as its endpoint, credentials and request budget stay the same."""

    def __init__(
        self,
        connection: AccountConnection,
        *,
        factory: SweepFactory,
        store: PolicyStore,
        clock: Clock,
        deadlines: SweepDeadlines,
        callbacks: LoopCallbacks,
        rhythm: LoopRhythm,
        first_delay_seconds: float,
    ) -> None:
        self.connection = connection
        self._factory = factory
        self._store = store
        self._clock = clock
        self._deadlines = deadlines
        self._callbacks = callbacks
        self._rhythm = rhythm
        self._due_at = clock.monotonic() + first_delay_seconds
        self._visit_at: float | None = None
        self._asked = Asked(bucket=TokenBucket.full(rhythm.policies, now=clock.monotonic()))
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sweep: Sweep | None = None
        self._task: asyncio.Task[None] | None = None

    def wake(self, urgency: Urgency = Urgency.AT_ONCE) -> None:
        """Sweep soon. Several calls before the next sweep are one."""
        self._asked = self._asked.by(urgency)
        self._woken.set()

    def update(self, connection: AccountConnection) -> None:
        """Go on with a connection that changed in nothing the sweep was made of."""
        self.connection = connection
        self.wake()

    def start(self, *, after: Iterable[asyncio.Task[None]] = ()) -> None:
        """Begin, once the loops that `after` waits for have ended: one account never has two of them."""
        self._task = asyncio.create_task(self._run(tuple(after)), name=f"sweeps of {self.connection.name}")

    async def stop(self) -> None:
        """End the loop. A running sweep may finish within the grace period, then it is cancelled."""
        self._stopping.set()
        self._woken.set()
        if self._sweep is not None:
            self._sweep.wind_down()
        task = self._task
        if task is None:
            return
        _, unfinished = await asyncio.wait({task}, timeout=self._rhythm.grace_seconds)
        if unfinished:
            _log.warning("the sweep of %s did not end in time and is cancelled", self.connection.name)
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _run(self, after: Sequence[asyncio.Task[None]]) -> None:
        if after:
            await asyncio.wait(after)
        try:
            with log_context(connection=self.connection.name):
                self._beat()
                while (turn := await self._next_turn()) is not None:
                    with log_context(sweep=_new_sweep_id()):
                        await (self._sweep_once() if turn is _Turn.SWEEP else self._visit_once())
        finally:
            self._deadlines.forget(self.connection.name)
            await self._close()

    async def _next_turn(self) -> _Turn | None:
        """Wait until a sweep is due or asked for, or open sagas are to be visited; None if the loop shall end."""
        at, turn = self._turn_to_wait_for()
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), timeout=max(0.0, at - self._clock.monotonic()))
            # Where a visit is overdue there was nothing to wait for, and no wake-up may get lost all the same.
            if not self._woken.is_set():
                return self._begun(turn)
            self._woken.clear()
            at, turn = self._turn_to_wait_for()
            # However often it is woken for what has to wait for its turn, what is due is done.
            if at <= self._clock.monotonic() and not self._stopping.is_set():
                return self._begun(turn)
        return None

    def _turn_to_wait_for(self) -> tuple[float, _Turn]:
        """What is to be done next, and when; a sweep comes before a visit if both are due."""
        now = self._clock.monotonic()
        asked_at = self._asked.due_at(now)
        sweep_at = self._due_at if asked_at is None else min(self._due_at, asked_at)
        visit_at = self._visit_at if self._sweep is not None and self._sweep.has_open_sagas else None
        if visit_at is None or sweep_at <= max(now, visit_at):
            return sweep_at, _Turn.SWEEP
        return visit_at, _Turn.VISIT

    def _begun(self, turn: _Turn) -> _Turn:
        """A sweep that begins is the answer to everybody who asked before."""
        if turn is _Turn.SWEEP:
            now = self._clock.monotonic()
            self._asked = self._asked.answered(now, anyway=self._due_at <= now)
        return turn

    async def _visit_once(self) -> None:
        """Visit the pools with an open saga."""
        self._beat()
        try:
            if self._sweep is not None:
                await self._sweep.visit_sagas(self._store.catalogue())
        except Exception:  # noqa: BLE001 whatever a visit dies of, the next one must come
            _log.exception("the visit to open sagas failed")
        self._visit_at = self._clock.monotonic() + self._rhythm.saga_seconds
        self._beat()

    async def _sweep_once(self) -> None:
        started = self._clock.monotonic()
        self._beat()
        try:
            if self._sweep is None:
                self._sweep = self._factory(self.connection, self._beat)
            result = await self._sweep.run_once(self._store.catalogue())
        except Exception:  # noqa: BLE001 whatever a sweep dies of, the next one must come
            _log.exception("the sweep failed")
            self._callbacks.failed(self.connection, self._clock.monotonic() - started)
        else:
            self._callbacks.swept(self.connection, result)
        self._due_at = started + self.connection.sync_period_seconds
        self._visit_at = self._clock.monotonic() + self._rhythm.saga_seconds
        self._beat()
        await self._pause()

    async def _pause(self) -> None:
        """The least time between two sweeps; a stop cuts it short."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), timeout=self._rhythm.min_pause_seconds)

    def _beat(self) -> None:
        self._deadlines.renew(self.connection.name, period_seconds=self.connection.sync_period_seconds)

    async def _close(self) -> None:
        if self._sweep is not None:
            try:
                await self._sweep.close()
            except Exception:  # noqa: BLE001 a client that will not close must not keep its successor from starting
                _log.exception("closing the clients of %s failed", self.connection.name)
