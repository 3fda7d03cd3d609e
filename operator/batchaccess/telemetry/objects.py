"""State of the connections and policies that people declared."""

from collections.abc import Iterator

from batchaccess.core.model import ObjectKey
from batchaccess.telemetry.conditions import condition_labels
from batchaccess.telemetry.exposition import Rendered, Sample, join_families, render_row
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


class ConnectionTable:
    """The last row of every connection, kept as text."""

    def __init__(self) -> None:
        self._rows: dict[str, Rendered[ConnectionRow]] = {}

    def replace(self, row: ConnectionRow) -> None:
        """Replace the row of one connection."""
        self._rows[row.connection] = render_row(row, CONNECTION_FAMILIES, _connection_samples(row))

    def forget(self, connection: str) -> None:
        """Drop one connection."""
        self._rows.pop(connection, None)

    def exposition(self) -> bytes:
        """All series as text, connections in order of name."""
        return join_families(CONNECTION_FAMILIES, [self._rows[name] for name in sorted(self._rows)])


class PolicyTable:
    """The last row of every policy, kept as text."""

    def __init__(self) -> None:
        self._rows: dict[ObjectKey, Rendered[PolicyRow]] = {}

    def replace(self, row: PolicyRow) -> None:
        """Replace the row of one policy."""
        known = self._rows.get(row.policy)
        if known is None or known.row != row:
            self._rows[row.policy] = render_row(row, POLICY_FAMILIES, _policy_samples(row))

    def forget(self, policy: ObjectKey) -> None:
        """Drop one policy."""
        self._rows.pop(policy, None)

    def exposition(self) -> bytes:
        """All series as text, policies in order of namespace and name."""
        return join_families(POLICY_FAMILIES, [self._rows[key] for key in sorted(self._rows)])


def _connection_samples(row: ConnectionRow) -> Iterator[Sample]:
    for condition in row.conditions:
        yield Sample(CONNECTION_CONDITION, (row.connection, *condition_labels(condition)), 1)
    yield Sample(CONNECTION_SUSPENDED, (row.connection,), row.suspended)
    yield Sample(SWEEP_PERIOD, (row.connection,), row.sync_period_seconds)


def _policy_samples(row: PolicyRow) -> Iterator[Sample]:
    policy = str(row.policy)
    yield Sample(POLICY_INFO, (policy, row.mode or ""), 1)
    for condition in row.conditions:
        yield Sample(POLICY_CONDITION, (policy, *condition_labels(condition)), 1)
    yield Sample(POLICY_SUSPENDED, (policy,), row.suspended)
