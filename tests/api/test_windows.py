from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from batchaccess.api.windows import window_spans, windows_of
from batchaccess.core.declared import Remediation, Window, WindowKind
from batchaccess.core.saga.windows import WindowVerdict
from tests.support.build import policy

BERLIN = ZoneInfo("Europe/Berlin")


def verdict(at: datetime, schedule: str, hours: float, *, kind: WindowKind = WindowKind.ALLOW) -> WindowVerdict:
    window = Window(kind=kind, schedule=schedule, duration_seconds=int(hours * 3600), time_zone="Europe/Berlin")
    governed = replace(policy("w"), remediation=Remediation(windows=(window,)))
    return windows_of(governed, at.astimezone(UTC))


def berlin(*when: int, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=BERLIN, fold=fold)  # type: ignore[misc,arg-type]  # year, month, day, hour, minute


INSIDE = {
    "a Saturday night": (berlin(2026, 1, 3, 2, 0), "0 2 * * SAT", 4, True),
    "the same night, before": (berlin(2026, 1, 3, 1, 59), "0 2 * * SAT", 4, False),
    "the same night, at its end": (berlin(2026, 1, 3, 6, 0), "0 2 * * SAT", 4, False),
    "in summer the local time counts": (berlin(2026, 7, 4, 2, 30), "0 2 * * SAT", 4, True),
    "a window of more than a day, on its second day": (berlin(2026, 1, 4, 12, 0), "0 2 * * SAT", 48, True),
    "a window longer than its period is always open": (berlin(2026, 1, 7, 1, 0), "0 2 * * *", 30, True),
    "the night that loses an hour, after the gap": (berlin(2026, 3, 29, 3, 10), "30 2 * * *", 1, True),
    "the night that loses an hour, two hours on": (berlin(2026, 3, 29, 4, 45), "30 2 * * *", 1, False),
    "the night that gains an hour, first time": (berlin(2026, 10, 25, 2, 45), "30 2 * * *", 1, True),
    "the night that gains an hour, an hour and a half on": (berlin(2026, 10, 25, 3, 10), "30 2 * * *", 1, False),
    "a window over the gap lasts its seconds": (berlin(2026, 3, 29, 4, 30), "0 1 * * *", 3, True),
}


@pytest.mark.parametrize(("at", "schedule", "hours", "open_"), INSIDE.values(), ids=INSIDE.keys())
def test_a_window_is_open(at: datetime, schedule: str, hours: float, open_: bool) -> None:  # noqa: FBT001 a table
    assert verdict(at, schedule, hours).permitted is open_
    assert verdict(at, schedule, hours, kind=WindowKind.DENY).permitted is not open_


def test_the_next_opening_is_told_in_local_time() -> None:
    before = verdict(berlin(2026, 3, 27, 12, 0), "0 4 * * SUN", 1)
    assert before == WindowVerdict(permitted=False, until=berlin(2026, 3, 29, 4, 0).astimezone(UTC))


def test_no_window_permits_every_moment() -> None:
    assert windows_of(policy("w"), datetime(2026, 1, 1, tzinfo=UTC)) == WindowVerdict(permitted=True)


@pytest.mark.parametrize("month_day", [(3, 29), (10, 25)])
def test_each_night_has_one_occurrence_whatever_the_clocks_do(month_day: tuple[int, int]) -> None:
    window = Window(kind=WindowKind.ALLOW, schedule="30 2 * * *", duration_seconds=3600, time_zone="Europe/Berlin")
    noon = berlin(2026, *month_day, 12, 0) - timedelta(days=2)
    (found,) = window_spans([window], noon.astimezone(UTC))
    starts = [span.start for span in found.spans[:5]]
    assert starts == sorted(set(starts))
    assert {start.astimezone(BERLIN).date() for start in starts} == {
        (noon + timedelta(days=offset)).date() for offset in range(5)
    }
    assert all(span.end - span.start == timedelta(hours=1) for span in found.spans)
