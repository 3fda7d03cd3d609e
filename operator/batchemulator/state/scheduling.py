"""Tasks on nodes: which one runs where, and what its end does to job, node and pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.state.agenda import EventKind
from batchemulator.state.jobs import DEFAULT_RETENTION, Job, JobState, Task, TaskState
from batchemulator.state.nodes import Node, NodeState
from batchemulator.state.pool import Pool, PoolState, pool_key
from batchemulator.state.task_log import TaskEvent, TaskLogEntry
from batchemulator.wire.times import parse_duration

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from batchemulator.state.account import AccountState


def dispatch(account: AccountState, pool: Pool, now: datetime) -> None:
    """Start as many waiting tasks of the pool's jobs as its nodes have room for, high priority first."""
    if pool.state is not PoolState.ACTIVE:
        return
    for job in _active_jobs(account, pool):
        for task in job.tasks.values():
            if task.state is not TaskState.ACTIVE:
                continue
            node = _node_with_room(account, pool, task)
            if node is not None:
                _start(account, pool, node, job, task, now=now)


def _active_jobs(account: AccountState, pool: Pool) -> list[Job]:
    jobs = [
        job
        for job in account.jobs.values()
        if job.state is JobState.ACTIVE and pool_key(job.pool_id) == pool_key(pool.id)
    ]
    return sorted(jobs, key=lambda job: -job.priority)


def _node_with_room(account: AccountState, pool: Pool, task: Task) -> Node | None:
    for node in pool.nodes:
        taken = sum(account.jobs[job].tasks[running].slots for job, running in node.running)
        if node.takes_tasks and taken + task.slots <= pool.task_slots:
            return node
    return None


def _start(account: AccountState, pool: Pool, node: Node, job: Job, task: Task, *, now: datetime) -> None:
    key = pool_key(task.id)
    task.enter(TaskState.RUNNING, now)
    task.runs += 1
    task.started, task.ended, task.exit_code = now, None, None
    task.node_id, task.pool_id = node.id, pool.id
    node.running.append((pool_key(job.id), key))
    node.enter(NodeState.RUNNING, now)
    _log(account, job, task, TaskEvent.STARTED, now)
    ends = now + task.duration(account.timings.task)
    account.agenda.plan(ends, EventKind.TASK_ENDED, pool_key(job.id), _run_serial(task), key)


def _run_serial(task: Task) -> int:
    """Tells one run of one task from any other: runs stay far below a thousand."""
    return task.serial * 1000 + task.runs


def finish_run(account: AccountState, job: Job, key: str, serial: int, now: datetime) -> Node | None:
    """A run comes to its own end; returns the node that it leaves, or None if that run is over already."""
    task = job.tasks.get(key)
    if task is None or task.state is not TaskState.RUNNING or _run_serial(task) != serial:
        return None
    task.exit_code = task.intended_exit_code
    return _complete(account, job, key, TaskEvent.COMPLETED, now)


def terminate(account: AccountState, job: Job, key: str, now: datetime) -> Node | None:
    """End a task at once, as a failure without an exit code; returns the node it ran on, if it ran."""
    task = job.tasks[key]
    task.was_terminated = True
    if task.state is TaskState.RUNNING:
        return _complete(account, job, key, TaskEvent.TERMINATED, now)
    task.ended = now
    task.enter(TaskState.COMPLETED, now)
    return None


def requeue(account: AccountState, job: Job, key: str, now: datetime) -> Node | None:
    """Stop a run and let the task wait for another node; returns the node it ran on."""
    task = job.tasks[key]
    node = _release(account, job, key, now)
    _log(account, job, task, TaskEvent.REQUEUED, now)
    task.requeues += 1
    task.node_id = task.pool_id = task.started = None
    task.enter(TaskState.ACTIVE, now)
    return node


def _complete(account: AccountState, job: Job, key: str, event: TaskEvent, now: datetime) -> Node | None:
    task = job.tasks[key]
    task.ended = now
    task.enter(TaskState.COMPLETED, now)
    _log(account, job, task, event, now)
    node = _release(account, job, key, now)
    if node is not None:
        node.tasks_run += 1
        node.tasks_succeeded += task.exit_code == 0
        until = now + _retention(task)
        node.retained_until = max(node.retained_until or until, until)
    return node


def _retention(task: Task) -> timedelta:
    text = task.settings.get("constraints", {}).get("retentionTime")
    return parse_duration(text) if text else DEFAULT_RETENTION


def _release(account: AccountState, job: Job, key: str, now: datetime) -> Node | None:
    task = job.tasks[key]
    pool = account.pools.get(task.pool_id or "")
    node = next((node for node in pool.nodes if node.id == task.node_id), None) if pool is not None else None
    if node is not None:
        node.running.remove((pool_key(job.id), key))
        if not node.running and node.state is NodeState.RUNNING:
            node.enter(NodeState.IDLE, now)
    return node


def _log(account: AccountState, job: Job, task: Task, event: TaskEvent, now: datetime) -> None:
    account.task_log.append(
        TaskLogEntry(
            at=now,
            event=event,
            pool_id=task.pool_id or "",
            node_id=task.node_id or "",
            job_id=job.id,
            task_id=task.id,
            run=task.runs,
            exit_code=task.exit_code if event is TaskEvent.COMPLETED else None,
        ),
    )
