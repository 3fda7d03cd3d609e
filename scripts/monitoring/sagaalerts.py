"""The alerts about corrections of pools with nodes: scale not back, a step without end, drains in vain, the breaker."""

from typing import Final

from scripts.monitoring.alerts import FRUITLESS_DRAIN, Alert, Group, Severity
from scripts.monitoring.restarts import BRIDGED, POOLS_SHOWN, indented, lately

_MARKS: Final = 24
"""Five-minute marks in two hours; the half hour more in which they are looked for is for restarts."""

_UNDER_WAY: Final = 'batchaccess_pool_condition{type="Remediating", status="True", reason!="RestorePending"}'

_FRUITLESS: Final = lately(
    f"""\
batchaccess_pool_condition{{
  type="Compliant", status!="True",
  reason=~"{FRUITLESS_DRAIN}"
}}""",
    by="connection, pool, reason",
    unless=POOLS_SHOWN,
)

REMEDIATION: Final = Group(
    name="batchaccess-remediation",
    alerts=(
        Alert(
            name="RestorePending",
            severity=Severity.CRITICAL,
            lasting="30m",
            expr=f"""\
max by (connection) (batchaccess_restore_pending) > 0
or
(
  max by (connection) (max_over_time(batchaccess_restore_pending[{BRIDGED}])) > 0
  unless on (connection)
  max by (connection) (batchaccess_remediation_active{{step="Restoring"}}) == 0
)
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
        {_UNDER_WAY}
      )
    )[150m:5m]
  ) >= {_MARKS}
  and on (connection, pool, reason)
  (
{indented(lately(_UNDER_WAY, by="connection, pool, reason", unless=POOLS_SHOWN), 4)}
  )
)
""",
            summary=(
                "The correction of {{ $value }} pools of {{ $labels.connection }} has been {{ $labels.reason }} for "
                "two hours"
            ),
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
{indented(_FRUITLESS)}
)
""",
            summary="Draining corrected none of {{ $value }} pools of {{ $labels.connection }}: {{ $labels.reason }}",
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
                "So many pools of account {{ $labels.connection }} drifted at once, though nobody edited their "
                "policies, that the operator empties none of them: {{ $value }} pools wait for somebody to undo what "
                "changed them, or to say that it is meant."
            ),
        ),
    ),
)
