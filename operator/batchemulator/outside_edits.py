"""Changes nobody asked the data plane for: what other people and older tools do to a pool behind a client's back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.state import autoscale
from batchemulator.state.allocation import add_node
from batchemulator.state.nodes import NodeKind, NodeState
from batchemulator.state.normalisation import normalise_settings
from batchemulator.state.pool import AllocationState, Targets
from batchemulator.wire.times import parse_duration, parse_instant

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.state.account import AccountState
    from batchemulator.state.pool import Pool
    from batchemulator.wire.messages import JsonObject

_SCALE = frozenset({"targetDedicatedNodes", "targetLowPriorityNodes"})
_AUTOSCALE = frozenset({"enableAutoScale", "autoScaleFormula", "autoScaleEvaluationInterval"})


def edit_pool(account: AccountState, pool: Pool, changes: JsonObject, now: datetime) -> None:
    """Overwrite properties of a pool whatever its size and state; a None value removes one.

    `targetDedicatedNodes` and `targetLowPriorityNodes` take effect at once, nodes idle or gone and the pool steady;
    `enableAutoScale` with its formula, `creationTime` and `legacyMapping` are understood too. The ETag moves, as it
    does for every write, but not for `legacyMapping` and `creationTime`.

    Raises:
        ValueError: a value cannot be read.
    """
    pool.earlier = pool.snapshot()
    rest = dict(changes)
    if "creationTime" in rest:
        pool.created = parse_instant(rest.pop("creationTime"))
    if "legacyMapping" in rest:
        pool.legacy_mapping = bool(rest.pop("legacyMapping"))
    if rest:
        account.touch(pool, now)
    _edit_scale(account, pool, {key: rest.pop(key) for key in _SCALE & rest.keys()}, now)
    _edit_autoscale(account, pool, {key: rest.pop(key) for key in _AUTOSCALE & rest.keys()}, now)
    kept = {key: value for key, value in pool.settings.items() if key not in rest}
    pool.settings = normalise_settings(kept | rest, account.assumptions)
    pool.invalidate()


def _edit_scale(account: AccountState, pool: Pool, changes: JsonObject, now: datetime) -> None:
    if not changes:
        return
    pool.targets = Targets(
        int(changes.get("targetDedicatedNodes", pool.targets.dedicated)),
        int(changes.get("targetLowPriorityNodes", pool.targets.low_priority)),
    )
    pool.resize_serial = account.next_serial()
    for kind in NodeKind:
        wanted = pool.targets.of(kind)
        of_kind = [node for node in pool.nodes if node.kind is kind]
        if any(node.running for node in of_kind[wanted:]):
            raise ValueError(f"pool {pool.id}: nodes that run tasks cannot vanish; use the data plane's resize")
        gone = {node.id for node in of_kind[wanted:]}
        pool.nodes = [node for node in pool.nodes if node.id not in gone]
        for _ in range(wanted - len(of_kind)):
            add_node(account, pool, kind, NodeState.IDLE, now)
    pool.enter_allocation(AllocationState.STEADY, now)
    pool.allocation_changed = now


def _edit_autoscale(account: AccountState, pool: Pool, changes: JsonObject, now: datetime) -> None:
    if not changes:
        return
    if not changes.get("enableAutoScale", pool.autoscale is not None):
        pool.autoscale = None
        return
    present = pool.autoscale
    formula = str(changes.get("autoScaleFormula") or (present.formula if present is not None else ""))
    text = changes.get("autoScaleEvaluationInterval")
    interval = present.interval if present is not None else autoscale.DEFAULT_INTERVAL
    autoscale.enable(account, pool, formula, parse_duration(text) if text else interval, now)
