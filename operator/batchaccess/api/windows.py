"""The occurrences of a policy's windows around a moment: cron expressions in the window's own time zone.

A window that begins at a local time which a change of the clocks skips begins right after it; one at a local time that
comes twice begins once (cronsim follows Debian's cron). It lasts for so many seconds whatever the clocks do.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from batchaccess.core.declared import AccessPolicy, Window
from batchaccess.core.saga.windows import Span, WindowSpans, WindowVerdict, window_verdict

_AHEAD: Final = 64
"""Occurrences that are looked at from a moment on; they only tell when a start is permitted next."""


def windows_of(policy: AccessPolicy, now: datetime) -> WindowVerdict:
    """Whether the windows of a policy whose schedules are good permit a start now."""
    windows = policy.remediation.windows
    if not windows:
        return WindowVerdict(permitted=True)
    return window_verdict(window_spans(windows, now), now)


def window_spans(windows: Iterable[Window], now: datetime) -> tuple[WindowSpans, ...]:
    """The last occurrence of each window before `now`, or at it, and the next ones, in order."""
    return tuple(WindowSpans(kind=window.kind, spans=tuple(_spans(window, now))) for window in windows)


def _spans(window: Window, now: datetime) -> Iterator[Span]:
    length = timedelta(seconds=window.duration_seconds)
    zone = ZoneInfo(window.time_zone)
    # cronsim looks strictly after, or before, the moment it is given, in whole minutes.
    local = now.astimezone(zone)
    past = CronSim(window.schedule, local + timedelta(minutes=1), reverse=True)
    previous = next((each for each in islice(past, 2) if each.astimezone(UTC) <= now), None)
    coming = (each for each in islice(CronSim(window.schedule, local), _AHEAD) if each.astimezone(UTC) > now)
    for start in (*(() if previous is None else (previous,)), *coming):
        begin = start.astimezone(UTC)
        yield Span(start=begin, end=begin + length)
