"""Resizing: how a pool gets from the nodes it has to the nodes it should have, and when it gives up.

Recorded: a resize to what is there takes a second or two; nodes are not listed at once; the ETag moves with the request
only; a stopped resize ends steady with a resize error.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from batchemulator.assumptions import Survival, WaitingNodes
from batchemulator.state.agenda import EventKind
from batchemulator.state.departures import begin_departure, stop_waiting
from batchemulator.state.nodes import Departure, Node, NodeKind, NodeState, node_id
from batchemulator.state.pool import AllocationState, DeallocationOption, Pool, PoolState, Targets, pool_key
from batchemulator.state.scheduling import dispatch

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState
    from batchemulator.wire.messages import JsonObject

MAX_NODES = 1000
"""How many nodes a pool gets: the quota of every emulated account."""
_WORDS = {NodeKind.DEDICATED: "dedicated", NodeKind.LOW_PRIORITY: "low priority"}


def begin_resize(
    account: AccountState,
    pool: Pool,
    targets: Targets,
    now: datetime,
    option: DeallocationOption = DeallocationOption.REQUEUE,
) -> None:
    """Head for new targets; the pool is resizing from here until it has them or its resizeTimeout is over."""
    surplus = [node for kind in NodeKind for node in _surplus(pool, kind, targets.of(kind))]
    _start_resize(account, pool, targets, now, option)
    for node in surplus:
        begin_departure(account, pool, node, option, now)
    dispatch(account, pool, now)
    _plan_growth(account, pool, now)


def begin_removal(
    account: AccountState,
    pool: Pool,
    nodes: list[Node],
    now: datetime,
    option: DeallocationOption = DeallocationOption.REQUEUE,
) -> None:
    """Take named nodes out of the pool; the targets go down with them."""
    targets = Targets(
        pool.targets.dedicated - sum(node.kind is NodeKind.DEDICATED for node in nodes),
        pool.targets.low_priority - sum(node.kind is NodeKind.LOW_PRIORITY for node in nodes),
    )
    _start_resize(account, pool, Targets(max(0, targets.dedicated), max(0, targets.low_priority)), now, option)
    for node in nodes:
        begin_departure(account, pool, node, option, now)
    dispatch(account, pool, now)


def _start_resize(
    account: AccountState,
    pool: Pool,
    targets: Targets,
    now: datetime,
    option: DeallocationOption,
) -> None:
    pool.targets = targets
    pool.deallocation = option
    pool.resize_errors = []
    pool.resize_serial = account.next_serial()
    pool.enter_allocation(AllocationState.RESIZING, now)
    plan = account.agenda.plan
    key = pool_key(pool.id)
    plan(now + timedelta(seconds=account.timings.settle), EventKind.RESIZE_SETTLED, key, pool.resize_serial)
    plan(now + pool.resize_timeout, EventKind.RESIZE_TIMED_OUT, key, pool.resize_serial)


def _surplus(pool: Pool, kind: NodeKind, wanted: int) -> list[Node]:
    """The nodes too many: those with the least to lose first, of equal ones the youngest."""
    staying = pool.staying(kind)
    by_loss = sorted(staying, key=lambda node: (len(node.running), -node.index))
    return by_loss[: max(0, len(staying) - wanted)]


def _plan_growth(account: AccountState, pool: Pool, now: datetime) -> None:
    if any(len(pool.staying(kind)) < pool.targets.of(kind) for kind in NodeKind):
        ready = now + timedelta(seconds=account.timings.allocation)
        account.agenda.plan(ready, EventKind.NODES_ALLOCATED, pool_key(pool.id), pool.resize_serial)


def allocate_nodes(account: AccountState, pool: Pool, now: datetime) -> None:
    """The missing nodes are there, in state creating."""
    vanishes = account.assumptions.legacy_mapping_after_scale_from_zero is Survival.VANISHES
    if not pool.nodes and vanishes:
        pool.legacy_mapping = False
    for kind in NodeKind:
        missing = pool.targets.of(kind) - len(pool.staying(kind))
        for _ in range(min(missing, MAX_NODES - len(pool.nodes))):
            node = add_node(account, pool, kind, NodeState.CREATING, now)
            starting = now + timedelta(seconds=account.timings.creating)
            account.agenda.plan(starting, EventKind.NODE_STARTING, pool_key(pool.id), pool.serial, node.id)
    if len(pool.nodes) >= MAX_NODES:
        _end_unmet(account, pool, _unmet(pool, "AccountCoreQuotaReached", "as the core quota was reached"), now)
    settle(pool, now)


def _end_unmet(account: AccountState, pool: Pool, errors: list[JsonObject], now: datetime) -> None:
    """Go steady with what there is, and say what is missing."""
    pool.resize_errors = errors
    pool.resize_serial = account.next_serial()
    pool.enter_allocation(AllocationState.STEADY, now)


def add_node(account: AccountState, pool: Pool, kind: NodeKind, state: NodeState, now: datetime) -> Node:
    """One more node, with the lowest index of its kind that is free."""
    taken = {node.index for node in pool.nodes if node.kind is kind}
    index = next(number for number in range(len(taken) + 1) if number not in taken)
    pool.nodes_made += 1
    host = 3 + pool.nodes_made
    node = Node(
        id=node_id(account.name, pool.id, kind, pool.serial * 100_000 + pool.nodes_made),
        kind=kind,
        index=index,
        address=f"10.0.{host // 256 % 256}.{host % 256}",
        state=state,
        state_changed=now,
        allocated=now,
        booted=now if state is NodeState.IDLE else None,
    )
    pool.nodes.append(node)
    return node


def settle(pool: Pool, now: datetime) -> None:
    """End the resize if the pool has what it should have and nobody is leaving."""
    if pool.allocation is AllocationState.STEADY or pool.state is not PoolState.ACTIVE:
        return
    if pool.allocation is AllocationState.STOPPING:
        pool.enter_allocation(AllocationState.STEADY, now)
        return
    complete = all(pool.count(kind) == pool.targets.of(kind) for kind in NodeKind)
    if complete and not any(node.is_leaving for node in pool.nodes):
        pool.enter_allocation(AllocationState.STEADY, now)


def stop_resize(account: AccountState, pool: Pool, now: datetime) -> None:
    """Stop adding nodes and stop waiting for tasks; nodes already leaving still go. The ETag stays (recorded)."""
    pool.resize_errors = _unmet(pool, "ResizeStopped", "due to a stop resize operation")
    _return_to_work(account, pool, now)
    pool.resize_serial = account.next_serial()
    pool.enter_allocation(AllocationState.STOPPING, now)
    steady = now + timedelta(seconds=account.timings.stopping)
    account.agenda.plan(steady, EventKind.RESIZE_SETTLED, pool_key(pool.id), pool.resize_serial)


def time_out_resize(account: AccountState, pool: Pool, now: datetime) -> None:
    """The resizeTimeout is over: steady with what there is, and an error that says what is missing."""
    if pool.allocation is not AllocationState.RESIZING or pool.state is not PoolState.ACTIVE:
        return
    errors = _unmet(pool, "AllocationTimedOut", "as the resize timeout was reached")
    match account.assumptions.nodes_waiting_at_resize_timeout:
        case WaitingNodes.STAY:
            _return_to_work(account, pool, now)
        case WaitingNodes.LEAVE_LATER:
            pass
        case never:
            assert_never(never)
    _end_unmet(account, pool, errors, now)


def _return_to_work(account: AccountState, pool: Pool, now: datetime) -> None:
    for node in pool.nodes:
        if node.departure in {Departure.WAITING_FOR_TASKS, Departure.WAITING_FOR_RETENTION}:
            stop_waiting(node)
    dispatch(account, pool, now)


def _unmet(pool: Pool, code: str, cause: str) -> list[JsonObject]:
    errors: list[JsonObject] = []
    for kind in NodeKind:
        missing = pool.targets.of(kind) - len(pool.staying(kind))
        leftover = pool.count(kind) - pool.targets.of(kind)
        if missing > 0 or leftover > 0:
            verb = "allocated" if missing > 0 else "removed"
            message = f"Desired number of {_WORDS[kind]} nodes could not be {verb} {cause}"
            errors.append({"code": code, "message": message})
    return errors
