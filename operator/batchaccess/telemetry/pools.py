"""State of the pools: what each exposes, whether it is as declared, and since when not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from batchaccess.core.reasons import ConditionType, PoolOutcome
from batchaccess.telemetry.conditions import condition_labels, true_since
from batchaccess.telemetry.families import Family, gauge
from batchaccess.telemetry.labels import (
    CONDITION_REASON,
    CONDITION_STATUS,
    CONDITION_TYPE,
    CONNECTION,
    GOVERNING_POLICY,
    IP_FAMILY,
    MODE,
    OUTCOME,
    POOL,
    PORT_CLASS,
)
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import PortClass

POOL_INFO = gauge(
    "pool_info",
    "Always 1; names the policy that governs a pool and its mode.",
    [CONNECTION, POOL, GOVERNING_POLICY, MODE],
)
POOL_CONDITION = gauge(
    "pool_condition",
    "Always 1; the conditions of a pool's BatchPoolAccess, each with the status and reason it has now.",
    [CONNECTION, POOL, CONDITION_TYPE, CONDITION_STATUS, CONDITION_REASON],
)
POOL_INTERNET_REACHABLE = gauge(
    "pool_internet_reachable",
    "1 if anyone on the Internet reaches a port of this class on a pool's nodes, 0 if not or undetermined.",
    [CONNECTION, POOL, PORT_CLASS],
)
POOL_REACHABILITY_UNDETERMINED = gauge(
    "pool_reachability_undetermined",
    "1 if for some port of a pool it cannot be told whether the Internet reaches it, else 0.",
    [CONNECTION, POOL],
)
POOL_EXPOSURE_VIOLATION = gauge(
    "pool_exposure_violation",
    "1 if the Internet reaches a port of a pool that its policy, an assertion or a guardrail closes, else 0.",
    [CONNECTION, POOL],
)
POOL_EXPOSED_ADDRESSES = gauge(
    "pool_exposed_addresses",
    "Number of source addresses that reach some endpoint of a pool.",
    [CONNECTION, POOL, IP_FAMILY],
)
POOL_EXPOSED_SINCE = gauge(
    "pool_exposed_since_timestamp_seconds",
    "Unix time since which a pool is reachable from the Internet; no series while it is not.",
    [CONNECTION, POOL],
)
POOL_DRIFTED_SINCE = gauge(
    "pool_drifted_since_timestamp_seconds",
    "Unix time since which a pool is not as declared; no series while it is.",
    [CONNECTION, POOL],
)
POOLS = gauge("pools", "Number of pools of a connection by what the last sweep concluded.", [CONNECTION, OUTCOME])

FAMILIES: tuple[Family, ...] = (
    POOL_INFO,
    POOL_CONDITION,
    POOL_INTERNET_REACHABLE,
    POOL_REACHABILITY_UNDETERMINED,
    POOL_EXPOSURE_VIOLATION,
    POOL_EXPOSED_ADDRESSES,
    POOL_EXPOSED_SINCE,
    POOL_DRIFTED_SINCE,
    POOLS,
)


class PoolTable(Collector):
    """The last rows of every connection; series are computed from them at each scrape."""

    def __init__(self) -> None:
        self._rows: dict[str, Sequence[PoolRow]] = {}

    def replace(self, connection: str, rows: Iterable[PoolRow]) -> None:
        """Replace all rows of a connection. Of two rows for one pool the later counts."""
        by_id = {row.pool: row for row in rows}
        self._rows[connection] = tuple(by_id[pool] for pool in sorted(by_id))

    def forget(self, connection: str) -> None:
        """Drop a connection with all its pools."""
        self._rows.pop(connection, None)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The families, without series: what the registry checks for duplicates."""
        return [family.samples() for family in FAMILIES]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All series, connections in order of name."""
        tables = sorted(self._rows.items())
        families = {family: family.samples() for family in FAMILIES}
        for connection, rows in tables:
            for row in rows:
                _add_pool(families, connection, row)
            _add_outcomes(families[POOLS], connection, rows)
        yield from families.values()


def _add_pool(families: Mapping[Family, GaugeMetricFamily], connection: str, row: PoolRow) -> None:
    identity = (connection, row.pool)
    families[POOL_INFO].add_metric((*identity, str(row.policy or ""), row.mode or ""), 1)
    for labels in condition_labels(row.conditions):
        families[POOL_CONDITION].add_metric((*identity, *labels), 1)
    open_classes = {PortClass.of(port) for port in row.internet_open_ports}
    for port_class in PortClass:
        families[POOL_INTERNET_REACHABLE].add_metric((*identity, port_class), port_class in open_classes)
    families[POOL_REACHABILITY_UNDETERMINED].add_metric(identity, bool(row.internet_undetermined_ports))
    families[POOL_EXPOSURE_VIOLATION].add_metric(identity, bool(row.violating_ports))
    for ip_family, addresses in sorted(row.exposed_addresses.items()):
        families[POOL_EXPOSED_ADDRESSES].add_metric((*identity, ip_family), addresses)
    for family, condition in ((POOL_EXPOSED_SINCE, ConditionType.EXPOSED), (POOL_DRIFTED_SINCE, ConditionType.DRIFTED)):
        since = true_since(row.conditions, condition)
        if since is not None:
            families[family].add_metric(identity, since)


def _add_outcomes(gauges: GaugeMetricFamily, connection: str, rows: Sequence[PoolRow]) -> None:
    counts = Counter(row.outcome for row in rows)
    for outcome in PoolOutcome:
        gauges.add_metric((connection, outcome), counts[outcome])
