"""Candidates for a Lease in time that a test moves."""

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count

from batchaccess.control.leadership import Leadership
from batchaccess.core.reasons import ErrorKind
from batchaccess.kube.lease import LeaseRecord, StoredLease
from batchaccess.ports import PortError

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Trouble(StrEnum):
    """What becomes of a candidate's requests."""

    NONE = "None"
    LOST = "Lost"
    """The request never arrives."""
    UNHEARD = "Unheard"
    """It takes effect, and its answer is lost."""


class VirtualTime:
    """A clock, and sleeps that end when the test says that so much time went by."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    async def pass_by(self, seconds: float) -> None:
        """Let so much time go by, waking who sleeps in order."""
        until = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not future.done():
                future.set_result(None)
            await settle()
        self._now = until


async def settle() -> None:
    """Let everybody go on until all of them wait for time."""
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass
class StoredByServer:
    """The Lease as the API server has it."""

    lease: StoredLease | None = None
    versions: "count[int]" = field(default_factory=lambda: count(1))
    writes: list[LeaseRecord] = field(default_factory=list)

    def store(self, record: LeaseRecord) -> StoredLease:
        self.lease = StoredLease(record=record, version=str(next(self.versions)))
        self.writes.append(record)
        return self.lease


class CandidatesView:
    """The Lease as one candidate reaches it."""

    def __init__(self, server: StoredByServer) -> None:
        self.trouble = Trouble.NONE
        self._server = server

    async def read(self) -> StoredLease | None:
        self._answer_or_lose(on=(Trouble.LOST,))
        return self._server.lease

    async def create(self, record: LeaseRecord) -> StoredLease:
        self._answer_or_lose(on=(Trouble.LOST,))
        if self._server.lease is not None:
            raise PortError(ErrorKind.RACE, "AlreadyExists", "it exists", status=409)
        stored = self._server.store(record)
        self._answer_or_lose(on=(Trouble.UNHEARD,))
        return stored

    async def replace(self, record: LeaseRecord, *, version: str) -> StoredLease:
        self._answer_or_lose(on=(Trouble.LOST,))
        if self._server.lease is None or self._server.lease.version != version:
            raise PortError(ErrorKind.RACE, "Conflict", "it changed", status=409)
        stored = self._server.store(record)
        self._answer_or_lose(on=(Trouble.UNHEARD,))
        return stored

    def _answer_or_lose(self, *, on: tuple[Trouble, ...]) -> None:
        if self.trouble in on:
            raise TimeoutError


class Candidate:
    """One replica: acquires, keeps, and acquires again."""

    def __init__(self, name: str, server: StoredByServer, time: VirtualTime) -> None:
        self.name = name
        self.view = CandidatesView(server)
        self.leadership = Leadership(self.view, identity=name, clock=time, sleep=time.sleep, jitter=lambda: 0.0)
        self.terms = 0
        self.leading = False
        self._task = asyncio.create_task(self._run())

    @property
    def may_write(self) -> bool:
        try:
            return self.leadership.leave() > 0
        except PortError:
            return False

    async def kill(self) -> None:
        """End without a word."""
        self._task.cancel()
        await asyncio.wait({self._task})
        self.leading = False

    async def stop(self) -> None:
        """End in good order."""
        await self.kill()
        await self.leadership.release()

    async def _run(self) -> None:
        while True:
            await self.leadership.acquire()
            self.leading, self.terms = True, self.terms + 1
            await self.leadership.keep()
            self.leading = False
