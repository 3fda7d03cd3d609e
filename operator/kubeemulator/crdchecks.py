"""What is wrong with a CustomResourceDefinition: names, structure of its schemas, defaults, rules.

A part of what the real server refuses (`k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation`). The cost
budget of CEL rules is not estimated here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator import fielderrors
from kubeemulator.cel import CelError
from kubeemulator.jsonpath import JsonPathError, compiled
from kubeemulator.jsontypes import JsonObject, JsonValue, list_at, object_at
from kubeemulator.regex import PatternError, matches
from kubeemulator.rules import compile_rule
from kubeemulator.structural import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_MAP_KEYS,
    LIST_TYPE,
    PRESERVE,
    RULES,
    default,
    prune,
)
from kubeemulator.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeemulator.fielderrors import FieldError

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_SCOPES: Final = ("Cluster", "Namespaced")


def definition_errors(definition: JsonObject) -> Iterator[FieldError]:
    """Every error found in a definition."""
    spec = object_at(definition, "spec")
    names = object_at(spec, "names")
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    name = object_at(definition, "metadata").get("name")
    if name != wanted:
        yield fielderrors.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    for key in ("plural", "kind"):
        if not names.get(key):
            yield fielderrors.required(f"spec.names.{key}")
    if spec.get("scope") not in _SCOPES:
        yield fielderrors.not_supported("spec.scope", spec.get("scope", ""), _SCOPES)
    versions = list_at(spec, "versions")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield fielderrors.invalid(
            "spec.versions", len(versions), "must have exactly one version marked as storage version"
        )
    for index, version in enumerate(versions):
        yield from _version_errors(version, f"spec.versions[{index}]")


def _version_errors(version: JsonObject, path: str) -> Iterator[FieldError]:
    schema = object_at(version, "schema").get("openAPIV3Schema")
    if not isinstance(schema, dict):
        yield fielderrors.required(f"{path}.schema.openAPIV3Schema", "schemas are required")
        return
    yield from _schema_errors(schema, f"{path}.schema.openAPIV3Schema", is_root=True)
    for index, column in enumerate(list_at(version, "additionalPrinterColumns")):
        below = f"{path}.additionalPrinterColumns[{index}]"
        if column.get("type") not in _COLUMN_TYPES:
            yield fielderrors.not_supported(f"{below}.type", column.get("type", ""), _COLUMN_TYPES)
        try:
            compiled(str(column.get("jsonPath", "")))
        except JsonPathError as error:
            yield fielderrors.invalid(f"{below}.jsonPath", column.get("jsonPath"), str(error))


def _schema_errors(schema: JsonObject, path: str, *, is_root: bool = False) -> Iterator[FieldError]:
    yield from _type_errors(schema, path, is_root=is_root)
    yield from _forbidden_errors(schema, path)
    yield from _list_errors(schema, path)
    yield from _pattern_errors(schema, path)
    yield from _default_errors(schema, path)
    is_resource = is_root or bool(schema.get(EMBEDDED))
    for index, rule in enumerate(list_at(schema, RULES)):
        yield from _rule_errors(rule, schema, f"{path}.{RULES}[{index}]", is_resource=is_resource)
    for key, child in object_at(schema, "properties").items():
        if not (is_root and key in {"apiVersion", "kind", "metadata"}):
            yield from _schema_errors(child, f"{path}.properties[{key}]")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _schema_errors(schema[key], f"{path}.{key}")


def _type_errors(schema: JsonObject, path: str, *, is_root: bool) -> Iterator[FieldError]:
    kind = schema.get("type")
    if is_root and kind != "object":
        yield fielderrors.invalid(f"{path}.type", kind or "", "must be object at the root")
    elif kind is None and not (schema.get(INT_OR_STRING) or schema.get(PRESERVE)):
        yield fielderrors.required(f"{path}.type", "must not be empty for specified object fields")
    elif kind is not None and kind not in _TYPES:
        yield fielderrors.not_supported(f"{path}.type", kind, _TYPES)
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield fielderrors.required(f"{path}.items", "must be specified")


def _forbidden_errors(schema: JsonObject, path: str) -> Iterator[FieldError]:
    if schema.get("uniqueItems"):
        yield fielderrors.forbidden(
            f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        )
    if "$ref" in schema:
        yield fielderrors.forbidden(f"{path}.$ref", "$ref is not supported")
    if schema.get("additionalProperties") is False:
        yield fielderrors.forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if "properties" in schema and "additionalProperties" in schema:
        yield fielderrors.forbidden(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    for key in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(list_at(schema, key)):
            yield from _value_part_errors(part, f"{path}.{key}[{index}]", schema)
    if isinstance(schema.get("not"), dict):
        yield from _value_part_errors(schema["not"], f"{path}.not", schema)


_STRUCTURAL_ONLY: Final = ("default", "nullable", "description", "title", "additionalProperties", PRESERVE)


def _value_part_errors(part: JsonObject, path: str, outer: JsonObject) -> Iterator[FieldError]:
    """Inside a combination only value validations may stand, about fields that the structure outside declares."""
    keys = _STRUCTURAL_ONLY if outer.get(INT_OR_STRING) else (*_STRUCTURAL_ONLY, "type")
    for key in keys:
        if key in part:
            yield fielderrors.forbidden(f"{path}.{key}", "must be undefined to be structural")
    for name, child in object_at(part, "properties").items():
        declared = object_at(outer, "properties").get(name)
        if declared is None:
            missing = f"{path.partition('.schema')[0]}.properties[{name}]"
            yield fielderrors.required(missing, f"because it is defined in {path}.properties[{name}]")
        else:
            yield from _value_part_errors(child, f"{path}.properties[{name}]", declared)


def _list_errors(schema: JsonObject, path: str) -> Iterator[FieldError]:
    if schema.get(LIST_TYPE) != "map":
        return
    keys = list_at(schema, LIST_MAP_KEYS)
    if not keys:
        yield fielderrors.required(f"{path}.{LIST_MAP_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    items = object_at(schema, "items")
    for key in keys:
        named = object_at(items, "properties").get(key)
        if not isinstance(named, dict):
            yield fielderrors.invalid(f"{path}.{LIST_MAP_KEYS}", key, "key must be a property of items")
        elif key not in list_at(items, "required") and "default" not in named:
            detail = f"this property is in {LIST_MAP_KEYS}, so it must have a default or be a required property"
            yield fielderrors.required(f"{path}.items.properties[{key}].default", detail)


def _pattern_errors(schema: JsonObject, path: str) -> Iterator[FieldError]:
    pattern = schema.get("pattern")
    if pattern is None:
        return
    try:
        matches(pattern, "")
    except PatternError as error:
        yield fielderrors.invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


def _default_errors(schema: JsonObject, path: str) -> Iterator[FieldError]:
    if "default" not in schema:
        return
    value: JsonValue = schema["default"]
    if isinstance(value, dict):
        _, dropped = prune({**schema, PRESERVE: schema.get(PRESERVE, False)}, value)
        if dropped:
            yield fielderrors.invalid(f"{path}.default", value, "must not have unknown fields")
    for error in validate(schema, default(schema, value), path="default"):
        yield fielderrors.invalid(f"{path}.{error.field}", value, error.message)


def _rule_errors(rule: JsonObject, schema: JsonObject, path: str, *, is_resource: bool) -> Iterator[FieldError]:
    if not str(rule.get("rule", "")).strip():
        yield fielderrors.required(f"{path}.rule", "rule is not specified")
        return
    if "\n" in str(rule.get("message", "")).strip():
        yield fielderrors.invalid(f"{path}.message", rule["message"], "message must not contain line breaks")
    try:
        compile_rule(rule, schema, is_resource=is_resource)
    except CelError as error:
        yield fielderrors.invalid(f"{path}.rule", rule["rule"], str(error))
