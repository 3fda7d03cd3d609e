"""Rhythm and result of the sweeps of each account."""

from datetime import datetime

from prometheus_client import CollectorRegistry

from batchaccess.telemetry.families import Family, Label, counter, gauge, histogram
from batchaccess.telemetry.labels import CONNECTION
from batchaccess.telemetry.words import SweepResult

SWEEPS = counter(
    "sweeps_total",
    "Sweeps of an account that ended.",
    [CONNECTION, Label(name="result", meaning="how the sweep ended", values=SweepResult)],
)
SWEEP_DURATION = histogram(
    "sweep_duration_seconds",
    "Seconds a sweep of an account took, whatever its result.",
    [CONNECTION],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
SWEEP_LAST_SUCCESS = gauge(
    "sweep_last_success_timestamp_seconds",
    "Unix time at which the last sweep that listed the account ended; no series before the first one.",
    [CONNECTION],
)
SWEEP_NO_OP = counter(
    "sweep_no_op_total", "Sweeps that found nothing to write, neither to Azure nor to Kubernetes.", [CONNECTION]
)

FAMILIES: tuple[Family, ...] = (SWEEPS, SWEEP_DURATION, SWEEP_LAST_SUCCESS, SWEEP_NO_OP)


class SweepMetrics:
    """The live instruments of all connections' sweeps."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sweeps = SWEEPS.live_counter(registry)
        self._duration = SWEEP_DURATION.live_histogram(registry)
        self._last_success = SWEEP_LAST_SUCCESS.live_gauge(registry)
        self._no_op = SWEEP_NO_OP.live_counter(registry)

    def begin(self, connection: str) -> None:
        """Start every counter of a connection at zero, so that its first increase is seen by `rate`."""
        for result in SweepResult:
            self._sweeps.labels(connection, result)
        self._duration.labels(connection)
        self._no_op.labels(connection)

    def finished(self, connection: str, result: SweepResult, *, seconds: float, ended: datetime, writes: int) -> None:
        """Count one sweep."""
        self._sweeps.labels(connection, result).inc()
        self._duration.labels(connection).observe(seconds)
        if result is not SweepResult.FAILED:
            self._last_success.labels(connection).set(ended.timestamp())
            if writes == 0:
                self._no_op.labels(connection).inc()

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        for instrument in (self._sweeps, self._duration, self._last_success, self._no_op):
            instrument.remove_by_labels({CONNECTION.name: connection})
