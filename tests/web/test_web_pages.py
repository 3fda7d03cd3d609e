"""Each page is good HTML and complete, whatever the statuses hold."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.web.connectionpage import connection_page
from batchaccess.web.eventspage import events_page
from batchaccess.web.journal import STEPS
from batchaccess.web.policypage import policies_page, policy_page
from batchaccess.web.poolpage import pool_page
from tests.web.feed import (
    HOSTILE,
    NOW,
    SINCE,
    connection,
    endpoint,
    event,
    policy,
    pool,
    pool_status,
    shell,
)
from tests.web.pages import fleet_html, good, nowhere

JOURNAL = {
    "version": 1,
    "sagaId": "0123",
    "step": "Draining",
    "since": SINCE,
    "started": SINCE,
    "scale": {"targetDedicatedNodes": 4, "autoscaleFormula": ["a=1;", "b=2;"], "resizeTimeout": "PT15M"},
    "shrunk": True,
}


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
        pytest.param({"reason": "NoLongerManaged", "warning": False}, "quiet", id="a pool that is nobody's any more"),
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
