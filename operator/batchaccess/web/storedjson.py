"""Reads stored statuses, which anybody may have edited: what makes no sense counts as absent, nothing raises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from batchaccess.core.model import JsonObject


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
    found = source.get(key) if isinstance(source, Mapping) else None
    return found if isinstance(found, str) else ""


def number_in(source: object, key: str) -> int | None:
    """A whole number."""
    found = source.get(key) if isinstance(source, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def flag_in(source: object, key: str) -> bool:
    """Whether something is said to be so."""
    return isinstance(source, Mapping) and source.get(key) is True


def part_in(source: object, key: str) -> JsonObject:
    """An object; an empty one if there is none."""
    found = source.get(key) if isinstance(source, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def entries_in(source: object, key: str) -> list[JsonObject]:
    """The objects of a list."""
    return [entry for entry in list_in(source, key) if isinstance(entry, Mapping)]


def texts_in(source: object, key: str) -> list[str]:
    """The texts of a list."""
    return [entry for entry in list_in(source, key) if isinstance(entry, str)]


def list_in(source: object, key: str) -> list[Any]:
    """A list; an empty one if there is none."""
    found = source.get(key) if isinstance(source, Mapping) else None
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
    return [
        StoredCondition(
            type=text_in(entry, "type"),
            status=text_in(entry, "status"),
            reason=text_in(entry, "reason"),
            message=text_in(entry, "message"),
            since=time_of(text_in(entry, "lastTransitionTime")),
        )
        for entry in entries_in(status, "conditions")
    ]


_ABSENT = StoredCondition(type="", status="", reason="", message="", since=None)


def condition_in(status: object, type: str) -> StoredCondition:
    """One condition; one without any text if there is none of that type."""
    return next((each for each in conditions_in(status) if each.type == type), _ABSENT)
