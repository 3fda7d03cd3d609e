"""Names for the shapes of decoded JSON, and the two questions asked of them everywhere."""

from __future__ import annotations

from typing import Any, Final, TypeAlias, cast

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object. Stored objects are shared between readers: build new ones instead of changing them."""

JsonValue: TypeAlias = Any
"""Any decoded JSON value; `Any` because the API server's whole business is values whose shape a schema tells."""


class _Missing:
    """The type of MISSING."""


MISSING: Final = _Missing()
"""Stands for "there is no such value", which differs from null."""


def object_at(parent: JsonObject, key: str) -> JsonObject:
    """The object under a key, or an empty one when there is none (or something that is no object)."""
    value = parent.get(key)
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def list_at(parent: JsonObject, key: str) -> list[JsonValue]:
    """The list under a key, or an empty one when there is none (or something that is no list)."""
    value = parent.get(key)
    return value if isinstance(value, list) else []


def same_json(left: JsonValue, right: JsonValue) -> bool:
    """Whether two values are the same JSON: unlike Python, `True` is not `1` (but `1` is `1.0`)."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)
