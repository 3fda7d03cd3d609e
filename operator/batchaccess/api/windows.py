"""The occurrences of a policy's windows around a moment: cron expressions in the window's own time zone.

Where the clocks change, Debian's cron is followed. A schedule that names minute and hour comes once a day: at a local
time that is skipped, right after it; at one that comes twice, the first time. A schedule whose minute or hour begins
with `*` comes every so often: not at a local time that is skipped, and both times at one that comes twice. A window
lasts for so many seconds whatever the clocks do.

cronsim only walks through local times here, as if no clock ever changed: its own walk through a change goes wrong in
the repeated hour when it goes back, and where clocks change by half an hour.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from batchaccess.core.declared import AccessPolicy, Window
from batchaccess.core.saga.windows import Span, WindowSpans, WindowVerdict, window_verdict

_AHEAD: Final = 64
"""Occurrences that are looked at from a moment on; they only tell when a start is permitted next."""

_CHANGE: Final = timedelta(hours=3)
"""More than clocks are ever put back at once; local times this far apart are in the order of the instants they mean."""

_SECOND: Final = timedelta(seconds=1)
_EVERY: Final = "*"


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
    previous = _previous(window, now)
    for start in (*(() if previous is None else (previous,)), *_coming(window, now)):
        yield Span(start=start, end=start + length)


def _previous(window: Window, now: datetime) -> datetime | None:
    """The last occurrence before `now`, or at it; None if there was none for ages."""
    zone = ZoneInfo(window.time_zone)
    found: datetime | None = None
    for local in CronSim(window.schedule, _wall(now, zone) + _CHANGE, reverse=True):
        past = [each for each in _instants(window, local, zone) if each <= now]
        found = max(past if found is None else [found, *past], default=None)
        if found is not None and local <= _wall(found, zone) - _CHANGE:
            break
    return found


def _coming(window: Window, now: datetime) -> list[datetime]:
    """The next occurrences after `now`, in order and without a gap between them."""
    zone, found = ZoneInfo(window.time_zone), set[datetime]()
    for local in CronSim(window.schedule, _wall(now, zone) - _CHANGE):
        found.update(each for each in _instants(window, local, zone) if each > now)
        # A local time that is still to come means no instant before this one, but may come before a second meaning.
        if len(found) >= _AHEAD and sorted(found)[_AHEAD - 1] <= local.replace(tzinfo=zone).astimezone(UTC):
            break
    return sorted(found)[:_AHEAD]


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """What clocks on the wall show, in whole minutes, as cronsim takes it."""
    return instant.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)


def _instants(window: Window, local: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """When a schedule that matches a local time comes: never, once, or twice."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    minute, hour, *_ = window.schedule.split()
    every_so_often = minute.startswith(_EVERY) or hour.startswith(_EVERY)
    if first > second:
        # A skipped local time: PEP 495 reads it with the offset from before the change, or from after it.
        if not every_so_often:
            yield _change_between(second, first, zone)
        return
    yield first
    if every_so_often and second != first:
        yield second


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second of the offset at `after`; at `before` the clocks had not been changed yet."""
    offset = after.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == offset else (middle, high)
    return high
