"""The alerts about drift that should have been corrected, and about what keeps it from being corrected."""

from typing import Final

from scripts.monitoring.alerts import (
    BEYOND_CORRECTION,
    FRUITLESS_DRAIN,
    Alert,
    Group,
    Severity,
    by_governing_policy,
)
from scripts.monitoring.restarts import POOLS_SHOWN, indented, lately


def _drifted(*, but: str = "Suspended") -> str:
    """Since when pools have drifted, without what nobody expects to be corrected.

    That is a suspended policy, of which PausedTooLong reminds, and mappings that the service made itself, which no
    PATCH can change. Pools of policies that only audit are for the caller to leave out, by `mode` of their info. `but`
    are all the reasons of `Compliant` to leave out.
    """
    return f"""\
max by (connection, pool) (batchaccess_pool_drifted_since_timestamp_seconds)
unless on (connection, pool)
batchaccess_pool_condition{{
  type="Compliant",
  reason=~"{but}"
}}
unless on (connection, pool)
batchaccess_pool_condition{{type="Drifted", reason="ImplicitMapping"}}
"""


_ENFORCED = '{mode="Enforce"}'


def _drift_older_than(seconds: int, *, but: str = "Suspended") -> str:
    """Pools of enforcing policies that drifted longer ago, counted by policy."""
    return f"""\
count by (connection, policy) (
  (
    time() - (
{indented(_drifted(but=but), 6)}
    ) > {seconds}
  )
  * on (connection, pool) group_left (policy)
{indented(by_governing_policy(_ENFORCED))}
)
"""


_DRIFTED_THOUGH_ENFORCED: Final = f"""\
count by (connection) (
  (
{indented(_drifted(), 4)}
  )
  and on (connection, pool)
  batchaccess_pool_info{_ENFORCED}
)
"""

_OUT_OF_REACH: Final = lately(
    f"""\
batchaccess_pool_condition{{
  type="Compliant", status!="True",
  reason=~"{BEYOND_CORRECTION}"
}}""",
    by="connection, pool, reason",
    unless=POOLS_SHOWN,
)

CORRECTION: Final = Group(
    name="batchaccess-correction",
    alerts=(
        Alert(
            name="DriftUncorrected",
            severity=Severity.WARNING,
            expr=_drift_older_than(3600, but=f"Suspended|Contended|BreakerOpen|{FRUITLESS_DRAIN}|{BEYOND_CORRECTION}"),
            summary="{{ $value }} pools of policy {{ $labels.policy }} have been drifted for an hour",
            description=(
                "{{ $value }} pools of account {{ $labels.connection }} that policy {{ $labels.policy }} is to keep in "
                "order have not been as declared for more than an hour. The condition Compliant of each pool says what "
                "its correction waits for."
            ),
        ),
        Alert(
            name="DriftUncorrected",
            severity=Severity.CRITICAL,
            expr=_drift_older_than(86400),
            summary="{{ $value }} pools of policy {{ $labels.policy }} have been drifted for a day",
            description=(
                "{{ $value }} pools of account {{ $labels.connection }} that policy {{ $labels.policy }} is to keep in "
                "order have not been as declared for more than 24 hours. The condition Compliant of each pool says "
                "what its correction waits for."
            ),
        ),
        Alert(
            name="MassDrift",
            severity=Severity.CRITICAL,
            expr=f"""\
(
{indented(_DRIFTED_THOUGH_ENFORCED)}
  > clamp_min(0.5 * sum by (connection) (max by (connection, outcome) (batchaccess_pools)), 9)
)
or
(
{indented(_DRIFTED_THOUGH_ENFORCED)}
  and on (connection) batchaccess_breaker_open == 1
  and on (connection) batchaccess_pool_condition{{type="Compliant", reason="BreakerOpen"}}
)
""",
            summary="{{ $value }} pools of {{ $labels.connection }} have drifted at once",
            description=(
                "{{ $value }} pools of account {{ $labels.connection }} that policies are to keep in order are not as "
                "declared: most of the account, or so many that the breaker holds back their drains. Rather one cause "
                "than many: a policy edited by mistake, or somebody rewriting the account."
            ),
        ),
        Alert(
            name="CorrectionStalled",
            severity=Severity.WARNING,
            lasting="30m",
            expr=f"""\
count by (connection, reason) (
{indented(_OUT_OF_REACH)}
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
