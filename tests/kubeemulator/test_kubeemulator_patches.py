from __future__ import annotations

import pytest

from kubeemulator.errors import ApiError
from kubeemulator.patches import json_patch, merge_patch, strategic_merge_patch

DOCUMENT = {"a": {"b": 1, "c": [1, 2]}, "d": "x"}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({"a": {"b": 2}}, {"a": {"b": 2, "c": [1, 2]}, "d": "x"}, id="objects merge"),
        pytest.param({"a": {"c": [3]}}, {"a": {"b": 1, "c": [3]}, "d": "x"}, id="lists replace"),
        pytest.param({"a": None}, {"d": "x"}, id="null removes"),
        pytest.param({"d": {"e": None, "f": 1}}, {"a": DOCUMENT["a"], "d": {"f": 1}}, id="an object replaces a text"),
        pytest.param({}, DOCUMENT, id="nothing changes nothing"),
    ],
)
def test_a_merge_patch_merges(patch: object, expected: object) -> None:
    assert merge_patch(DOCUMENT, patch) == expected
    assert DOCUMENT == {"a": {"b": 1, "c": [1, 2]}, "d": "x"}


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        pytest.param([{"op": "test", "path": "/d", "value": "y"}], 422, id="a test that fails"),
        pytest.param([{"op": "remove", "path": "/nothing"}], 422, id="a field that is absent"),
        pytest.param([{"op": "replace", "path": "/a/c/7", "value": 1}], 422, id="an entry beyond the list"),
        pytest.param([{"op": "add", "path": "/x/y", "value": 1}], 422, id="a parent that is absent"),
        pytest.param([{"op": "shuffle", "path": "/d"}], 400, id="an unknown operation"),
        pytest.param([{"op": "add", "path": "/d"}], 400, id="an operation without its value"),
        pytest.param({"op": "add"}, 400, id="no list"),
    ],
)
def test_a_json_patch_that_does_not_apply_is_refused(operations: object, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        json_patch(DOCUMENT, operations)
    assert caught.value.code == code


def test_a_json_patch_leaves_its_document_alone() -> None:
    changed = json_patch(DOCUMENT, [{"op": "add", "path": "/a/c/-", "value": 3}, {"op": "remove", "path": "/d"}])
    assert changed == {"a": {"b": 1, "c": [1, 2, 3]}}
    assert DOCUMENT["a"] == {"b": 1, "c": [1, 2]}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param({"containers": [{"name": "b", "image": "2"}]}, ["a:1", "b:2"], id="a new entry is added"),
        pytest.param({"containers": [{"name": "a", "image": "2"}]}, ["a:2"], id="an entry of the same key is merged"),
        pytest.param({"containers": [{"name": "a", "$patch": "delete"}]}, [], id="an entry is deleted"),
        pytest.param({"$setElementOrder/containers": [{"name": "a"}]}, ["a:1"], id="an order alone changes nothing"),
    ],
)
def test_a_strategic_patch_merges_lists_by_their_keys(patch: object, expected: list[str]) -> None:
    merged = strategic_merge_patch({"containers": [{"name": "a", "image": "1"}]}, patch)
    assert [f"{entry['name']}:{entry['image']}" for entry in merged["containers"]] == expected


def test_a_strategic_patch_deletes_from_lists_of_texts() -> None:
    assert strategic_merge_patch({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}) == {
        "finalizers": ["b"]
    }
