"""Has the work done while this replica leads, and by nobody while none does; without an election it always leads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from batchaccess.control.leadership import Leadership


class Work(Protocol):
    """What only one replica may do."""

    def begin(self) -> asyncio.Future[None]:
        """Start; what is returned ends only if something goes wrong that nobody would notice."""
        ...

    async def finish(self) -> None:
        """Stop in good order: what was begun is ended and reported."""
        ...

    async def abandon(self) -> None:
        """Stop because another replica may lead: whatever is written now is refused."""
        ...


class Terms:
    """The terms of office of one replica, one after the other."""

    def __init__(self, leadership: Leadership | None, work: Work, *, tell: Callable[[bool], None]) -> None:
        """Keep what is needed.

        Args:
            leadership: the election; None without one.
            work: what is done during a term.
            tell: told whether this replica leads, whenever that changes.
        """
        self._leadership = leadership
        self._work = work
        self._tell = tell
        self._working = False
        self._stopping = False
        self._change = asyncio.Lock()

    async def run(self) -> None:
        """One term after the other, for ever; returns or raises if the work ends by itself."""
        while True:
            if self._leadership is not None:
                await self._leadership.acquire()
            ended = await self._begin()
            if self._leadership is None:
                await ended
                return
            await self._until_lost(self._leadership, ended)
            await self._end(self._work.abandon)
            if self._stopping:
                return

    async def stop(self, running: asyncio.Task[None]) -> None:
        """End the term in good order, and `running`, the task of `run`; then let the Lease go.

        The Lease is renewed until the work has ended.
        """
        self._stopping = True
        await self._end(self._work.finish)
        running.cancel()
        await asyncio.wait({running})
        if self._leadership is not None:
            await self._leadership.release()

    async def _begin(self) -> asyncio.Future[None]:
        async with self._change:
            self._working = True
            self._tell(True)  # noqa: FBT003 the callback's only word
            return self._work.begin()

    async def _until_lost(self, leadership: Leadership, ended: asyncio.Future[None]) -> None:
        keeping = asyncio.create_task(leadership.keep(), name="renewals of the Lease")
        try:
            done, _ = await asyncio.wait({keeping, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended in done and not self._stopping:
                ended.result()
                raise RuntimeError("what only the leader does ended by itself")
            await keeping
        finally:
            keeping.cancel()

    async def _end(self, how: Callable[[], Awaitable[None]]) -> None:
        async with self._change:
            if not self._working:
                return
            self._working = False
            await how()
            self._tell(False)  # noqa: FBT003 the callback's only word
