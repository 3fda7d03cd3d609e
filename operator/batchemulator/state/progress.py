"""Time passing: every event that is due happens, in order, before a request sees the state."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from batchemulator.state.agenda import Event, EventKind
from batchemulator.state.allocation import allocate_nodes, settle, time_out_resize
from batchemulator.state.autoscale import evaluate_due
from batchemulator.state.departures import continue_departure
from batchemulator.state.job_transitions import settle_job
from batchemulator.state.nodes import Departure, Node, NodeState
from batchemulator.state.pool import Pool, pool_key
from batchemulator.state.scheduling import dispatch, finish_run

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState


def pass_time(account: AccountState, now: datetime) -> None:
    """Bring an account to the present."""
    while (event := account.agenda.pop_due(now)) is not None:
        _happen(account, event)


def _happen(account: AccountState, event: Event) -> None:
    match event.kind:
        case EventKind.TASK_ENDED | EventKind.JOB_SETTLED:
            _happen_to_job(account, event)
        case _:
            pool = account.pools.by_key.get(event.owner)
            if pool is not None:
                _happen_to_pool(account, pool, event)
                pool.invalidate()


def _happen_to_pool(account: AccountState, pool: Pool, event: Event) -> None:
    match event.kind:
        case EventKind.NODES_ALLOCATED | EventKind.RESIZE_SETTLED | EventKind.RESIZE_TIMED_OUT:
            if event.serial == pool.resize_serial:
                _continue_resize(account, pool, event)
        case EventKind.AUTOSCALE_DUE:
            if pool.autoscale is not None and event.serial == pool.autoscale.serial:
                evaluate_due(account, pool, event.at)
        case EventKind.POOL_GONE:
            if event.serial == pool.serial:
                account.pools.remove(pool.id)
        case _:
            node = next((node for node in pool.nodes if node.id == event.subject), None)
            if node is not None and event.serial == pool.serial:
                _happen_to_node(account, pool, node, event)


def _continue_resize(account: AccountState, pool: Pool, event: Event) -> None:
    if event.kind is EventKind.NODES_ALLOCATED:
        allocate_nodes(account, pool, event.at)
    elif event.kind is EventKind.RESIZE_SETTLED:
        settle(pool, event.at)
    else:
        time_out_resize(account, pool, event.at)


def _happen_to_node(account: AccountState, pool: Pool, node: Node, event: Event) -> None:
    now = event.at
    match event.kind:
        case EventKind.NODE_STARTING:
            if node.state is NodeState.CREATING:
                node.enter(NodeState.STARTING, now)
                ready = now + timedelta(seconds=account.timings.starting)
                account.agenda.plan(ready, EventKind.NODE_READY, event.owner, pool.serial, node.id)
        case EventKind.NODE_READY:
            if node.state is NodeState.STARTING:
                node.booted = now
                node.enter(NodeState.IDLE, now)
                dispatch(account, pool, now)
        case EventKind.RETENTION_OVER:
            if node.departure is Departure.WAITING_FOR_RETENTION:
                continue_departure(account, pool, node, now)
        case EventKind.NODE_GONE:
            pool.nodes.remove(node)
            settle(pool, now)
        case other:
            raise AssertionError(f"{other} is not about a node")


def _happen_to_job(account: AccountState, event: Event) -> None:
    job = account.jobs.get(event.owner)
    if job is None:
        return
    if event.kind is EventKind.JOB_SETTLED:
        if event.serial == job.serial:
            settle_job(account, job, event.at)
        return
    node = finish_run(account, job, event.subject, event.serial, event.at)
    if node is None:
        return
    settle_job(account, job, event.at)
    pool = account.pools.by_key.get(pool_key(job.pool_id))
    if pool is not None:
        continue_departure(account, pool, node, event.at)
        dispatch(account, pool, event.at)
        pool.invalidate()
