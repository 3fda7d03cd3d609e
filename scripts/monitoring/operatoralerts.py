"""The alerts about the operator itself and its way to Azure and Kubernetes: is it there, does it see, may it write."""

from typing import Final

from scripts.monitoring.alerts import Alert, Group, Severity
from scripts.monitoring.restarts import CONNECTION_SHOWN, lately

REFUSED_IDENTITY = "AuthenticationFailed|SecretNotFound"
UNUSABLE_DECLARATION = "DuplicateEndpoint|EndpointNotAllowed|Invalid"
"""Reasons of a connection that have an alert of their own, so that SweepStale need not name them a second time."""

_SPARSE: Final = "35m"
"""How long counters have to grow that grow once in a sweep, for all accounts that are swept every half hour or oftener.

Longer than the half hour over which their increase is taken: what happened once is no longer in it by then.
"""


def _restarts(within: str) -> str:
    """How often the process restarted that did so most often; a new pod of a rollout is another process."""
    return f"""\
max(
  changes(process_start_time_seconds[{within}])
  and on (instance, job)
  last_over_time(batchaccess_build_info[{within}])
)"""


OPERATOR = Group(
    name="batchaccess-operator",
    alerts=(
        Alert(
            name="OperatorAbsent",
            severity=Severity.CRITICAL,
            lasting="10m",
            expr="absent(batchaccess_build_info)\n",
            summary="No Azure Batch access operator is scraped",
            description=(
                "Prometheus has not scraped a batchaccess operator for ten minutes. Either none is running, and "
                "nothing is observed or corrected, or one runs and every other alert about it is blind."
            ),
        ),
        Alert(
            name="OperatorRestarting",
            severity=Severity.WARNING,
            expr=f"{_restarts('2h')} > 3\n",
            summary="The Azure Batch access operator restarted {{ $value }} times in two hours",
            description=(
                "A process of the operator restarted {{ $value }} times in two hours. It goes on where it was each "
                "time, but drift is found and corrected later."
            ),
        ),
        Alert(
            name="OperatorRestarting",
            severity=Severity.CRITICAL,
            expr=f"{_restarts('1h')} > 5\n",
            summary="The Azure Batch access operator restarted {{ $value }} times in an hour",
            description=(
                "A process of the operator restarted {{ $value }} times in an hour: it lives for minutes and is away "
                "for as long. Little is observed or corrected, and alerts that have to last may not fire."
            ),
        ),
        Alert(
            name="LeaderAbsent",
            severity=Severity.CRITICAL,
            lasting="5m",
            expr="max(batchaccess_leader) == 0\n",
            summary="No replica of the Azure Batch access operator leads",
            description=(
                "For five minutes replicas of the operator have run and none of them held the Lease: nothing is "
                "observed or corrected."
            ),
        ),
        Alert(
            name="SweepStale",
            severity=Severity.CRITICAL,
            lasting="2m",
            expr=f"""\
(
  time() - max by (connection) (batchaccess_sweep_last_success_timestamp_seconds)
  > 3 * max by (connection) (batchaccess_sweep_period_seconds)
  or
  (
    max by (connection) (batchaccess_sweep_period_seconds)
    unless on (connection) batchaccess_sweep_last_success_timestamp_seconds
  )
)
unless on (connection)
batchaccess_connection_condition{{
  type="Ready",
  reason=~"{REFUSED_IDENTITY}|{UNUSABLE_DECLARATION}"
}}
""",
            summary="Account {{ $labels.connection }} is no longer observed",
            description=(
                "For more than three sweep periods no sweep of account {{ $labels.connection }} has succeeded, so what "
                "is shown of its pools is old and nothing is corrected. The condition Ready of the connection says "
                "more."
            ),
        ),
        Alert(
            name="AzureAuthFailing",
            severity=Severity.CRITICAL,
            lasting="10m",
            expr=lately(
                f'batchaccess_connection_condition{{type="Ready", reason=~"{REFUSED_IDENTITY}"}}',
                by="connection",
                unless=CONNECTION_SHOWN,
            ),
            summary="The operator cannot authenticate to account {{ $labels.connection }}",
            description=(
                "For ten minutes account {{ $labels.connection }} has refused the operator's identity, or the Secret "
                "with its credential has been missing: its pools are not observed. The condition Ready of the "
                "connection says which."
            ),
        ),
        Alert(
            name="ConnectionNotReady",
            severity=Severity.WARNING,
            lasting="10m",
            expr=lately(
                f'batchaccess_connection_condition{{type="Ready", reason=~"{UNUSABLE_DECLARATION}"}}',
                by="connection, reason",
                unless=CONNECTION_SHOWN,
            ),
            summary="Connection {{ $labels.connection }} cannot be used as declared: {{ $labels.reason }}",
            description=(
                "For ten minutes connection {{ $labels.connection }} has been declared in a way that the operator "
                "cannot use: {{ $labels.reason }}. Its account is not observed. Its condition Ready says more."
            ),
        ),
        Alert(
            name="AzureThrottled",
            severity=Severity.WARNING,
            lasting=_SPARSE,
            expr="""\
sum by (connection) (increase(batchaccess_azure_throttled_total[30m])) > 0
""",
            summary="Account {{ $labels.connection }} throttles the operator",
            description=(
                "For more than half an hour the Batch service has refused requests to account {{ $labels.connection }} "
                "because there were too many. Drift is found and corrected later than it could be."
            ),
        ),
        Alert(
            name="StatusWritesFailing",
            severity=Severity.WARNING,
            lasting=_SPARSE,
            expr="""\
sum by (kind) (increase(batchaccess_status_writes_total{result="Failed"}[30m])) > 0
""",
            summary="The status of {{ $labels.kind }} objects cannot be written",
            description=(
                "For more than half an hour writes to the status of {{ $labels.kind }} objects have failed again and "
                "again: what kubectl shows of them is old. Metrics are right."
            ),
        ),
        Alert(
            name="WatchSilent",
            severity=Severity.WARNING,
            expr="""\
sum by (kind) (increase(batchaccess_resync_missed_changes_total[1h])) > 0
""",
            summary="The watch of {{ $labels.kind }} objects is open and tells nothing",
            description=(
                "Within the last hour whole readings of the Kubernetes API found changes of {{ $labels.kind }} objects "
                "that their watch did not tell. What people declare takes effect later than it could, by up to ten "
                "minutes as --resync-seconds is by default."
            ),
        ),
    ),
)
