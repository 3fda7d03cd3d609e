from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeemulator.admission import admit
from tests.kubeemulator.definitions import DEMO, NUMBER, TEXT, Json, arr, definition, list_map, obj, policy


def _admitted(spec_schema: Json, spec: Json, old: Json | None = None) -> Json:
    admitted, errors = admit(definition(spec_schema), policy(spec), old=policy(old) if old is not None else None)
    assert errors == ()
    result: Json = admitted["spec"]
    return result


def _refusals(spec_schema: Json, spec: Json, old: Json | None = None) -> list[str]:
    _, errors = admit(definition(spec_schema), policy(spec), old=policy(old) if old is not None else None)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("schema", "sent", "kept"),
    [
        pytest.param(obj(a=NUMBER), {"a": 1, "junk": 2}, {"a": 1}, id="an unknown field is dropped"),
        pytest.param(arr(obj(a=NUMBER)), [{"a": 1, "junk": 2}], [{"a": 1}], id="inside a list too"),
        pytest.param(
            {"type": "object", "additionalProperties": obj(a=NUMBER)},
            {"any": {"a": 1, "junk": 2}},
            {"any": {"a": 1}},
            id="inside a map too, whose keys are free",
        ),
        pytest.param(
            {**obj(a=NUMBER), "x-kubernetes-preserve-unknown-fields": True},
            {"junk": {"deep": 1}},
            {"junk": {"deep": 1}},
            id="where unknown fields are preserved they stay",
        ),
        pytest.param(
            obj(a={**NUMBER, "default": 3}),
            {"a": None},
            {"a": 3},
            id="null becomes the default where it is not allowed",
        ),
        pytest.param(obj(a=NUMBER), {"a": None}, {}, id="null is dropped where it is not allowed"),
        pytest.param(
            obj(a={**NUMBER, "nullable": True, "default": 3}), {"a": None}, {"a": None}, id="an allowed null stays"
        ),
        pytest.param(
            obj(a={**obj(b={**NUMBER, "default": 3}), "default": {}}), {}, {"a": {"b": 3}}, id="defaults nest"
        ),
        pytest.param(
            obj(a=obj(b={**NUMBER, "default": 3})), {}, {}, id="a default inside an absent object does not create it"
        ),
    ],
)
def test_objects_are_pruned_and_defaulted(schema: Json, sent: object, kept: object) -> None:
    assert _admitted(obj(x=schema), {"x": sent}) == {"x": kept}


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        pytest.param(
            NUMBER, "a", 'Invalid value: "string": spec.x in body must be of type integer: "string"', id="type"
        ),
        pytest.param(
            {**NUMBER, "minimum": 1},
            0,
            "Invalid value: 0: spec.x in body should be greater than or equal to 1",
            id="low",
        ),
        pytest.param(
            {**NUMBER, "maximum": 9, "exclusiveMaximum": True},
            9,
            "Invalid value: 9: spec.x in body should be less than 9",
            id="at an exclusive maximum",
        ),
        pytest.param(
            {**NUMBER, "multipleOf": 5},
            7,
            "Invalid value: 7: spec.x in body should be a multiple of 5",
            id="no multiple",
        ),
        pytest.param({**TEXT, "maxLength": 2}, "abc", "Too long: may not be more than 2 bytes", id="long"),
        pytest.param(
            {**TEXT, "minLength": 1},
            "",
            'Invalid value: "": spec.x in body should be at least 1 chars long',
            id="short",
        ),
        pytest.param(
            {**TEXT, "pattern": "^a$"},
            "a\n",
            "Invalid value: \"a\\n\": spec.x in body should match '^a$'",
            id="newline",
        ),
        pytest.param(
            {**TEXT, "enum": ["A", "B"]}, "C", 'Unsupported value: "C": supported values: "A", "B"', id="enumeration"
        ),
        pytest.param(
            {**TEXT, "format": "ipv4"}, "x", 'Invalid value: "x": spec.x in body must be of type ipv4: "x"', id="format"
        ),
        pytest.param(arr(TEXT, maxItems=1), ["a", "b"], "Too many: 2: must have at most 1 items", id="many entries"),
        pytest.param(
            arr(TEXT, minItems=1), [], "Invalid value: 0: spec.x in body should have at least 1 items", id="few entries"
        ),
        pytest.param(
            {"x-kubernetes-int-or-string": True},
            True,
            'Invalid value: "boolean": spec.x in body must be of type int-or-string: "boolean"',
            id="a boolean for an integer or string",
        ),
        pytest.param(
            {**NUMBER, "format": "int32"},
            2**31,
            "Invalid value: 2147483648: spec.x in body must be of type integer with format int32",
            id="an integer beyond its width",
        ),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_in_the_servers_words(schema: Json, value: object, message: str) -> None:
    assert _refusals(obj(x=schema), {"x": value}) == [f"spec.x: {message}"]


def test_list_entries_have_to_differ() -> None:
    schema = obj(tags=arr(TEXT, **{"x-kubernetes-list-type": "set"}), tiers=list_map("name", obj(name=TEXT, w=NUMBER)))
    spec = {"tags": ["a", "b", "a"], "tiers": [{"name": "x", "w": 1}, {"name": "x", "w": 2}]}
    assert _refusals(schema, spec) == [
        'spec.tags[2]: Duplicate value: "a"',
        'spec.tiers[1]: Duplicate value: {"name":"x"}',
    ]


def test_an_unchanged_value_is_not_refused_again() -> None:
    schema = obj(x={**TEXT, "pattern": "^a$"}, y=NUMBER)
    assert _refusals(schema, {"x": "bad", "y": 2}, old={"x": "bad", "y": 1}) == []
    assert len(_refusals(schema, {"x": "worse", "y": 2}, old={"x": "bad", "y": 1})) == 1


def test_combinations_of_schemas_are_checked() -> None:
    either = {**obj(a=TEXT, b=TEXT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert _admitted(obj(x=either), {"x": {"a": "1"}}) == {"x": {"a": "1"}}
    assert "must validate one and only one schema (oneOf)" in _refusals(obj(x=either), {"x": {}})[0]
    assert "Found 2 valid alternatives" in _refusals(obj(x=either), {"x": {"a": "1", "b": "2"}})[0]


def test_metadata_keeps_its_known_fields_only() -> None:
    sent = {**policy({"pool": "a"}), "metadata": {"name": "p1", "labels": {"a": "b"}, "junk": 1}}
    admitted, errors = admit(DEMO, sent)
    assert (admitted["metadata"], errors) == ({"name": "p1", "labels": {"a": "b"}}, ())


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(ValueError, match="has no version 'v9', but v1"):
        admit(DEMO, policy({"pool": "a"}), version="v9")


_SCALARS = st.one_of(st.integers(-20, 20), st.text("ab1", max_size=4), st.booleans(), st.floats(-9, 9, allow_nan=False))
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
_SCALAR_SCHEMAS = st.sampled_from(
    [
        {"type": "boolean"},
        {"type": "number", "minimum": -3, "maximum": 3},
        {"type": "integer", "minimum": 0, "multipleOf": 2},
        {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[ab]+$"},
        {"type": "string", "enum": ["a", "b"]},
    ]
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    listed = st.builds(lambda items, most: arr(items, minItems=1, maxItems=most), inner, st.integers(1, 3))
    mapped = inner.map(lambda below: {"type": "object", "additionalProperties": below, "maxProperties": 2})
    fields = st.dictionaries(st.sampled_from("abc"), inner, min_size=3, max_size=3)
    named = st.builds(lambda found, needed: {**obj(**found), "required": needed}, fields, st.sampled_from([[], ["a"]]))
    return listed | mapped | named


@given(schema=st.recursive(_SCALAR_SCHEMAS, _containers, max_leaves=6), value=_VALUES)
@settings(max_examples=300, deadline=None)
def test_the_verdict_is_that_of_a_json_schema_validator(schema: Json, value: object) -> None:
    _, errors = admit(definition(obj(x=schema)), policy({"x": value}))
    assert (not errors) == jsonschema.Draft4Validator(schema).is_valid(value)
