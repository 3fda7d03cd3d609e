"""What holds a correction back, as the page of a policy tells it."""

from typing import Any

import pytest

from batchaccess.web.correction import told_seconds
from batchaccess.web.policypage import policy_page
from tests.web.feed import policy, shell
from tests.web.wellformed import judged

SUNDAYS = {"kind": "Allow", "schedule": "0 2 * * SUN", "durationSeconds": 14400, "timeZone": "Europe/Berlin"}
NOON = {"kind": "Allow", "schedule": "0 11 * * *", "durationSeconds": 7200}
RELEASE = {"kind": "Deny", "schedule": "30 11 1 * *", "durationSeconds": 5400}
EVERY_DAY = {"kind": "Deny", "schedule": "0 0 * * *", "durationSeconds": 86400}


def told(mode: str = "Enforce", *, suspend: bool = False, **remediation: Any) -> str:  # noqa: ANN401 any field
    """The text of a policy's page at noon of Sunday, 1 March 2026."""
    declared = policy(mode=mode, suspend=suspend, remediation=remediation)
    assert declared.declared is not None
    page = judged(policy_page(declared, lambda _: None, [], shell=shell(depth=2)))
    assert page.problems == []
    return page.text


@pytest.mark.parametrize(
    ("remediation", "words"),
    [
        pytest.param({}, "WhenEmpty: a pool is corrected once it stands empty", id="the default strategy"),
        pytest.param({}, "Autoscale left alone", id="autoscale is left alone"),
        pytest.param({"pauseAutoscale": True}, "Autoscale paused for a correction", id="autoscale is paused"),
        pytest.param({"pauseAutoscale": True}, "Given up after 2 hours", id="a pause has an end"),
        pytest.param(
            {"strategy": "Drain"}, "Drain: a busy pool is drained, corrected and brought back", id="the drain"
        ),
        pytest.param({"strategy": "Drain"}, "Running tasks may run to their end", id="tasks end"),
        pytest.param(
            {"strategy": "Drain", "nodeDeallocation": "Requeue"},
            "Running tasks are stopped and queued again",
            id="tasks are requeued",
        ),
        pytest.param(
            {"strategy": "Drain", "nodeDeallocation": "Terminate"},
            "Running tasks are stopped for good",
            id="tasks are terminated",
        ),
        pytest.param({"strategy": "Drain", "drainTimeoutSeconds": 5400}, "Given up after 90 minutes", id="its timeout"),
        pytest.param({"strategy": "Drain", "maxConcurrent": 3}, "At the same time 3 pools at most", id="how many"),
        pytest.param({"strategy": "Drain"}, "Windows none, it may begin at any time", id="no windows"),
    ],
)
def test_a_policy_says_how_it_corrects(remediation: dict[str, Any], words: str) -> None:
    assert words in told(**remediation)


def test_what_only_a_drain_has_is_not_told_of_a_policy_that_waits() -> None:
    text = told()
    assert not [words for words in ("Running tasks", "Given up after", "At the same time", "Windows") if words in text]


@pytest.mark.parametrize(
    ("windows", "verdict", "rows"),
    [
        pytest.param(
            [NOON],
            "A correction may begin now",
            ["0 11 * * * UTC Only then 2 hours open until 2026-03-01 13:00 UTC in 60 min"],
            id="an open one",
        ),
        pytest.param(
            [SUNDAYS],
            "No correction begins before 2026-03-08 01:00 UTC, in 6 days",
            ["0 2 * * SUN Europe/Berlin Only then 4 hours next from 2026-03-08 01:00 UTC in 6 days"],
            id="one that comes",
        ),
        pytest.param(
            [NOON, RELEASE],
            "No correction begins before 2026-03-02 11:00 UTC, in 23 h",
            [
                "2 hours open until 2026-03-01 13:00 UTC",
                "30 11 1 * * UTC Not then 90 minutes open until 2026-03-01 13:00 UTC",
            ],
            id="one that forbids wins",
        ),
        pytest.param(
            [NOON, EVERY_DAY],
            "No correction may begin for as far as was looked ahead",
            ["Not then 1 day open until 2026-03-02 00:00 UTC"],
            id="one that forbids for ever",
        ),
    ],
)
def test_windows_say_whether_one_is_open_and_when_the_next_is(
    windows: list[dict[str, Any]], verdict: str, rows: list[str]
) -> None:
    text = told(strategy="Drain", windows=windows)
    assert verdict in text
    assert [row for row in rows if row not in text] == []


def test_windows_of_a_policy_that_takes_no_scale_away_are_said_to_hold_nothing_back() -> None:
    text = told(windows=[SUNDAYS])
    assert "Windows hold nothing back here: a pool that stands empty is corrected at once" in text
    assert "No correction" not in text


def test_a_policy_that_corrects_nothing_says_so() -> None:
    assert "in mode Audit and corrects nothing; this would hold if it did." in told("Audit")
    assert "The policy is suspended: no correction begins." in told(suspend=True)
    assert "corrects nothing" not in told()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (300, "5 minutes"),
        (301, "301 s"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (86_400, "1 day"),
        (100_000, "100,000 s"),
        (0, "0 s"),
    ],
)
def test_a_duration_is_told_exactly(seconds: int, words: str) -> None:
    assert told_seconds(seconds) == words
