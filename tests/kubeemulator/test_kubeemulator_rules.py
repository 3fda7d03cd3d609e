from __future__ import annotations

import pytest

from kubeemulator.admission import admit
from tests.kubeemulator.definitions import NUMBER, TEXT, Json, arr, definition, list_map, obj, policy, ruled


def _refusals(spec_schema: Json, spec: Json, old: Json | None = None) -> list[str]:
    _, errors = admit(definition(spec_schema), policy(spec), old=policy(old) if old is not None else None)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("rule", "holds", "fails"),
    [
        pytest.param("self.x > 1", {"x": 2}, {"x": 1}, id="comparison"),
        pytest.param("has(self.x)", {"x": 2}, {}, id="presence"),
        pytest.param("self.names.all(n, n.startsWith('a'))", {"names": ["ab"]}, {"names": ["b"]}, id="all"),
        pytest.param("self.names.exists_one(n, n == 'a')", {"names": ["a"]}, {"names": ["a", "a"]}, id="exactly one"),
        pytest.param("self.names.map(n, size(n)).sum() < 4", {"names": ["ab"]}, {"names": ["ab", "ab"]}, id="sum"),
        pytest.param(
            "self.names.filter(n, n != 'a').size() == 1", {"names": ["a", "b"]}, {"names": ["a"]}, id="filter"
        ),
        pytest.param("self.names.isSorted()", {"names": ["a", "b"]}, {"names": ["b", "a"]}, id="sorted"),
        pytest.param("self.text.lowerAscii() == 'ab'", {"text": "AB"}, {"text": "b"}, id="strings extension"),
        pytest.param("self.text.split(',').size() == 2", {"text": "a,b"}, {"text": "a"}, id="split"),
        pytest.param("self.text.matches('^a+$')", {"text": "aa"}, {"text": "a\n"}, id="regular expression"),
        pytest.param("isIP(self.text)", {"text": "10.0.0.1"}, {"text": "10.0.0.01"}, id="address"),
        pytest.param("isIP(self.text)", {"text": "fe80::1"}, {"text": "fe80::1%eth0"}, id="address with a zone"),
        pytest.param("isCIDR(self.text)", {"text": "10.0.0.1/8"}, {"text": "10.0.0.0/255.0.0.0"}, id="prefix"),
        pytest.param("isCIDR(self.text)", {"text": "::/0"}, {"text": "::ffff:1.2.3.4/120"}, id="mapped prefix"),
        pytest.param("ip(self.text).family() == 6", {"text": "::1"}, {"text": "1.2.3.4"}, id="family"),
        pytest.param(
            "cidr('10.0.0.0/8').containsIP(self.text)",
            {"text": "10.9.9.9"},
            {"text": "11.0.0.0"},
            id="prefix of address",
        ),
        pytest.param(
            "cidr(self.text) == cidr(self.text).masked()",
            {"text": "10.0.0.0/8"},
            {"text": "10.0.0.1/8"},
            id="host bits",
        ),
        pytest.param("sets.contains(['a', 'b'], self.names)", {"names": ["a"]}, {"names": ["c"]}, id="sets"),
        pytest.param(
            "self.labels.all(k, self.labels[k] != '')", {"labels": {"a": "b"}}, {"labels": {"a": ""}}, id="map"
        ),
        pytest.param(
            "self.__namespace__ == 'a'", {"namespace": "a"}, {"namespace": "b"}, id="a reserved word as a field"
        ),
        pytest.param("self.a__dash__b == 'a'", {"a-b": "a"}, {"a-b": "b"}, id="a dash in a field"),
        pytest.param("self.ratio >= 0.5", {"ratio": 1}, {"ratio": 0}, id="whole numbers of a number field are doubles"),
        pytest.param("self.?x.orValue(5) > 3", {}, {"x": 1}, id="optional field"),
        pytest.param("cel.bind(n, self.x, n * n > 3)", {"x": 2}, {"x": 1}, id="binding"),
        pytest.param("duration(self.text) < duration('1h')", {"text": "59m"}, {"text": "2h"}, id="duration"),
    ],
)
def test_a_rule_accepts_what_holds_and_refuses_what_does_not(rule: str, holds: Json, fails: Json) -> None:
    fields = obj(
        x=NUMBER,
        text=TEXT,
        names=arr(TEXT),
        namespace=TEXT,
        ratio={"type": "number"},
        labels={"type": "object", "additionalProperties": TEXT},
        **{"a-b": TEXT},
    )
    schema = ruled(fields, rule)
    assert _refusals(schema, holds) == []
    assert _refusals(schema, fails) == [f'spec: Invalid value: "object": failed rule: {rule}']


