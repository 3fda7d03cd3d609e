"""The alerts about the operator itself and its way to Azure and Kubernetes: is it there, does it see, may it write."""

from scripts.monitoring.alerts import Alert, Group, Severity

REFUSED_IDENTITY = "AuthenticationFailed|SecretNotFound"
UNUSABLE_DECLARATION = "DuplicateEndpoint|EndpointNotAllowed|Invalid"
"""Reasons of a connection that have an alert of their own, so that SweepStale need not name them a second time."""

OPERATOR = Group(
    name="batchaccess-operator",
    alerts=(
        Alert(
            name="OperatorAbsent",
            severity=Severity.CRITICAL,
            lasting="10m",
            expr="absent(batchaccess_build_info)\n",
            summary="The Azure Batch access operator is not running",
            description=(
                "Prometheus has not scraped a batchaccess operator for ten minutes: nothing is observed or corrected."
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
            expr=f"""\
max by (connection) (
  batchaccess_connection_condition{{type="Ready", reason=~"{REFUSED_IDENTITY}"}}
)
""",
            summary="Account {{ $labels.connection }} refuses the operator's identity",
            description=(
                "The operator has not been able to authenticate to account {{ $labels.connection }} for ten minutes."
            ),
        ),
        Alert(
            name="ConnectionNotReady",
            severity=Severity.WARNING,
            lasting="10m",
            expr=f"""\
max by (connection, reason) (
  batchaccess_connection_condition{{type="Ready", reason=~"{UNUSABLE_DECLARATION}"}}
)
""",
            summary="Connection {{ $labels.connection }} cannot be used as declared: {{ $labels.reason }}",
            description=(
                "For ten minutes connection {{ $labels.connection }} has been declared in a way that the operator "
                "cannot use: {{ $labels.reason }}. Its account is not observed. Its condition Ready says more."
            ),
        ),
        Alert(
            name="AzureThrottled",
            severity=Severity.WARNING,
            lasting="15m",
            expr="""\
sum by (connection) (rate(batchaccess_azure_throttled_total[5m])) > 0
""",
            summary="Account {{ $labels.connection }} throttles the operator",
            description=(
                "For 15 minutes the Batch service has refused requests to account {{ $labels.connection }} because "
                "there were too many. Drift is found and corrected later than it could be."
            ),
        ),
        Alert(
            name="StatusWritesFailing",
            severity=Severity.WARNING,
            lasting="15m",
            expr="""\
sum by (kind) (rate(batchaccess_status_writes_total{result="Failed"}[5m])) > 0
""",
            summary="The status of {{ $labels.kind }} objects cannot be written",
            description=(
                "For 15 minutes writes to the status of {{ $labels.kind }} objects have failed: kubectl shows old news."
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
