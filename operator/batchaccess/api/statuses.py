"""Statuses as JSON, and what is read back of a stored one.

What is written fits the bounds of the CRDs whatever it is made of, so that a status is never refused. What is read may
have been edited by anybody: what makes no sense counts as absent.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeAlias

from pydantic.alias_generators import to_camel

from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import ConditionStatus, ConditionType
from batchaccess.core.saga.breaker import PolicyGeneration
from batchaccess.core.status import (
    Change,
    Condition,
    ConnectionStatus,
    DrainsStatus,
    JournalStatus,
    PolicyStatus,
    PoolStatus,
)

Status: TypeAlias = ConnectionStatus | PolicyStatus | PoolStatus

MAX_TEXT: Final = 4096
"""Characters of a text, as in the CRDs; a longer one ends in an ellipsis."""

MAX_ENTRIES: Final = 100
"""Entries of a list, as in the CRDs; counts beside the lists stay exact."""


def render_status(status: Status) -> dict[str, Any]:
    """A status as the JSON object of the status subresource.

    None and empty lists are left out; times are RFC 3339 in UTC with whole seconds; policies are `namespace/name`.
    """
    rendered = _render(status)
    return rendered if isinstance(rendered, dict) else {}


def render_part(part: JournalStatus | DrainsStatus) -> dict[str, Any]:
    """A part of a status that is written for itself, as its JSON object."""
    rendered = _render(part)
    return rendered if isinstance(rendered, dict) else {}


def stored_conditions(status: object) -> tuple[Condition, ...]:
    """The conditions of a stored status that can be understood, one of each type."""
    by_type: dict[ConditionType, Condition] = {}
    for entry in _list_in(status, "conditions"):
        condition = _condition(entry)
        if condition is not None:
            by_type[condition.type] = condition
    return tuple(by_type.values())


def stored_change(status: object) -> Change | None:
    """The last change that a stored status tells of; None if there is none or it cannot be understood."""
    entry = status.get("lastChange") if isinstance(status, Mapping) else None
    if not isinstance(entry, Mapping):
        return None
    policy, time = _key(entry.get("policy")), _time(entry.get("time"))
    before, after = entry.get("before"), entry.get("after")
    if policy is None or time is None or not isinstance(before, str) or not isinstance(after, str):
        return None
    exposed_since = _time(entry.get("exposedSince"))
    return Change(policy=policy, time=time, before=before, after=after, exposed_since=exposed_since)


def stored_in_order_under(status: object) -> PolicyGeneration | None:
    """What governed a pool when it was last as declared; None if a stored status does not tell."""
    entry = status.get("inOrderUnder") if isinstance(status, Mapping) else None
    if not isinstance(entry, Mapping):
        return None
    uid, generation = entry.get("uid"), entry.get("generation")
    if not isinstance(uid, str) or not isinstance(generation, int) or isinstance(generation, bool):
        return None
    return PolicyGeneration(uid=uid, generation=generation)


def _render(value: object) -> object:
    match value:
        case tuple():
            return [_render(item) for item in value[:MAX_ENTRIES]]
        case Enum() | ObjectKey():
            return str(value)
        case _ if is_dataclass(value):
            rendered = {to_camel(each.name): _render(getattr(value, each.name)) for each in fields(value)}
            return {key: child for key, child in rendered.items() if child is not None and child != []}
        case _:
            return _render_scalar(value)


def _render_scalar(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case str():
            return value if len(value) <= MAX_TEXT else f"{value[: MAX_TEXT - 1]}…"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a status")


def _condition(entry: object) -> Condition | None:
    if not isinstance(entry, Mapping):
        return None
    time, reason, message = _time(entry.get("lastTransitionTime")), entry.get("reason"), entry.get("message")
    generation = entry.get("observedGeneration", 0)
    if time is None or not isinstance(reason, str) or not isinstance(message, str) or not isinstance(generation, int):
        return None
    try:
        return Condition(
            type=ConditionType(str(entry.get("type"))),
            status=ConditionStatus(str(entry.get("status"))),
            reason=reason,
            message=message,
            observed_generation=generation,
            last_transition_time=time,
        )
    except ValueError:
        return None


def _list_in(status: object, key: str) -> list[object]:
    found = status.get(key) if isinstance(status, Mapping) else None
    return found if isinstance(found, list) else []


def _key(text: object) -> ObjectKey | None:
    if not isinstance(text, str):
        return None
    namespace, _, name = text.partition("/")
    return ObjectKey(namespace=namespace, name=name) if namespace and name else None


def _time(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
