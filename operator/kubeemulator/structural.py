"""Structural schemas: what of an object is kept (pruning) and what is filled in (defaulting).

Rules: Kubernetes documentation "Extend the Kubernetes API with CustomResourceDefinitions", sections "Field pruning",
"Defaulting" and "Defaulting and nullable".
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, list_at, object_at

if TYPE_CHECKING:
    from collections.abc import Iterator

PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
EMBEDDED: Final = "x-kubernetes-embedded-resource"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_MAP_KEYS: Final = "x-kubernetes-list-map-keys"
RULES: Final = "x-kubernetes-validations"

_ENVELOPE: Final = ("apiVersion", "kind", "metadata")
_METADATA_FIELDS: Final = frozenset(
    {"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers"}
    | {"managedFields"}
)


def prune(schema: JsonObject, value: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """The object without what its schema does not name, and the paths of what was dropped.

    `apiVersion`, `kind` and the known fields of `metadata` are kept at the root whatever the schema says.
    """
    dropped: list[str] = []
    kept = _pruned(schema, value, "", dropped, is_resource=True)
    return kept, tuple(dropped)


def _pruned(schema: JsonObject, value: JsonValue, path: str, dropped: list[str], *, is_resource: bool) -> JsonValue:
    if isinstance(value, list):
        items = object_at(schema, "items")
        if not items:
            return value
        return [
            _pruned(items, item, f"{path}[{index}]", dropped, is_resource=bool(items.get(EMBEDDED)))
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    result: JsonObject = {}
    for key, child in value.items():
        child_path = f"{path}.{key}" if path else key
        if is_resource and key in _ENVELOPE:
            result[key] = _pruned_metadata(child, child_path, dropped) if key == "metadata" else child
            continue
        child_schema = property_schema(schema, key)
        if child_schema is not None:
            embedded = bool(child_schema.get(EMBEDDED))
            result[key] = _pruned(child_schema, child, child_path, dropped, is_resource=embedded)
        elif schema.get(PRESERVE):
            result[key] = child
        else:
            dropped.append(child_path)
    return result


def _pruned_metadata(metadata: JsonValue, path: str, dropped: list[str]) -> JsonValue:
    if not isinstance(metadata, dict):
        return metadata
    dropped.extend(f"{path}.{key}" for key in metadata if key not in _METADATA_FIELDS)
    return {key: value for key, value in metadata.items() if key in _METADATA_FIELDS}


def property_schema(schema: JsonObject, key: str) -> JsonObject | None:
    """The schema of one property: named, or that of all additional ones; None if the schema knows no such property."""
    named = object_at(schema, "properties").get(key)
    if isinstance(named, dict):
        return named
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        return additional
    return {PRESERVE: True} if additional is True else None


def default(schema: JsonObject, value: JsonValue) -> JsonValue:
    """The value with nulls resolved and defaults filled in, top down, as a new value."""
    if isinstance(value, list):
        items = object_at(schema, "items")
        return [default(items, item) for item in value] if items else value
    if not isinstance(value, dict):
        return value
    result = {key: child for key, child in value.items() if not _is_null_to_drop(schema, key, child)}
    for key, child_schema in object_at(schema, "properties").items():
        if key not in result and "default" in child_schema:
            result[key] = copy.deepcopy(child_schema["default"])
    for key, child in result.items():
        child_schema = property_schema(schema, key)
        if child_schema is not None:
            result[key] = default(child_schema, child)
    return result


def _is_null_to_drop(schema: JsonObject, key: str, child: JsonValue) -> bool:
    if child is not None:
        return False
    child_schema = object_at(schema, "properties").get(key)
    return isinstance(child_schema, dict) and not child_schema.get("nullable") and not child_schema.get(PRESERVE)


def correlated_items(schema: JsonObject, new: list[JsonValue], old: JsonValue) -> Iterator[tuple[JsonValue, JsonValue]]:
    """Each new list entry with the old entry that is the same one, or MISSING.

    Only lists of type `map` have entries with an identity; those of other lists correlate with nothing (Kubernetes
    documentation "Transition rules").
    """
    keys = list_at(schema, LIST_MAP_KEYS) if schema.get(LIST_TYPE) == "map" else []
    if not keys or not isinstance(old, list):
        yield from ((item, MISSING) for item in new)
        return
    by_identity = {identity(keys, item): item for item in old if isinstance(item, dict)}
    for item in new:
        yield item, by_identity.get(identity(keys, item), MISSING) if isinstance(item, dict) else MISSING


def identity(keys: list[str], item: JsonObject) -> tuple[str, ...]:
    """The list-map identity of an entry; typed, so that 1 and "1" differ."""
    return tuple(repr(item.get(key)) for key in keys)