def test_a_rule_words_its_refusal_by_an_expression_at_a_field_with_a_reason() -> None:
    rule = {
        "rule": "self.x <= self.y",
        "message": "x is larger than y",
        "messageExpression": "'x is ' + string(self.x) + ', more than ' + string(self.y)",
        "reason": "FieldValueForbidden",
        "fieldPath": ".x",
    }
    _, errors = admit(definition(ruled(obj(x=NUMBER, y=NUMBER), rule)), policy({"x": 3, "y": 2}))
    assert [(error.field, error.message, str(error.reason)) for error in errors] == [
        ("spec.x", "Forbidden: x is 3, more than 2", "FieldValueForbidden")
    ]


def test_a_rule_stands_on_every_level() -> None:
    port = ruled(NUMBER, {"rule": "self != 22", "message": "22 is taken"})
    item = ruled(obj(name=TEXT, port=port), {"rule": "self.name != 'x'", "message": "x is taken"})
    schema = obj(items=list_map("name", item), more={"type": "object", "additionalProperties": port})
    spec = {"items": [{"name": "a", "port": 22}, {"name": "x", "port": 1}], "more": {"k": 22}}
    assert _refusals(schema, spec) == [
        'spec.items[0].port: Invalid value: "integer": 22 is taken',
        'spec.items[1]: Invalid value: "object": x is taken',
        'spec.more.k: Invalid value: "integer": 22 is taken',
    ]


def test_an_absent_field_fails_the_rule_that_needs_it() -> None:
    assert _refusals(ruled(obj(x=NUMBER), "self.x > 1"), {}) == [
        'spec: Invalid value: "object": no such key: x evaluating rule: self.x > 1'
    ]


def test_transition_rules_match_list_entries_by_their_keys() -> None:
    item = obj(name=TEXT, port=ruled(NUMBER, {"rule": "self == oldSelf", "message": "port is immutable"}))
    schema = obj(items=list_map("name", item))
    before = {"items": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}
    moved = {"items": [{"name": "new", "port": 9}, {"name": "b", "port": 2}, {"name": "a", "port": 5}]}
    assert _refusals(schema, before) == []
    assert _refusals(schema, moved, old=before) == ['spec.items[2].port: Invalid value: "integer": port is immutable']


def test_a_broken_rule_is_tolerated_while_the_value_is_unchanged() -> None:
    schema = obj(inner=ruled(obj(x=NUMBER), "self.x > 1"), other=NUMBER)
    assert _refusals(schema, {"inner": {"x": 0}, "other": 2}, old={"inner": {"x": 0}, "other": 1}) == []
    assert len(_refusals(schema, {"inner": {"x": -1}, "other": 2}, old={"inner": {"x": 0}, "other": 1})) == 1


def test_rules_wait_until_the_shape_is_right() -> None:
    schema = ruled({**obj(x=NUMBER, y=TEXT), "required": ["y"]}, "self.x > 1")
    assert _refusals(schema, {"x": 0}) == [
        "spec.y: Required value",
        (
            '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; '
            "correct the existing errors to complete validation"
        ),
    ]


def test_the_root_rule_sees_the_name_and_nothing_else_of_the_metadata() -> None:
    crd = definition(obj(x=NUMBER))
    root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    root["x-kubernetes-validations"] = [{"rule": "self.metadata.name == 'p1'", "message": "another name"}]
    assert admit(crd, policy({"x": 1}))[1] == ()
    assert [str(error) for error in admit(crd, policy({"x": 1}, "p2"))[1]] == [
        '<nil>: Invalid value: "object": another name'
    ]
