"""The handle through which everything about one connection is recorded."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from batchaccess.core.reasons import DriftClass
from batchaccess.core.saga.steps import Step
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.azure import AzureMetrics
from batchaccess.telemetry.drift import DriftMetrics
from batchaccess.telemetry.exposure import ExposureMetrics
from batchaccess.telemetry.objects import ConnectionTable
from batchaccess.telemetry.pools import PoolTable
from batchaccess.telemetry.rows import ConnectionRow, PoolRow
from batchaccess.telemetry.sagas import SagaMetrics
from batchaccess.telemetry.sweeps import SweepMetrics
from batchaccess.telemetry.words import CorrectionOutcome, SagaOutcome, SweepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What the handles of all connections share."""

    connections: ConnectionTable
    pools: PoolTable
    sweeps: SweepMetrics
    drift: DriftMetrics
    azure: AzureMetrics
    exposure: ExposureMetrics
    sagas: SagaMetrics


class ConnectionMetrics:
    """Records for one connection until it is forgotten; after that every call is dropped.

    A request still in flight when its connection is deleted would otherwise bring a series of it back to life.
    """

    def __init__(self, name: str, instruments: Instruments) -> None:
        self.name = name
        self._instruments = instruments
        self._forgotten = False
        for instrument in (
            instruments.sweeps,
            instruments.drift,
            instruments.azure,
            instruments.exposure,
            instruments.sagas,
        ):
            instrument.begin(name)

    def observe(self, row: ConnectionRow) -> None:
        """Replace what is shown of the connection itself."""
        if row.connection != self.name:
            raise ValueError(f"the row of connection {row.connection} was given to the metrics of {self.name}")
        if not self._forgotten:
            self._instruments.connections.replace(row)

    def observe_pools(self, rows: Iterable[PoolRow]) -> None:
        """Replace what is shown of all pools of the connection; a pool without a row vanishes."""
        if self._forgotten:
            return
        pools = tuple(rows)
        for before, after in self._instruments.pools.replace(self.name, pools):
            self._instruments.drift.closed(self.name, before, after)
        self._instruments.exposure.observe(self.name, pools)

    def observe_some_pools(self, rows: Iterable[PoolRow]) -> None:
        """Replace what is shown of some pools between two sweeps."""
        if self._forgotten:
            return
        pools = tuple(rows)
        for before, after in self._instruments.pools.update(self.name, pools):
            self._instruments.drift.closed(self.name, before, after)
        self._instruments.exposure.observe_some(self.name, pools)

    def sweep_finished(self, result: SweepResult, *, seconds: float, ended: datetime, writes: int) -> None:
        """Count one sweep.

        Args:
            result: how it ended.
            seconds: how long it took.
            ended: when it ended, for `sweep_last_success_timestamp_seconds`.
            writes: writes to Azure and to Kubernetes that it made; none makes it a no-op.
        """
        if self._forgotten:
            return
        self._instruments.sweeps.finished(self.name, result, seconds=seconds, ended=ended, writes=writes)

    def drift_detected(self, kind: DriftClass, *, after: float | None = None) -> None:
        """Count one pool whose drift was first seen or changed its kind, `after` seconds if it is known how late."""
        if not self._forgotten:
            self._instruments.drift.detected(self.name, kind, after=after)

    def drift_corrected(self, kind: DriftClass, outcome: CorrectionOutcome) -> None:
        """Count one attempt to correct a pool's drift."""
        if not self._forgotten:
            self._instruments.drift.corrected(self.name, kind, outcome)

    def observe_breaker(self, *, is_open: bool) -> None:
        """Show whether the breaker holds back new drains."""
        if not self._forgotten:
            self._instruments.sagas.breaker(self.name, is_open=is_open)

    def observe_sagas(self, by_step: Mapping[Step, int], *, pending: int) -> None:
        """Replace what is shown of open sagas: how many are at which step, and how many restores are pending."""
        if not self._forgotten:
            self._instruments.sagas.observe(self.name, by_step, pending=pending)

    def saga_step_ended(self, step: Step, *, seconds: float) -> None:
        """Observe how long a step of a saga took."""
        if not self._forgotten:
            self._instruments.sagas.step_ended(step, seconds)

    def saga_ended(self, outcome: SagaOutcome) -> None:
        """Count one saga that is over."""
        if not self._forgotten:
            self._instruments.sagas.ended(self.name, outcome)

    def saga_resumed(self) -> None:
        """Count one saga of which only the Azure copy was left."""
        if not self._forgotten:
            self._instruments.sagas.resumed(self.name)

    def capacity_lost(self, node_seconds: float) -> None:
        """Count nodes that were missing because of a saga, times the seconds they were."""
        if not self._forgotten:
            self._instruments.sagas.lost(self.name, node_seconds)

    def nodes_drained(self, nodes: int) -> None:
        """Count nodes that a saga takes out of a pool."""
        if not self._forgotten:
            self._instruments.sagas.drained(self.name, nodes)

    def tasks_affected(self, tasks: int) -> None:
        """Count tasks that ran in a pool when a saga began to take its nodes out."""
        if not self._forgotten:
            self._instruments.sagas.affected(self.name, tasks)

    def azure_request(
        self,
        operation: AzureOperation,
        *,
        seconds: float,
        status: int | None,
        error: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Count one request to the account.

        Args:
            operation: what was asked.
            seconds: from sending to having read the answer.
            status: HTTP status, None if there was no answer.
            error: Batch error code, None for a success.
            retry_after: seconds the service asked us to wait, None if it did not.
        """
        if not self._forgotten:
            self._instruments.azure.request(
                self.name, operation, seconds=seconds, status=status, error=error, retry_after=retry_after
            )

    def watch_budget(self, tokens: Callable[[], float]) -> None:
        """Show the request budget: `tokens` is called at each scrape and must be quick."""
        if not self._forgotten:
            self._instruments.azure.budget(self.name, tokens)

    def forget(self) -> None:
        """Remove every series of the connection and of its pools."""
        self._forgotten = True
        instruments = self._instruments
        for instrument in (
            instruments.connections,
            instruments.pools,
            instruments.sweeps,
            instruments.drift,
            instruments.azure,
            instruments.exposure,
            instruments.sagas,
        ):
            instrument.forget(self.name)
