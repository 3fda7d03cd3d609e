"""The page of the whole fleet: headline, accounts, pools, filter, and what is not observed."""

import re
from typing import Any

import pytest

from batchaccess.web.eventspage import events_page
from batchaccess.web.fleet import FleetFilter
from batchaccess.web.poolpage import pool_page
from batchaccess.web.readings import ConnectionReading, Standby
from tests.web.feed import (
    HOSTILE,
    blind_connection,
    connection,
    pool,
    pool_status,
    shell,
)
from tests.web.pages import fleet_html, good

NOT_SETTLED = "No pool is known to be reachable from the Internet, 1 not settled"


def test_the_fleet_says_who_gets_in_where() -> None:
    page = good(fleet_html(pool(), pool("render-2", status=pool_status(exposed=("False", "None")))))
    assert "1 of 2 pools reachable from the Internet" in page.text
    assert "SSH 22 anyone on the Internet" in page.text
    assert "for 12 min" in page.text
    assert "./pools/prod.render-1" in page.links
    assert "./policies/render/ssh" in page.links
    assert "./connections/prod" in page.links


@pytest.mark.parametrize(
    ("exposed", "headline"),
    [
        pytest.param(("False", "None"), "No pool is reachable from the Internet", id="all closed"),
        pytest.param(("True", "InternetReachable"), "1 of 1 pool reachable from the Internet", id="one open"),
        pytest.param(("Unknown", "Undetermined"), NOT_SETTLED, id="one undetermined"),
        pytest.param(("Unknown", "Unreadable"), NOT_SETTLED, id="one unreadable"),
    ],
)
def test_the_headline_never_promises_too_much(exposed: tuple[str, str], headline: str) -> None:
    assert headline in good(fleet_html(pool(status=pool_status(exposed=exposed)))).text


def test_an_empty_fleet_says_so() -> None:
    page = good(fleet_html(connections=[]))
    assert "No pools are observed yet" in page.text
    assert "No BatchAccountConnection is declared yet." in page.text


def test_a_filter_shows_what_it_was_asked_for() -> None:
    wanted = FleetFilter(text=HOSTILE, policy="render/ssh", connection="prod")
    html = fleet_html(pool(), wanted=wanted)
    assert "No pools match the filter." in good(html).text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html
    assert '<option value="prod" selected>' in html


def test_many_pools_come_in_pages() -> None:
    pools = [pool(f"render-{number:03}") for number in range(250)]
    first, last = good(fleet_html(*pools)), good(fleet_html(*pools, number=9))
    assert "Page 1 of 3" in first.text
    assert "1 to 100 of 250 pools" in first.text
    assert "./?page=2#pools" in first.links
    assert "Page 3 of 3" in last.text
    assert "201 to 250 of 250 pools" in last.text
    assert "./pools/prod.render-249" in last.links


def test_many_accounts_are_folded_up_while_all_are_observed() -> None:
    html = fleet_html(connections=[connection(f"prod-{number}") for number in range(20)])
    assert "20 accounts, all observed" in good(html).text
    assert details_of(html) == '<details id="all-accounts" data-default="folded">'


@pytest.mark.parametrize(
    "blind",
    [
        pytest.param(blind_connection("zeta"), id="an account that cannot be read"),
        pytest.param(connection("zeta", status={"conditions": []}), id="an account that was not looked at yet"),
        pytest.param(blind_connection("zeta", reason="DuplicateEndpoint"), id="a second connection to an account"),
    ],
)
def test_many_accounts_are_open_once_one_is_not_observed_and_it_comes_first(blind: ConnectionReading) -> None:
    html = fleet_html(connections=[*(connection(f"prod-{number}") for number in range(20)), blind])
    page = good(html)
    assert "21 accounts, 1 not observed" in page.text
    assert details_of(html) == '<details id="all-accounts" open data-default="open">'
    accounts = [link for link in page.links if link.startswith("./connections/")]
    assert accounts[:2] == ["./connections/zeta", "./connections/prod-0"]


def details_of(html: str) -> str:
    found = re.search(r"<details[^>]*>", html)
    assert found
    return found[0]


CLOSED = pool_status(exposed=("False", "None"), compliant=("True", "Compliant"), drifted=("False", "None"))


