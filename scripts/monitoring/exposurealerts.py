"""The alerts about who reaches the pools: against policy, nobody knows who, or somebody an assertion names."""

from typing import Final

from scripts.monitoring.alerts import Alert, Group, Severity, by_governing_policy
from scripts.monitoring.restarts import POOLS_SHOWN, indented, lately

_UNDETERMINED: Final = lately("batchaccess_pool_reachability_undetermined", by="connection, pool", unless=POOLS_SHOWN)

_ASSERTION_VIOLATED: Final = lately("batchaccess_pool_failed_assertions", by="connection, pool", unless=POOLS_SHOWN)
"""Not by the reason of Compliant: a pool that has drifted under Audit says so first, and no other alert tells of it."""

EXPOSURE: Final = Group(
    name="batchaccess-exposure",
    alerts=(
        Alert(
            name="PoolInternetExposed",
            severity=Severity.CRITICAL,
            expr=f"""\
max by (connection, pool) (batchaccess_pool_exposure_violation == 1)
* on (connection, pool) group_left (policy)
{by_governing_policy()}""",
            summary="Pool {{ $labels.pool }} of {{ $labels.connection }} is reachable from the Internet against policy",
            description=(
                "A port of pool {{ $labels.pool }} of account {{ $labels.connection }} is reachable from the Internet, "
                "be it from a single public address, although {{ with $labels.policy }}its policy ({{ . }}), {{ end }}"
                "an assertion or a guardrail closes it."
            ),
        ),
        Alert(
            name="ReachabilityUndetermined",
            severity=Severity.WARNING,
            lasting="1h",
            expr=f"""\
count by (connection) (
  (
{indented(_UNDETERMINED, 4)}
  ) == 1
)
""",
            summary="Whether the Internet reaches {{ $value }} pools of {{ $labels.connection }} cannot be told",
            description=(
                "For {{ $value }} pools of account {{ $labels.connection }} it has not been possible for an hour to "
                "tell whether the Internet reaches them. A guardrail takes such a pool for exposed."
            ),
        ),
        Alert(
            name="AssertionViolated",
            severity=Severity.WARNING,
            lasting="30m",
            expr=f"""\
count by (connection) (
  (
{indented(_ASSERTION_VIOLATED, 4)}
  )
  unless on (connection, pool)
  batchaccess_pool_exposure_violation == 1
)
""",
            summary="An assertion does not hold for {{ $value }} pools of {{ $labels.connection }}",
            description=(
                "Somebody whom an assertion keeps out reaches {{ $value }} pools of account {{ $labels.connection }}. "
                "Assertions are reported and never corrected. batchaccess_pool_failed_assertions names the pools."
            ),
        ),
    ),
)
