"""Typed reading of JSON objects: every function names the key when its value is not what it must be.

The service never sends null for "not set", other tools do; both mean absent.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from batchaccess.core.model import JsonObject

_SHOWN: Final = 60
_PORT_MAX: Final = 65535
_Read = TypeVar("_Read")


class Unreadable(Exception):  # noqa: N818 the word of `UnreadablePool`
    """A key has a value that cannot be understood; `key` is its path."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem

    def within(self, parent: str) -> "Unreadable":
        """The same problem seen from one level further out."""
        return Unreadable(f"{parent}.{self.key}", self.problem)


def wrong(key: str, wanted: str, found: object) -> Unreadable:
    """`key` holds `found` where `wanted` is meant."""
    shown = repr(found)
    return Unreadable(key, f"{shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'} is not {wanted}")


def text(raw: JsonObject, key: str) -> str:
    """A text that must be there."""
    value = raw.get(key)
    if value is None:
        raise Unreadable(key, "is missing")
    if not isinstance(value, str):
        raise wrong(key, "a text", value)
    return value


def optional_text(raw: JsonObject, key: str) -> str | None:
    """A text, None if absent."""
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise wrong(key, "a text", value)
    return value


def boolean(raw: JsonObject, key: str) -> bool:
    """True or false; absent is false, as everywhere in the Batch service."""
    value = raw.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong(key, "true or false", value)
    return value


def counted(raw: JsonObject, key: str, default: int | None = None) -> int:
    """A whole number not below 0; without `default` it must be there."""
    value = raw.get(key, default)
    if value is None:
        if default is not None:
            return default
        raise Unreadable(key, "is missing")
    # bool is an int to Python, but true is no number of nodes.
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong(key, "a whole number from 0 upwards", value)
    return value


def port(raw: JsonObject, key: str) -> int:
    """A port number that must be there."""
    value = counted(raw, key)
    if value > _PORT_MAX:
        raise wrong(key, f"a port from 0 to {_PORT_MAX}", value)
    return value


def inside(key: str, read: Callable[[JsonObject], _Read], value: Any) -> _Read:  # noqa: ANN401 any JSON
    """What `read` makes of the object under `key`; its problems are told with that key in front."""
    if not isinstance(value, Mapping):
        raise wrong(key, "an object", value)
    try:
        return read(value)
    except Unreadable as problem:
        raise problem.within(key) from None


def part(raw: JsonObject, key: str, read: Callable[[JsonObject], _Read]) -> _Read:
    """What `read` makes of the object under `key`; absent is empty."""
    value = raw.get(key)
    return inside(key, read, {} if value is None else value)


def each(raw: JsonObject, key: str, read: Callable[[JsonObject], _Read]) -> tuple[_Read, ...]:
    """What `read` makes of every object of a list; absent is empty."""
    return tuple(inside(f"{key}[{index}]", read, element) for index, element in enumerate(_sequence(raw, key)))


def words(raw: JsonObject, key: str) -> Sequence[str]:
    """A list of texts; absent is empty."""
    value = _sequence(raw, key)
    for index, element in enumerate(value):
        if not isinstance(element, str):
            raise wrong(f"{key}[{index}]", "a text", element)
    return value


def _sequence(raw: JsonObject, key: str) -> Sequence[Any]:
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong(key, "a list", value)
    return value
