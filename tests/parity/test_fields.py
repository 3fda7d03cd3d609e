"""CRDs and models know the same fields, with the same bounds, words and defaults; statuses likewise."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from batchaccess.api.connection import ConnectionSpec
from batchaccess.api.policy import PolicySpec
from batchaccess.api.poolaccess import PoolAccessSpec
from batchaccess.core.model import ObjectKey
from batchaccess.core.status import ConnectionStatus, PolicyStatus, PoolStatus
from tests.parity.judges import schema_of

SPECS: Mapping[str, type[BaseModel]] = {
    "BatchAccountConnection": ConnectionSpec,
    "BatchPoolAccessPolicy": PolicySpec,
    "BatchPoolAccess": PoolAccessSpec,
}
STATUSES: Mapping[str, type] = {
    "BatchAccountConnection": ConnectionStatus,
    "BatchPoolAccessPolicy": PolicyStatus,
    "BatchPoolAccess": PoolStatus,
}
SCALARS = {"integer": int, "string": str, "boolean": bool}
BOUNDS = (
    ("minimum", "ge"),
    ("maximum", "le"),
    ("minLength", "min_length"),
    ("maxLength", "max_length"),
    ("minItems", "min_length"),
    ("maxItems", "max_length"),
    ("minProperties", "min_length"),
    ("maxProperties", "max_length"),
    ("pattern", "pattern"),
)


def _without_none(annotation: object) -> object:
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = [part for part in get_args(annotation) if part is not type(None)]
    return annotation


def _unfolded(annotation: object) -> tuple[object, list[object]]:
    """The bare type, and everything it is annotated with."""
    annotation = _without_none(annotation)
    if get_origin(annotation) is not Annotated:
        return annotation, []
    inner, *marks = get_args(annotation)
    bare, below = _unfolded(inner)
    return bare, [*below, *marks]


def _bounds(marks: list[object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mark in marks:
        for part in [mark, *getattr(mark, "metadata", [])]:
            for name in ("ge", "le", "min_length", "max_length", "pattern"):
                value = getattr(part, name, None)
                if value is not None:
                    found[name] = value
    return found


def _disagreements(schema: dict[str, Any], annotation: object, where: str) -> Iterator[str]:
    bare, marks = _unfolded(annotation)
    expected = {ours: schema[theirs] for theirs, ours in BOUNDS if theirs in schema}
    if _bounds(marks) != expected:
        yield f"{where}: bounds {_bounds(marks)} of the model, {expected} of the CRD"
    match get_origin(bare) or bare:
        case origin if origin is list:
            yield from _disagreements(schema["items"], get_args(bare)[0], f"{where}[]")
        case origin if origin is dict:
            yield from _disagreements(schema["additionalProperties"], get_args(bare)[1], f"{where}{{}}")
        case type() as kind if issubclass(kind, BaseModel):
            yield from _model_disagreements(schema, kind, where)
        case kind:
            if _words(bare) != schema.get("enum"):
                yield f"{where}: words {_words(bare)} of the model, {schema.get('enum')} of the CRD"
            elif "enum" not in schema and SCALARS[schema["type"]] is not kind:
                yield f"{where}: {kind} in the model, {schema['type']} in the CRD"


def _words(kind: object) -> list[str] | None:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [member.value for member in kind] if isinstance(kind, type) and issubclass(kind, StrEnum) else None


def _model_disagreements(schema: dict[str, Any], model: type[BaseModel], where: str) -> Iterator[str]:
    by_name = {field.alias or name: field for name, field in model.model_fields.items()}
    if by_name.keys() != schema["properties"].keys():
        yield f"{where}: fields {by_name.keys() ^ schema['properties'].keys()} are in one only"
    required = {name for name, field in by_name.items() if field.is_required()}
    if required != set(schema.get("required", ())):
        yield f"{where}: required {required} by the model, {schema.get('required')} by the CRD"
    for name in sorted(by_name.keys() & schema["properties"].keys()):
        field, child = by_name[name], schema["properties"][name]
        yield from _disagreements(child, _rebuilt(field.annotation, field.metadata), f"{where}.{name}")
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            if _plain(default) != child.get("default", _plain_empty(default)):
                yield f"{where}.{name}: default {default} of the model, {child.get('default')} of the CRD"


def _rebuilt(annotation: object, metadata: list[Any]) -> object:
    for mark in metadata:
        annotation = Annotated[annotation, mark]
    return annotation


def _plain(default: object) -> object:
    """A default as the CRD writes it: objects whose fields are all defaults are `{}`."""
    if isinstance(default, BaseModel):
        return default.model_dump(exclude_defaults=True)
    return default


def _plain_empty(default: object) -> object:
    """What absence means where the CRD has no default."""
    return (
        type(default)() if isinstance(default, list | dict | bool) else {} if isinstance(default, BaseModel) else None
    )


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_specs_have_the_same_fields_bounds_words_and_defaults(kind: str) -> None:
    spec = schema_of(kind)["properties"]["spec"]

    assert list(_disagreements(spec, SPECS[kind], "spec")) == []


def _status_disagreements(schema: dict[str, Any], kind: object, where: str) -> Iterator[str]:
    bare = _without_none(kind)
    if get_origin(bare) is tuple:
        yield from _status_disagreements(schema["items"], get_args(bare)[0], f"{where}[]")
    elif bare is not ObjectKey and isinstance(bare, type) and is_dataclass(bare):
        hints = get_type_hints(bare)
        ours = {to_camel(field.name): hints[field.name] for field in fields(bare)}
        if ours.keys() != schema["properties"].keys():
            yield f"{where}: fields {ours.keys() ^ schema['properties'].keys()} are in one only"
        for name in sorted(ours.keys() & schema["properties"].keys()):
            yield from _status_disagreements(schema["properties"][name], ours[name], f"{where}.{name}")
    else:
        yield from _scalar_disagreements(schema, bare, where)


def _scalar_disagreements(schema: dict[str, Any], kind: object, where: str) -> Iterator[str]:
    match kind:
        case _ if kind is bool:
            good = schema["type"] == "boolean"
        case _ if kind is int:
            good = schema["type"] == "integer"
        case _ if kind is datetime:
            good = schema.get("format") == "date-time"
        case type() as words if issubclass(words, StrEnum) and "enum" in schema:
            good = schema["enum"] == [word.value for word in words]
        case type() as words if issubclass(words, StrEnum):
            good = all(len(word.value) <= schema["maxLength"] for word in words)
        case _:
            good = kind in (str, ObjectKey) and schema["type"] == "string"
    if not good:
        yield f"{where}: {kind} is no {schema}"


@pytest.mark.parametrize("kind", sorted(STATUSES))
def test_statuses_have_the_same_fields(kind: str) -> None:
    status = schema_of(kind)["properties"]["status"]

    assert list(_status_disagreements(status, STATUSES[kind], "status")) == []
