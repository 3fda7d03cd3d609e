"""What docs/tour.md promises is what the demo does and the page says; the tour itself is followed by hand."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from batchaccess.azurebatch.convert import observed_network
from batchaccess.cli.demo.drift import OPEN_BY_A_RULE, Happening, happenings
from batchaccess.core.reachability import reachability
from batchaccess.core.reporting import network_status
from batchaccess.web.poolpage import pool_page
from scripts.pictures.exposures import REACHABLE, SECONDS
from tests.web.feed import connection, event, pool, pool_status, shell
from tests.web.test_web_ruleorder import rule
from tests.web.wellformed import judged

TOUR = " ".join((Path(__file__).resolve().parents[2] / "docs" / "tour.md").read_text("utf-8").split())
ROUND = 11
"""Happenings until they begin anew."""


class Edits:
    """Takes down what is done to the pools of the demo's accounts."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []

    def edit(self, pool_id: str, changes: dict[str, Any], _account: object) -> None:
        self.made.append((pool_id, changes))


async def done_by(happening: Happening) -> list[tuple[str, dict[str, Any]]]:
    edits = Edits()
    world: Any = SimpleNamespace(batch=edits)
    await happening.act(world)
    return edits.made


async def test_the_first_thing_that_happens_is_a_pool_opened_by_a_rule_while_its_nodes_stay() -> None:
    first = next(happenings())
    assert await done_by(first) == [("render-gpu", {**OPEN_BY_A_RULE, "targetDedicatedNodes": 4})]


async def test_that_pool_is_left_open_for_most_of_a_round() -> None:
    told = happenings()
    deeds = [next(told) for _ in range(ROUND)]
    assert next(told) is deeds[0]
    touching = [number for number, deed in enumerate(deeds) if "render-gpu" in deed.told]
    assert touching == [0, 8]
    assert await done_by(deeds[8]) == [("render-gpu", {"targetDedicatedNodes": 0})]


def test_the_page_of_that_pool_says_what_the_tour_quotes() -> None:
    network = network_status(reachability(observed_network(OPEN_BY_A_RULE["networkConfiguration"]), legacy=False))
    ssh = next(each for each in network.endpoints if each.name == "SSH")
    rules = [rule(each.priority, each.access, each.source_address_prefix) for each in ssh.rules]
    endpoint = {"name": "SSH", "protocol": "TCP", "backendPort": 22, "internet": ssh.internet, "rules": rules}
    shown = pool_status(
        network={"ipFamilies": ["IPv4"], "endpoints": [endpoint | {"admits": ssh.admits, "because": ssh.because}]},
        lastChange={"policy": "render/login", "time": "2026-03-01T11:00:00Z", "before": "open", "after": "closed"},
    )
    told = [event(reason="InternetReachable"), event(reason="NoLongerInternetReachable", warning=False)]
    page = judged(pool_page(pool(status=shown), connection(), told, shell=shell(depth=1))).text
    quoted = re.findall(r"`([^`]+)`", TOUR.split("## 3.")[1].split("Not every open pool")[0])
    words = [each for each in quoted if each not in ("render-gpu", "render-linux")]
    assert words
    assert [each for each in words if each not in page] == []
    assert "`Reachable from the Internet`" in TOUR
    for title in ("Because", "Drift", "Recent events", "Last correction"):
        assert f"**{title}**" in TOUR
        assert title in page


def test_the_query_of_the_picture_is_that_of_the_tour() -> None:
    assert f"ask '{SECONDS}'" in TOUR
    assert REACHABLE in SECONDS


def test_every_query_of_the_tour_has_an_answer_beside_it() -> None:
    queries = re.findall(r"ask '[^']+' (\S+)", TOUR)
    assert len(queries) == 5
    assert [answer for answer in queries if "{" not in answer] == []
