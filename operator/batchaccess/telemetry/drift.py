"""Drift found and corrections attempted, by what the drift means."""

from prometheus_client import CollectorRegistry

from batchaccess.core.reasons import ConditionType, DriftClass
from batchaccess.telemetry.conditions import false_since, true_since
from batchaccess.telemetry.families import Family, Label, counter, histogram
from batchaccess.telemetry.labels import CONNECTION, DRIFT_KIND
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import CorrectionOutcome

DRIFT_DETECTED = counter(
    "drift_detected_total",
    "Pools found to have drifted; counted once when the drift is first seen or changes its kind.",
    [CONNECTION, DRIFT_KIND],
)
DRIFT_CORRECTED = counter(
    "drift_corrected_total",
    "Attempts to correct a drifted pool. Only the outcome Verified corrected it.",
    [CONNECTION, DRIFT_KIND, Label(name="outcome", meaning="how the attempt ended", values=CorrectionOutcome)],
)

DRIFT_DETECTION_LAG = histogram(
    "drift_detection_lag_seconds",
    "Seconds from the change of a pool, as Azure dates it, to the sweep that found it drifted; drift that a new policy "
    "declares, or that is found right after a start, is not among them.",
    [CONNECTION],
    buckets=(5, 10, 30, 60, 120, 300, 600, 1800, 3600),
)
DRIFT_OPEN = histogram(
    "drift_open_seconds",
    "Seconds that drift lasted, from the sweep that found it to the one that found it gone; drift corrected by the "
    "very sweep that found it is not among them.",
    [CONNECTION],
    buckets=(30, 60, 120, 300, 900, 3600, 14400, 86400, 604800),
)

FAMILIES: tuple[Family, ...] = (DRIFT_DETECTED, DRIFT_CORRECTED, DRIFT_DETECTION_LAG, DRIFT_OPEN)

CORRECTED_KINDS = (DriftClass.WIDENING, DriftClass.NARROWING, DriftClass.MIXED, DriftClass.CONFIGURATION)
"""The kinds a PATCH is made for; the others are shown and never corrected."""


class DriftMetrics:
    """The live instruments of all connections' drift."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._detected = DRIFT_DETECTED.live_counter(registry)
        self._corrected = DRIFT_CORRECTED.live_counter(registry)
        self._lag = DRIFT_DETECTION_LAG.live_histogram(registry)
        self._open = DRIFT_OPEN.live_histogram(registry)

    def begin(self, connection: str) -> None:
        """Start the counters of a connection at zero, so that their first increase is seen by `rate`."""
        self._detected.labels(connection, DriftClass.IMPLICIT_MAPPING)
        for kind in CORRECTED_KINDS:
            self._detected.labels(connection, kind)
            for outcome in CorrectionOutcome:
                self._corrected.labels(connection, kind, outcome)
        self._lag.labels(connection)
        self._open.labels(connection)

    def detected(self, connection: str, kind: DriftClass, *, after: float | None) -> None:
        """Count one pool that drifted, and observe how late it was found if that is known."""
        self._detected.labels(connection, kind).inc()
        if after is not None:
            self._lag.labels(connection).observe(after)

    def corrected(self, connection: str, kind: DriftClass, outcome: CorrectionOutcome) -> None:
        """Count one attempt to correct a pool."""
        self._corrected.labels(connection, kind, outcome).inc()

    def closed(self, connection: str, before: PoolRow, after: PoolRow) -> None:
        """Observe how long the drift of a pool lasted, if it ended between two of its rows."""
        began = true_since(before.conditions, ConditionType.DRIFTED)
        ended = false_since(after.conditions, ConditionType.DRIFTED)
        if began is not None and ended is not None:
            self._open.labels(connection).observe(max(0.0, ended - began))

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        for instrument in (self._detected, self._corrected, self._lag, self._open):
            instrument.remove_by_labels({CONNECTION.name: connection})
