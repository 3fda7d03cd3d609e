"""What an alert is: one per cause, so that one outage does not page once per pool.

Every expression first removes what only tells two operator processes apart (`max by`), so that old and new beside each
other are one alert. How alerts outlive the time between the two is told in restarts.py.
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


def by_governing_policy(matcher: str = "") -> str:
    """The right side of `* on (connection, pool) group_left (policy)`: one policy per pool.

    An old and a new process beside each other may disagree on which one it is; that must not end in an error.
    """
    return f"""\
topk by (connection, pool) (
  1,
  max by (connection, pool, policy) (batchaccess_pool_info{matcher})
)
"""
