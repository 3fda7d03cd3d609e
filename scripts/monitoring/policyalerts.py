"""The alerts about what people declared: policies that govern nothing, and what was suspended and forgotten."""

from typing import Final

from scripts.monitoring.alerts import Alert, Group, Severity
from scripts.monitoring.restarts import ACCEPTANCE_SHOWN, ENFORCEMENT_SHOWN, indented, lately


def _suspended_for_days(by: str, metric: str) -> str:
    """What is suspended now, was so three days ago, and was never seen not to be in between."""
    shown = f"max by ({by}) ({metric})"
    return f"""\
{shown} == 1
and min_over_time(({shown})[72h:30m]) == 1
and max_over_time(({shown})[1h:30m] offset 72h) == 1
"""


POLICIES: Final = Group(
    name="batchaccess-policies",
    alerts=(
        Alert(
            name="PolicyNotAccepted",
            severity=Severity.WARNING,
            lasting="15m",
            expr=lately(
                'batchaccess_policy_condition{type="Accepted", status="False"}',
                by="policy, reason",
                unless=ACCEPTANCE_SHOWN,
            ),
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
            expr=lately(
                'batchaccess_policy_condition{type="Enforced", reason="Overridden"}',
                by="policy",
                unless=ENFORCEMENT_SHOWN,
            ),
            summary="Policy {{ $labels.policy }} governs no pool: others take precedence",
            description=(
                "Every pool that policy {{ $labels.policy }} selects is governed by another policy of higher "
                "precedence. Its condition Enforced names them."
            ),
        ),
        Alert(
            name="PausedTooLong",
            severity=Severity.INFO,
            expr=f"""\
(
{indented(_suspended_for_days("policy", "batchaccess_policy_suspended"))}
)
or
(
{indented(_suspended_for_days("connection", "batchaccess_connection_suspended"))}
)
""",
            summary=(
                "{{ with $labels.policy }}Policy {{ . }}{{ end }}{{ with $labels.connection }}Account {{ . }}{{ end }} "
                "has been suspended for three days"
            ),
            description=(
                "Nothing is corrected "
                "{{ with $labels.policy }}on behalf of policy {{ . }}{{ end }}"
                "{{ with $labels.connection }}in account {{ . }}{{ end }} while it is suspended."
            ),
        ),
    ),
)
