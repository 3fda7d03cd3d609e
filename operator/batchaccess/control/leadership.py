"""Holds the Lease: acquires it, renews it, knows how much of it is left, and lets it go.

What is left counts from before the last renewal that succeeded was sent. Others count from when they saw it, which is
later, so they never take what we still take for ours. It is renewed by one conditional write and read only when that
fails, as client-go does it: then a server that answers just within the time for one request lets its leader lead on.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from batchaccess.control.election import Claim, LeaseTimings, Sighting, claim, claimed, released, sighted
from batchaccess.core.reasons import ErrorKind
from batchaccess.kube.lease import LeaseRecord, StoredLease
from batchaccess.ports import Clock, PortError

_log = logging.getLogger(__name__)

T = TypeVar("T")

NOT_LEADING: Final = "NotLeading"
"""Code of the error of every write that is not made because another replica may lead."""

_LEAST_WRITE_SECONDS: Final = 0.5
"""A write that has less time than this is not begun: it would be cut off and leave its outcome unknown."""

_JITTER: Final = 0.1
"""Share of the pause by which it may be shorter. client-go makes it up to 2.2 times longer, too long for a handover
within two seconds; a handful of replicas is no thundering herd."""

_NOT_FOUND: Final = 404


class Lease(Protocol):
    """The Lease, or a test's."""

    async def read(self) -> StoredLease | None:
        """The Lease now; None if there is none."""
        ...

    async def create(self, record: LeaseRecord) -> StoredLease:
        """Make it; a PortError of kind Race if somebody else just did."""
        ...

    async def replace(self, record: LeaseRecord, *, version: str) -> StoredLease:
        """Write it if it still has `version`; a PortError of kind Race if it has not."""
        ...


class Leadership:
    """One candidate. `acquire`, `keep` and `release` are called one after the other, by one task."""

    def __init__(
        self,
        lease: Lease,
        *,
        identity: str,
        clock: Clock,
        timings: LeaseTimings | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._lease = lease
        self._identity = identity
        self._clock = clock
        self._timings = timings or LeaseTimings()
        self._jitter = jitter
        self._seen: Sighting | None = None
        self._written: StoredLease | None = None
        self._may_name_us = False
        self._held_until = float("-inf")
        self._trouble = ""

    @property
    def seconds_left(self) -> float:
        """How long nobody else can lead; 0 if somebody else may."""
        return max(0.0, self._held_until - self._clock.monotonic())

    @property
    def leader(self) -> str:
        """The other candidate that held the Lease when it was last looked at; empty if there was none."""
        holder = "" if self._seen is None else self._seen.lease.record.holder
        return "" if holder == self._identity else holder

    def leave(self) -> float:
        """Seconds that a write begun now may take, waiting included.

        Raises:
            PortError: kind Transient, code `NotLeading`: there is no time for a write.
        """
        seconds = self.seconds_left - self._timings.margin_seconds
        if seconds < _LEAST_WRITE_SECONDS:
            raise PortError(
                ErrorKind.TRANSIENT, NOT_LEADING, "another replica may lead, so this one does not write any more"
            )
        return seconds

    async def acquire(self) -> None:
        """Wait until this replica leads."""
        while not await self._attempt():
            await self._pause(since=self._clock.monotonic())
        _log.info("this replica leads as %s", self._identity)

    async def keep(self) -> None:
        """Renew for as long as this replica leads; returns when it does not any more."""
        while (spare := self._seconds_to_renew()) > 0:
            began = self._clock.monotonic()
            await self._attempt(within=spare)
            if self._is_taken():
                break
            # From the beginning of a renewal: after a slow one the next has to end within the deadline too.
            await self._pause(since=began)
        self._held_until = float("-inf")
        _log.warning("this replica does not lead any more: %s", self._trouble or "another one holds the Lease")

    async def release(self) -> None:
        """Let the Lease go, if it may name us, so that another replica need not wait for its end; never raises.

        The last renewal may have been cut off after it arrived, so the Lease is read where its version is not known.
        Takes no longer than a lease: by then it is over by itself.
        """
        self._held_until = float("-inf")
        if not self._may_name_us:
            return
        try:
            async with asyncio.timeout(self._timings.lease_seconds):
                while not await self._has_let_go():
                    self._written = None
        except (PortError, TimeoutError) as error:
            _log.warning("the Lease was not let go of, so another replica waits for its end: %s", error)

    def _seconds_to_renew(self) -> float:
        """Until the renew deadline, which counts from the last renewal that succeeded."""
        timings = self._timings
        return self.seconds_left - (timings.lease_seconds - timings.renew_deadline_seconds)

    def _is_taken(self) -> bool:
        return self._seen is not None and self._seen.lease.record.holder != self._identity

    async def _pause(self, *, since: float) -> None:
        until = since + self._timings.retry_seconds * (1 - _JITTER * self._jitter())
        await asyncio.sleep(max(0.0, until - self._clock.monotonic()))

    async def _attempt(self, *, within: float | None = None) -> bool:
        """Make or renew our claim, if there is one; whether we hold the Lease.

        `within` is the longest time for all of it; each request has its own limit besides.
        """
        try:
            async with asyncio.timeout(within):
                held = await self._renew() or await self._claim()
        except TimeoutError:
            self._tell("no answer from the Kubernetes API in time")
            return False
        except PortError as error:
            if error.kind is not ErrorKind.RACE:
                self._tell(str(error))
            return False
        self._trouble = ""
        return held

    async def _renew(self) -> bool:
        """Write the Lease as we left it; False if that is not known, or somebody has written or deleted it."""
        if self._written is None:
            return False
        try:
            await self._write(self._written)
        except PortError as error:
            if error.kind is ErrorKind.RACE or error.status == _NOT_FOUND:
                return False
            raise
        return True

    async def _claim(self) -> bool:
        """Look at the Lease, and write it if it is ours or nobody's."""
        lease = await self._answered(self._lease.read())
        # If somebody deleted the Lease its holder still leads for as long as was seen; client-go would not wait.
        if lease is not None:
            self._seen = sighted(self._seen, lease, self._clock.monotonic())
        if claim(self._seen, identity=self._identity, now=self._clock.monotonic()) is Claim.WAIT:
            self._held_until = float("-inf")
            self._may_name_us = False
            return False
        await self._write(lease)
        return True

    async def _write(self, lease: StoredLease | None) -> None:
        """Say that we lead, in place of `lease`. Without an answer nobody knows what the Lease says."""
        began = self._clock.monotonic()
        former = None if self._seen is None else self._seen.lease.record
        record = claimed(former, identity=self._identity, timings=self._timings, now=self._clock.now())
        self._written, self._may_name_us = None, True
        if lease is None:
            written = await self._answered(self._lease.create(record))
        else:
            written = await self._answered(self._lease.replace(record, version=lease.version))
        self._written = written
        self._seen = Sighting(lease=written, since=self._clock.monotonic())
        self._held_until = began + self._timings.lease_seconds

    async def _has_let_go(self) -> bool:
        """Write that nobody leads, if the Lease names us; False if it was written meanwhile, and must be read again."""
        lease = self._written or await self._lease.read()
        if lease is not None and lease.record.holder == self._identity:
            try:
                await self._lease.replace(released(lease.record, now=self._clock.now()), version=lease.version)
            except PortError as error:
                if error.kind is ErrorKind.RACE:
                    return False
                raise
            _log.info("the Lease was let go of")
        self._may_name_us = False
        return True

    async def _answered(self, request: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timings.request_seconds):
            return await request

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("the Lease was not read or renewed: %s", trouble)
        self._trouble = trouble
