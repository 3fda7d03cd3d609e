"""Traffic with the Kubernetes API: what the operator writes and what its watches deliver."""

from prometheus_client import CollectorRegistry

from batchaccess.core.reasons import EventReason, EventType
from batchaccess.telemetry.families import Family, Label, counter, gauge
from batchaccess.telemetry.labels import OBJECT_KIND
from batchaccess.telemetry.words import ObjectKind, WatchedKind, WatchEvent, WriteResult

WRITE_RESULT = Label(name="result", meaning="how the write ended", values=WriteResult)

STATUS_WRITES = counter(
    "status_writes_total", "Writes of an object's status, or of the object itself.", [OBJECT_KIND, WRITE_RESULT]
)
LEADER = gauge(
    "leader",
    "1 while this replica works: while it holds the Lease, or always without --leader-elect; 0 for a standby.",
)
EVENTS = counter(
    "events_total",
    "Kubernetes events the operator emitted.",
    [
        Label(name="type", meaning="type of the event", values=EventType),
        Label(name="reason", meaning="reason of the event", values=EventReason),
        WRITE_RESULT,
    ],
)
WATCH_EVENTS = counter(
    "watch_events_total",
    "Objects that the watches delivered. Growing Listed means that watches break and read everything again.",
    [OBJECT_KIND, Label(name="event", meaning="what happened to the object", values=WatchEvent)],
)
MISSED_CHANGES = counter(
    "resync_missed_changes_total",
    "Changes that a whole reading of the Kubernetes API found and that their watch had still not told at the next one, "
    "half a minute later or more: it is open and silent. What a watch tells a little later is not counted.",
    [Label(name="kind", meaning="kind of the object", values=WatchedKind)],
)

FAMILIES: tuple[Family, ...] = (STATUS_WRITES, EVENTS, WATCH_EVENTS, MISSED_CHANGES, LEADER)


class KubernetesMetrics:
    """The live counters of the traffic with the Kubernetes API."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._status_writes = STATUS_WRITES.live_counter(registry)
        self._events = EVENTS.live_counter(registry)
        self._watch_events = WATCH_EVENTS.live_counter(registry)
        self._missed_changes = MISSED_CHANGES.live_counter(registry)
        self._leader = LEADER.live_gauge(registry)
        for watched in WatchedKind:
            self._missed_changes.labels(watched)
        for kind in ObjectKind:
            for result in (WriteResult.WRITTEN, WriteResult.FAILED):
                self._status_writes.labels(kind, result)  # At zero, so that `increase` sees the first one.

    def leads(self, leading: bool) -> None:  # noqa: FBT001 the only thing there is to tell
        """Note whether this replica works now."""
        self._leader.set(leading)

    def status_written(self, kind: ObjectKind, result: WriteResult) -> None:
        """Count one attempt to write a status."""
        self._status_writes.labels(kind, result).inc()

    def event_emitted(self, type: EventType, reason: EventReason, result: WriteResult) -> None:
        """Count one attempt to emit an event."""
        self._events.labels(type, reason, result).inc()

    def watch_delivered(self, kind: ObjectKind, event: WatchEvent) -> None:
        """Count one object that a watch delivered."""
        self._watch_events.labels(kind, event).inc()

    def changes_missed(self, kind: WatchedKind, number: int) -> None:
        """Count changes that a whole reading found and no watch told."""
        self._missed_changes.labels(kind).inc(number)
