"""Windows whose schedule or time zone is nothing are found, whatever was written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.api import schedule_problems
from batchaccess.core.declared import (
    AccessPolicy,
    NameSelector,
    Remediation,
    Window,
    WindowKind,
)
from batchaccess.core.model import ObjectKey


def _policy(*windows: Window) -> AccessPolicy:
    return AccessPolicy(
        key=ObjectKey(namespace="render", name="ssh"),
        uid="u",
        generation=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        connections=NameSelector(names=("prod",)),
        remediation=Remediation(windows=windows),
    )


def _window(schedule: str = "0 2 * * SAT", time_zone: str = "UTC") -> Window:
    return Window(kind=WindowKind.ALLOW, schedule=schedule, duration_seconds=60, time_zone=time_zone)


@pytest.mark.parametrize(
    "schedule", ["0 2 * * SAT", "*/5 0-4 1,15 JAN-MAR MON-FRI", "0 0 29 2 *", "0 0 L * *", "30 3 * * 7"]
)
def test_a_schedule_of_cron_is_accepted(schedule: str) -> None:
    assert schedule_problems(_policy(_window(schedule))) == ()


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        pytest.param("on every day at two", "bad minute", id="words are no schedule"),
        pytest.param("0 0 2 * * SAT", "five fields", id="a field of seconds is one too many"),
        pytest.param(
            "0 2 * *", "five fields (minute, hour, day, month, weekday), such as 0 2 * * SAT", id="a field is missing"
        ),
        pytest.param("60 2 * * *", "bad minute", id="an hour has sixty minutes"),
        pytest.param("0 24 * * *", "bad hour", id="a day has 24 hours"),
        pytest.param("0 2 * * FRIDAY", "bad day-of-week", id="days have three letters"),
        pytest.param("0 0 30 2 *", "day-of-month", id="February has no 30th"),
        pytest.param("", "five fields", id="nothing is no schedule"),
    ],
)
def test_a_schedule_that_never_comes_is_named(schedule: str, says: str) -> None:
    ((where, message),) = schedule_problems(_policy(_window(), _window(schedule)))

    assert where == "spec.remediation.windows[1].schedule"
    assert f"'{schedule}'" in message
    assert says in message


@pytest.mark.parametrize("time_zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+12"])
def test_a_zone_of_the_database_is_accepted(time_zone: str) -> None:
    assert schedule_problems(_policy(_window(time_zone=time_zone))) == ()


@pytest.mark.parametrize("time_zone", ["Berlin", "CEST", "../UTC", "/etc/passwd", "Europe", "\0", "Europe/Berlín", ""])
def test_a_zone_nobody_knows_is_named(time_zone: str) -> None:
    ((where, message),) = schedule_problems(_policy(_window(time_zone=time_zone)))

    assert where == "spec.remediation.windows[0].timeZone"
    assert "no IANA time zone; write one such as Europe/Berlin" in message


def test_every_problem_of_every_window_is_named() -> None:
    problems = schedule_problems(_policy(_window("x", "y"), _window(), _window("z z z z z", "Mars/Olympus")))

    assert [where for where, _ in problems] == [
        "spec.remediation.windows[0].schedule",
        "spec.remediation.windows[0].timeZone",
        "spec.remediation.windows[2].schedule",
        "spec.remediation.windows[2].timeZone",
    ]


FIELD = st.text(alphabet="0123456789*/,-#LW?SATJN ", max_size=8)


@given(
    schedule=st.lists(FIELD, min_size=5, max_size=5).map(" ".join) | st.text(max_size=30),
    time_zone=st.text(max_size=12),
)
def test_no_text_makes_the_check_fail(schedule: str, time_zone: str) -> None:
    problems = schedule_problems(_policy(_window(schedule, time_zone)))

    assert len(problems) <= 2
