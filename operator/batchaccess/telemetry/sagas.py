"""Corrections of pools with nodes: how many are open at which step, how they end, what they cost."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from batchaccess.core.saga.steps import Step
from batchaccess.telemetry.families import Family, Label, counter, gauge, histogram
from batchaccess.telemetry.labels import CONNECTION
from batchaccess.telemetry.words import SagaOutcome

STEP = Label(name="step", meaning="step of the correction of a pool with nodes", values=Step)

REMEDIATION_ACTIVE = gauge(
    "remediation_active", "Pools whose correction is at this step; all steps together are open.", [CONNECTION, STEP]
)
REMEDIATION_ENDED = counter(
    "remediation_total",
    "Corrections of pools with nodes that ended, by how; the scale was brought back in all but Abandoned.",
    [CONNECTION, Label(name="outcome", meaning="how the correction ended", values=SagaOutcome)],
)
REMEDIATION_STEP_DURATION = histogram(
    "remediation_step_duration_seconds",
    "Seconds that a step of the correction of a pool with nodes took.",
    [STEP],
    buckets=(1, 5, 15, 60, 300, 900, 3600, 7200, 14400, 86400),
)
REMEDIATION_RESUMED = counter(
    "remediation_resumed_total",
    "Corrections that were found in a pool's metadata only, and whose scale was brought back from there.",
    [CONNECTION],
)
RESTORE_PENDING = gauge(
    "restore_pending", "Pools whose scale could not be brought back yet; somebody has to look.", [CONNECTION]
)
BREAKER_OPEN = gauge(
    "breaker_open",
    "1 while so many pools of an account drift at once that no drain begins, else 0.",
    [CONNECTION],
)
CAPACITY_LOST = counter(
    "capacity_lost_node_seconds_total",
    "Nodes that were missing because of corrections, times the seconds they were.",
    [CONNECTION],
)
NODES_DRAINED = counter("nodes_drained_total", "Nodes that corrections took out of their pools.", [CONNECTION])
TASKS_AFFECTED = counter(
    "tasks_affected_total", "Tasks that ran in a pool when a correction began to take its nodes out.", [CONNECTION]
)

FAMILIES: tuple[Family, ...] = (
    REMEDIATION_ACTIVE,
    REMEDIATION_ENDED,
    REMEDIATION_STEP_DURATION,
    REMEDIATION_RESUMED,
    RESTORE_PENDING,
    BREAKER_OPEN,
    CAPACITY_LOST,
    NODES_DRAINED,
    TASKS_AFFECTED,
)


class SagaMetrics:
    """The live instruments of all connections' sagas."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._active = REMEDIATION_ACTIVE.live_gauge(registry)
        self._ended = REMEDIATION_ENDED.live_counter(registry)
        self._steps = REMEDIATION_STEP_DURATION.live_histogram(registry)
        self._resumed = REMEDIATION_RESUMED.live_counter(registry)
        self._pending = RESTORE_PENDING.live_gauge(registry)
        self._breaker = BREAKER_OPEN.live_gauge(registry)
        self._lost = CAPACITY_LOST.live_counter(registry)
        self._drained = NODES_DRAINED.live_counter(registry)
        self._affected = TASKS_AFFECTED.live_counter(registry)
        for step in Step:
            self._steps.labels(step)

    def begin(self, connection: str) -> None:
        """Start the counters of a connection at zero, so that their first increase is seen by `rate`.

        Its gauges have no series until something is known: a zero would tell of scales that are back, and of a breaker
        that is closed, before anybody looked.
        """
        for outcome in SagaOutcome:
            self._ended.labels(connection, outcome)
        for instrument in (self._resumed, self._lost, self._drained, self._affected):
            instrument.labels(connection)

    def observe(self, connection: str, by_step: Mapping[Step, int], *, pending: int) -> None:
        """Replace what is shown of the open sagas of a connection."""
        for step in Step:
            self._active.labels(connection, step).set(by_step.get(step, 0))
        self._pending.labels(connection).set(pending)

    def breaker(self, connection: str, *, is_open: bool) -> None:
        """Show whether the breaker of a connection is open."""
        self._breaker.labels(connection).set(is_open)

    def step_ended(self, step: Step, seconds: float) -> None:
        """Observe how long a step took."""
        self._steps.labels(step).observe(max(0.0, seconds))

    def ended(self, connection: str, outcome: SagaOutcome) -> None:
        """Count one saga that is over."""
        self._ended.labels(connection, outcome).inc()

    def resumed(self, connection: str) -> None:
        """Count one saga resumed from the Azure copy."""
        self._resumed.labels(connection).inc()

    def lost(self, connection: str, node_seconds: float) -> None:
        """Count capacity that was missing."""
        self._lost.labels(connection).inc(node_seconds)

    def drained(self, connection: str, nodes: int) -> None:
        """Count nodes that a saga takes out of a pool."""
        self._drained.labels(connection).inc(nodes)

    def affected(self, connection: str, tasks: int) -> None:
        """Count tasks that ran when a saga began to take nodes out of their pool."""
        self._affected.labels(connection).inc(tasks)

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        for instrument in (
            self._active,
            self._ended,
            self._resumed,
            self._pending,
            self._breaker,
            self._lost,
            self._drained,
            self._affected,
        ):
            instrument.remove_by_labels({CONNECTION.name: connection})
