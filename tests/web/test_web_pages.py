"""Each page is good HTML and complete, whatever the statuses hold."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.web.connectionpage import connection_page
from batchaccess.web.eventspage import events_page
from batchaccess.web.fleet import FleetFilter, FleetIndex
from batchaccess.web.fleetpage import FleetRequest, fleet_page
from batchaccess.web.journal import STEPS
from batchaccess.web.policypage import policies_page, policy_page
from batchaccess.web.poolpage import pool_page
from batchaccess.web.readings import ConnectionReading, PoolReading, Standby
from tests.web.feed import (
    HOSTILE,
    NOW,
    SINCE,
    blind_connection,
    connection,
    endpoint,
    event,
    policy,
    pool,
    pool_status,
    shell,
)
from tests.web.wellformed import Judged, judged

NOT_SETTLED = "No pool is known to be reachable from the Internet, 1 not settled"
JOURNAL = {
    "version": 1,
    "sagaId": "0123",
    "step": "Draining",
    "since": SINCE,
    "started": SINCE,
    "scale": {"targetDedicatedNodes": 4, "autoscaleFormula": ["a=1;", "b=2;"], "resizeTimeout": "PT15M"},
    "shrunk": True,
}


def good(html: str) -> Judged:
    page = judged(html)
    assert page.problems == []
    return page


def nowhere(_: str) -> PoolReading | None:
    """No pool is known."""
    return None


def fleet_html(*pools: PoolReading, wanted: FleetFilter | None = None, number: int = 1, **around: Any) -> str:  # noqa: ANN401
    request = FleetRequest(wanted=wanted or FleetFilter(), page=number)
    connections = around.pop("connections", [connection()])
    return fleet_page(FleetIndex().look(pools), connections, request, shell=shell(**around))


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


def test_a_pool_shows_rules_drift_and_change_in_order() -> None:
    rules = [
        {"priority": 300, "access": "Deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]},
        {"priority": 200, "access": "Allow", "sourceAddressPrefix": "10.0.0.0/8", "sourcePortRanges": ["*"]},
    ]
    status = pool_status(
        network={"provisioning": "BatchManaged", "ipFamilies": ["IPv4"], "endpoints": [endpoint(rules=rules)]},
        differences=[{"field": "endpoints[SSH]", "kind": "Widening", "observed": "open", "desired": "closed"}],
        lastChange={"policy": "render/ssh", "time": SINCE, "before": "was open", "after": "is closed"},
        assertions=[{"policy": "sec/login", "name": "no-login", "holds": "False", "message": "8.8.8.8 gets in"}],
        overridden=["render/loser"],
    )
    page = good(pool_page(pool(status=status), connection(), [event()], shell=shell(depth=1)))
    text = page.text
    assert text.index("Lets in 10.0.0.0/8.") < text.index("Keeps out everyone else.")
    for words in (
        "More open than declared",
        "open closed",
        "Before was open After is closed",
        "Violated",
        "12 min ago",
    ):
        assert words in text
    assert {"../policies/render/ssh", "../policies/sec/login", "../policies/render/loser"} <= set(page.links)


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("2026-03-01T11:54:57Z", "for policy render/ssh . The pool was open to the Internet for 5 min 3 s."),
        ("2026-03-01T12:00:00Z", "The pool was open to the Internet for less than 1 s."),
        ("", "for policy render/ssh . Before"),
        ("long ago", "for policy render/ssh . Before"),
    ],
)
def test_a_correction_tells_for_how_long_the_pool_was_open(since: str, told: str) -> None:
    change = {"policy": "render/ssh", "time": "2026-03-01T12:00:00Z", "before": "x", "after": "y"}
    status = pool_status(lastChange=change | ({"exposedSince": since} if since else {}))
    assert told in good(pool_page(pool(status=status), connection(), [], shell=shell(depth=1))).text


@pytest.mark.parametrize("step", [*STEPS, "RestorePending", "InventedTomorrow"])
def test_a_journal_is_a_timeline(step: str) -> None:
    status = pool_status(journal=JOURNAL | {"step": step}, remediating=("True", step))
    html = pool_page(pool(status=status), connection(), [], shell=shell(depth=1))
    assert "Autoscale formula to bring back a=1;b=2;" in good(html).text
    assert "Scale: Autoscale formula a=1;b=2;" in good(html).text
    assert html.count('aria-current="step"') == 1


def test_the_steps_before_are_done_and_those_behind_to_come() -> None:
    text = good(pool_page(pool(status=pool_status(journal=JOURNAL)), connection(), [], shell=shell(depth=1))).text
    assert "Pausing autoscale done" in text
    assert "Draining under way" in text
    assert "Restoring to come" in text


def test_a_pool_without_autoscale_has_none_to_turn_off() -> None:
    status = pool_status(journal=JOURNAL | {"scale": {"targetDedicatedNodes": 4}})
    text = good(pool_page(pool(status=status), connection(), [], shell=shell(depth=1))).text
    assert "Pausing autoscale" not in text
    assert "Dedicated nodes to bring back 4" in text


def test_the_endpoint_that_is_open_comes_first_with_how_many_get_in() -> None:
    rules = [{"priority": 200, "access": "Allow", "sourceAddressPrefix": "8.8.8.0/24", "sourcePortRanges": ["*"]}]
    closed = endpoint("A", internet="Closed", admits="nobody")
    network = {"ipFamilies": ["IPv4"], "endpoints": [closed, endpoint("SSH", rules=rules, admits="8.8.8.0/24")]}
    text = good(pool_page(pool(status=pool_status(network=network)), connection(), [], shell=shell(depth=1))).text
    assert "Reachable from the Internet by 256 addresses, for 12 min" in text
    assert text.index("SSH: TCP port 22") < text.index("A: TCP port 22")


def test_an_implicit_mapping_is_said_to_be_beyond_any_policy() -> None:
    network = {"endpoints": [endpoint("SSH (implicit)", implicit=True, rules=[], frontendPorts=None)]}
    text = good(pool_page(pool(status=pool_status(network=network)), connection(), [], shell=shell(depth=1))).text
    assert "the service itself; no policy can change that" in text
    assert "no rules" not in text


def test_an_endpoint_without_rules_is_said_to_be_open() -> None:
    network = {"endpoints": [endpoint(rules=[])]}
    text = good(pool_page(pool(status=pool_status(network=network)), connection(), [], shell=shell(depth=1))).text
    assert "The endpoint has no rules, and then the service lets everyone in." in text


def test_a_policy_says_what_it_declares_and_what_is_not_in_order() -> None:
    page = good(policy_page(policy(), nowhere, [], shell=shell(depth=2)))
    for words in ("Mode Audit", "10.0.0.0/8", "Endpoints that it does not name are removed.", "no-login", "22, 3389"):
        assert words in page.text
    assert "../../pools/prod.render-1" in page.links
    assert "../../?policy=render%2Fssh" in page.links


CUT = {"name": "prod.render-1", "connection": "prod", "poolId": "render-1", "reason": "PoolNotEmpty"}


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        pytest.param(
            "Not empty. The connection forbids this: S...",
            "Not empty. The connection forbids this: SSH (TCP/22) is reachable.",
            id="what the pool says of itself",
        ),
        pytest.param("Assertion login: SSH (TC...", "Assertion login: SSH (TCP/22) is open.", id="an assertion"),
        pytest.param("Something else...", "Something else...", id="what nobody knows the end of"),
        pytest.param("Not empty.", "Not empty.", id="what was not cut off"),
    ],
)
def test_why_a_pool_is_not_in_order_is_told_to_the_end(cut: str, whole: str) -> None:
    told = pool_status(
        message="Not empty. The connection forbids this: SSH (TCP/22) is reachable.",
        assertions=[{"policy": "x/y", "name": "login", "holds": "False", "message": "SSH (TCP/22) is open."}],
    )
    refused = policy(status={"conditions": [], "notInOrder": [{**CUT, "message": cut}]})
    html = policy_page(refused, {"prod.render-1": pool(status=told)}.get, [], shell=shell(depth=2))
    assert f">{whole}<" in html
    good(html)
    assert f">{cut}<" in policy_page(refused, nowhere, [], shell=shell(depth=2))


@pytest.mark.parametrize(
    ("access", "said"),
    [
        pytest.param({"endpoints": {"items": []}}, "No endpoints.", id="no endpoints at all"),
        pytest.param({"endpoints": {"unlisted": "Keep", "items": []}}, "are kept", id="others are kept"),
        pytest.param({"acceleratedNetworking": True}, "Mode Audit", id="endpoints not managed"),
        pytest.param({"publicAddresses": {"provisioning": "BatchManaged"}}, "BatchManaged", id="addresses"),
    ],
)
def test_a_policy_says_what_it_does_with_endpoints(access: dict[str, Any], said: str) -> None:
    assert said in good(policy_page(policy(access=access), nowhere, [], shell=shell(depth=2))).text


def test_a_refused_policy_says_so() -> None:
    page = good(policy_page(policy(mode="Sometimes"), nowhere, [], shell=shell(depth=2)))
    assert "What is declared is refused; the conditions say why." in page.text
    assert "not known" in good(policies_page([policy(mode="Sometimes")], 1, shell=shell())).text


def test_a_connection_never_names_its_secret() -> None:
    text = good(connection_page(connection(), [], shell=shell(depth=1))).text
    assert "Shared key" in text
    assert "hidden-name" not in text
    assert "hidden-key" not in text


def test_a_connection_without_grants_says_what_that_means() -> None:
    text = good(connection_page(connection(grants=[]), [], shell=shell(depth=1))).text
    assert "It grants nothing, so no policy is accepted for this account." in text


def test_a_refused_connection_says_so() -> None:
    text = good(connection_page(connection(endpoint=""), [], shell=shell(depth=1))).text
    assert "What is declared is refused" in text


def test_events_are_counted_and_bounded() -> None:
    page = good(events_page([event(f"m{number}", count=number + 1) for number in range(300)], shell=shell()))
    assert "The newest 200 of 300" in page.text
    assert "200 times, first" in page.text
    assert "m199" in page.text
    assert "m200" not in page.text


def test_a_repeated_event_shows_its_first_and_its_last_time() -> None:
    repeated = event("again", count=3, first=NOW - timedelta(hours=2), last=NOW - timedelta(minutes=5))
    text = good(events_page([repeated, event("once")], shell=shell())).text
    assert (
        "2026-03-01 11:55:00 UTC 5 min ago 3 times, first 2026-03-01 10:00:00 UTC "
        "Reachable from the Internet prod.render-1 again"
    ) in text
    assert text.count("times, first") == 1


@pytest.mark.parametrize(
    ("told", "tone"),
    [
        pytest.param({"reason": "Remediating", "warning": False}, "busy", id="a step of a correction is under way"),
        pytest.param({"reason": "RemediationEnded", "warning": False}, "good", id="its end is good news"),
        pytest.param({"reason": "RemediationEnded", "warning": True}, "warning", id="unless it ended badly"),
        pytest.param({"reason": "InternetReachable"}, "danger", id="a pool that is reachable"),
        pytest.param({"reason": "RestorePending"}, "danger", id="a scale that is not brought back"),
        pytest.param({"reason": "DriftDetected"}, "warning", id="any other warning"),
    ],
)
def test_an_event_has_the_sign_of_what_it_tells(told: dict[str, Any], tone: str) -> None:
    assert f'<span class="toned {tone}">' in events_page([event(**told)], shell=shell())


def test_an_event_about_something_else_has_no_link() -> None:
    page = good(events_page([event(kind="Namespace", name="elsewhere")], shell=shell()))
    assert "elsewhere" in page.text
    assert not [link for link in page.links if "elsewhere" in link]


def everywhere(value: object) -> list[str]:
    """All pages, made of a status that holds `value` wherever a status may hold something."""
    status: dict[str, Any] = {
        "policy": value,
        "conditions": [
            {"type": each, "status": value, "reason": value, "message": value, "lastTransitionTime": value}
            for each in ("Compliant", "Exposed", "Drifted", "Remediating", "Ready", "Accepted", "Enforced", value)
        ],
        "overridden": [value],
        "network": {
            "provisioning": value,
            "addressIds": [value],
            "ipFamilies": [value],
            "subnetId": value,
            "endpoints": [
                endpoint()
                | {
                    "name": value,
                    "protocol": value,
                    "internet": value,
                    "virtualNetwork": value,
                    "admits": value,
                    "because": value,
                    "frontendPorts": value,
                    "rules": [
                        {"priority": 200, "access": value, "sourceAddressPrefix": value, "sourcePortRanges": [value]}
                    ],
                }
            ],
        },
        "differences": [{"field": value, "kind": value, "observed": value, "desired": value}],
        "assertions": [{"policy": value, "name": value, "holds": value, "message": value}],
        "lastChange": {"policy": value, "time": value, "before": value, "after": value, "exposedSince": value},
        "journal": {"step": value, "since": value, "ending": value, "message": value, "x": {"y": value}, "z": [value]},
        "pools": {"total": value},
        "connections": [{"name": value, "accepted": True, "reason": value, "message": value}],
        "notInOrder": [{"name": value, "connection": value, "poolId": value, "reason": value, "message": value}],
    }
    text = value if isinstance(value, str) else "x"
    told = [event(message=text, reason=text, name=text)]
    return [
        fleet_html(pool(text, status=status), connections=[connection(text, status=status)]),
        pool_page(pool(text, status=status), connection(text, status=status), told, shell=shell(depth=1)),
        policies_page([policy(text, status=status)], 1, shell=shell()),
        policy_page(policy(text, status=status), lambda _: pool(text, status=status), told, shell=shell(depth=2)),
        connection_page(connection(text, status=status), told, shell=shell(depth=1)),
        events_page(told, shell=shell()),
    ]


def test_hostile_texts_stay_texts_wherever_they_stand() -> None:
    for html in everywhere(HOSTILE):
        page = good(html)
        assert page.tags.count("script") == 1
        assert "alert('x')" in page.text


@given(
    st.text() | st.none() | st.integers() | st.booleans() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
)
def test_any_stored_value_gives_good_pages(value: object) -> None:
    for html in everywhere(value):
        good(html)