@pytest.mark.parametrize(
    ("pools", "connections", "headline", "tone"),
    [
        pytest.param(
            [CLOSED], [connection()], "No pool is reachable from the Internet", "good", id="all is seen, and closed"
        ),
        pytest.param(
            [CLOSED],
            [blind_connection()],
            "No pool is known to be reachable from the Internet, 1 account not observed",
            "warning",
            id="closed when it was last seen",
        ),
        pytest.param(
            [CLOSED],
            [connection(), blind_connection("other"), connection("new", status={})],
            "No pool is known to be reachable from the Internet, 2 accounts not observed",
            "warning",
            id="accounts of which nothing was ever seen",
        ),
        pytest.param(
            [pool_status(exposed=("Unknown", "Undetermined")), CLOSED],
            [blind_connection()],
            "No pool is known to be reachable from the Internet, 1 not settled, 1 account not observed",
            "warning",
            id="not settled and not observed",
        ),
        pytest.param(
            [pool_status(), CLOSED],
            [blind_connection()],
            "1 of 2 pools reachable from the Internet, 1 account not observed",
            "danger",
            id="open when it was last seen",
        ),
        pytest.param(
            [], [blind_connection()], "No pools are observed yet, 1 account not observed", "warning", id="no pool yet"
        ),
        pytest.param(
            [CLOSED],
            [connection(), blind_connection("other", reason="DuplicateEndpoint")],
            "No pool is reachable from the Internet",
            "good",
            id="another connection observes the account",
        ),
    ],
)
def test_the_headline_is_no_good_news_while_an_account_is_not_observed(
    pools: list[dict[str, Any]], connections: list[ConnectionReading], headline: str, tone: str
) -> None:
    readings = [pool(f"render-{number}", status=status) for number, status in enumerate(pools)]
    html = fleet_html(*readings, connections=connections)
    good(html)
    assert f'<h1 class="headline {tone}">' in html.replace("\n", "")
    assert f"<span>{headline}</span></h1>" in html


def test_pools_of_an_account_that_is_not_observed_are_shown_as_last_seen() -> None:
    pools = [pool("a", status=CLOSED), pool("b", connection="dev", status=CLOSED)]
    html = fleet_html(*pools, connections=[blind_connection(), connection("dev")])
    rows = {row.split("</a>")[0].rsplit(">", 1)[1]: row for row in html.split("<tr")[1:]}
    assert "last seen 3 days ago" in rows["a"]
    assert "badge warning" in rows["a"]
    assert "good" not in rows["a"]
    assert "last seen" not in rows["b"]
    assert "badge good" in rows["b"]
    text = good(html).text
    assert "2 Closed to the Internet 1 as last seen" in text
    assert "2 In order 1 as last seen" in text
    assert "1 pool as last seen" in text


def test_the_page_of_a_pool_says_that_it_was_last_seen_so() -> None:
    html = pool_page(pool(status=CLOSED), blind_connection(), [], shell=shell(depth=1))
    text = good(html).text
    assert "The account is not observed for 3 days : Authentication failed." in text
    assert "Below is what was seen last; the pool may be otherwise now. The account refuses the key." in text
    assert "Closed to the Internet last seen 3 days ago" in text
    assert "badge good" not in html


def test_a_pool_whose_connection_is_gone_is_not_observed() -> None:
    text = good(pool_page(pool(), None, [], shell=shell(depth=1))).text
    assert "The account is not observed: Its connection is gone." in text


def test_a_standby_says_so_and_who_leads() -> None:
    leader = Standby(leader="batchaccess-1", reach="kubectl port-forward pod/batchaccess-1 8080")
    text = good(events_page([], shell=shell(standby=leader))).text
    assert "This replica stands by; batchaccess-1 leads." in text
    assert "kubectl port-forward pod/batchaccess-1 8080" in text
    assert "Events are told by the replica that leads; this one stands by." in text
    unknown = good(fleet_html(pool(), standby=Standby(leader="", reach="kubectl port-forward pod/ 8080"))).text
    assert "This replica stands by; no other is known to lead yet." in unknown
    assert "port-forward" not in unknown


def test_the_problems_of_the_operator_stand_above_everything() -> None:
    assert (
        "the Kubernetes API was not read yet"
        in good(fleet_html(pool(), problems=["the Kubernetes API was not read yet"])).text
    )
