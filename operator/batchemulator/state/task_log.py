"""The task log: every start and end of every task, so that a drain can be judged by what it did to the work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batchemulator.wire.times import format_instant

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.wire.messages import JsonObject


class TaskEvent(StrEnum):
    """What happened to a task."""

    STARTED = "started"
    COMPLETED = "completed"
    REQUEUED = "requeued"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLogEntry:
    """One thing that happened to one run of a task."""

    at: datetime
    event: TaskEvent
    pool_id: str
    node_id: str
    job_id: str
    task_id: str
    run: int
    """1 for the first run, 2 after one requeue."""
    exit_code: int | None = None
    """The exit code of a completed run; a requeued or terminated one has none."""

    def as_json(self) -> JsonObject:
        """The entry as the control endpoint shows it."""
        return {
            "at": format_instant(self.at),
            "event": self.event.value,
            "poolId": self.pool_id,
            "nodeId": self.node_id,
            "jobId": self.job_id,
            "taskId": self.task_id,
            "run": self.run,
            "exitCode": self.exit_code,
        }
