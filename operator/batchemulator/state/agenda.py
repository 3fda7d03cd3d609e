"""What is going to happen in an account, by time: events are data, so the whole state can be copied and compared."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class EventKind(StrEnum):
    """The kinds of things that happen by themselves."""

    NODES_ALLOCATED = "nodes-allocated"
    RESIZE_SETTLED = "resize-settled"
    RESIZE_TIMED_OUT = "resize-timed-out"
    NODE_STARTING = "node-starting"
    NODE_READY = "node-ready"
    NODE_GONE = "node-gone"
    RETENTION_OVER = "retention-over"
    POOL_GONE = "pool-gone"
    AUTOSCALE_DUE = "autoscale-due"
    TASK_ENDED = "task-ended"
    JOB_SETTLED = "job-settled"


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something due at an instant. `serial` tells whether what it was planned for is still the case."""

    at: datetime
    order: int
    kind: EventKind = field(compare=False)
    owner: str = field(compare=False)
    """The key of the pool or job it happens to."""
    serial: int = field(compare=False)
    subject: str = field(compare=False, default="")
    """The node or task, where the event is about one."""


@dataclass(slots=True)
class Agenda:
    """Events in order of time; those of one instant in the order they were planned."""

    events: list[Event] = field(default_factory=list)
    planned: int = 0

    def plan(self, at: datetime, kind: EventKind, owner: str, serial: int, subject: str = "") -> None:
        """Let an event happen at an instant."""
        self.planned += 1
        heapq.heappush(self.events, Event(at, self.planned, kind, owner, serial, subject))

    def pop_due(self, now: datetime) -> Event | None:
        """The earliest event that is due, taken off the agenda, or None."""
        if self.events and self.events[0].at <= now:
            return heapq.heappop(self.events)
        return None
