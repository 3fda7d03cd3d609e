"""The cells of kubectl's tables: those a CustomResourceDefinition declares, and those of the built-in kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator.clock import age
from kubeemulator.jsonpath import compiled
from kubeemulator.jsontypes import JsonObject, JsonValue, list_at, object_at
from kubeemulator.kinds import Column

if TYPE_CHECKING:
    from collections.abc import Callable

NAME: Final = Column(
    name="Name",
    format="name",
    description="Name must be unique within a namespace.",
    cell=lambda obj: obj["metadata"].get("name", ""),
)
AGE: Final = Column(
    name="Age",
    description="CreationTimestamp is the server time when this object was created.",
    cell=lambda obj: age(str(obj["metadata"].get("creationTimestamp", ""))),
)


def declared_columns(version: JsonObject) -> tuple[Column, ...]:
    """The columns of one version of a definition, the name first; only the age when it declares none."""
    declared = list_at(version, "additionalPrinterColumns")
    if not declared:
        return (NAME, AGE)
    return (NAME, *(_declared_column(column) for column in declared))


def _declared_column(column: JsonObject) -> Column:
    return Column(
        name=column["name"],
        type=column["type"],
        format=column.get("format", ""),
        description=column.get("description", ""),
        priority=column.get("priority", 0),
        cell=_declared_cell(column["jsonPath"], column["type"]),
    )


def _declared_cell(path: str, column_type: str) -> Callable[[JsonObject], JsonValue]:
    find = compiled(path)

    def cell(obj: JsonObject) -> JsonValue:
        values = find(obj)
        if not values:
            return None
        first = values[0]
        if column_type == "date":
            return age(str(first))
        if column_type in {"integer", "number", "boolean"}:
            return first
        return first if isinstance(first, str) else ",".join(_plain(value) for value in values)

    return cell


def _plain(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{' '.join(_plain(item) for item in value)}]"
    return str(value)


def text_column(name: str, path: str, *, absent: str = "", priority: int = 0) -> Column:
    """A column that shows the value at a dotted path."""
    find = compiled(f".{path}")
    return Column(name=name, priority=priority, cell=lambda obj: _plain(next(iter(find(obj)), absent)))


def created_column() -> Column:
    """The column `Created At` of kinds that have no age."""
    return text_column("Created At", "metadata.creationTimestamp")


def count_column(name: str, *keys: str) -> Column:
    """A column that counts the entries under the keys."""
    return Column(name=name, type="integer", cell=lambda obj: sum(len(obj.get(key) or ()) for key in keys))


def event_columns() -> tuple[Column, ...]:
    """The columns of events."""
    return (
        Column(name="Last Seen", cell=lambda obj: age(last_seen(obj))),
        text_column("Type", "type"),
        text_column("Reason", "reason"),
        Column(name="Object", cell=_involved),
        text_column("Message", "message"),
        Column(name="Name", format="name", priority=1, cell=lambda obj: obj["metadata"]["name"]),
    )


def last_seen(event: JsonObject) -> str:
    """When an event was last seen; newer events have a series or only the event time."""
    series = object_at(event, "series").get("lastObservedTime")
    return str(series or event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def _involved(event: JsonObject) -> str:
    involved = object_at(event, "involvedObject")
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def deployment_columns() -> tuple[Column, ...]:
    """The columns of deployments; nothing runs them here, so their status stays empty."""
    return (
        NAME,
        Column(
            name="Ready",
            cell=lambda obj: f"{_status_count(obj, 'readyReplicas')}/{object_at(obj, 'spec').get('replicas', 1)}",
        ),
        Column(name="Up-to-date", type="integer", cell=lambda obj: _status_count(obj, "updatedReplicas")),
        Column(name="Available", type="integer", cell=lambda obj: _status_count(obj, "availableReplicas")),
        AGE,
    )


def _status_count(obj: JsonObject, key: str) -> int:
    return int(object_at(obj, "status").get(key, 0))


def binding_columns() -> tuple[Column, ...]:
    """The columns of role bindings."""
    return (NAME, Column(name="Role", cell=_bound_role), AGE)


def _bound_role(obj: JsonObject) -> str:
    role = object_at(obj, "roleRef")
    return f"{role.get('kind', '')}/{role.get('name', '')}"
