"""What a compiled CEL expression refers to: its variables, and the fields that its schema does not have.

The CEL library sees objects as untyped maps, so this walk over the syntax tree (`cel.expr.CheckedExpr`, whose field
numbers are those of the CEL specification's syntax.proto) finds misspelled fields, as the real server's type checker
does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kubeemulator import protowire
from kubeemulator.jsontypes import JsonObject, object_at
from kubeemulator.structural import PRESERVE

if TYPE_CHECKING:
    from kubeemulator.protowire import Message

_RESERVED: Final = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"}
    | {"let", "loop", "package", "namespace", "return", "var", "void", "while"}
)
_SYMBOLS: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SYMBOL: Final = re.compile(r"__|[./-]")
_MEMBER_INDEX: Final = "_[_]"
_IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 4, 5, 6, 7, 8, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A select of a field that the schema of its operand lacks."""

    field: str
    path: str
    """The operand, as the expression wrote it."""


@dataclass(slots=True, kw_only=True)
class References:
    """What an expression refers to."""

    variables: set[str] = field(default_factory=set)
    unknown: list[Unknown] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operand:
    """What is known of a sub-expression."""

    schema: JsonObject
    """Its structural schema; empty when nothing is known."""

    path: str = ""


_ANYTHING: Final = _Operand(schema={})


def escaped(name: str) -> str:
    """A property name as an expression spells it (Kubernetes documentation "Validation rules", escaping)."""
    if name in _RESERVED:
        return f"__{name}__"
    return _SYMBOL.sub(lambda found: _SYMBOLS[found.group()], name)


def references(serialized: bytes, schema: JsonObject) -> References:
    """What an expression over `self` of the schema refers to.

    Args:
        serialized: The checked expression, wrapped in `google.protobuf.Any`.
        schema: The schema of `self` and `oldSelf`.
    """
    checked = protowire.child(protowire.decode(serialized), 2)
    checked = checked or protowire.decode(serialized)
    found = References()
    scope = {name: _Operand(schema=schema, path=name) for name in ("self", "oldSelf")}
    _walk(protowire.child(checked, 4), scope, found)
    return found


def _walk(expression: Message, scope: dict[str, _Operand], found: References) -> _Operand:
    if _IDENT in expression:
        name = protowire.text(protowire.child(expression, _IDENT), 1)
        found.variables.add(name)
        return scope.get(name, _ANYTHING)
    if _SELECT in expression:
        return _select(protowire.child(expression, _SELECT), scope, found)
    if _CALL in expression:
        return _call(protowire.child(expression, _CALL), scope, found)
    if _LIST in expression:
        for element in protowire.children(protowire.child(expression, _LIST), 1):
            _walk(element, scope, found)
    if _STRUCT in expression:
        for entry in protowire.children(protowire.child(expression, _STRUCT), 2):
            _walk(protowire.child(entry, 4), scope, found)
    if _COMPREHENSION in expression:
        return _comprehension(protowire.child(expression, _COMPREHENSION), scope, found)
    return _ANYTHING


def _select(select: Message, scope: dict[str, _Operand], found: References) -> _Operand:
    operand = _walk(protowire.child(select, 1), scope, found)
    name = protowire.text(select, 2)
    path = f"{operand.path}.{name}"
    properties = object_at(operand.schema, "properties")
    for key, schema in properties.items():
        if escaped(key) == name:
            return _Operand(schema=schema, path=path)
    additional = operand.schema.get("additionalProperties")
    if isinstance(additional, dict):
        return _Operand(schema=additional, path=path)
    if operand.schema.get("type") == "object" and additional is None and not operand.schema.get(PRESERVE):
        found.unknown.append(Unknown(field=name, path=operand.path))
    return _ANYTHING


def _call(call: Message, scope: dict[str, _Operand], found: References) -> _Operand:
    if 1 in call:
        _walk(protowire.child(call, 1), scope, found)
    operands = [_walk(argument, scope, found) for argument in protowire.children(call, 3)]
    if protowire.text(call, 2) == _MEMBER_INDEX and operands:
        return _Operand(schema=_entries(operands[0].schema), path=f"{operands[0].path}[...]")
    return _ANYTHING


def _comprehension(loop: Message, scope: dict[str, _Operand], found: References) -> _Operand:
    whole = _walk(protowire.child(loop, 2), scope, found)
    entry = _Operand(schema=object_at(whole.schema, "items"), path=protowire.text(loop, 1))
    _walk(protowire.child(loop, 4), scope, found)
    collected = _ANYTHING
    inner = {**scope, protowire.text(loop, 1): entry, protowire.text(loop, 3): collected}
    for part in (5, 6):
        _walk(protowire.child(loop, part), inner, found)
    return _walk(protowire.child(loop, 7), {**scope, protowire.text(loop, 3): _collected(loop, whole)}, found)


def _collected(loop: Message, whole: _Operand) -> _Operand:
    """What a macro collects: `filter` (whose step adds the loop variable itself) keeps the entries' schema."""
    step = protowire.child(loop, 6)
    added = [
        protowire.text(protowire.child(element, _IDENT), 1)
        for call in _conditional_branches(step)
        for listed in protowire.children(call, 3)
        for element in protowire.children(protowire.child(listed, _LIST), 1)
    ]
    return whole if added == [protowire.text(loop, 1)] else _ANYTHING


def _conditional_branches(step: Message) -> list[Message]:
    call = protowire.child(step, _CALL)
    if protowire.text(call, 2) != "_?_:_":
        return []
    return [protowire.child(branch, _CALL) for branch in protowire.children(call, 3)[1:] if _CALL in branch]


def _entries(schema: JsonObject) -> JsonObject:
    return object_at(schema, "items") or object_at(schema, "additionalProperties")
