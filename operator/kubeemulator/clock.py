"""Times as the API writes them, and how long ago they were as kubectl shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365 * _DAY


def now_text() -> str:
    """The present second in RFC 3339, as `creationTimestamp` has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age(text: str) -> str:
    """How long ago a time was, in kubectl's short form; `<unknown>` for what is no time."""
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return "<unknown>"
    moment = then if then.tzinfo else then.replace(tzinfo=UTC)
    return human_duration(int((datetime.now(UTC) - moment).total_seconds()))


def human_duration(seconds: int) -> str:  # noqa: PLR0911 -- one line for each row of apimachinery's HumanDuration table
    """A duration in kubectl's short form (`k8s.io/apimachinery/pkg/util/duration`, HumanDuration)."""
    minutes, hours, days = seconds // _MINUTE, seconds // _HOUR, seconds // _DAY
    if seconds < 2 * _MINUTE:
        return f"{max(seconds, 0)}s"
    if seconds < 10 * _MINUTE:
        return f"{minutes}m{_rest(seconds % _MINUTE, 's')}"
    if seconds < 3 * _HOUR:
        return f"{minutes}m"
    if seconds < 8 * _HOUR:
        return f"{hours}h{_rest(minutes % 60, 'm')}"
    if seconds < 2 * _DAY:
        return f"{hours}h"
    if seconds < 8 * _DAY:
        return f"{days}d{_rest(hours % 24, 'h')}"
    if seconds < 2 * _YEAR:
        return f"{days}d"
    years = seconds // _YEAR
    return f"{years}y{_rest(days % 365, 'd')}" if seconds < 8 * _YEAR else f"{years}y"


def _rest(count: int, unit: str) -> str:
    return f"{count}{unit}" if count else ""
