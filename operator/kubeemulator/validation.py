"""Whether a value has the shape its structural schema asks for: every error, in the API server's own words.

On an update an unchanged value is never refused ("validation ratcheting", Kubernetes documentation "Extend the
Kubernetes API with CustomResourceDefinitions").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator import fielderrors
from kubeemulator.formats import has_format
from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, list_at, object_at, same_json
from kubeemulator.regex import matches
from kubeemulator.structural import INT_OR_STRING, LIST_MAP_KEYS, LIST_TYPE, correlated_items, identity, property_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeemulator.fielderrors import FieldError


def validate(schema: JsonObject, value: JsonValue, old: JsonValue = MISSING, path: str = "") -> Iterator[FieldError]:
    """Every error of the value.

    Args:
        schema: The structural schema of the value.
        value: The pruned and defaulted value.
        old: What the value was before, or MISSING for a new one.
        path: Where the value is in its object.
    """
    if old is not MISSING and same_json(value, old):
        return
    if value is None and schema.get("nullable"):
        return
    type_error = _type_error(schema, value, path)
    if type_error is not None:
        yield type_error
        return
    yield from _closed_set_errors(schema, value, path)
    match value:
        case bool() | None:
            pass
        case int() | float():
            yield from _number_errors(schema, value, path)
        case str():
            yield from _string_errors(schema, value, path)
        case list():
            yield from _list_errors(schema, value, old, path)
        case dict():
            yield from _object_errors(schema, value, old, path)
        case _:
            raise TypeError(f"{type(value).__name__} at {path!r} is no JSON")
    yield from _combination_errors(schema, value, path)


def json_type(value: JsonValue) -> str:
    """The JSON schema name of a value's type; a whole float counts as an integer, as in JSON."""
    if isinstance(value, float) and not value.is_integer():
        return "number"
    return _JSON_TYPES[type(value)]


_JSON_TYPES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "integer",
    str: "string",
    list: "array",
    dict: "object",
}


def _type_error(schema: JsonObject, value: JsonValue, path: str) -> FieldError | None:
    observed = json_type(value)
    if schema.get(INT_OR_STRING):
        if observed in {"integer", "string"}:
            return None
        return fielderrors.wrong_type(path, observed, f'{path} in body must be of type int-or-string: "{observed}"')
    wanted = schema.get("type")
    if wanted is None or wanted == observed or (wanted == "number" and observed == "integer"):
        return None
    return fielderrors.wrong_type(path, observed, f'{path} in body must be of type {wanted}: "{observed}"')


def _closed_set_errors(schema: JsonObject, value: JsonValue, path: str) -> Iterator[FieldError]:
    choices = list_at(schema, "enum")
    if choices and not any(same_json(value, choice) for choice in choices):
        yield fielderrors.not_supported(path, value, choices)


def _number_errors(schema: JsonObject, value: float, path: str) -> Iterator[FieldError]:
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if least is not None:
        exclusive = bool(schema.get("exclusiveMinimum"))
        if value < least or (exclusive and value == least):
            words = "greater than" if exclusive else "greater than or equal to"
            yield fielderrors.invalid(path, value, f"{path} in body should be {words} {least}")
    if most is not None:
        exclusive = bool(schema.get("exclusiveMaximum"))
        if value > most or (exclusive and value == most):
            words = "less than" if exclusive else "less than or equal to"
            yield fielderrors.invalid(path, value, f"{path} in body should be {words} {most}")
    if step and value % step:
        yield fielderrors.invalid(path, value, f"{path} in body should be a multiple of {step}")
    yield from _integer_format_errors(schema, value, path)


_INTEGER_BITS: Final = {"int32": 32, "int64": 64}


def _integer_format_errors(schema: JsonObject, value: float, path: str) -> Iterator[FieldError]:
    bits = _INTEGER_BITS.get(schema.get("format", ""))
    if bits is not None and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        detail = f"{path} in body must be of type integer with format {schema['format']}"
        yield fielderrors.invalid(path, value, detail)


