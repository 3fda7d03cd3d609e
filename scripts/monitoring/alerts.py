"""The alerts as values: one per cause, so that one outage does not page once per pool.

Every expression first removes what only tells two operator processes apart (`max by`), so that a restart neither
doubles an alert nor starts its clock anew. "Since when" is when the condition changed, which outlives restarts.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Who is told: critical wakes somebody, warning waits for office hours, info is a note."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule. Its runbook is docs/runbooks/NAME.md."""

    name: str
    severity: Severity
    expr: str
    summary: str
    description: str
    lasting: str = "0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that Prometheus evaluates together."""

    name: str
    alerts: tuple[Alert, ...]


FRUITLESS_DRAIN = "DrainTimedOut|DrainIncomplete|ScaleChanged|JournalRefused"
"""Reasons of a pool whose nodes were, or would have been, taken for nothing: RemediationFailing tells of them."""

BEYOND_CORRECTION = (
    "LimitExceeded|SharedKeySubnet|AccessDenied|Rejected|UnexpectedResult|PreconditionUnsupported|UnreadableJournal"
    "|Unreadable"
)
"""Reasons of a pool that the service refuses to change, or cannot: CorrectionStalled tells of them."""

DRIFTED_POOLS = "max by (connection, pool) (batchaccess_pool_drifted_since_timestamp_seconds)"


def _drift_older_than(seconds: int, *, but: str = "Suspended") -> str:
    """Pools of enforcing policies that drifted longer ago, counted by policy.

    Left out is what nobody expects to be corrected: a suspended policy (PausedTooLong reminds of it) and mappings that
    the service made itself, which no PATCH can change. `but` are all the reasons of `Compliant` to leave out.
    """
    return f"""\
count by (connection, policy) (
  (
    time() - {DRIFTED_POOLS} > {seconds}
    unless on (connection, pool)
    batchaccess_pool_condition{{
      type="Compliant",
      reason=~"{but}"
    }}
    unless on (connection, pool)
    batchaccess_pool_condition{{type="Drifted", reason="ImplicitMapping"}}
  )
  * on (connection, pool) group_left (policy)
  max by (connection, pool, policy) (batchaccess_pool_info{{mode="Enforce"}})
)
"""


EXPOSURE = Group(
    name="batchaccess-exposure",
    alerts=(
        Alert(
            name="PoolInternetExposed",
            severity=Severity.CRITICAL,
            expr="""\
max by (connection, pool) (batchaccess_pool_exposure_violation == 1)
* on (connection, pool) group_left (policy)
max by (connection, pool, policy) (batchaccess_pool_info)
""",
            summary="The Internet reaches pool {{ $labels.pool }} against policy",
            description=(
                "Anyone on the Internet reaches a port of pool {{ $labels.pool }} of account {{ $labels.connection }} "
                "that {{ with $labels.policy }}its policy ({{ . }}), {{ end }}an assertion or a guardrail closes."
            ),
        ),
        Alert(
            name="ReachabilityUndetermined",
            severity=Severity.WARNING,
            lasting="1h",
            expr="""\
count by (connection) (
  max by (connection, pool) (batchaccess_pool_reachability_undetermined) == 1
)
""",
            summary="Who reaches {{ $value }} pools of {{ $labels.connection }} cannot be told",
            description=(
                "For {{ $value }} pools of account {{ $labels.connection }} it has not been possible for an hour to "
                "tell whether the Internet reaches them. A guardrail takes such a pool for exposed."
            ),
        ),
    ),
)

