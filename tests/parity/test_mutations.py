"""CRDs and models agree on objects nobody thought of: corpus objects with parts replaced, removed or doubled."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeemulator.jsontypes import JsonValue
from tests.parity.corpus import cases, without_nulls
from tests.parity.judges import judge, parse

Path = tuple[str | int, ...]

CORPUS = [(case, obj) for case in cases() if "spec" in (obj := without_nulls(case.obj))]
ACCEPTED = [obj for case, obj in CORPUS if case.refused is None]


def _paths(value: JsonValue, here: Path = ()) -> Iterator[Path]:
    if here:
        yield here
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _paths(child, (*here, key))
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from _paths(child, (*here, index))


def _at(value: JsonValue, path: Path) -> JsonValue:
    for part in path:
        value = value[part]
    return value


def _field_of(path: Path) -> str:
    """The name of the field that a path is in, whatever list it is an entry of."""
    names = [part for part in path if isinstance(part, str)]
    return names[-1] + "[]" * (len(path) - 1 - max(index for index, part in enumerate(path) if isinstance(part, str)))


def _material() -> dict[str, list[Any]]:
    """Every distinct value of every field in the corpus; under "" those of all fields: right here is wrong there."""
    found: dict[str, dict[str, Any]] = {"": {}}
    for _, obj in CORPUS:
        for path in _paths(obj["spec"]):
            part = _at(obj["spec"], path)
            found[""][repr(part)] = found.setdefault(_field_of(path), {})[repr(part)] = part
    return {field: [values[key] for key in sorted(values)] for field, values in found.items()}


EDGES = [
    None,
    True,
    -1,
    0,
    1,
    39,
    40,
    149,
    150,
    4096,
    4097,
    29876,
    49999,
    50000,
    55000,
    55001,
    65534,
    65535,
    65536,
    2**31,
]
MATERIAL = _material()
TEXTS = st.text(alphabet="0159.:/*-abAF%_ \n", max_size=20) | st.from_regex(r"(\d{1,3}\.){3}\d{1,3}(/\d{1,3})?\n?")
PORTS = st.integers(1, 65535) | st.sampled_from(EDGES[4:])
ANYTHING = st.sampled_from(MATERIAL[""]) | st.sampled_from(EDGES) | TEXTS | PORTS


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    obj: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(ACCEPTED)))
    for _ in range(draw(st.integers(1, 2))):
        paths = list(_paths(obj["spec"]))
        if paths:
            _mutate(draw, obj["spec"], draw(st.sampled_from(paths)))
    return obj


def _mutate(draw: st.DrawFn, spec: dict[str, Any], path: Path) -> None:
    parent, last = _at(spec, path[:-1]), path[-1]
    match draw(st.sampled_from(["likely", "likely", "likely", "nearby", "anything", "remove", "double"])):
        case "likely":
            parent[last] = copy.deepcopy(draw(st.sampled_from(MATERIAL.get(_field_of(path), EDGES))))
        case "nearby" if isinstance(parent[last], int):
            parent[last] += draw(st.integers(-50, 50))
        case "nearby" | "anything":
            parent[last] = copy.deepcopy(draw(ANYTHING))
        case "remove":
            del parent[last]
        case _ if isinstance(last, int):
            parent.append(copy.deepcopy(parent[last]))
        case _:
            parent[draw(st.sampled_from(sorted(parent)))] = copy.deepcopy(parent[last])


@settings(max_examples=500, deadline=None)
@given(obj=objects())
def test_both_judge_a_mutated_object_alike(obj: dict[str, Any]) -> None:
    verdicts = judge(obj)

    assert bool(verdicts.by_definition) == bool(verdicts.by_model), (verdicts.by_definition, verdicts.by_model)
    if not verdicts.by_model:
        assert parse(verdicts.stored) == parse(obj)
