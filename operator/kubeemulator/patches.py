"""JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and Kubernetes' strategic merge patch, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jsonpatch
import jsonpointer

from kubeemulator.errors import bad_request, rejected_patch

if TYPE_CHECKING:
    from kubeemulator.jsontypes import JsonObject, JsonValue

_MAX_OPERATIONS: Final = 10_000

MERGE_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "secrets": ("name",),
}
"""Lists of the built-in kinds that are merged entry by entry, with the fields that tell entries apart.

From the `patchMergeKey` tags of `k8s.io/api`. `ports` is missing: its key depends on the kind it is in.
"""


def json_patch(document: JsonObject, operations: JsonValue) -> JsonObject:
    """The document after a JSON Patch.

    Raises:
        ApiError: 400 for something that is no patch, 422 for one that does not apply (a failed `test` included).
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    if len(operations) > _MAX_OPERATIONS:
        raise bad_request(f"the allowed maximum operations in a JSON patch is {_MAX_OPERATIONS}, got {len(operations)}")
    try:
        patched: JsonValue = jsonpatch.JsonPatch(operations).apply(document)
    except jsonpatch.InvalidJsonPatch as error:
        raise bad_request(f"error decoding patch: {error}") from error
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        raise rejected_patch(str(error).splitlines()[0]) from error
    if not isinstance(patched, dict):
        raise bad_request("the patch replaces the object by something that is none")
    return patched


def merge_patch(document: JsonValue, patch: JsonValue) -> JsonValue:
    """The document after a JSON Merge Patch: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge_patch(document: JsonValue, patch: JsonValue) -> JsonValue:
    """The document after a strategic merge patch, for the built-in kinds that are kept as plain storage."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [item for item in merged.get(name, []) if item not in value]
        elif key == "$retainKeys":
            merged = {name: kept for name, kept in merged.items() if name in value}
        elif key.startswith("$"):
            continue
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, list) and (key in MERGE_KEYS or key == "finalizers"):
            merged[key] = _merged_list(key, merged.get(key) or [], value)
        else:
            merged[key] = strategic_merge_patch(merged.get(key), value)
    return merged


def _merged_list(name: str, observed: list[JsonValue], patch: list[JsonValue]) -> list[JsonValue]:
    keys = MERGE_KEYS.get(name, ())
    if not keys:
        return observed + [item for item in patch if item not in observed]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    merged = {_key_of(keys, item): item for item in observed}
    for item in patch:
        mark = _key_of(keys, item)
        if item.get("$patch") == "delete":
            merged.pop(mark, None)
        else:
            merged[mark] = strategic_merge_patch(merged.get(mark), item)
    return list(merged.values())


def _key_of(keys: tuple[str, ...], item: JsonObject) -> tuple[str, ...]:
    return tuple(str(item.get(key)) for key in keys)
