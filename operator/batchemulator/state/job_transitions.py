"""Disabling, enabling, terminating and deleting jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from batchemulator.state.agenda import EventKind
from batchemulator.state.departures import continue_departure
from batchemulator.state.jobs import DisableTasks, Job, JobState, TaskState
from batchemulator.state.pool import pool_key
from batchemulator.state.scheduling import dispatch, requeue, terminate

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState


def disable_job(account: AccountState, job: Job, option: DisableTasks, now: datetime) -> None:
    """Stop starting tasks of a job and treat the running ones as asked; `disabled` comes once none runs."""
    job.enter(JobState.DISABLING, now)
    match option:
        case DisableTasks.REQUEUE:
            for key in _running_keys(job):
                _freed(account, job, key, now, requeued=True)
        case DisableTasks.TERMINATE:
            for key in _running_keys(job):
                _freed(account, job, key, now, requeued=False)
        case DisableTasks.WAIT:
            pass
        case never:
            assert_never(never)
    _plan_settling(account, job, now)


def enable_job(account: AccountState, job: Job, now: datetime) -> None:
    """Let a disabled job run its tasks again."""
    job.enter(JobState.ACTIVE, now)
    pool = account.pools.get(job.pool_id)
    if pool is not None:
        dispatch(account, pool, now)


def end_job(account: AccountState, job: Job, state: JobState, now: datetime) -> None:
    """End every task of a job and let it head for completed or, from deleting, for being gone."""
    job.enter(state, now)
    for key in [key for key, task in job.tasks.items() if task.state is not TaskState.COMPLETED]:
        _freed(account, job, key, now, requeued=False)
    _plan_settling(account, job, now)


def end_task(account: AccountState, job: Job, key: str, now: datetime) -> None:
    """End one task and give its node what is next."""
    _freed(account, job, key, now, requeued=False)
    pool = account.pools.get(job.pool_id)
    if pool is not None:
        dispatch(account, pool, now)


def settle_job(account: AccountState, job: Job, now: datetime) -> None:
    """Finish a transition of the job once none of its tasks runs."""
    if job.running():
        return
    if job.state is JobState.DISABLING:
        job.enter(JobState.DISABLED, now)
    elif job.state is JobState.TERMINATING:
        job.ended = now
        job.enter(JobState.COMPLETED, now)
    elif job.state is JobState.DELETING:
        account.jobs.pop(pool_key(job.id), None)


def _running_keys(job: Job) -> list[str]:
    return [key for key, task in job.tasks.items() if task.state is TaskState.RUNNING]


def _freed(account: AccountState, job: Job, key: str, now: datetime, *, requeued: bool) -> None:
    node = requeue(account, job, key, now) if requeued else terminate(account, job, key, now)
    pool = account.pools.get(job.pool_id)
    if node is not None and pool is not None:
        continue_departure(account, pool, node, now)
        pool.invalidate()


def _plan_settling(account: AccountState, job: Job, now: datetime) -> None:
    at = now + timedelta(seconds=account.timings.job_transition)
    account.agenda.plan(at, EventKind.JOB_SETTLED, pool_key(job.id), job.serial)
