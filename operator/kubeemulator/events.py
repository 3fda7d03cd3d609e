"""The two spellings of an event, `v1` and `events.k8s.io/v1`, which are one stored thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource

_NEWER: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_OLDER: Final = {newer: older for older, newer in _NEWER.items()}


def converted(resource: Resource, obj: JsonObject) -> JsonObject:
    """An object in the version of the resource; only events differ in more than their `apiVersion`."""
    result = {**obj, "apiVersion": resource.api_version}
    if resource.kind != "Event" or resource.is_custom:
        return result
    names = _NEWER if resource.group else _OLDER
    return {names.get(key, key): value for key, value in result.items()}


def as_stored(resource: Resource, obj: JsonObject) -> JsonObject:
    """An object as it is stored: events in their `v1` spelling, everything else as it is."""
    if resource.storage != "events" or not resource.group:
        return obj
    return {_OLDER.get(key, key): value for key, value in obj.items()} | {"apiVersion": "v1"}
