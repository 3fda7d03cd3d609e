"""A pool at work in the demo: tasks run on its nodes while somebody opens it to the Internet."""

from itertools import count
from typing import Any, Final

from batchaccess.cli.demo.world import PROD, World
from batchemulator.state.task_log import TaskEvent, TaskLogEntry

FARM: Final = "render-farm"
NODES: Final = 4
TASKS: Final = 6
"""More than there are nodes: those that wait when the drain begins run after it."""

_SECONDS_PER_TASK: Final = 3
_API: Final = "?api-version=2025-06-01"
_JOBS: Final = count(1)


async def submit_tasks(world: World) -> str:
    """Give the pool a job of its own to work on; the job's id."""
    job_id = f"frames-{next(_JOBS)}"
    tasks = [
        {"id": f"frame-{number}", "commandLine": f"sleep {_SECONDS_PER_TASK}; exit 0"} for number in range(1, TASKS + 1)
    ]
    await _post(world, "/jobs", {"id": job_id, "poolInfo": {"poolId": FARM}})
    await _post(world, f"/jobs/{job_id}/addtaskcollection", {"value": tasks})
    return job_id


async def _post(world: World, path: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": "Bearer any-will-do", "Content-Type": "application/json; odata=minimalmetadata"}
    async with world.session.post(f"{world.batch.url(PROD)}{path}{_API}", json=body, headers=headers) as response:
        response.raise_for_status()


def task_events(world: World, job_id: str) -> list[TaskLogEntry]:
    """What the account's own log says of the tasks of a job, in order."""
    return [entry for entry in world.batch.state(PROD).task_log if entry.job_id == job_id]


def is_done(events: list[TaskLogEntry]) -> bool:
    """Whether every task has ended."""
    return sum(entry.event is TaskEvent.COMPLETED for entry in events) == TASKS


def ran_once(events: list[TaskLogEntry]) -> str:
    """What is wrong with the log, nothing if every task ran once, to its end, with exit code 0."""
    started = [entry for entry in events if entry.event is TaskEvent.STARTED]
    ended = [entry for entry in events if entry.event is TaskEvent.COMPLETED]
    if len(events) != 2 * TASKS or len(started) != TASKS or len(ended) != TASKS:
        return f"{len(started)} starts and {len(ended)} ends of {TASKS} tasks in {len(events)} entries"
    if any(entry.exit_code != 0 or entry.run != 1 for entry in ended):
        return "a task failed or ran again"
    return ""
