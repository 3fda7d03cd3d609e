"""What no CRD can check: whether a window's cron expression and time zone exist.

The API server has stored such a policy already, so the controller reports these problems as `Accepted=False/Invalid`.
"""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from batchaccess.api.grammar import not_five_fields
from batchaccess.core.declared import AccessPolicy

_FIELDS: Final = 5
_ANY_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Where the check begins to count; a schedule is good or bad whatever the day."""


def schedule_problems(policy: AccessPolicy) -> tuple[tuple[str, str], ...]:
    """Every (path, message) of the policy's windows whose schedule never comes or whose time zone nobody knows."""
    problems: list[tuple[str, str]] = []
    for index, window in enumerate(policy.remediation.windows):
        where = f"spec.remediation.windows[{index}]"
        fault = _schedule_fault(window.schedule)
        if fault is not None:
            problems.append((f"{where}.schedule", fault))
        if not _is_time_zone(window.time_zone):
            problems.append(
                (
                    f"{where}.timeZone",
                    f"'{window.time_zone}' is no IANA time zone; write one such as Europe/Berlin or UTC",
                )
            )
    return tuple(problems)


def _schedule_fault(schedule: str) -> str | None:
    if len(schedule.split()) != _FIELDS:
        return not_five_fields(schedule)
    try:
        next(CronSim(schedule, _ANY_DAY))
    except CronSimError as error:
        return f"'{schedule}' is no cron expression: {str(error).lower()}"
    except StopIteration:
        return f"'{schedule}' never comes; choose a day that its month has"
    return None


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
