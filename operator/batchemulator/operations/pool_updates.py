"""Changing pools in place: PATCH and updateproperties."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from batchemulator.assumptions import Emptiness, EmptyList, NonEmptyPatch, PatchDepth, Survival
from batchemulator.operations.call import Call, changed
from batchemulator.operations.pool_bodies import check_changed_settings, reject_unknown_keys
from batchemulator.state.normalisation import normalise_settings
from batchemulator.state.pool import AllocationState, Pool
from batchemulator.wire.errors import ErrorCode, missing_property, refused

if TYPE_CHECKING:
    from batchemulator.assumptions import Assumptions
    from batchemulator.wire.messages import JsonObject, Response

_REPLACED = ("startTask", "certificateReferences", "applicationPackageReferences", "metadata")
_NON_EMPTY_CODES = {
    NonEmptyPatch.OPERATION_INVALID_FOR_CURRENT_STATE: ErrorCode.OPERATION_INVALID_FOR_CURRENT_STATE,
    NonEmptyPatch.OPERATION_NOT_VALID_ON_POOL: ErrorCode.OPERATION_NOT_VALID_ON_POOL,
    NonEmptyPatch.POOL_BEING_RESIZED: ErrorCode.POOL_BEING_RESIZED,
    NonEmptyPatch.PROPERTY_CANNOT_BE_UPDATED: ErrorCode.PROPERTY_CANNOT_BE_UPDATED,
}


def update_pool(call: Call) -> Response:
    """PATCH /pools/{id}: 200, empty body, new ETag.

    Metadata, start task and packages change at any time, the rest on an empty pool only and only since
    2024-07-01.20.0 (REST doc "Pool - Update pool").
    """
    body = call.body()
    version = call.version
    reject_unknown_keys(call, body, version.patchable_any_time | version.patchable_when_empty)
    check_changed_settings(call, body)
    pool = call.pool_to_change()
    assumptions = call.assumptions
    needs_empty = sorted(body.keys() & version.patchable_when_empty)
    if needs_empty and not is_empty(pool, assumptions.emptiness):
        body = _non_empty_body(body, needs_empty, assumptions.non_empty_patch)
    merged = _merged(pool.settings, body, assumptions)
    pool.settings = normalise_settings(merged, assumptions)
    patches_network = "networkConfiguration" in body
    if patches_network and assumptions.legacy_mapping_after_patch is Survival.VANISHES:
        pool.legacy_mapping = False
    call.account.touch(pool, call.now)
    return changed(call, 200, pool.etag, pool.modified)


def is_empty(pool: Pool, emptiness: Emptiness) -> bool:
    """Whether the service takes the pool for empty."""
    has_nodes = bool(pool.nodes) or pool.targets.dedicated > 0 or pool.targets.low_priority > 0
    steady = pool.allocation is AllocationState.STEADY
    match emptiness:
        case Emptiness.NO_NODES:
            return not has_nodes
        case Emptiness.NO_NODES_AND_STEADY:
            return not has_nodes and steady
        case Emptiness.NO_NODES_STEADY_AND_NO_AUTOSCALE:
            return not has_nodes and steady and pool.autoscale is None
        case never:
            assert_never(never)


def _non_empty_body(body: JsonObject, needs_empty: list[str], answer: NonEmptyPatch) -> JsonObject:
    if answer is NonEmptyPatch.ACCEPTED_WITHOUT_EFFECT:
        return {key: value for key, value in body.items() if key not in needs_empty}
    error = refused(_NON_EMPTY_CODES[answer], "The property can be updated only when the pool is empty")
    error.values = (("PropertyName", needs_empty[0]), *error.values)
    raise error


def _merged(settings: JsonObject, patch: JsonObject, assumptions: Assumptions) -> JsonObject:
    merged = dict(settings)
    for key, value in patch.items():
        if value is None:
            continue
        if value == [] and assumptions.empty_list is EmptyList.IGNORED:
            continue
        present = settings.get(key)
        deep = assumptions.patch_depth is PatchDepth.MERGES and isinstance(present, dict) and isinstance(value, dict)
        if deep:
            merged[key] = _merged(present or {}, value, assumptions)
        else:
            merged[key] = _without_ignored_lists(value, present, assumptions)
    return merged


def _without_ignored_lists(value: object, present: object, assumptions: Assumptions) -> object:
    """Where `[]` is ignored, an empty list below the top key leaves what is there."""
    if assumptions.empty_list is EmptyList.CLEARS or not isinstance(value, dict):
        return value
    below = present if isinstance(present, dict) else {}
    kept = {}
    for key, inner in value.items():
        if inner == []:
            if key in below:
                kept[key] = below[key]
        else:
            kept[key] = _without_ignored_lists(inner, below.get(key), assumptions)
    return kept


def replace_pool_properties(call: Call) -> Response:
    """POST /pools/{id}/updateproperties: start task, packages and metadata replaced as a whole, nothing else."""
    body = call.body()
    for required in ("applicationPackageReferences", "metadata"):
        if body.get(required) is None:
            raise missing_property(required)
    reject_unknown_keys(call, body, frozenset({*_REPLACED, "targetNodeCommunicationMode"}))
    check_changed_settings(call, body)
    pool = call.pool_to_change()
    kept = {key: value for key, value in pool.settings.items() if key not in _REPLACED}
    pool.settings = normalise_settings(kept | body, call.assumptions)
    call.account.touch(pool, call.now)
    return changed(call, 204, pool.etag, pool.modified)
