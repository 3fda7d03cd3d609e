"""CEL expressions of CustomResourceDefinitions: compiled against a structural schema and evaluated on values.

Reference: Kubernetes documentation "Validation rules". Objects are seen through their schema: property names are
escaped, strings of some formats are times or durations, scalars have their static type so that comparing a number with
a string is refused when the definition is created, as on a real server.

Known difference: a time, duration or bytes inside an object or list is seen as a string, because the CEL library takes
such values only as `self` itself. A rule about one belongs on the field itself, where it works.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kubeemulator.celast import escaped, references
from kubeemulator.celfunctions import kubernetes_extension
from kubeemulator.cellibrary import cel, ext_bindings, ext_math, ext_optional, ext_strings
from kubeemulator.formats import parse_date_time, parse_duration
from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, object_at
from kubeemulator.structural import INT_OR_STRING, PRESERVE

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_T = cel.Type
_CODE: Final = re.compile(r"^[A-Z_]+: ")
_NO_KEY: Final = re.compile(r'Key not found in map : "?(.*?)"?$')


class CelError(ValueError):
    """An expression that does not compile, or whose evaluation failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled expression, bound to the schema of its `self`."""

    expression: cel.Expression
    schema: JsonObject
    uses_old: bool
    """Whether it mentions `oldSelf`, which makes it a transition rule."""

    def run(self, value: JsonValue, old: JsonValue = MISSING) -> JsonValue:
        """The expression's value.

        Raises:
            CelError: The evaluation failed, for example for an absent key.
        """
        bindings = {"self": _seen(self.schema, value)}
        if self.uses_old:
            bindings["oldSelf"] = _seen(self.schema, old)
        result = self.expression.eval(data=bindings)
        if result.type() == _T.ERROR:
            raise CelError(_readable(str(result.plain_value())))
        return result.plain_value()


def resource_schema(schema: JsonObject) -> JsonObject:
    """The schema of a whole resource as rules see it: its own properties, and of the metadata the name only."""
    text = {"type": "string"}
    metadata = {"type": "object", "properties": {"name": text, "generateName": text}}
    envelope = {"apiVersion": text, "kind": text, "metadata": metadata}
    return {**schema, "properties": {**object_at(schema, "properties"), **envelope}}


def compile_expression(text: str, schema: JsonObject, *, returns: cel.Type = _T.BOOL) -> Program:
    """Compile an expression over a value of the schema.

    Raises:
        CelError: A syntax error, a type error, another result type than asked for, or a field the schema lacks.
    """
    try:
        expression = _environment(_type_signature(schema)).compile(text)
    except RuntimeError as error:
        raise CelError(f"compilation failed: {_readable(str(error))}") from error
    observed = expression.return_type()
    if observed not in (returns, _T.DYN):
        raise CelError(f"cel expression must evaluate to a {returns.name().lower()}")
    found = references(expression.serialize(), schema)
    if found.unknown:
        first = found.unknown[0]
        raise CelError(f"compilation failed: undefined field '{first.field}' of '{first.path}'")
    return Program(expression=expression, schema=schema, uses_old="oldSelf" in found.variables)


@lru_cache(maxsize=64)
def _environment(self_type: str) -> cel.Env:
    declared = _T(self_type)
    return cel.NewEnv(
        variables={"self": declared, "oldSelf": declared},
        extensions=[
            ext_strings.ExtStrings(),
            ext_math.ExtMath(),
            ext_optional.ExtOptional(),
            ext_bindings.ExtBindings(),
            kubernetes_extension(),
        ],
    )


def _type_signature(schema: JsonObject) -> str:
    if schema.get(INT_OR_STRING) or schema.get("nullable"):
        return "dyn"
    match schema.get("type"):
        case "string":
            return _STRING_TYPES.get(schema.get("format", ""), "string")
        case "array":
            return f"list<{_type_signature(object_at(schema, 'items'))}>"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"map<string, {_type_signature(schema['additionalProperties'])}>"
        case scalar:
            return _SCALAR_TYPES.get(str(scalar), "dyn")


_STRING_TYPES: Final = {"byte": "bytes", "date-time": "timestamp", "duration": "duration"}
_SCALAR_TYPES: Final = {"integer": "int", "number": "double", "boolean": "bool"}


def _seen(schema: JsonObject, value: JsonValue) -> JsonValue:
    """A value as CEL sees it through its schema."""
    match value:
        case dict():
            return _seen_object(schema, value)
        case list():
            items = object_at(schema, "items")
            return [_seen_inside(items, item) for item in value]
        case str():
            return _seen_text(schema.get("format", ""), value)
        case int() if schema.get("type") == "number" and not isinstance(value, bool):
            return float(value)
        case float() if schema.get("type") == "integer":
            return int(value)
        case _:
            return value


def _seen_object(schema: JsonObject, value: JsonObject) -> JsonObject:
    properties, additional = object_at(schema, "properties"), schema.get("additionalProperties")
    if isinstance(additional, dict):
        return {key: _seen_inside(additional, child) for key, child in value.items()}
    if schema.get(PRESERVE) and not properties:
        return value
    return {escaped(key): _seen_inside(properties[key], child) for key, child in value.items() if key in properties}


def _seen_inside(schema: JsonObject, value: JsonValue) -> JsonValue:
    return value if isinstance(value, str) else _seen(schema, value)


def _seen_text(format_name: str, value: str) -> str | bytes | datetime | timedelta:
    try:
        match format_name:
            case "byte":
                return base64.b64decode(value)
            case "date-time":
                return parse_date_time(value)
            case "duration":
                return parse_duration(value)
            case _:
                return value
    except ValueError:
        return value


def _readable(text: str) -> str:
    """An evaluation error in the real server's words, as far as the two libraries say the same."""
    plain = _CODE.sub("", text).removesuffix(" [INVALID_ARGUMENT]")
    absent = _NO_KEY.search(plain)
    if absent:
        return f"no such key: {absent.group(1)}"
    return plain.replace("No matching overloads found", "no such overload")
