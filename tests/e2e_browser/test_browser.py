"""The status page of the demo's world in a real Chromium: accessibility, keyboard, zoom, refresh.

Needs node, npm and Chromium, so it runs only where BATCHACCESS_BROWSER=1 (`make e2e-browser`).
"""

import asyncio
import os
from importlib.resources import files
from typing import Any

import pytest

if not os.environ.get("BATCHACCESS_BROWSER"):
    pytest.skip("browser checks run with BATCHACCESS_BROWSER=1, or `make e2e-browser`", allow_module_level=True)

from batchaccess.cli.demo.story import (
    assertions_are_reported,
    closed_port_is_an_explicit_deny,
    exposure_is_computed,
    policies_are_enforced,
)
from batchaccess.cli.demo.world import running
from scripts.screenshots import browse

pytestmark = pytest.mark.timeout(600)

PAGES = (
    "/",
    "/?q=nothing-is-named-so",
    "/pools/prod.render-linux",
    "/pools/prod.render-gpu",
    "/pools/prod.sim-archive",
    "/pools/dev.playground",
    "/policies",
    "/policies/render/render-login",
    "/policies/render/farm-login",
    "/policies/security/no-internet-login",
    "/connections/prod",
    "/connections/archive",
    "/events",
    "/nothing/here",
)
WIDTHS = {"wide": 1280, "narrow": 360, "at 200 %": 640}
"""A window of 1280 px at 200 % has 640 px to give (WCAG 2.2, success criterion 1.4.4)."""

LOOKS = [*(("light", width, pixels) for width, pixels in WIDTHS.items()), ("dark", "wide", WIDTHS["wide"])]
RENDER_POOLS = (files("batchaccess.cli.demo") / "pools.yaml").read_text("utf-8").count("- id: render-")
"""How many pools of the demo the filter `render` leaves."""

SERIOUS = ("serious", "critical")

Visited = dict[str, Any]


async def visit_all() -> dict[str, Visited]:
    """Everything in one browser on one world: starting both takes longer than looking."""
    async with running() as world:
        for step in (
            exposure_is_computed,
            policies_are_enforced,
            assertions_are_reported,
            closed_port_is_an_explicit_deny,
        ):
            await step(world)
        wanted = {name: {**visit, "url": world.telemetry_url + visit["url"]} for name, visit in plan().items()}
        found = await asyncio.to_thread(browse, list(wanted.values()))
    return dict(zip(wanted, found, strict=True))


def plan() -> dict[str, Visited]:
    """What is looked at, by name."""
    checks = {
        f"{page} {scheme} {width}": {"url": page, "scheme": scheme, "width": pixels, "check": True}
        for page in PAGES
        for scheme, width, pixels in LOOKS
    }
    return {
        **checks,
        **{f"{page} as it is": {"url": page} for page in PAGES},
        **{f"{page} printed": {"url": page, "print": True, "check": True, "width": 794} for page in PAGES[:3]},
        "tab": {"url": "/", "act": "tab"},
        "refresh": {"url": "/pools/prod.render-gpu", "act": "refresh"},
        "pause": {"url": "/", "act": "pause"},
        "type": {"url": "/", "act": "type"},
        "filter": {"url": "/", "act": "filter"},
        "filter without scripts": {"url": "/", "act": "filter", "javascript": False},
    }


@pytest.fixture(scope="module")
def visited() -> dict[str, Visited]:
    return asyncio.run(visit_all())


@pytest.mark.parametrize("name", [name for name, visit in plan().items() if visit.get("check")])
def test_axe_finds_nothing_serious(visited: dict[str, Visited], name: str) -> None:
    found = visited[name]
    assert {"color-contrast", "region", "heading-order"} <= set(found["passes"])
    assert [each for each in found["violations"] if each["impact"] in SERIOUS] == []


def test_axe_finds_nothing_else_either(visited: dict[str, Visited]) -> None:
    assert {each["id"] for found in visited.values() for each in found.get("violations", ())} == set()


@pytest.mark.parametrize("name", [name for name, visit in plan().items() if "width" in visit])
def test_nothing_runs_out_of_the_window(visited: dict[str, Visited], name: str) -> None:
    assert visited[name]["contentWidth"] <= visited[name]["windowWidth"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_under_its_own_strict_policy(visited: dict[str, Visited], page: str) -> None:
    found = visited[f"{page} as it is"]
    missing = [text for text in found["complaints"] if "404" in text and page == "/nothing/here"]
    assert found["complaints"] == missing
    assert found["foreign"] == []


def test_the_keyboard_reaches_everything_and_its_place_shows(visited: dict[str, Visited]) -> None:
    reached = visited["tab"]["acted"]
    assert reached[0]["text"] == "Skip to content"
    texts = [each["text"] for each in reached]
    assert {"Pools", "Policies", "Events", "Pause updates", "Filter"} <= set(texts)
    assert any(text == "render-linux" for text in texts)
    assert [each for each in reached if not each["shows"]] == []


def test_the_page_refreshes_itself(visited: dict[str, Visited]) -> None:
    acted = visited["refresh"]["acted"]
    assert acted["before"] != acted["after"]


def test_the_page_stands_still_once_paused(visited: dict[str, Visited]) -> None:
    assert visited["pause"]["acted"] == {"pressed": "true", "still": True}


def test_what_somebody_types_outlives_a_refresh(visited: dict[str, Visited]) -> None:
    assert visited["type"]["acted"] == ["q", "rend"]


@pytest.mark.parametrize("name", ["filter", "filter without scripts"])
def test_the_filter_works(visited: dict[str, Visited], name: str) -> None:
    acted = visited[name]["acted"]
    assert "q=render" in acted["url"]
    assert acted["pools"] == RENDER_POOLS
