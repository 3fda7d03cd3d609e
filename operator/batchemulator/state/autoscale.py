"""Automatic scaling of a pool: evaluations, their results and what they set in motion."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from batchemulator.assumptions import EvaluationEtag
from batchemulator.state.agenda import EventKind
from batchemulator.state.allocation import begin_resize
from batchemulator.state.formula import FormulaError, evaluate
from batchemulator.state.jobs import TaskState
from batchemulator.state.nodes import NodeKind
from batchemulator.state.pool import AllocationState, Autoscale, DeallocationOption, Pool, PoolState, Targets, pool_key
from batchemulator.wire.times import format_instant

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState
    from batchemulator.wire.messages import JsonObject

DEFAULT_INTERVAL = timedelta(minutes=15)
MIN_INTERVAL = timedelta(minutes=5)
MAX_INTERVAL = timedelta(hours=168)
ENABLE_SPACING = timedelta(seconds=30)

Outcome = tuple[Targets, DeallocationOption]


def enable(account: AccountState, pool: Pool, formula: str, interval: timedelta, now: datetime) -> None:
    """Put a formula in force; it is evaluated soon, then at every interval."""
    pool.autoscale = Autoscale(formula=formula, interval=interval, serial=account.next_serial())
    pool.autoscale_enabled_at = now
    _plan(account, pool, now + timedelta(seconds=account.timings.first_evaluation))


def resume(
    account: AccountState,
    pool: Pool,
    now: datetime,
    *,
    formula: str,
    interval: timedelta,
    run: JsonObject | None,
) -> None:
    """Take over a formula that has been in force for a while: the next evaluation is one interval away."""
    pool.autoscale = Autoscale(formula=formula, interval=interval, serial=account.next_serial(), run=run)
    _plan(account, pool, now + interval)


def evaluate_due(account: AccountState, pool: Pool, now: datetime) -> None:
    """One scheduled evaluation: note its result and, unless a resize runs, head for the targets."""
    if pool.autoscale is None or pool.state is not PoolState.ACTIVE:
        return
    run, outcome = dry_run(account, pool, pool.autoscale.formula, now)
    pool.autoscale = replace(pool.autoscale, run=run)
    _plan(account, pool, now + pool.autoscale.interval)
    if outcome is None or pool.allocation is not AllocationState.STEADY:
        return
    targets, option = outcome
    if targets != pool.targets:
        begin_resize(account, pool, targets, now, option)
        if account.assumptions.evaluation_etag is EvaluationEtag.MOVED:
            account.touch(pool, now)


def _plan(account: AccountState, pool: Pool, at: datetime) -> None:
    if pool.autoscale is not None:
        account.agenda.plan(at, EventKind.AUTOSCALE_DUE, pool_key(pool.id), pool.autoscale.serial)


def dry_run(account: AccountState, pool: Pool, formula: str, now: datetime) -> tuple[JsonObject, Outcome | None]:
    """The run of a formula as `autoScaleRun` shows it, and what it asks for, None if it fails."""
    try:
        assigned = evaluate(formula, _variables(account, pool))
        outcome = _outcome(assigned, pool)
    except FormulaError as error:
        run = _run(pool.targets, DeallocationOption.REQUEUE, now)
        run["error"] = {
            "code": "AutoScalingFormulaEvaluationError",
            "message": "The specified auto-scaling formula has evaluation error",
            "values": [{"name": "Message", "value": str(error)}],
        }
        return run, None
    return _run(*outcome, now), outcome


def _run(targets: Targets, option: DeallocationOption, now: datetime) -> JsonObject:
    results = (
        f"$TargetDedicatedNodes={targets.dedicated};$TargetLowPriorityNodes={targets.low_priority};"
        f"$NodeDeallocationOption={option}"
    )
    return {"timestamp": format_instant(now), "results": results}


def _outcome(assigned: dict[str, object], pool: Pool) -> Outcome:
    dedicated = assigned.get("$TargetDedicatedNodes", assigned.get("$TargetDedicated", pool.targets.dedicated))
    low_priority = assigned.get("$TargetLowPriorityNodes", pool.targets.low_priority)
    option = str(assigned.get("$NodeDeallocationOption", DeallocationOption.REQUEUE))
    if option not in set(DeallocationOption):
        raise FormulaError(f"$NodeDeallocationOption cannot be {option}")
    return Targets(_whole(dedicated), _whole(low_priority)), DeallocationOption(option)


def _whole(value: object) -> int:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise FormulaError(f"a target must be a number, not {value}")
    return max(0, int(value))


def _variables(account: AccountState, pool: Pool) -> dict[str, float]:
    jobs = [job for job in account.jobs.values() if pool_key(job.pool_id) == pool_key(pool.id)]
    states = [task.state for job in jobs for task in job.tasks.values()]
    active, running = states.count(TaskState.ACTIVE), states.count(TaskState.RUNNING)
    return {
        "$ActiveTasks": active,
        "$RunningTasks": running,
        "$PendingTasks": active + running,
        "$SucceededTasks": sum(job_task.exit_code == 0 for job in jobs for job_task in job.tasks.values()),
        "$CurrentDedicatedNodes": pool.count(NodeKind.DEDICATED),
        "$CurrentLowPriorityNodes": pool.count(NodeKind.LOW_PRIORITY),
        "$TargetDedicatedNodes": pool.targets.dedicated,
        "$TargetLowPriorityNodes": pool.targets.low_priority,
        "$TaskSlotsPerNode": pool.task_slots,
    }
