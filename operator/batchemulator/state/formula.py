"""A small, honest subset of the autoscale formula language; what is outside it is an evaluation error that says so.

Assignments separated by `;`; numbers and the names of deallocation options; + - * / and comparisons, && || !, `?:`;
min, max, sum, avg, round, floor, ceil, abs; the counting variables and their GetSample and GetSamplePercent, whose
samples all equal the present value; TimeInterval_Second, _Minute, _Hour, _Day.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = float | str | bool | tuple[float, ...]

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<number>\d+(?:\.\d+)?)|(?P<name>\$?[A-Za-z_]\w*)"
    r"|(?P<mark>&&|\|\||[<>=!]=|[-+*/()<>!?:;=.,])",
    re.DOTALL,
)
_INTERVALS = {
    "TimeInterval_Second": 1.0,
    "TimeInterval_Minute": 60.0,
    "TimeInterval_Hour": 3600.0,
    "TimeInterval_Day": 86_400.0,
}
_OPTIONS = frozenset({"requeue", "terminate", "taskcompletion", "retaineddata"})
_ASSIGNABLE = frozenset(
    {"$TargetDedicatedNodes", "$TargetLowPriorityNodes", "$NodeDeallocationOption", "$TargetDedicated"},
)
_REDUCTIONS: Mapping[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "avg": lambda numbers: sum(numbers) / len(numbers),
}
_ROUNDINGS: Mapping[str, Callable[[float], float]] = {
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "abs": abs,
}


class FormulaError(ValueError):
    """Where and why the formula cannot be evaluated."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def evaluate(formula: str, variables: Mapping[str, float]) -> dict[str, object]:
    """What the formula assigns to service variables, given the present values of the counting variables.

    Raises:
        FormulaError: the formula is wrong or outside the subset.
    """
    try:
        return _Evaluation(formula, variables).run()
    except (RecursionError, OverflowError) as error:
        raise FormulaError("The formula is too deep or its numbers are too large") from error


