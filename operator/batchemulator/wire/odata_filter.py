"""The `$filter` subset that clients of Batch use: comparisons, and/or/not, parentheses, startswith."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from batchemulator.wire.times import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<instant>(?:datetime|DateTime)'[^']*')|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w./]*)|(?P<mark>[(),]))",
)
_COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})


class FilterError(ValueError):
    """The filter is not in the subset understood here."""


class _Token(NamedTuple):
    kind: str
    text: str


def parse_filter(text: str) -> Callable[[Mapping[str, object]], bool]:
    """The predicate a `$filter` expresses over one rendered resource; a missing property is null.

    Raises:
        FilterError: the text is not in the subset.
    """
    parser = _Parser(_tokens(text))
    try:
        predicate = parser.disjunction()
    except RecursionError as error:
        raise FilterError("the filter is nested too deeply") from error
    parser.expect_end()
    return predicate


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise FilterError(f"cannot read the filter at {text[position:].strip()!r}")
        tokens.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def disjunction(self) -> Callable[[Mapping[str, object]], bool]:
        parts = [self._conjunction()]
        while self._accept("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise FilterError(f"unexpected {self._tokens[self._next].text!r} in the filter")

    def _conjunction(self) -> Callable[[Mapping[str, object]], bool]:
        parts = [self._negation()]
        while self._accept("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)

    def _negation(self) -> Callable[[Mapping[str, object]], bool]:
        if self._accept("not"):
            inner = self._negation()
            return lambda item: not inner(item)
        if self._accept("("):
            inside = self.disjunction()
            self._expect(")")
            return inside
        return self._comparison()

    def _comparison(self) -> Callable[[Mapping[str, object]], bool]:
        name = self._take("word")
        if name == "startswith":
            return self._prefix_test()
        operator = self._take("word")
        if operator not in _COMPARISONS:
            raise FilterError(f"unknown comparison {operator!r} in the filter")
        wanted = self._literal()
        return lambda item: _compare(_property(item, name), operator, wanted)

    def _prefix_test(self) -> Callable[[Mapping[str, object]], bool]:
        self._expect("(")
        name = self._take("word")
        self._expect(",")
        prefix = self._literal()
        self._expect(")")
        return lambda item: str(_property(item, name) or "").lower().startswith(str(prefix).lower())

    def _literal(self) -> object:
        token = self._peek()
        self._next += 1
        match token.kind:
            case "text":
                return token.text[1:-1].replace("''", "'")
            case "number":
                return float(token.text)
            case "instant":
                return _canonical_instant(token.text[len("datetime'") : -1])
            case "word" if token.text in {"true", "false", "null"}:
                return {"true": True, "false": False, "null": None}[token.text]
            case _:
                raise FilterError(f"expected a value, found {token.text!r} in the filter")

    def _peek(self) -> _Token:
        if self._next >= len(self._tokens):
            raise FilterError("the filter ends too early")
        return self._tokens[self._next]

    def _accept(self, text: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next].text == text
        self._next += found
        return found

    def _expect(self, text: str) -> None:
        if self._peek().text != text:
            raise FilterError(f"expected {text!r}, found {self._peek().text!r} in the filter")
        self._next += 1

    def _take(self, kind: str) -> str:
        token = self._peek()
        if token.kind != kind:
            raise FilterError(f"expected a name, found {token.text!r} in the filter")
        self._next += 1
        return token.text


def _canonical_instant(text: str) -> str:
    try:
        return format_instant(parse_instant(text))
    except ValueError as error:
        raise FilterError(str(error)) from error


def _property(item: Mapping[str, object], path: str) -> object:
    value: object = item
    for step in path.split("/"):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _compare(found: object, operator: str, wanted: object) -> bool:
    if operator == "eq":
        return found == wanted
    if operator == "ne":
        return found != wanted
    if isinstance(found, str) and isinstance(wanted, str):
        return _ordered((found > wanted) - (found < wanted), operator)
    if isinstance(found, int | float) and isinstance(wanted, int | float):
        return _ordered((found > wanted) - (found < wanted), operator)
    return False


def _ordered(sign: int, operator: str) -> bool:
    return {"gt": sign > 0, "ge": sign >= 0, "lt": sign < 0, "le": sign <= 0}[operator]
