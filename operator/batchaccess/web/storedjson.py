"""Reads stored statuses, which anybody may have edited: what makes no sense counts as absent, nothing raises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from batchaccess.core.model import JsonObject

_OBJECTS: Final = (dict, Mapping)
"""A dictionary is recognised at once, any other mapping takes ten times as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCondition:
    """One condition, of whatever type; `since` is when its status last flipped."""

    type: str
    status: str
    reason: str
    message: str
    since: datetime | None


def text_in(source: object, key: str) -> str:
    """A text; empty if there is none."""
    found = source.get(key) if isinstance(source, _OBJECTS) else None
    return found if isinstance(found, str) else ""


def number_in(source: object, key: str) -> int | None:
    """A whole number."""
    found = source.get(key) if isinstance(source, _OBJECTS) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag_in(source: object, key: str) -> bool:
    """Whether something is said to be so."""
    return isinstance(source, _OBJECTS) and source.get(key) is True


def part_in(source: object, key: str) -> JsonObject:
    """An object; an empty one if there is none."""
    found = source.get(key) if isinstance(source, _OBJECTS) else None
    return found if isinstance(found, _OBJECTS) else {}


def entries_in(source: object, key: str) -> list[JsonObject]:
    """The objects of a list."""
    return [entry for entry in list_in(source, key) if isinstance(entry, _OBJECTS)]


def texts_in(source: object, key: str) -> list[str]:
    """The texts of a list."""
    return [entry for entry in list_in(source, key) if isinstance(entry, str)]


def list_in(source: object, key: str) -> list[Any]:
    """A list; an empty one if there is none."""
    found = source.get(key) if isinstance(source, _OBJECTS) else None
    return found if isinstance(found, list) else []


def time_of(text: str) -> datetime | None:
    """A time as the API writes it."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def conditions_in(status: object) -> list[StoredCondition]:
    """The conditions, in the order in which they are stored."""
    return [_condition(entry) for entry in entries_in(status, "conditions")]


def condition_in(status: object, type: str) -> StoredCondition:
    """One condition; one without any text if there is none of that type."""
    return next((_condition(entry) for entry in entries_in(status, "conditions") if entry.get("type") == type), _ABSENT)


_ABSENT: Final = StoredCondition(type="", status="", reason="", message="", since=None)


def _condition(entry: JsonObject) -> StoredCondition:
    return StoredCondition(
        type=text_in(entry, "type"),
        status=text_in(entry, "status"),
        reason=text_in(entry, "reason"),
        message=text_in(entry, "message"),
        since=time_of(text_in(entry, "lastTransitionTime")),
    )