class _Evaluation:
    """Evaluates while it parses; a formula is far too small for a tree. A sample vector is a tuple."""

    def __init__(self, formula: str, variables: Mapping[str, float]) -> None:
        self._formula = formula
        self._variables: dict[str, Value] = dict(variables)
        self._tokens = self._scan()
        self._next = 0

    def run(self) -> dict[str, object]:
        assigned: dict[str, object] = {}
        while self._next < len(self._tokens):
            if self._accept(";"):
                continue
            target = self._take("name")
            if target.text.startswith("$") and target.text not in _ASSIGNABLE:
                raise self._undefined(target)
            self._expect("=")
            value = self._ternary()
            self._variables[target.text] = value
            if target.text in _ASSIGNABLE:
                assigned[target.text] = value
            if self._next < len(self._tokens):
                self._expect(";")
        return assigned

    def _scan(self) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        while position < len(self._formula):
            match = _TOKEN.match(self._formula, position)
            if match is None or match.lastgroup is None:
                raise FormulaError(f"{self._place(position)}: Unexpected character: {self._formula[position]}")
            if match.lastgroup != "space":
                tokens.append(_Token(match.lastgroup, match.group(), position))
            position = match.end()
        return tokens

    def _place(self, position: int) -> str:
        before = self._formula[:position]
        return f"Line {before.count(chr(10)) + 1}, Col {position - before.rfind(chr(10))}"

    def _undefined(self, token: _Token) -> FormulaError:
        return FormulaError(f"{self._place(token.at)}: Undefined symbol: {token.text}")

    def _ternary(self) -> Value:
        condition = self._either()
        if not self._accept("?"):
            return condition
        if_true = self._ternary()
        self._expect(":")
        if_false = self._ternary()
        return if_true if condition else if_false

    def _either(self) -> Value:
        value = self._both()
        while self._accept("||"):
            other = self._both()
            value = bool(value) or bool(other)
        return value

    def _both(self) -> Value:
        value = self._comparison()
        while self._accept("&&"):
            other = self._comparison()
            value = bool(value) and bool(other)
        return value

    def _comparison(self) -> Value:
        value = self._sum()
        for mark in ("<=", ">=", "==", "!=", "<", ">"):
            if self._accept(mark):
                left, right = self._number(value), self._number(self._sum())
                return {
                    "<=": left <= right,
                    ">=": left >= right,
                    "==": left == right,
                    "!=": left != right,
                    "<": left < right,
                    ">": left > right,
                }[mark]
        return value

    def _sum(self) -> Value:
        value = self._product()
        while True:
            if self._accept("+"):
                value = self._number(value) + self._number(self._product())
            elif self._accept("-"):
                value = self._number(value) - self._number(self._product())
            else:
                return value

    def _product(self) -> Value:
        value = self._unary()
        while True:
            if self._accept("*"):
                value = self._number(value) * self._number(self._unary())
            elif self._accept("/"):
                divisor = self._number(self._unary())
                if divisor == 0:
                    raise FormulaError("Division by zero")
                value = self._number(value) / divisor
            else:
                return value

    def _unary(self) -> Value:
        if self._accept("-"):
            return -self._number(self._unary())
        if self._accept("!"):
            return not self._unary()
        if self._accept("("):
            value = self._ternary()
            self._expect(")")
            return value
        token = self._peek()
        self._next += 1
        if token.kind == "number":
            return float(token.text)
        if token.kind == "name":
            return self._named(token)
        raise FormulaError(f"{self._place(token.at)}: Unexpected symbol: {token.text}")

    def _named(self, token: _Token) -> Value:
        if self._accept("("):
            return self._call(token, self._arguments())
        if token.text in self._variables:
            value = self._variables[token.text]
            return self._sampled(value) if self._accept(".") else value
        if token.text in _INTERVALS:
            return _INTERVALS[token.text]
        if token.text in _OPTIONS:
            return token.text
        raise self._undefined(token)

    def _call(self, token: _Token, arguments: list[Value]) -> Value:
        numbers: list[float] = []
        for argument in arguments:
            numbers += argument if isinstance(argument, tuple) else (self._number(argument),)
        if token.text in _REDUCTIONS and numbers:
            return float(_REDUCTIONS[token.text](numbers))
        if token.text in _ROUNDINGS and len(numbers) == 1:
            return float(_ROUNDINGS[token.text](numbers[0]))
        raise FormulaError(f"{self._place(token.at)}: Undefined function: {token.text} (not in the emulator's subset)")

    def _sampled(self, value: Value) -> Value:
        method = self._take("name")
        self._expect("(")
        arguments = self._arguments()
        if method.text == "GetSamplePercent":
            return 100.0
        if method.text == "GetSample" and arguments:
            return (self._number(value),)
        raise FormulaError(f"{self._place(method.at)}: Undefined method: {method.text} (not in the emulator's subset)")

    def _arguments(self) -> list[Value]:
        arguments: list[Value] = []
        while not self._accept(")"):
            arguments.append(self._ternary())
            if self._peek().text != ")":
                self._expect(",")
        return arguments

    def _number(self, value: Value) -> float:
        if isinstance(value, tuple) and value:
            return value[-1]
        if isinstance(value, int | float):
            return float(value)
        raise FormulaError(f"expected a number, found {value}")

    def _peek(self) -> _Token:
        if self._next >= len(self._tokens):
            raise FormulaError(f"{self._place(len(self._formula))}: Unexpected end of formula")
        return self._tokens[self._next]

    def _accept(self, text: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next].text == text
        self._next += found
        return found

    def _expect(self, text: str) -> None:
        token = self._peek()
        if token.text != text:
            raise FormulaError(f"{self._place(token.at)}: Expected {text}, found {token.text}")
        self._next += 1

    def _take(self, kind: str) -> _Token:
        token = self._peek()
        if token.kind != kind:
            raise FormulaError(f"{self._place(token.at)}: Unexpected symbol: {token.text}")
        self._next += 1
        return token
