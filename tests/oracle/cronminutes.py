"""When a cron schedule comes: asked minute by minute, without cronsim, by the rule of Debian's cron(8).

That rule: a job at a particular time, with no `*` in minute or hour, runs right after an interval that skips it, and is
not run again when its time comes a second time. Jobs that run more often follow the clock on the wall.

Understands numbers, lists, ranges, `*` and steps. Days are matched as cron does: both fields if one begins with `*`,
else either.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""The bounds of minute, hour, day, month and weekday."""


def occurrences(schedule: str, time_zone: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """Each minute from `start` through `end`, both in UTC and whole minutes, at which the schedule comes."""
    zone, at = ZoneInfo(time_zone), start
    matches, every_so_often = _matcher(schedule), "*" in {text[0] for text in schedule.split()[:2]}
    before = (start - MINUTE).astimezone(zone).replace(tzinfo=None)
    while at <= end:
        local = at.astimezone(zone)
        wall = local.replace(tzinfo=None)
        if every_so_often:
            comes = matches(wall)
        else:
            # All that was shown since the minute before, which is more than one minute where clocks are put forward.
            comes = not local.fold and any(matches(each) for each in _shown(before, wall))
        if comes:
            yield at
        at, before = at + MINUTE, wall


def _shown(after: datetime, until: datetime) -> Iterator[datetime]:
    while after < until:
        after += MINUTE
        yield after


def _matcher(schedule: str) -> Callable[[datetime], bool]:
    texts = schedule.split()
    minute, hour, day, month, weekday = (
        _field(text, lowest, last) for text, (lowest, last) in zip(texts, _FIELDS, strict=True)
    )
    both = texts[2].startswith("*") or texts[4].startswith("*")

    def matches(wall: datetime) -> bool:
        if wall.minute not in minute or wall.hour not in hour or wall.month not in month:
            return False
        days = wall.day in day, bool({wall.isoweekday(), wall.isoweekday() % 7} & weekday)
        return all(days) if both else any(days)

    return matches


def _field(text: str, lowest: int, last: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        values, _, step = part.partition("/")
        low, _, high = values.partition("-")
        first = lowest if low == "*" else int(low)
        until = last if low == "*" or (step and not high) else int(high or low)
        found.update(range(first, until + 1, int(step or 1)))
    return found
