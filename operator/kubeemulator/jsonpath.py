"""The JSONPath of printer columns: `.a.b`, `[0]`, `[*]`, `['key']`, `[?(@.type=="Ready")]` and escaped dots.

Reference: Kubernetes documentation "JSONPath Support", the part that CustomResourceDefinitions may use.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kubeemulator.jsontypes import MISSING, JsonValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Step = Callable[[JsonValue], Iterator[JsonValue]]

_STEP: Final = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\\])+)
      | \[\?\(\s*@\.(?P<tested>[\w.-]+)\s*==\s*(?P<quote>["'])(?P<wanted>.*?)(?P=quote)\s*\)\]
      | \['(?P<quoted>(?:[^'\\]|\\.)*)'\]
      | \[(?P<index>-?\d+)\]
      | (?P<every>\[\*\])""",
    re.VERBOSE,
)


class JsonPathError(ValueError):
    """The path is not one that columns may use."""


@lru_cache(maxsize=1024)
def compiled(path: str) -> Callable[[JsonValue], list[JsonValue]]:
    """A function that finds all values at a path.

    Raises:
        JsonPathError: The path cannot be parsed.
    """
    text = path.strip().removeprefix("{").removesuffix("}")
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise JsonPathError(f"unrecognized character in {path!r} at {text[position:]!r}")
        steps.append(_step(found))
        position = found.end()

    def find(root: JsonValue) -> list[JsonValue]:
        values = [root]
        for step in steps:
            values = [below for value in values for below in step(value)]
        return values

    return find


def _step(found: re.Match[str]) -> Step:
    if found["every"]:
        return _entries
    if found["index"] is not None:
        return _at_index(int(found["index"]))
    if found["tested"]:
        return _where(compiled(f".{found['tested']}"), found["wanted"])
    return _in_field(re.sub(r"\\(.)", r"\1", found["field"] or found["quoted"]))


def _entries(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _at_index(index: int) -> Step:
    def step(value: JsonValue) -> Iterator[JsonValue]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _where(tested: Callable[[JsonValue], list[JsonValue]], wanted: str) -> Step:
    def step(value: JsonValue) -> Iterator[JsonValue]:
        if isinstance(value, list):
            yield from (item for item in value if wanted in tested(item))

    return step


def _in_field(name: str) -> Step:
    def step(value: JsonValue) -> Iterator[JsonValue]:
        below = value.get(name, MISSING) if isinstance(value, dict) else MISSING
        if below is not MISSING:
            yield below

    return step
