"""The smallest JSON merge patch (RFC 7386) between two objects."""

from collections.abc import Mapping
from typing import Any

from batchaccess.core.model import JsonObject


def merge_patch(stored: JsonObject, wanted: JsonObject) -> dict[str, Any]:
    """What to merge into `stored` to make it `wanted`; empty if they are equal.

    Lists are replaced whole and a key that goes is set to null, as the RFC has it. `wanted` must hold no nulls: a
    merge patch cannot store them.
    """
    patch: dict[str, Any] = {key: None for key in stored if key not in wanted}
    for key, value in wanted.items():
        if key not in stored:
            patch[key] = value
            continue
        before = stored[key]
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = merge_patch(before, value)
            if inner:
                patch[key] = inner
        elif not _same(value, before):
            patch[key] = value
    return patch


def _same(one: object, other: object) -> bool:
    """Equality of JSON values, in which true is not 1, in lists neither."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other, strict=True))
    return isinstance(one, bool) is isinstance(other, bool) and one == other
