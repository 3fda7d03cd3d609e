"""Windows on the days on which the clocks change, by a table and against an oracle that goes minute by minute."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchaccess.api.windows import window_spans, windows_of
from batchaccess.core.declared import Remediation, Window, WindowKind
from batchaccess.core.saga.windows import WindowVerdict
from tests.oracle.cronminutes import MINUTE, occurrences
from tests.support.build import policy

BERLIN, NEW_YORK, LORD_HOWE, SYDNEY = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney"
KOLKATA = "Asia/Kolkata"


def verdict(at: str, zone: str, schedule: str, minutes: int, kind: WindowKind) -> WindowVerdict:
    window = Window(kind=kind, schedule=schedule, duration_seconds=minutes * 60, time_zone=zone)
    governed = replace(policy("w"), remediation=Remediation(windows=(window,)))
    return windows_of(governed, datetime.fromisoformat(at))


IS_INSIDE = {
    # Berlin, 2026-03-29: at 01:00Z the clocks go from 02:00 to 03:00.
    "Berlin skips 02:30, so the nightly window begins at 03:00": ("2026-03-29T01:00Z", BERLIN, "30 2 * * *", 60, True),
    "and lasts its hour": ("2026-03-29T01:59Z", BERLIN, "30 2 * * *", 60, True),
    "and no longer": ("2026-03-29T02:00Z", BERLIN, "30 2 * * *", 60, False),
    "and is not open before the gap": ("2026-03-29T00:59Z", BERLIN, "30 2 * * *", 60, False),
    "half past each hour has none in the skipped one": ("2026-03-29T01:10Z", BERLIN, "30 * * * *", 30, False),
    "half past three comes as ever": ("2026-03-29T01:40Z", BERLIN, "30 * * * *", 30, True),
    "a window over the gap lasts its seconds": ("2026-03-29T02:30Z", BERLIN, "0 1 * * *", 180, True),
    # Berlin, 2026-10-25: at 01:00Z the clocks go from 03:00 back to 02:00.
    "Berlin has 02:30 twice, the nightly window begins at the first": (
        "2026-10-25T00:30Z",
        BERLIN,
        "30 2 * * *",
        60,
        True,
    ),
    "and is still open at 02:10, the second time": ("2026-10-25T01:10Z", BERLIN, "30 2 * * *", 60, True),
    "and is over before 02:30 comes again": ("2026-10-25T01:30Z", BERLIN, "30 2 * * *", 60, False),
    "it does not begin a second time": ("2026-10-25T01:45Z", BERLIN, "30 2 * * *", 60, False),
    "ten past each hour comes both times: the first": ("2026-10-25T00:15Z", BERLIN, "10 * * * *", 10, True),
    "the second": ("2026-10-25T01:15Z", BERLIN, "10 * * * *", 10, True),
    "and not in between": ("2026-10-25T01:05Z", BERLIN, "10 * * * *", 10, False),
    "every half hour goes on through the repeated hour": ("2026-10-25T01:05Z", BERLIN, "*/30 * * * *", 10, True),
    "and pauses between": ("2026-10-25T01:15Z", BERLIN, "*/30 * * * *", 10, False),
    "every twenty minutes between two and three comes six times": (
        "2026-10-25T01:42Z",
        BERLIN,
        "*/20 2 * * *",
        5,
        True,
    ),
    # New York, 2026-03-08 07:00Z and 2026-11-01 06:00Z, west of Greenwich.
    "New York skips 02:30 as well": ("2026-03-08T07:20Z", NEW_YORK, "30 2 * * *", 60, True),
    "and has none an hour later": ("2026-03-08T08:00Z", NEW_YORK, "30 2 * * *", 60, False),
    "New York has 01:30 twice, and at 01:10 the second time the first goes on": (
        "2026-11-01T06:10Z",
        NEW_YORK,
        "30 1 * * *",
        60,
        True,
    ),
    "and it comes once": ("2026-11-01T06:40Z", NEW_YORK, "30 1 * * *", 60, False),
    # Lord Howe, 2026-10-03 15:30Z and 2026-04-04 15:00Z: by half an hour.
    "Lord Howe skips 02:15, so the window begins at 02:30": ("2026-10-03T15:30Z", LORD_HOWE, "15 2 * * *", 10, True),
    "02:45 is not skipped there": ("2026-10-03T15:45Z", LORD_HOWE, "45 2 * * *", 10, True),
    "Lord Howe has 01:45 twice, and it begins once": ("2026-04-04T15:20Z", LORD_HOWE, "45 1 * * *", 30, False),
    "01:40 the second time is inside what began at 01:45 the first": (
        "2026-04-04T15:10Z",
        LORD_HOWE,
        "45 1 * * *",
        30,
        True,
    ),
    "each quarter of its two o'clock comes, the first too": ("2026-04-04T15:30Z", LORD_HOWE, "*/15 2 * * *", 5, True),
    # Sydney, 2026-10-03 16:00Z and 2026-04-04 16:00Z: spring is in October.
    "Sydney skips 02:30 in October": ("2026-10-03T16:00Z", SYDNEY, "30 2 * * *", 60, True),
    "Sydney has 02:30 twice in April": ("2026-04-04T16:10Z", SYDNEY, "30 2 * * *", 60, True),
    "and it begins once": ("2026-04-04T16:40Z", SYDNEY, "30 2 * * *", 60, False),
    # No clock changes, half an hour off the whole ones.
    "Kolkata has every 02:30 once": ("2026-03-28T21:05Z", KOLKATA, "30 2 * * *", 60, True),
    "and 03:30 is an hour later": ("2026-03-28T22:00Z", KOLKATA, "30 2 * * *", 60, False),
}


@pytest.mark.parametrize(("at", "zone", "schedule", "minutes", "inside"), IS_INSIDE.values(), ids=IS_INSIDE.keys())
def test_where_the_clocks_change(at: str, zone: str, schedule: str, minutes: int, inside: bool) -> None:  # noqa: FBT001 a table
    assert verdict(at, zone, schedule, minutes, WindowKind.ALLOW).permitted is inside
    assert verdict(at, zone, schedule, minutes, WindowKind.DENY).permitted is not inside


CHANGES = {
    BERLIN: ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    NEW_YORK: ("2026-03-08T07:00Z", "2026-11-01T06:00Z"),
    LORD_HOWE: ("2026-10-03T15:30Z", "2026-04-04T15:00Z"),
    SYDNEY: ("2026-10-03T16:00Z", "2026-04-04T16:00Z"),
    "Antarctica/Troll": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    KOLKATA: ("2026-03-29T01:00Z",),
    "UTC": ("2026-03-29T01:00Z",),
}
"""Zones and the moments at which their clocks change; Troll's by two hours."""

