"""The alerts about corrections of pools with nodes: scale not back, a step without end, drains in vain, the breaker."""

from typing import Final

from scripts.monitoring.alerts import FRUITLESS_DRAIN, Alert, Group, Severity

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
            name="RemediationFailing",
            severity=Severity.WARNING,
            lasting="5m",
            expr=f"""\
count by (connection, reason) (
  max by (connection, pool, reason) (
    batchaccess_pool_condition{{
      type="Compliant", status!="True",
      reason=~"{FRUITLESS_DRAIN}"
    }}
  )
)
""",
            summary="{{ $value }} drains of {{ $labels.connection }} came to nothing: {{ $labels.reason }}",
            description=(
                "The correction of {{ $value }} pools with nodes of account {{ $labels.connection }} ended without "
                "correcting them because of {{ $labels.reason }}. Their scale is back; they are not drained again for "
                "the same drift until somebody asks for it."
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
