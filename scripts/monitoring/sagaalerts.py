"""The alerts about corrections of pools with nodes: a scale not brought back, a step without end, an open breaker."""

from typing import Final

from scripts.monitoring.alerts import Alert, Group, Severity

_MARKS: Final = 24
"""Five-minute marks in two hours."""

REMEDIATION: Final = Group(
    name="batchaccess-remediation",
    alerts=(
        Alert(
            name="RestorePending",
            severity=Severity.CRITICAL,
            lasting="30m",
            expr="""\
max by (connection) (batchaccess_restore_pending) > 0
""",
            summary="{{ $value }} pools of {{ $labels.connection }} are left without their nodes",
            description=(
                "The operator drained {{ $value }} pools of account {{ $labels.connection }} and for half an hour has "
                "not been able to bring their scale back. Work on them stands still until somebody helps."
            ),
        ),
        Alert(
            name="RemediationStuck",
            severity=Severity.WARNING,
            lasting="15m",
            expr=f"""\
count by (connection, reason) (
  count_over_time(
    (
      max by (connection, pool, reason) (
        batchaccess_pool_condition{{type="Remediating", status="True", reason!="RestorePending"}}
      )
    )[2h:5m]
  ) >= {_MARKS}
)
""",
            summary="{{ $value }} pools of {{ $labels.connection }} have been {{ $labels.reason }} for two hours",
            description=(
                "The correction of {{ $value }} pools of account {{ $labels.connection }} has not left the step "
                "{{ $labels.reason }} for more than two hours. Nodes may be missing for as long."
            ),
        ),
        Alert(
            name="BreakerOpen",
            severity=Severity.WARNING,
            expr="""\
count by (connection) (
  max by (connection, pool) (batchaccess_pool_condition{type="Compliant", reason="BreakerOpen"})
)
""",
            summary="The breaker of {{ $labels.connection }} holds back {{ $value }} drains",
            description=(
                "So many pools of account {{ $labels.connection }} drifted at once that the operator empties none of "
                "them: {{ $value }} pools wait for somebody to say that it is meant."
            ),
        ),
    ),
)
