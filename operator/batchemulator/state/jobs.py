"""Jobs and tasks, as far as draining a pool needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from batchemulator.wire.times import format_duration, format_instant

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject

DEFAULT_RETENTION = timedelta(days=7)
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)")
_EXIT = re.compile(r"\bexit\s+(?:/b\s+)?(\d+)", re.IGNORECASE)


class JobState(StrEnum):
    """The life of a job, spelled as on the wire."""

    ACTIVE = "active"
    DISABLING = "disabling"
    DISABLED = "disabled"
    TERMINATING = "terminating"
    COMPLETED = "completed"
    DELETING = "deleting"


class TaskState(StrEnum):
    """The life of a task, spelled as on the wire."""

    ACTIVE = "active"
    RUNNING = "running"
    COMPLETED = "completed"


class DisableTasks(StrEnum):
    """What disabling a job does to its running tasks."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    WAIT = "wait"


@dataclass(slots=True, kw_only=True)
class Task:
    """One task. Its command line says how long it runs (`sleep 30`) and how it ends (`exit 3`)."""

    id: str
    serial: int
    created: datetime
    modified: datetime
    etag: str
    settings: JsonObject
    state_changed: datetime
    state: TaskState = TaskState.ACTIVE
    runs: int = 0
    requeues: int = 0
    node_id: str | None = None
    pool_id: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    was_terminated: bool = False

    @property
    def slots(self) -> int:
        """How many task slots of a node it takes."""
        return int(self.settings.get("requiredSlots", 1))

    def duration(self, default_seconds: float) -> timedelta:
        """How long a run takes: the `sleep` of its command line, else the default."""
        match = _SLEEP.search(str(self.settings.get("commandLine", "")))
        return timedelta(seconds=float(match.group(1)) if match else default_seconds)

    @property
    def intended_exit_code(self) -> int:
        """The exit code of a run that is let finish: the `exit` of its command line, else 0."""
        match = _EXIT.search(str(self.settings.get("commandLine", "")))
        return int(match.group(1)) if match else 0

    def enter(self, state: TaskState, now: datetime) -> None:
        """Change the state and note when."""
        self.state = state
        self.state_changed = now


@dataclass(slots=True, kw_only=True)
class Job:
    """One job and its tasks, by key, in order of creation."""

    id: str
    serial: int
    created: datetime
    modified: datetime
    etag: str
    settings: JsonObject
    state_changed: datetime
    state: JobState = JobState.ACTIVE
    ended: datetime | None = None
    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def pool_id(self) -> str:
        """The pool its tasks run on."""
        return str(self.settings.get("poolInfo", {}).get("poolId", ""))

    @property
    def priority(self) -> int:
        """-1000 to 1000; higher runs first."""
        return int(self.settings.get("priority", 0))

    def enter(self, state: JobState, now: datetime) -> None:
        """Change the state and note when."""
        self.state = state
        self.state_changed = now

    def running(self) -> list[Task]:
        """The tasks that run now."""
        return [task for task in self.tasks.values() if task.state is TaskState.RUNNING]


def render_job(job: Job, base_url: str) -> JsonObject:
    """The job as GET shows it."""
    defaults = {"priority": 0, "maxParallelTasks": -1, "allowTaskPreemption": False}
    policies = {"onAllTasksComplete": "noaction", "onTaskFailure": "noaction"}
    execution: JsonObject = {"startTime": format_instant(job.created), "poolId": job.pool_id}
    if job.ended is not None:
        execution |= {"endTime": format_instant(job.ended), "terminateReason": "UserTerminate"}
    return {
        "id": job.id,
        "url": f"{base_url}/jobs/{job.id}",
        "eTag": job.etag,
        "lastModified": format_instant(job.modified),
        "creationTime": format_instant(job.created),
        "state": job.state.value,
        "stateTransitionTime": format_instant(job.state_changed),
        **defaults,
        **policies,
        **{key: value for key, value in job.settings.items() if value not in (None, [])},
        "executionInfo": execution,
    }


def render_task(job: Job, task: Task, base_url: str) -> JsonObject:
    """The task as GET shows it."""
    execution: JsonObject = {"retryCount": 0, "requeueCount": task.requeues}
    if task.started is not None:
        execution["startTime"] = format_instant(task.started)
    if task.ended is not None:
        execution["endTime"] = format_instant(task.ended)
        execution["result"] = "success" if task.exit_code == 0 else "failure"
    if task.exit_code is not None:
        execution["exitCode"] = task.exit_code
    if task.was_terminated:
        execution["failureInfo"] = {
            "category": "usererror",
            "code": "TaskEnded",
            "message": "Task Was Ended by User Request",
        }
    document: JsonObject = {
        "id": task.id,
        "url": f"{base_url}/jobs/{job.id}/tasks/{task.id}",
        "eTag": task.etag,
        "lastModified": format_instant(task.modified),
        "creationTime": format_instant(task.created),
        "state": task.state.value,
        "stateTransitionTime": format_instant(task.state_changed),
        "requiredSlots": 1,
        **{key: value for key, value in task.settings.items() if value not in (None, [])},
        "executionInfo": execution,
    }
    constraints: JsonObject = {"maxWallClockTime": "P10675199DT2H48M5.4775807S", "maxTaskRetryCount": 0}
    constraints |= {"retentionTime": format_duration(DEFAULT_RETENTION)} | task.settings.get("constraints", {})
    document["constraints"] = constraints
    if task.node_id is not None and task.pool_id is not None:
        node_url = f"{base_url}/pools/{task.pool_id}/nodes/{task.node_id}"
        document["nodeInfo"] = {
            "affinityId": f"TVM:{task.node_id}",
            "nodeUrl": node_url,
            "poolId": task.pool_id,
            "nodeId": task.node_id,
        }
    return document
