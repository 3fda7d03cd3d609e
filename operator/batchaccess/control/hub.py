"""Where the watches' events go: into the live catalogue, and from there to everybody whom a change concerns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from batchaccess.control.wakeups import asks_for_reading, connections_to_wake, urgency_of
from batchaccess.core.model import JsonObject
from batchaccess.core.pace import Urgency
from batchaccess.kube.catalogue import LiveCatalogue, Reading
from batchaccess.kube.missedchanges import CountMissed, MissedChanges
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.words import ObjectKind, WatchedKind, WatchEvent

OBJECT_KINDS: Final = {
    CONNECTIONS: ObjectKind.CONNECTION,
    POLICIES: ObjectKind.POLICY,
    POOL_ACCESSES: ObjectKind.POOL,
}
"""What the metrics call our kinds; the others are not counted."""

WATCHED_KINDS: Final = {
    CONNECTIONS: WatchedKind.CONNECTION,
    POLICIES: WatchedKind.POLICY,
    POOL_ACCESSES: WatchedKind.POOL,
    NAMESPACES: WatchedKind.NAMESPACE,
}
"""What they call everything that is watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Whom a change may concern.

    Attributes:
        connections_changed: a connection came, went or was edited.
        wake: these connections should sweep soon, and how soon.
        report: the status of policies, or of connections that do not sweep, may have to change.
        resync: somebody asked for a sweep; read everything anew as well, and how soon.
    """

    connections_changed: Callable[[], None]
    wake: Callable[[Iterable[str], Urgency], None]
    report: Callable[[Reading], None]
    resync: Callable[[Urgency], None]


class Hub:
    """Implements `handlers.Observer`."""

    def __init__(self, live: LiveCatalogue, metrics: Metrics, missed: MissedChanges) -> None:
        self._live = live
        self._metrics = metrics
        self._missed = missed
        self._resync: Callable[[Urgency], None] | None = None

    def observe(self, resource: Resource, raw: JsonObject, *, event_type: str | None) -> None:
        """Take in what a watch delivered."""
        if kind := OBJECT_KINDS.get(resource):
            self._metrics.watch_delivered(kind, _watch_event(event_type))
        self._missed.told(resource, raw, event_type=event_type)
        if event_type is None and self._resync is not None and self._live.is_outdated(resource, raw):
            # A list is never older than what we know, unless the store lost its history: only a whole reading tells.
            self._resync(Urgency.AT_ONCE)
        self._live.observe(resource, raw, deleted=event_type == "DELETED")

    def connect(self, listeners: Listeners) -> None:
        """From now on tell `listeners` of every change, whoever brought it."""

        def tell(reading: Reading) -> None:
            if reading.resource == CONNECTIONS and reading.change.is_of_value:
                listeners.connections_changed()
            connections, labels = self._live.catalogue().connections, self._live.labels_around(reading)
            urgency = urgency_of(reading)
            listeners.wake(connections_to_wake(reading, connections, labels), urgency)
            listeners.report(reading)
            if asks_for_reading(reading, connections, labels):
                listeners.resync(urgency)

        self._live.subscribe(tell)
        self._resync = listeners.resync


def counting_missed_changes(metrics: Metrics) -> CountMissed:
    """Counts, by kind, changes that no watch told."""

    def count(resource: Resource, number: int) -> None:
        metrics.changes_missed(WATCHED_KINDS[resource], number)

    return count


def _watch_event(event_type: str | None) -> WatchEvent:
    match event_type:
        case "ADDED":
            return WatchEvent.ADDED
        case "MODIFIED":
            return WatchEvent.MODIFIED
        case "DELETED":
            return WatchEvent.DELETED
        case _:
            return WatchEvent.LISTED
