from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeemulator.errors import ApiError
from kubeemulator.fieldsets import from_fields_v1, owned_fields, to_fields_v1
from kubeemulator.serverside import Writer, after_update, apply
from tests.kubeemulator.definitions import NUMBER, TEXT, Json, arr, list_map, obj

SCHEMA = obj(
    spec=obj(
        a=NUMBER,
        b=NUMBER,
        tags=arr(TEXT, **{"x-kubernetes-list-type": "set"}),
        plain=arr(NUMBER),
        ports=list_map("name", obj(name=TEXT, port=NUMBER, note=TEXT)),
        free={"type": "object", "additionalProperties": TEXT},
    )
)


def _writer(manager: str, subresource: str = "") -> Writer:
    return Writer(manager=manager, api_version="demo/v1", time="2026-01-01T00:00:00Z", subresource=subresource)


def _applied(live: Json | None, manager: str, spec: Json, *, force: bool = False) -> Json:
    return apply(SCHEMA, live, {"metadata": {"name": "x"}, "spec": spec}, _writer(manager), force=force)


def _owners(found: Json) -> dict[str, Json]:
    return {entry["manager"]: entry["fieldsV1"] for entry in found["metadata"]["managedFields"]}


def test_two_managers_own_their_own_fields() -> None:
    found = _applied(_applied(None, "alpha", {"a": 1}), "beta", {"b": 2})
    assert found["spec"] == {"a": 1, "b": 2}
    assert _owners(found) == {"alpha": {"f:spec": {"f:a": {}}}, "beta": {"f:spec": {"f:b": {}}}}


def test_two_managers_share_a_field_of_equal_value() -> None:
    found = _applied(_applied(None, "alpha", {"a": 1}), "beta", {"a": 1})
    found = _applied(found, "alpha", {"b": 1})
    assert found["spec"] == {"a": 1, "b": 1}


def test_a_forced_field_changes_its_owner() -> None:
    found = _applied(_applied(None, "alpha", {"a": 1, "b": 1}), "beta", {"a": 2}, force=True)
    assert _owners(found) == {"alpha": {"f:spec": {"f:b": {}}}, "beta": {"f:spec": {"f:a": {}}}}


def test_conflicts_with_several_fields_are_listed_by_manager() -> None:
    live = _applied(None, "alpha", {"a": 1, "ports": [{"name": "ssh", "port": 22}]})
    with pytest.raises(ApiError) as caught:
        _applied(live, "beta", {"a": 2, "ports": [{"name": "ssh", "port": 23}]})
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "alpha":\n- .spec.a\n- .spec.ports[name="ssh"].port'
    )


def test_list_entries_are_merged_by_key_and_given_up_one_by_one() -> None:
    live = _applied(None, "alpha", {"ports": [{"name": "ssh", "port": 22}, {"name": "rdp", "port": 3389}]})
    live = _applied(live, "beta", {"ports": [{"name": "rdp", "note": "mine"}, {"name": "web", "port": 80}]})
    assert [entry["name"] for entry in live["spec"]["ports"]] == ["ssh", "rdp", "web"]
    live = _applied(live, "alpha", {"ports": [{"name": "ssh", "port": 22}]})
    assert live["spec"]["ports"] == [
        {"name": "ssh", "port": 22},
        {"name": "rdp", "note": "mine"},
        {"name": "web", "port": 80},
    ]


def test_set_entries_are_given_up_one_by_one() -> None:
    live = _applied(_applied(None, "alpha", {"tags": ["a", "b"]}), "beta", {"tags": ["b", "c"]})
    assert _applied(live, "alpha", {"tags": []})["spec"]["tags"] == ["b", "c"]


def test_a_plain_list_is_owned_as_a_whole() -> None:
    live = _applied(None, "alpha", {"plain": [1, 2]})
    with pytest.raises(ApiError, match=r'conflict with "alpha": \.spec\.plain'):
        _applied(live, "beta", {"plain": [1]})


def test_an_ordinary_write_takes_what_it_changes_from_its_applier() -> None:
    live = _applied(None, "alpha", {"a": 1, "b": 1})
    found = after_update(SCHEMA, live, {**live, "spec": {"a": 5, "b": 1}}, _writer("editor"))
    assert _owners(found) == {"alpha": {"f:spec": {"f:b": {}}}, "editor": {"f:spec": {"f:a": {}}}}
    with pytest.raises(ApiError, match='conflict with "editor" using demo/v1'):
        _applied(found, "alpha", {"a": 1, "b": 1})


def test_applying_the_same_again_changes_nothing() -> None:
    live = _applied(None, "alpha", {"a": 1, "ports": [{"name": "ssh", "port": 22}], "free": {"x": "y"}})
    assert _applied(live, "alpha", {"a": 1, "ports": [{"name": "ssh", "port": 22}], "free": {"x": "y"}}) == live


_SPECS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.integers(0, 2),
        "b": st.integers(0, 2),
        "tags": st.lists(st.sampled_from("xyz"), unique=True),
        "ports": st.lists(st.sampled_from("pqr"), unique=True).map(
            lambda names: [{"name": n, "port": 1} for n in names]
        ),
        "free": st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw")),
    },
)


@given(first=_SPECS, second=_SPECS)
def test_what_a_lone_manager_applies_last_is_all_there_is(first: Json, second: Json) -> None:
    twice = _applied(_applied(None, "alpha", first), "alpha", second)
    once = _applied(None, "alpha", second)
    assert owned_fields(SCHEMA, twice) >= owned_fields(SCHEMA, once)
    left = {key for key, value in twice.get("spec", {}).items() if value}
    assert left == {key for key, value in second.items() if value}


@given(spec=_SPECS)
def test_managed_fields_survive_their_nested_form(spec: Json) -> None:
    fields = owned_fields(SCHEMA, {"spec": spec})
    assert from_fields_v1(to_fields_v1(fields)) == fields
