"""How a node leaves its pool, and what that does to the tasks on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from batchemulator.state.agenda import EventKind
from batchemulator.state.nodes import Departure, Node, NodeState
from batchemulator.state.pool import DeallocationOption, Pool, pool_key
from batchemulator.state.scheduling import requeue, terminate

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState


def begin_departure(
    account: AccountState,
    pool: Pool,
    node: Node,
    option: DeallocationOption,
    now: datetime,
) -> None:
    """Tell a node to go, in the way the option says; one already leaving keeps leaving."""
    if node.departure is Departure.LEAVING:
        return
    running = list(node.running)
    match option:
        case DeallocationOption.REQUEUE:
            node.departure = Departure.LEAVING
            for job, task in running:
                requeue(account, account.jobs[job], task, now)
        case DeallocationOption.TERMINATE:
            node.departure = Departure.LEAVING
            for job, task in running:
                terminate(account, account.jobs[job], task, now)
        case DeallocationOption.TASK_COMPLETION:
            node.departure = Departure.WAITING_FOR_TASKS
        case DeallocationOption.RETAINED_DATA:
            node.departure = Departure.WAITING_FOR_TASKS
            node.wait_for_retention = True
        case never:
            assert_never(never)
    continue_departure(account, pool, node, now)


def continue_departure(account: AccountState, pool: Pool, node: Node, now: datetime) -> None:
    """Let a node that is to go take its next step: wait for tasks, wait for retention, leave."""
    if node.departure is None or node.running:
        return
    if node.wait_for_retention and node.retained_until is not None and node.retained_until > now:
        node.departure = Departure.WAITING_FOR_RETENTION
        account.agenda.plan(node.retained_until, EventKind.RETENTION_OVER, pool_key(pool.id), pool.serial, node.id)
        return
    if node.state is NodeState.LEAVING_POOL:
        return
    node.departure = Departure.LEAVING
    node.enter(NodeState.LEAVING_POOL, now)
    gone = now + timedelta(seconds=account.timings.removal)
    account.agenda.plan(gone, EventKind.NODE_GONE, pool_key(pool.id), pool.serial, node.id)


def stop_waiting(node: Node) -> None:
    """Take back the order to go from a node that still waits."""
    node.departure = None
    node.wait_for_retention = False
