"""Drift found and corrections attempted, by what the drift means."""

from prometheus_client import CollectorRegistry

from batchaccess.core.reasons import DriftClass
from batchaccess.telemetry.families import Family, Label, counter
from batchaccess.telemetry.labels import CONNECTION, DRIFT_KIND
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

FAMILIES: tuple[Family, ...] = (DRIFT_DETECTED, DRIFT_CORRECTED)

CORRECTED_KINDS = (DriftClass.WIDENING, DriftClass.NARROWING, DriftClass.MIXED, DriftClass.CONFIGURATION)
"""The kinds a PATCH is made for; the others are shown and never corrected."""


class DriftMetrics:
    """The live counters of all connections' drift."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._detected = DRIFT_DETECTED.live_counter(registry)
        self._corrected = DRIFT_CORRECTED.live_counter(registry)

    def begin(self, connection: str) -> None:
        """Start the counters of a connection at zero, so that their first increase is seen by `rate`."""
        for kind in CORRECTED_KINDS:
            self._detected.labels(connection, kind)
            self._corrected.labels(connection, kind, CorrectionOutcome.VERIFIED)

    def detected(self, connection: str, kind: DriftClass) -> None:
        """Count one pool that drifted."""
        self._detected.labels(connection, kind).inc()

    def corrected(self, connection: str, kind: DriftClass, outcome: CorrectionOutcome) -> None:
        """Count one attempt to correct a pool."""
        self._corrected.labels(connection, kind, outcome).inc()

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        for instrument in (self._detected, self._corrected):
            instrument.remove_by_labels({CONNECTION.name: connection})
