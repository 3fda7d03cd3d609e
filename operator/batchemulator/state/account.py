"""Everything one account holds, and the ETags and serial numbers it hands out."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batchemulator.assumptions import Assumptions
from batchemulator.state.agenda import Agenda
from batchemulator.state.pool import Pool, pool_key
from batchemulator.timings import DEFAULT_TIMINGS, Timings
from batchemulator.wire.times import ticks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from batchemulator.state.jobs import Job
    from batchemulator.state.task_log import TaskLogEntry


@dataclass(slots=True, kw_only=True)
class Environment:
    """What all accounts of an emulator share and a test may change while it runs."""

    assumptions: Assumptions = field(default_factory=Assumptions)
    timings: Timings = DEFAULT_TIMINGS


@dataclass(slots=True)
class Catalogue:
    """The pools of an account, found by id in any case, listed in the order of ids."""

    by_key: dict[str, Pool] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def get(self, pool_id: str) -> Pool | None:
        """The pool of that id, deleting ones included, or None."""
        return self.by_key.get(pool_key(pool_id))

    def put(self, pool: Pool) -> None:
        """Add a pool, or replace the one of the same id."""
        key = pool_key(pool.id)
        if key not in self.by_key:
            insort(self.keys, key)
        self.by_key[key] = pool

    def remove(self, pool_id: str) -> None:
        """Forget a pool."""
        key = pool_key(pool_id)
        del self.by_key[key]
        self.keys.remove(key)

    def after(self, marker: str | None) -> Iterator[Pool]:
        """The pools whose key comes after `marker`, in order."""
        start = 0 if marker is None else bisect_right(self.keys, marker)
        for key in self.keys[start:]:
            yield self.by_key[key]

    def __iter__(self) -> Iterator[Pool]:
        return self.after(None)

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(slots=True, kw_only=True)
class AccountState:
    """One account's pools, jobs and what is going to happen to them."""

    name: str
    environment: Environment
    pools: Catalogue = field(default_factory=Catalogue)
    jobs: dict[str, Job] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    task_log: list[TaskLogEntry] = field(default_factory=list)
    last_tick: int = 0
    serials: int = 0

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed about the service."""
        return self.environment.assumptions

    @property
    def timings(self) -> Timings:
        """How long things take."""
        return self.environment.timings

    def next_etag(self, now: datetime) -> str:
        """A new ETag: the instant's ticks in hexadecimal, always greater than the last."""
        self.last_tick = max(self.last_tick + 1, ticks(now))
        return f"0x{self.last_tick:X}"

    def next_serial(self) -> int:
        """A number never handed out before."""
        self.serials += 1
        return self.serials

    def touch(self, pool: Pool, now: datetime) -> None:
        """Give a pool a new ETag and lastModified, as every accepted write does."""
        pool.etag = self.next_etag(now)
        pool.modified = now
        pool.invalidate()
