"""A real Prometheus scrapes the demo for its whole story: alerts fire and resolve, panels show data, exposure adds up.

Takes about three minutes and needs Debian's prometheus, so it runs only where BATCHACCESS_PROMETHEUS_E2E=1.
"""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e_prometheus.expectations import ALWAYS_ZERO, STORY_ALERTS
from tests.monitoring.queries import panel_queries
from tests.monitoring.tools import required_tool

if not os.environ.get("BATCHACCESS_PROMETHEUS_E2E"):
    pytest.skip("the story in Prometheus runs with BATCHACCESS_PROMETHEUS_E2E=1", allow_module_level=True)

from batchaccess.cli.demo.world import ARCHIVE, DEV, PROD
from tests.e2e_prometheus.telling import EXPOSURE, REACHABLE, Told, told_story

pytestmark = [pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

RENDER = r"\(connection=prod pool=render-\S+ policy=render/\S+ sweep=[0-9a-f]{8}\)$"
GOVERNED = r"\(connection=prod pool=(render-\S+ policy=render|license-server policy=security)/\S+ sweep=[0-9a-f]{8}\)$"
LOGGED = {
    "DriftDetected: Widening": GOVERNED,
    "corrected Widening drift": RENDER,
    "Draining: Resize was accepted": RENDER,
    "RemediationEnded": RENDER,
    "PolicyRefused: GuardrailViolation": r"\(policy=render/forbidden\)$",
    "ConnectionFailed: AuthenticationFailed": r"\(connection=archive\)$",
}
"""Decisions of the story in the operator's log, and the context that each line ends with."""

Identity = tuple[str, frozenset[tuple[str, str]]]

SCRAPE_SECONDS = 3
"""By how much what was counted may differ from what was seen, which is a scrape late at either end."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    async with told_story(tmp_path_factory.mktemp("prometheus")) as story:
        yield story


async def fired(told: Told) -> dict[Identity, float]:
    """Every alert that fired, and when it did last."""
    found: dict[Identity, float] = {}
    for series in await told.series('ALERTS{alertstate="firing"}'):
        labels = {name: value for name, value in series["metric"].items() if value}
        name = labels.pop("alertname")
        identity = name, frozenset((key, labels[key]) for key in labels.keys() - {"__name__", "alertstate", "severity"})
        found[identity] = max(found.get(identity, 0), series["values"][-1][0])
    return found


async def test_exactly_the_alerts_of_the_story_fire_each_with_its_cause(told: Told) -> None:
    found = set(await fired(told))
    assert found <= {each.identity for each in STORY_ALERTS}
    assert found >= {each.identity for each in STORY_ALERTS if each.certain}


async def test_every_alert_resolves_once_its_cause_is_gone(told: Told) -> None:
    assert await told.prometheus.firing() == set()
    last = await fired(told)
    assert {identity: told.ended - when for identity, when in last.items() if when >= told.ended} == {}


async def test_every_panel_shows_data_and_zero_only_where_zero_is_the_news(told: Told) -> None:
    silent, zero = set(), set()
    for where, expr in panel_queries(rate_interval="5s"):
        values = {float(value) for series in await told.series(expr) for _, value in series["values"]}
        numbers = {value for value in values if value == value}  # noqa: PLR0124 NaN is no data
        if not numbers:
            silent.add(where)
        elif numbers == {0.0}:
            zero.add(where)
    assert silent == set()
    assert zero == set(ALWAYS_ZERO)


async def test_exposure_is_counted_while_a_pool_is_open_and_not_after(told: Told) -> None:
    opening = told.opening
    (reachable,) = await told.prometheus.query_range(REACHABLE, start=opening.began, end=opening.ended, step=1)
    seen_open = [when for when, value in reachable["values"] if value == "1"]
    seconds_open = seen_open[-1] - seen_open[0]
    assert seconds_open >= 10
    assert opening.after - opening.before == pytest.approx(seconds_open, abs=SCRAPE_SECONDS)
    assert opening.later == opening.after


async def test_one_open_pool_counts_as_one_over_a_window_shorter_than_a_sweep_period(told: Told) -> None:
    opening = told.opening
    (rates,) = await told.prometheus.query_range(
        f"rate({EXPOSURE}[5s])", start=opening.began, end=opening.ended, step=1
    )
    most = max(float(value) for _, value in rates["values"])
    assert most == pytest.approx(1, abs=0.5)


async def test_promtool_finds_nothing_to_say_about_any_scrape(told: Told) -> None:
    for scrape in told.scrapes:
        assert await asyncio.to_thread(checked, scrape) == (0, "")


async def test_the_log_tells_each_decision_with_what_it_is_about_and_no_secret(told: Told) -> None:
    assert not [key for key in (PROD.key, DEV.key, ARCHIVE.key) if key in told.log]
    for said, about in LOGGED.items():
        lines = [line for line in told.log.splitlines() if said in line]
        assert lines, said
        assert [line for line in lines if not re.search(about, line)] == []


def checked(scrape: str) -> tuple[int, str]:
    """Exit status and words of `promtool check metrics`."""
    done = subprocess.run(
        [required_tool("promtool"), "check", "metrics"],
        input=scrape,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr
