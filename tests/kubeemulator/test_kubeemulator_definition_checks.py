from __future__ import annotations

import copy

import pytest

from kubeemulator.crdchecks import definition_errors
from tests.kubeemulator.definitions import DEMO, NUMBER, TEXT, Json, arr, definition, list_map, obj, ruled

ROOT = "spec.versions[0].schema.openAPIV3Schema.properties[spec]"


def test_a_good_definition_has_no_errors() -> None:
    assert list(definition_errors(DEMO)) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        pytest.param(obj(x={}), ".properties[x].type", "must not be empty for specified object fields", id="no type"),
        pytest.param(obj(x={"type": "text"}), ".properties[x].type", "Unsupported value", id="unknown type"),
        pytest.param(obj(x={"type": "array"}), ".properties[x].items", "must be specified", id="list without entries"),
        pytest.param(
            obj(x=arr(TEXT, uniqueItems=True)), ".properties[x].uniqueItems", "cannot be set to true", id="unique items"
        ),
        pytest.param(
            obj(x={**NUMBER, "maximum": 3, "default": 5}),
            ".properties[x].default",
            "less than or equal to 3",
            id="a default that its own schema refuses",
        ),
        pytest.param(
            obj(x={**obj(a=NUMBER), "default": {"b": 1}}), ".properties[x].default", "unknown fields", id="odd default"
        ),
        pytest.param(
            obj(x={**TEXT, "pattern": "("}), ".properties[x].pattern", "valid regular expression", id="pattern"
        ),
        pytest.param(
            obj(x={**TEXT, "pattern": "(?=a)"}), ".properties[x].pattern", "regular expression", id="no RE2 pattern"
        ),
        pytest.param(
            obj(x=list_map("name", obj(name=TEXT))),
            ".properties[x].items.properties[name].default",
            "required",
            id="key",
        ),
        pytest.param(obj(x={**NUMBER, "$ref": "#/x"}), ".properties[x].$ref", "not supported", id="reference"),
        pytest.param(
            {**obj(a=TEXT), "anyOf": [{"properties": {"a": {"default": 1}}}]},
            ".anyOf[0].properties[a].default",
            "undefined to be structural",
            id="anyOf",
        ),
        pytest.param(
            obj(x={**obj(a=NUMBER), "additionalProperties": NUMBER}),
            ".properties[x].additionalProperties",
            "mutual exclusive",
            id="named and free fields",
        ),
        pytest.param(ruled(obj(), "self.a +"), ".x-kubernetes-validations[0].rule", "Syntax error", id="rule syntax"),
        pytest.param(
            ruled(obj(a=NUMBER), "self.aa > 1"),
            ".x-kubernetes-validations[0].rule",
            "undefined field 'aa' of 'self'",
            id="a misspelled field",
        ),
        pytest.param(
            ruled(obj(l=arr(obj(a=NUMBER))), "self.l.filter(i, i.a > 1).all(j, j.b > 1)"),
            ".x-kubernetes-validations[0].rule",
            "undefined field 'b' of 'j'",
            id="a misspelled field of filtered entries",
        ),
        pytest.param(
            ruled(obj(l=arr(obj(a=NUMBER))), "has(self.l[0].b)"),
            ".x-kubernetes-validations[0].rule",
            "undefined field 'b' of 'self.l[...]'",
            id="a misspelled field whose presence is asked",
        ),
        pytest.param(ruled(obj(a=NUMBER), "self.a"), ".x-kubernetes-validations[0].rule", None, id="dynamic result"),
        pytest.param(
            obj(a=ruled(NUMBER, "self + 1")),
            ".properties[a].x-kubernetes-validations[0].rule",
            "to a bool",
            id="no bool",
        ),
        pytest.param(
            obj(a=ruled(NUMBER, "self == 'x'")),
            ".properties[a].x-kubernetes-validations[0].rule",
            "no matching overload",
            id="a number compared with a string",
        ),
        pytest.param(
            obj(a=ruled(NUMBER, {"rule": "self > 1", "messageExpression": "self"})),
            ".properties[a].x-kubernetes-validations[0].rule",
            "to a string",
            id="a message that is no text",
        ),
    ],
)
def test_a_faulty_schema_is_refused(spec: Json, field: str, message: str | None) -> None:
    found = [(error.field, error.message) for error in definition_errors(definition(spec))]
    if message is None:
        assert found == []
        return
    assert [place for place, text in found if message in text] == [ROOT + field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param(lambda crd: crd["metadata"].update(name="other"), "metadata.name", id="name"),
        pytest.param(lambda crd: crd["spec"].update(scope="Galaxy"), "spec.scope", id="scope"),
        pytest.param(lambda crd: crd["spec"]["versions"][0].update(storage=False), "spec.versions", id="storage"),
        pytest.param(lambda crd: crd["spec"]["versions"][0].pop("schema"), None, id="schema"),
    ],
)
def test_a_faulty_envelope_is_refused(change: object, field: str | None) -> None:
    crd = copy.deepcopy(DEMO)
    assert callable(change)
    change(crd)
    fields = [error.field for error in definition_errors(crd)]
    assert fields == [field or "spec.versions[0].schema.openAPIV3Schema"]
