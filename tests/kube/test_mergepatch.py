from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.kube.mergepatch import merge_patch

SCALARS = st.one_of(st.booleans(), st.integers(-3, 3), st.text(max_size=3))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


def applied(stored: object, patch: object) -> object:
    """RFC 7386, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    target: dict[str, object] = dict(stored) if isinstance(stored, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = applied(target.get(name), value)
    return target


def same(left: object, right: object) -> bool:
    """Equality of JSON values, in which true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right)


@given(OBJECTS, OBJECTS)
def test_applying_the_patch_gives_what_was_wanted(stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert same(applied(stored, merge_patch(stored, wanted)), wanted)


@given(OBJECTS)
def test_equal_objects_need_no_patch(stored: dict[str, Any]) -> None:
    assert merge_patch(stored, stored) == {}


@pytest.mark.parametrize(
    ("stored", "wanted", "patch"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, {"b": 2}, id="a new key is added"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {"b": None}, id="a key that goes is set to null"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}, id="only the inner key goes"),
        pytest.param({"a": [1, 2]}, {"a": [2]}, {"a": [2]}, id="lists are replaced whole"),
        pytest.param({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}, id="an object becomes a list"),
        pytest.param({"a": 1}, {"a": True}, {"a": True}, id="true is not 1"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"b": True}]}, {"a": [{"b": True}]}, id="nor is it in a list"),
    ],
)
def test_the_patch_is_the_smallest(stored: dict[str, Any], wanted: dict[str, Any], patch: dict[str, Any]) -> None:
    assert merge_patch(stored, wanted) == patch
