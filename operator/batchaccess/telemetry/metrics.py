"""All metrics of the operator behind one class: what the rest of the code calls, and nothing of prometheus_client."""

import platform
from collections.abc import Mapping

import prometheus_client
from prometheus_client import CollectorRegistry, ProcessCollector

from batchaccess import __version__
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import EventReason, EventType
from batchaccess.ports import Clock
from batchaccess.telemetry import azure, drift, exposure, kubernetes, objects, pools, sagas, sweeps
from batchaccess.telemetry.connection import ConnectionMetrics, Instruments
from batchaccess.telemetry.families import Family, Label, gauge
from batchaccess.telemetry.rows import PolicyRow
from batchaccess.telemetry.words import ObjectKind, WatchedKind, WatchEvent, WriteResult

BUILD_INFO = gauge(
    "build_info",
    "Always 1; what is running.",
    [
        Label(name="version", meaning="version of the operator"),
        Label(name="python", meaning="version of Python"),
    ],
)

AREAS: Mapping[str, tuple[Family, ...]] = {
    "Pools": pools.FAMILIES,
    "Connections": objects.CONNECTION_FAMILIES,
    "Policies": objects.POLICY_FAMILIES,
    "Exposure": exposure.FAMILIES,
    "Drift": drift.FAMILIES,
    "Remediation": sagas.FAMILIES,
    "Sweeps": sweeps.FAMILIES,
    "Azure": azure.FAMILIES,
    "Kubernetes": kubernetes.FAMILIES,
    "Build": (BUILD_INFO,),
}
"""Every family of ours by area, in the order of docs/metrics.md."""

FAMILIES: tuple[Family, ...] = tuple(family for families in AREAS.values() for family in families)


class Metrics:
    """The metrics of one operator, in a registry of their own. What grows with time grows by the clock."""

    def __init__(self, clock: Clock) -> None:
        # A creation time per counter and histogram series would double their number and no query uses them.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # its author left it unannotated
        self._registry = CollectorRegistry()
        self._policies = objects.PolicyTable()
        self._instruments = Instruments(
            connections=objects.ConnectionTable(),
            pools=pools.PoolTable(),
            sweeps=sweeps.SweepMetrics(self._registry),
            drift=drift.DriftMetrics(self._registry),
            azure=azure.AzureMetrics(self._registry),
            exposure=exposure.ExposureMetrics(self._registry, clock),
            sagas=sagas.SagaMetrics(self._registry),
        )
        self._kubernetes = kubernetes.KubernetesMetrics(self._registry)
        self._connections: dict[str, ConnectionMetrics] = {}
        BUILD_INFO.live_gauge(self._registry).labels(__version__, platform.python_version()).set(1)
        ProcessCollector(registry=self._registry)

    def connection(self, name: str) -> ConnectionMetrics:
        """The handle of one connection, the same one until the connection is forgotten."""
        if name not in self._connections:
            self._connections[name] = ConnectionMetrics(name, self._instruments)
        return self._connections[name]

    def forget_connection(self, name: str) -> None:
        """Remove every series of a connection and of its pools; its handle records nothing from now on."""
        handle = self._connections.pop(name, None)
        if handle is not None:
            handle.forget()

    def observe_policy(self, row: PolicyRow) -> None:
        """Replace what is shown of one policy."""
        self._policies.replace(row)

    def forget_policy(self, policy: ObjectKey) -> None:
        """Remove every series of a policy."""
        self._policies.forget(policy)

    def leads(self, leading: bool) -> None:  # noqa: FBT001 the only thing there is to tell
        """Note whether this replica works now, or stands by."""
        self._kubernetes.leads(leading)

    def status_written(self, kind: ObjectKind, result: WriteResult) -> None:
        """Count one attempt to write an object's status, or the object itself."""
        self._kubernetes.status_written(kind, result)

    def event_emitted(self, type: EventType, reason: EventReason, result: WriteResult) -> None:
        """Count one attempt to emit a Kubernetes event."""
        self._kubernetes.event_emitted(type, reason, result)

    def watch_delivered(self, kind: ObjectKind, event: WatchEvent) -> None:
        """Count one object that a watch delivered."""
        self._kubernetes.watch_delivered(kind, event)

    def changes_missed(self, kind: WatchedKind, number: int) -> None:
        """Count changes that a whole reading found and no watch told."""
        self._kubernetes.changes_missed(kind, number)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format, as a scrape sees it."""
        return b"".join(
            (
                self._instruments.pools.exposition(),
                self._instruments.connections.exposition(),
                self._policies.exposition(),
                prometheus_client.generate_latest(self._registry),
            )
        )