def _string_errors(schema: JsonObject, value: str, path: str) -> Iterator[FieldError]:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    if longest is not None and len(value) > longest:
        yield fielderrors.too_long(path, longest)
    if shortest is not None and len(value) < shortest:
        yield fielderrors.invalid(path, value, f"{path} in body should be at least {shortest} chars long")
    pattern, format_name = schema.get("pattern"), schema.get("format")
    if pattern is not None and not matches(pattern, value):
        yield fielderrors.invalid(path, value, f"{path} in body should match '{pattern}'")
    if format_name is not None and not has_format(format_name, value):
        yield fielderrors.invalid(path, value, f'{path} in body must be of type {format_name}: "{value}"')


def _list_errors(schema: JsonObject, value: list[JsonValue], old: JsonValue, path: str) -> Iterator[FieldError]:
    most, least = schema.get("maxItems"), schema.get("minItems")
    if most is not None and len(value) > most:
        yield fielderrors.too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield fielderrors.invalid(path, len(value), f"{path} in body should have at least {least} items")
    items = object_at(schema, "items")
    if items:
        for index, (item, old_item) in enumerate(correlated_items(schema, value, old)):
            yield from validate(items, item, old_item, f"{path}[{index}]")
    yield from _duplicate_errors(schema, value, path)


def _duplicate_errors(schema: JsonObject, value: list[JsonValue], path: str) -> Iterator[FieldError]:
    seen: set[object] = set()
    match schema.get(LIST_TYPE):
        case "set":
            for index, item in enumerate(value):
                mark = fielderrors.shown(item)
                if mark in seen:
                    yield fielderrors.duplicate(f"{path}[{index}]", item)
                seen.add(mark)
        case "map":
            keys = list_at(schema, LIST_MAP_KEYS)
            for index, item in enumerate(value):
                if not isinstance(item, dict):
                    continue
                name = identity(keys, item)
                if name in seen:
                    named = {key: item[key] for key in keys if key in item}
                    yield fielderrors.duplicate(f"{path}[{index}]", named)
                seen.add(name)
        case _:
            pass


def _object_errors(schema: JsonObject, value: JsonObject, old: JsonValue, path: str) -> Iterator[FieldError]:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None and len(value) > most:
        yield fielderrors.too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield fielderrors.invalid(path, len(value), f"{path} in body should have at least {least} properties")
    for key in list_at(schema, "required"):
        if key not in value:
            yield fielderrors.required(child_path(path, key))
    for key, child in value.items():
        child_schema = property_schema(schema, key)
        if child_schema is not None:
            old_child = old.get(key, MISSING) if isinstance(old, dict) else MISSING
            named = key in object_at(schema, "properties")
            below = child_path(path, key) if named else f"{path}.{key}"
            yield from validate(child_schema, child, old_child, below)


def child_path(path: str, key: str) -> str:
    """The path of a property."""
    return f"{path}.{key}" if path else key


def _combination_errors(schema: JsonObject, value: JsonValue, path: str) -> Iterator[FieldError]:
    for part in list_at(schema, "allOf"):
        yield from validate(part, value, MISSING, path)
    any_of, one_of = list_at(schema, "anyOf"), list_at(schema, "oneOf")
    if any_of and not any(_fits(part, value) for part in any_of):
        yield fielderrors.invalid(path, value, f'"{path}" must validate at least one schema (anyOf)')
    if one_of:
        fitting = sum(_fits(part, value) for part in one_of)
        if fitting != 1:
            detail = f'"{path}" must validate one and only one schema (oneOf). Found {fitting or "none"} valid'
            yield fielderrors.invalid(path, value, detail + (" alternatives" if fitting else ""))
    excluded = schema.get("not")
    if isinstance(excluded, dict) and _fits(excluded, value):
        yield fielderrors.invalid(path, value, f'"{path}" must not validate the schema (not)')


def _fits(schema: JsonObject, value: JsonValue) -> bool:
    return next(validate(schema, value), None) is None
