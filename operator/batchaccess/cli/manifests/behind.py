"""Mistakes that only show once others are mended: while a field is wrong, rules over several fields are not looked at.

So what is wrong is taken out, or replaced where something must be there, and the rest is looked at again.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar

from batchaccess.ports import InvalidObject

T = TypeVar("T")
Problem: TypeAlias = tuple[str, str]

_MOST_ROUNDS: Final = 10
_PART: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_MADE_BY_US: Final = ("field required", "list should have at least", "Value should have at least")
"""Beginnings of messages about what is missing, which may be so only because it was taken out."""


@dataclass(frozen=True, slots=True)
class Looked(Generic[T]):
    """Everything found: the problems, and the value of what was left, None if nothing could be."""

    problems: tuple[Problem, ...]
    rest: T | None
    places: "Places"


@dataclass(slots=True)
class Places:
    """What was taken out, so that the paths of the rest can be told as they were."""

    _items: dict[str, set[int]] = field(default_factory=dict)
    _fields: set[str] = field(default_factory=set)

    def note_items(self, path: str, indexes: Iterable[int]) -> None:
        """Items are taken out of the list at a path; both as they are before."""
        originals = {self._index(self.original(path), index) for index in indexes}
        self._items.setdefault(self.original(path), set()).update(originals)

    def note_field(self, path: str) -> None:
        """A field is taken out."""
        self._fields.add(self.original(path))

    def may_have_made(self, path: str, message: str) -> bool:
        """Whether a problem may be there only because something was taken out."""
        return message.startswith(_MADE_BY_US) or any(
            each == path or each.startswith(f"{path}.") for each in self._fields
        )

    def original(self, path: str) -> str:
        """A path within what is left, as it was at first."""
        told = ""
        for part in _parts(path):
            if isinstance(part, int):
                told += f"[{self._index(told, part)}]"
            else:
                told += f".{part}" if told else part
        return told

    def _index(self, path: str, left: int) -> int:
        removed = self._items.get(path, set())
        index = -1
        for _ in range(left + 1):
            index += 1
            while index in removed:
                index += 1
        return index


def look_behind(
    content: Mapping[str, Any],
    parse: Callable[[Mapping[str, Any]], T | InvalidObject],
    stand_ins: Mapping[str, Any],
) -> Looked[T]:
    """Every problem of an object, those behind others too.

    Args:
        content: the object.
        parse: how it is read.
        stand_ins: valid values of fields that must be there, by path.
    """
    places = Places()
    whole = parse(content)
    if not isinstance(whole, InvalidObject):
        return Looked((), whole, places)
    rest: dict[str, Any] = copy.deepcopy(dict(content))
    found: dict[Problem, None] = {}
    for _ in range(_MOST_ROUNDS):
        parsed = parse(rest)
        if not isinstance(parsed, InvalidObject):
            return Looked(tuple(found), parsed, places)
        told = [(places.original(path), message) for path, message in parsed.problems]
        found |= dict.fromkeys(each for each in told if not (found and places.may_have_made(*each)))
        if not _take_out(rest, [path for path, _ in parsed.problems], places, stand_ins):
            break
    return Looked(tuple(found), None, places)


def _take_out(rest: dict[str, Any], paths: Iterable[str], places: Places, stand_ins: Mapping[str, Any]) -> bool:
    """Take out whatever stands at these paths: the list item around it if there is one, else the field."""
    items: dict[str, tuple[list[Any], set[int]]] = {}
    fields: dict[str, tuple[dict[str, Any], str]] = {}
    changed = False
    for path in paths:
        needed = next((each for each in stand_ins if path == each or path.startswith((f"{each}.", f"{each}["))), None)
        if needed is not None:
            changed |= _put(rest, needed, stand_ins[needed])
            places.note_field(needed)
            continue
        steps = list(_walk(rest, path))
        in_list = [step for step in steps if isinstance(step[0], list)]
        if in_list:
            container, index, where = in_list[-1]
            items.setdefault(where, (container, set()))[1].add(index)
        elif len(steps) > 1:
            container, name, where = steps[-1]
            value = container[name]
            if isinstance(value, list) and len(value) > 1:
                # What items break together, the first alone hardly does.
                items.setdefault(f"{where}.{name}", (value, set()))[1].update(range(1, len(value)))
            else:
                fields[f"{where}.{name}"] = (container, name)
    for where, (container, indexes) in items.items():
        places.note_items(where, indexes)
        container[:] = [each for index, each in enumerate(container) if index not in indexes]
    for where, (container, name) in fields.items():
        places.note_field(where)
        container.pop(name, None)
    return changed or bool(items or fields)


def _put(rest: dict[str, Any], path: str, value: Any) -> bool:  # noqa: ANN401 any JSON
    """Replace a field; whether that changed anything."""
    *parents, name = path.split(".")
    container = rest
    for parent in parents:
        if not isinstance(container.get(parent), dict):
            container[parent] = {}
        container = container[parent]
    before = container.get(name)
    container[name] = value
    return bool(before != value)


def _walk(content: Any, path: str) -> Iterator[tuple[Any, Any, str]]:  # noqa: ANN401 any JSON
    """Each container on the way to a path with the key or index in it, and its own path; as far as there is one."""
    where = ""
    for part in _parts(path):
        inside = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if not inside and not (isinstance(content, dict) and part in content):
            return
        yield content, part, where
        content = content[part]
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)


def _parts(path: str) -> Iterator[str | int]:
    for found in _PART.finditer(path):
        yield found[2] if found[1] is None else int(found[1])
