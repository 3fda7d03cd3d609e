"""Each page is good HTML and complete, whatever the statuses hold."""

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
from batchaccess.web.readings import PoolReading
from tests.web.feed import HOSTILE, SINCE, connection, endpoint, event, policy, pool, pool_status, shell
from tests.web.wellformed import Judged, judged

NOT_SETTLED = "No pool is known to be open to the Internet, 1 not settled"
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


def fleet_html(*pools: PoolReading, wanted: FleetFilter | None = None, number: int = 1, **around: Any) -> str:  # noqa: ANN401
    request = FleetRequest(wanted=wanted or FleetFilter(), page=number)
    connections = around.pop("connections", [connection()])
    return fleet_page(FleetIndex().look(pools), connections, request, shell=shell(**around))


def test_the_fleet_says_who_gets_in_where() -> None:
    page = good(fleet_html(pool(), pool("render-2", status=pool_status(exposed=("False", "None")))))
    assert "1 of 2 pools open to the Internet" in page.text
    assert "SSH 22 anyone on the Internet" in page.text
    assert "for 12 min" in page.text
    assert "./pools/prod.render-1" in page.links
    assert "./policies/render/ssh" in page.links
    assert "./connections/prod" in page.links


@pytest.mark.parametrize(
    ("exposed", "headline"),
    [
        pytest.param(("False", "None"), "No pool is open to the Internet", id="all closed"),
        pytest.param(("True", "InternetReachable"), "1 of 1 pool open to the Internet", id="one open"),
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


def test_many_accounts_are_folded_up() -> None:
    broken = connection("broken", status={"conditions": []})
    page = good(fleet_html(connections=[connection(f"prod-{number}") for number in range(20)] + [broken]))
    assert "21 accounts, 1 not ready" in page.text


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
    page = good(pool_page(pool(status=status), [event()], shell=shell(depth=1)))
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
    assert told in good(pool_page(pool(status=status), [], shell=shell(depth=1))).text


@pytest.mark.parametrize("step", [*STEPS, "RestorePending", "InventedTomorrow"])
def test_a_journal_is_a_timeline(step: str) -> None:
    status = pool_status(journal=JOURNAL | {"step": step}, remediating=("True", step))
    html = pool_page(pool(status=status), [], shell=shell(depth=1))
    assert "Autoscale formula to bring back a=1;b=2;" in good(html).text
    assert "Scale: Autoscale formula a=1;b=2;" in good(html).text
    assert html.count('aria-current="step"') == 1


def test_the_steps_before_are_done_and_those_behind_to_come() -> None:
    text = good(pool_page(pool(status=pool_status(journal=JOURNAL)), [], shell=shell(depth=1))).text
    assert "Pausing autoscale done" in text
    assert "Draining under way" in text
    assert "Restoring to come" in text


def test_a_pool_without_autoscale_has_none_to_turn_off() -> None:
    status = pool_status(journal=JOURNAL | {"scale": {"targetDedicatedNodes": 4}})
    text = good(pool_page(pool(status=status), [], shell=shell(depth=1))).text
    assert "Pausing autoscale" not in text
    assert "Dedicated nodes to bring back 4" in text


def test_an_implicit_mapping_is_said_to_be_beyond_any_policy() -> None:
    network = {"endpoints": [endpoint("SSH (implicit)", implicit=True, rules=[], frontendPorts=None)]}
    text = good(pool_page(pool(status=pool_status(network=network)), [], shell=shell(depth=1))).text
    assert "the service itself; no policy can change that" in text
    assert "no rules" not in text


def test_an_endpoint_without_rules_is_said_to_be_open() -> None:
    network = {"endpoints": [endpoint(rules=[])]}
    text = good(pool_page(pool(status=pool_status(network=network)), [], shell=shell(depth=1))).text
    assert "The endpoint has no rules, and then the service lets everyone in." in text


def test_a_policy_says_what_it_declares_and_what_is_not_in_order() -> None:
    page = good(policy_page(policy(), [], shell=shell(depth=2)))
    for words in ("Mode Audit", "10.0.0.0/8", "Endpoints that it does not name are removed.", "no-login", "22, 3389"):
        assert words in page.text
    assert "../../pools/prod.render-1" in page.links
    assert "../../?policy=render%2Fssh" in page.links


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
    assert said in good(policy_page(policy(access=access), [], shell=shell(depth=2))).text


def test_a_refused_policy_says_so() -> None:
    page = good(policy_page(policy(mode="Sometimes"), [], shell=shell(depth=2)))
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
    assert "m199 200 times" in page.text
    assert "m200" not in page.text


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
        pool_page(pool(text, status=status), told, shell=shell(depth=1)),
        policies_page([policy(text, status=status)], 1, shell=shell()),
        policy_page(policy(text, status=status), told, shell=shell(depth=2)),
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