CORRECTION = Group(
    name="batchaccess-correction",
    alerts=(
        Alert(
            name="DriftUncorrected",
            severity=Severity.WARNING,
            expr=_drift_older_than(3600, but=f"Suspended|Contended|BreakerOpen|{FRUITLESS_DRAIN}|{BEYOND_CORRECTION}"),
            summary="{{ $value }} pools of policy {{ $labels.policy }} have been drifted for an hour",
            description=(
                "{{ $value }} pools of account {{ $labels.connection }} that policy {{ $labels.policy }} is to keep in "
                "order have not been as declared for more than an hour."
            ),
        ),
        Alert(
            name="DriftUncorrected",
            severity=Severity.CRITICAL,
            expr=_drift_older_than(86400),
            summary="{{ $value }} pools of policy {{ $labels.policy }} have been drifted for a day",
            description=(
                "{{ $value }} pools of account {{ $labels.connection }} that policy {{ $labels.policy }} is to keep in "
                "order have not been as declared for more than 24 hours."
            ),
        ),
        Alert(
            name="MassDrift",
            severity=Severity.CRITICAL,
            expr=f"""\
(
  count by (connection) ({DRIFTED_POOLS}) >= 10
)
and on (connection)
(
  count by (connection) ({DRIFTED_POOLS})
  > 0.5 * sum by (connection) (max by (connection, outcome) (batchaccess_pools))
)
""",
            summary="Most pools of {{ $labels.connection }} have drifted",
            description=(
                "{{ $value }} pools, more than half of account {{ $labels.connection }}, are not as declared. Rather "
                "one cause than many: a policy edited by mistake, or somebody rewriting the account."
            ),
        ),
        Alert(
            name="CorrectionStalled",
            severity=Severity.WARNING,
            lasting="30m",
            expr=f"""\
count by (connection, reason) (
  max by (connection, pool, reason) (
    batchaccess_pool_condition{{
      type="Compliant", status!="True",
      reason=~"{BEYOND_CORRECTION}"
    }}
  )
)
""",
            summary="{{ $value }} pools of {{ $labels.connection }} cannot be corrected: {{ $labels.reason }}",
            description=(
                "The operator gave up on {{ $value }} pools of account {{ $labels.connection }} because of "
                "{{ $labels.reason }}. It tries again once policy or pool change."
            ),
        ),
        Alert(
            name="DriftFlapping",
            severity=Severity.WARNING,
            expr="""\
count by (connection) (
  max by (connection, pool) (batchaccess_pool_condition{type="Compliant", reason="Contended"})
)
""",
            summary="Somebody keeps undoing corrections in {{ $labels.connection }}",
            description=(
                "{{ $value }} pools of account {{ $labels.connection }} were overwritten by somebody else again and "
                "again within an hour of being corrected. The operator backs off for an hour each time."
            ),
        ),
    ),
)

POLICIES = Group(
    name="batchaccess-policies",
    alerts=(
        Alert(
            name="PolicyNotAccepted",
            severity=Severity.WARNING,
            lasting="15m",
            expr="""\
max by (policy, reason) (batchaccess_policy_condition{type="Accepted", status="False"})
""",
            summary="Policy {{ $labels.policy }} is not accepted: {{ $labels.reason }}",
            description=(
                "Policy {{ $labels.policy }} governs no pool because of {{ $labels.reason }}. Its condition Accepted "
                "says more."
            ),
        ),
        Alert(
            name="PolicyConflict",
            severity=Severity.WARNING,
            lasting="15m",
            expr="""\
max by (policy) (batchaccess_policy_condition{type="Enforced", reason="Overridden"})
""",
            summary="Policy {{ $labels.policy }} is overridden",
            description=(
                "Every pool that policy {{ $labels.policy }} selects is governed by another policy of higher "
                "precedence."
            ),
        ),
        Alert(
            name="PausedTooLong",
            severity=Severity.INFO,
            lasting="72h",
            expr="""\
max by (policy) (batchaccess_policy_suspended) == 1
or
max by (connection) (batchaccess_connection_suspended) == 1
""",
            summary="{{ $labels.policy }}{{ $labels.connection }} has been suspended for three days",
            description=(
                "Nothing is corrected on behalf of {{ $labels.policy }}{{ $labels.connection }} while it is suspended."
            ),
        ),
    ),
)

GROUPS = (EXPOSURE, CORRECTION, POLICIES)
