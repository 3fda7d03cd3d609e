"""When a saga may start: windows, how many run at once, the breaker. A started saga is not asked again.

Of those that want to start, the most dangerous comes first; one that waits or backs off takes no slot, so it cannot
starve the others.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.breaker import Breaker
from batchaccess.core.saga.windows import WindowVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Why no saga may start for a pool now."""

    reason: CompliantReason
    message: str
    until: datetime | None = None


BREAKER_MESSAGE: Final = (
    "More than half of the account's pools drift though no policy was edited, so nothing is drained. Find out why; "
    "annotate the connection with batchaccess.dev/requested-at to drain all the same."
)


@dataclass(slots=True)
class OpenSagas:
    """How many sagas are open on one connection, and for each policy (by UID) wherever they are.

    A saga whose restore is pending still counts: more capacity must not be put at risk.
    """

    on_connection: int = 0
    by_policy: Counter[str] = field(default_factory=Counter)

    def opened(self, policy_uid: str) -> None:
        """Take one more into account, as soon as its turn is certain."""
        self.on_connection += 1
        self.by_policy[policy_uid] += 1


def gate(
    policy: AccessPolicy,
    connection: AccountConnection,
    *,
    windows: WindowVerdict,
    open_sagas: OpenSagas,
    breaker: Breaker,
) -> Blocked | None:
    """Why no saga of this policy may start on this connection now; None if one may."""
    if breaker.is_open:
        return Blocked(reason=CompliantReason.BREAKER_OPEN, message=BREAKER_MESSAGE)
    if not windows.permitted:
        return Blocked(
            reason=CompliantReason.OUTSIDE_WINDOW,
            message=f"The windows of policy {policy.key} do not permit a start now.",
            until=windows.until,
        )
    if open_sagas.on_connection >= connection.max_concurrent_drains:
        return Blocked(
            reason=CompliantReason.DRAIN_LIMIT,
            message=f"Connection {connection.name} permits no further pool to be drained at once; others are first.",
        )
    if open_sagas.by_policy[policy.uid] >= policy.remediation.max_concurrent:
        return Blocked(
            reason=CompliantReason.DRAIN_LIMIT,
            message=f"Policy {policy.key} permits no further pool to be drained at once; others are first.",
        )
    return None
