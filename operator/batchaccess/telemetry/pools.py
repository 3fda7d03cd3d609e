"""State of the pools: what each exposes, whether it is as declared, and since when not."""

from collections import Counter
from collections.abc import Iterable, Iterator

from batchaccess.core.reasons import ConditionType, PoolOutcome
from batchaccess.telemetry.conditions import condition_labels, true_since
from batchaccess.telemetry.exposition import Rendered, Sample, join_families, render_row
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
    "1 if a port of this class on a pool's nodes is reachable from the Internet, be it from a single public address; "
    "0 if not or undetermined.",
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
    "Number of source addresses that reach some endpoint of a pool; no series where there are none.",
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

POOL_FAMILIES: tuple[Family, ...] = (
    POOL_INFO,
    POOL_CONDITION,
    POOL_INTERNET_REACHABLE,
    POOL_REACHABILITY_UNDETERMINED,
    POOL_EXPOSURE_VIOLATION,
    POOL_EXPOSED_ADDRESSES,
    POOL_EXPOSED_SINCE,
    POOL_DRIFTED_SINCE,
)
COUNT_FAMILIES: tuple[Family, ...] = (POOLS,)
FAMILIES: tuple[Family, ...] = POOL_FAMILIES + COUNT_FAMILIES


class PoolTable:
    """The last rows of every connection, kept as text; unchanged rows are not rendered again."""

    def __init__(self) -> None:
        self._pools: dict[str, dict[str, Rendered[PoolRow]]] = {}
        self._outcomes: dict[str, Rendered[str]] = {}

    def replace(self, connection: str, rows: Iterable[PoolRow]) -> list[tuple[PoolRow, PoolRow]]:
        """Replace all rows of a connection, and tell which changed: each before and after.

        Of two rows for one pool the later counts.
        """
        before = self._pools.get(connection, {})
        after: dict[str, Rendered[PoolRow]] = {}
        changed: list[tuple[PoolRow, PoolRow]] = []
        for row in rows:
            known = before.get(row.pool)
            if known is not None and known.row == row:
                after[row.pool] = known
                continue
            after[row.pool] = _render(connection, row)
            if known is not None:
                changed.append((known.row, row))
        self._keep(connection, after)
        return changed

    def update(self, connection: str, rows: Iterable[PoolRow]) -> list[tuple[PoolRow, PoolRow]]:
        """Replace the rows of some pools of a connection, and tell which changed: each before and after."""
        known = self._pools.get(connection, {})
        latest = {row.pool: row for row in rows}
        untouched = [rendered.row for pool, rendered in known.items() if pool not in latest]
        return self.replace(connection, [*untouched, *latest.values()])

    def _keep(self, connection: str, rows: dict[str, Rendered[PoolRow]]) -> None:
        self._pools[connection] = {pool: rows[pool] for pool in sorted(rows)}
        outcomes = Counter(rendered.row.outcome for rendered in rows.values())
        self._outcomes[connection] = render_row(
            connection,
            COUNT_FAMILIES,
            (Sample(POOLS, (connection, outcome), outcomes[outcome]) for outcome in PoolOutcome),
        )

    def forget(self, connection: str) -> None:
        """Drop a connection with all its pools."""
        self._pools.pop(connection, None)
        self._outcomes.pop(connection, None)

    def exposition(self) -> bytes:
        """All series as text, connections and pools in order of name."""
        connections = sorted(self._pools)
        pools = [rendered for connection in connections for rendered in self._pools[connection].values()]
        outcomes = [self._outcomes[connection] for connection in connections]
        return join_families(POOL_FAMILIES, pools) + join_families(COUNT_FAMILIES, outcomes)


def _render(connection: str, row: PoolRow) -> Rendered[PoolRow]:
    return render_row(row, POOL_FAMILIES, _samples((connection, row.pool), row))


def _samples(identity: tuple[str, str], row: PoolRow) -> Iterator[Sample]:
    yield Sample(POOL_INFO, (*identity, str(row.policy or ""), row.mode or ""), 1)
    for condition in row.conditions:
        yield Sample(POOL_CONDITION, (*identity, *condition_labels(condition)), 1)
    open_classes = {PortClass.of(port) for port in row.internet_open_ports}
    for port_class in PortClass:
        yield Sample(POOL_INTERNET_REACHABLE, (*identity, port_class), port_class in open_classes)
    yield Sample(POOL_REACHABILITY_UNDETERMINED, identity, bool(row.internet_undetermined_ports))
    yield Sample(POOL_EXPOSURE_VIOLATION, identity, bool(row.violating_ports))
    for ip_family, addresses in sorted(row.exposed_addresses.items()):
        if addresses:
            yield Sample(POOL_EXPOSED_ADDRESSES, (*identity, ip_family), addresses)
    for family, condition_type in (
        (POOL_EXPOSED_SINCE, ConditionType.EXPOSED),
        (POOL_DRIFTED_SINCE, ConditionType.DRIFTED),
    ):
        since = true_since(row.conditions, condition_type)
        if since is not None:
            yield Sample(family, identity, since)