moments = st.sampled_from([(zone, at) for zone, changes in CHANGES.items() for at in changes])
minutes_of = st.sampled_from(["0", "10", "30", "45", "0,30", "15-20", "*", "*/20", "*/30", "5/25"])
hours_of = st.sampled_from(["*", "*/2", "0", "1", "2", "3", "1,2", "0-3", "2/3", "16"])
days_of = st.sampled_from(["* * *", "* * 0", "* * SUN", "29 * *", "25 10 *", "*/2 * *", "4 * 6", "* * 6,0"])
_LOOKED_AT = 64
BEFORE, AFTER = timedelta(days=1), timedelta(hours=30)


def numbers(schedule: str) -> str:
    """The same schedule in words the oracle knows."""
    return schedule.replace("SUN", "0")


@settings(max_examples=80, deadline=None)
@given(moment=moments, minute=minutes_of, hour=hours_of, days=days_of, offset=st.integers(-400, 400))
def test_the_windows_are_those_of_the_oracle(
    moment: tuple[str, str], minute: str, hour: str, days: str, offset: int
) -> None:
    zone, change = moment
    now = datetime.fromisoformat(change) + offset * MINUTE
    window = Window(kind=WindowKind.ALLOW, schedule=f"{minute} {hour} {days}", duration_seconds=1800, time_zone=zone)
    (found,) = window_spans([window], now)
    assert_same([span.start for span in found.spans], window, now)
    assert {span.end - span.start for span in found.spans} <= {timedelta(seconds=1800)}


def assert_same(starts: list[datetime], window: Window, now: datetime) -> None:
    """The last one until now, and the next ones as far as either looked."""
    past, coming = [each for each in starts if each <= now], [each for each in starts if each > now]
    horizon = min([now + AFTER, *coming[_LOOKED_AT - 1 :]])
    expected = list(occurrences(numbers(window.schedule), window.time_zone, now - BEFORE, horizon))
    before = [each for each in expected if each <= now]
    assert past == before[-1:] or (not before and past[-1] < now - BEFORE)
    assert [each for each in coming if each <= horizon] == [each for each in expected if each > now]
