"""State of the connections and policies that people declared."""

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from batchaccess.core.model import ObjectKey
from batchaccess.telemetry.conditions import condition_labels
from batchaccess.telemetry.families import Family, gauge
from batchaccess.telemetry.labels import (
    CONDITION_REASON,
    CONDITION_STATUS,
    CONDITION_TYPE,
    CONNECTION,
    MODE,
    POLICY,
)
from batchaccess.telemetry.rows import ConnectionRow, PolicyRow

CONNECTION_CONDITION = gauge(
    "connection_condition",
    "Always 1; the conditions of a connection, each with the status and reason it has now.",
    [CONNECTION, CONDITION_TYPE, CONDITION_STATUS, CONDITION_REASON],
)
CONNECTION_SUSPENDED = gauge("connection_suspended", "1 if writes to the account are suspended, else 0.", [CONNECTION])
SWEEP_PERIOD = gauge(
    "sweep_period_seconds", "Seconds between the starts of two sweeps, as declared by the connection.", [CONNECTION]
)
POLICY_INFO = gauge("policy_info", "Always 1; names a policy and its mode.", [POLICY, MODE])
POLICY_CONDITION = gauge(
    "policy_condition",
    "Always 1; the conditions of a policy, each with the status and reason it has now.",
    [POLICY, CONDITION_TYPE, CONDITION_STATUS, CONDITION_REASON],
)
POLICY_SUSPENDED = gauge("policy_suspended", "1 if the policy is suspended, else 0.", [POLICY])

CONNECTION_FAMILIES: tuple[Family, ...] = (CONNECTION_CONDITION, CONNECTION_SUSPENDED, SWEEP_PERIOD)
POLICY_FAMILIES: tuple[Family, ...] = (POLICY_INFO, POLICY_CONDITION, POLICY_SUSPENDED)


class ConnectionTable(Collector):
    """The last row of every connection; series are computed from them at each scrape."""

    def __init__(self) -> None:
        self._rows: dict[str, ConnectionRow] = {}

    def replace(self, row: ConnectionRow) -> None:
        """Replace the row of one connection."""
        self._rows[row.connection] = row

    def forget(self, connection: str) -> None:
        """Drop one connection."""
        self._rows.pop(connection, None)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The families, without series: what the registry checks for duplicates."""
        return [family.samples() for family in CONNECTION_FAMILIES]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All series, connections in order of name."""
        conditions, suspended, period = (family.samples() for family in CONNECTION_FAMILIES)
        for connection, row in sorted(self._rows.items()):
            for labels in condition_labels(row.conditions):
                conditions.add_metric((connection, *labels), 1)
            suspended.add_metric((connection,), row.suspended)
            period.add_metric((connection,), row.sync_period_seconds)
        yield from (conditions, suspended, period)


class PolicyTable(Collector):
    """The last row of every policy; series are computed from them at each scrape."""

    def __init__(self) -> None:
        self._rows: dict[ObjectKey, PolicyRow] = {}

    def replace(self, row: PolicyRow) -> None:
        """Replace the row of one policy."""
        self._rows[row.policy] = row

    def forget(self, policy: ObjectKey) -> None:
        """Drop one policy."""
        self._rows.pop(policy, None)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The families, without series: what the registry checks for duplicates."""
        return [family.samples() for family in POLICY_FAMILIES]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All series, policies in order of namespace and name."""
        info, conditions, suspended = (family.samples() for family in POLICY_FAMILIES)
        for key, row in sorted(self._rows.items()):
            policy = str(key)
            info.add_metric((policy, row.mode), 1)
            for labels in condition_labels(row.conditions):
                conditions.add_metric((policy, *labels), 1)
            suspended.add_metric((policy,), row.suspended)
        yield from (info, conditions, suspended)
