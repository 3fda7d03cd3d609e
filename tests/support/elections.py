"""Candidates for a Lease, in time that passes at once."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import wraps
from itertools import count
from typing import Any, ParamSpec, TypeVar

from batchaccess.control.leadership import Leadership
from batchaccess.core.reasons import ErrorKind
from batchaccess.kube.lease import LeaseRecord, StoredLease
from batchaccess.ports import PortError

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

P = ParamSpec("P")
T = TypeVar("T")


class Trouble(StrEnum):
    """What becomes of a candidate's requests."""

    NONE = "None"
    LOST = "Lost"
    """The request never arrives."""
    UNHEARD = "Unheard"
    """It takes effect, and its answer is lost."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: when nobody has anything to do its clock jumps to who is due next.

    So timeouts, sleeps and pauses of the code under test take their time exactly, and the test none.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        """Seconds since the loop was made, all of them jumped over."""
        return self._now

    def _jump(self, seconds: float) -> None:
        self._now += seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> Any:  # noqa: ANN401 as the standard library has it
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nobody for time"
            self._jump(max(timeout, 0))
        return ready


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an asynchronous test, or a part of one, on a virtual loop."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class VirtualTime:
    """The clock of the virtual loop that runs."""

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def pass_by(self, seconds: float) -> None:
        """Let so much time go by, and everybody do what is due by then."""
        await asyncio.sleep(seconds)
        for _ in range(20):
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How many seconds a request is under way before it takes effect, and its answer after that."""

    there: float = 0
    back: float = 0


@dataclass
class StoredByServer:
    """The Lease as the API server has it.

    Attributes:
        lease: as stored now.
        writes: every record ever stored.
    """

    lease: StoredLease | None = None
    versions: "count[int]" = field(default_factory=lambda: count(1))
    writes: list[LeaseRecord] = field(default_factory=list)
    _at_work: set[asyncio.Task[Any]] = field(default_factory=set)

    def store(self, record: LeaseRecord) -> StoredLease:
        self.lease = StoredLease(record=record, version=str(next(self.versions)))
        self.writes.append(record)
        return self.lease

    def label(self) -> None:
        """Somebody edits what is no part of the record."""
        assert self.lease is not None
        self.lease = StoredLease(record=self.lease.record, version=str(next(self.versions)))

    async def serve(self, effect: Callable[[], T], distance: Distance) -> T:
        """Answer a request; what was sent takes effect although who sent it may not wait for the answer."""

        async def work() -> T:
            await asyncio.sleep(distance.there)
            return effect()

        task = asyncio.create_task(work())
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        await asyncio.wait({task})
        await asyncio.sleep(distance.back)
        return task.result()


class CandidatesView:
    """The Lease as one candidate reaches it."""

    def __init__(self, server: StoredByServer) -> None:
        self.trouble = Trouble.NONE
        self.distance = Distance()
        self.reads = 0
        self._server = server

    async def read(self) -> StoredLease | None:
        self.reads += 1
        self._answer_or_lose(on=(Trouble.LOST,))
        return await self._server.serve(lambda: self._server.lease, self.distance)

    async def create(self, record: LeaseRecord) -> StoredLease:
        def effect() -> StoredLease:
            if self._server.lease is not None:
                raise PortError(ErrorKind.RACE, "AlreadyExists", "it exists", status=409)
            return self._server.store(record)

        return await self._written(effect)

    async def replace(self, record: LeaseRecord, *, version: str) -> StoredLease:
        def effect() -> StoredLease:
            if self._server.lease is None:
                raise PortError(ErrorKind.WAITING, "NotFound", "it does not exist", status=404)
            if self._server.lease.version != version:
                raise PortError(ErrorKind.RACE, "Conflict", "it changed", status=409)
            return self._server.store(record)

        return await self._written(effect)

    async def _written(self, effect: Callable[[], StoredLease]) -> StoredLease:
        self._answer_or_lose(on=(Trouble.LOST,))
        stored = await self._server.serve(effect, self.distance)
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
        self.leadership = Leadership(self.view, identity=name, clock=time, jitter=lambda: 0.0)
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


class Field:
    """Candidates for one Lease."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.server = StoredByServer()
        self.candidates: list[Candidate] = []
        self.graves: list[Candidate] = []

    def join(self, name: str, distance: Distance | None = None) -> Candidate:
        self.candidates.append(Candidate(name, self.server, self.time))
        self.candidates[-1].view.distance = distance or Distance()
        return self.candidates[-1]

    def move(self, distance: Distance) -> None:
        """From now on the server is that far away from every candidate."""
        for each in self.candidates:
            each.view.distance = distance

    @property
    def holders(self) -> int:
        """How many, dead or alive, have some of a lease left."""
        return sum(each.leadership.seconds_left > 0 for each in [*self.candidates, *self.graves])

    async def until(self, condition: Callable[[], bool], *, within: float) -> float:
        """Seconds until it was so, in steps of a tenth."""
        for step in range(round(within * 10) + 1):
            if condition():
                return step / 10
            await self.time.pass_by(0.1)
        raise AssertionError(f"it was not so within {within} s")


@asynccontextmanager
async def field_of(*names: str) -> AsyncIterator[Field]:
    field = Field()
    for name in names:
        field.join(name)
        await field.time.pass_by(0)
    yield field
    for candidate in field.candidates:
        await candidate.kill()
