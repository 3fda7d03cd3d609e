"""Deleting a pool: it stays a while in state deleting, still listed, until it is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from batchemulator.state.agenda import EventKind
from batchemulator.state.departures import begin_departure
from batchemulator.state.pool import AllocationState, DeallocationOption, Pool, PoolState, Targets, pool_key

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState

_REWRITTEN_RESIZE_TIMEOUT = timedelta(minutes=7, seconds=9, milliseconds=497)
"""What resizeTimeout read in the one recording of a deleting pool; why is not known."""


def begin_deletion(account: AccountState, pool: Pool, now: datetime) -> None:
    """Mark a pool for deletion: targets 0, nodes leaving with their tasks requeued, a new ETag."""
    account.touch(pool, now)
    pool.state = PoolState.DELETING
    pool.state_changed = now
    pool.targets = Targets()
    pool.resize_timeout = _REWRITTEN_RESIZE_TIMEOUT
    pool.resize_serial = account.next_serial()
    pool.enter_allocation(AllocationState.RESIZING, now)
    timings = account.timings
    seconds = timings.deletion_with_nodes if pool.nodes else timings.deletion
    for node in list(pool.nodes):
        begin_departure(account, pool, node, DeallocationOption.REQUEUE, now)
    account.agenda.plan(now + timedelta(seconds=seconds), EventKind.POOL_GONE, pool_key(pool.id), pool.serial)
