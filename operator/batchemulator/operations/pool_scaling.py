"""Changing how many nodes a pool has: resize, stopresize, autoscale, removenodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.assumptions import Answer, ResizeOfAutoscale
from batchemulator.operations.call import Call, changed, document, metadata_url, service_id
from batchemulator.operations.pool_bodies import read_interval, read_resize_timeout, read_target
from batchemulator.operations.shapes import check_shape
from batchemulator.state import autoscale
from batchemulator.state.allocation import begin_removal, begin_resize, stop_resize
from batchemulator.state.pool import AllocationState, DeallocationOption, Pool, Targets
from batchemulator.wire.errors import ErrorCode, ServiceError, invalid_property, missing_property, refused

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject, Response

_MAX_REMOVED = 100
_AUTOSCALE_CODES = {
    ResizeOfAutoscale.OPERATION_INVALID_FOR_CURRENT_STATE: ErrorCode.OPERATION_INVALID_FOR_CURRENT_STATE,
    ResizeOfAutoscale.OPERATION_NOT_VALID_ON_POOL: ErrorCode.OPERATION_NOT_VALID_ON_POOL,
}


def resize_pool(call: Call) -> Response:
    """POST /pools/{id}/resize: 202, new ETag; at least one target is required."""
    body = call.body()
    dedicated = read_target(body, "targetDedicatedNodes")
    low_priority = read_target(body, "targetLowPriorityNodes")
    if dedicated is None and low_priority is None:
        raise missing_property("targetDedicatedNodes and/or targetLowPriorityNodes")
    timeout = read_resize_timeout(body)
    option = _read_option(body)
    pool = call.pool_to_change()
    _refuse_autoscaled(call, pool)
    _refuse_unsteady(pool)
    targets = Targets(
        pool.targets.dedicated if dedicated is None else dedicated,
        pool.targets.low_priority if low_priority is None else low_priority,
    )
    pool.resize_timeout = timeout
    call.account.touch(pool, call.now)
    begin_resize(call.account, pool, targets, call.now, option)
    return changed(call, 202, pool.etag, pool.modified)


def stop_pool_resize(call: Call) -> Response:
    """POST /pools/{id}/stopresize: 202, the ETag stays (recorded)."""
    pool = call.pool_to_change()
    if pool.autoscale is not None:
        raise refused(
            ErrorCode.OPERATION_INVALID_FOR_CURRENT_STATE,
            "The specified pool has AutoScale enabled. AutoScale resize cannot be stopped",
        )
    if pool.allocation is AllocationState.RESIZING:
        stop_resize(call.account, pool, call.now)
    elif call.assumptions.stop_resize_when_steady is Answer.REFUSED:
        raise refused(ErrorCode.OPERATION_INVALID_FOR_CURRENT_STATE, "The specified pool is not being resized")
    return changed(call, 202, pool.etag, pool.modified)


def remove_nodes(call: Call) -> Response:
    """POST /pools/{id}/removenodes: 202; the pool must be steady and without autoscale."""
    body = call.body()
    node_ids = body.get("nodeList")
    if not isinstance(node_ids, list) or not node_ids:
        raise missing_property("nodeList")
    check_shape("nodeList", node_ids, [str])
    if len(node_ids) > _MAX_REMOVED:
        raise invalid_property("nodeList", len(node_ids), f"At most {_MAX_REMOVED} nodes can be removed at a time")
    timeout = read_resize_timeout(body)
    option = _read_option(body)
    pool = call.pool_to_change()
    _refuse_autoscaled(call, pool)
    _refuse_unsteady(pool)
    nodes = [node for node in pool.nodes if node.id in node_ids]
    if len(nodes) != len(set(node_ids)):
        raise ServiceError(code=ErrorCode.NODE_NOT_FOUND)
    pool.resize_timeout = timeout
    call.account.touch(pool, call.now)
    begin_removal(call.account, pool, nodes, call.now, option)
    return changed(call, 202, pool.etag, pool.modified)


def enable_pool_auto_scale(call: Call) -> Response:
    """POST /pools/{id}/enableautoscale: 200, new ETag; formula and interval each default to the present ones."""
    body = call.body()
    interval = read_interval(body)
    pool = call.pool_to_change()
    present = pool.autoscale
    formula = body.get("autoScaleFormula") or (present.formula if present is not None else None)
    if formula is None:
        raise missing_property("autoScaleFormula")
    _refuse_bad_formula(call, pool, str(formula))
    last = pool.autoscale_enabled_at
    if last is not None and call.now - last < autoscale.ENABLE_SPACING:
        raise ServiceError(code=ErrorCode.TOO_MANY_ENABLE_AUTO_SCALE_REQUESTS)
    if call.assumptions.enable_autoscale_while_resizing is Answer.REFUSED and present is None:
        _refuse_unsteady(pool)
    if interval is None:
        interval = present.interval if present is not None else autoscale.DEFAULT_INTERVAL
    autoscale.enable(call.account, pool, str(formula), interval, call.now)
    call.account.touch(pool, call.now)
    return changed(call, 200, pool.etag, pool.modified)


def _refuse_bad_formula(call: Call, pool: Pool, formula: str) -> None:
    run, outcome = autoscale.dry_run(call.account, pool, formula, call.now)
    if outcome is None:
        raise invalid_property("autoScaleFormula", formula, str(run["error"]["values"][0]["value"]))


def disable_pool_auto_scale(call: Call) -> Response:
    """POST /pools/{id}/disableautoscale: 200, new ETag; the targets stay as the formula left them."""
    pool = call.pool_to_change()
    pool.autoscale = None
    call.account.touch(pool, call.now)
    return changed(call, 200, pool.etag, pool.modified)


def evaluate_pool_auto_scale(call: Call) -> Response:
    """POST /pools/{id}/evaluateautoscale: a dry run; a bad formula is still 200, with the error in the body."""
    body = call.body()
    formula = body.get("autoScaleFormula")
    if formula is None:
        raise missing_property("autoScaleFormula")
    pool = call.pool()
    if pool.autoscale is None:
        raise refused(ErrorCode.OPERATION_INVALID_FOR_CURRENT_STATE, "AutoScale is not enabled on the specified pool")
    run, _ = autoscale.dry_run(call.account, pool, str(formula), call.now)
    metadata = metadata_url(call, "Microsoft.Azure.Batch.Protocol.Entities.AutoScaleRun")
    return document(call, {"odata.metadata": metadata, **run}, service_id(call))


def _read_option(body: JsonObject) -> DeallocationOption:
    text = str(body.get("nodeDeallocationOption") or DeallocationOption.REQUEUE).lower()
    if text not in set(DeallocationOption):
        raise invalid_property(
            "nodeDeallocationOption",
            text,
            f"The value must be one of {', '.join(DeallocationOption)}",
        )
    return DeallocationOption(text)


def _refuse_autoscaled(call: Call, pool: Pool) -> None:
    if pool.autoscale is not None:
        code = _AUTOSCALE_CODES[call.assumptions.resize_of_autoscale]
        raise refused(code, "The specified pool has AutoScale enabled")


def _refuse_unsteady(pool: Pool) -> None:
    if pool.allocation is not AllocationState.STEADY:
        raise ServiceError(code=ErrorCode.POOL_BEING_RESIZED)
