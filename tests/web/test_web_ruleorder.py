"""What each rule of a stored endpoint is said to do."""

from typing import Any

import pytest

from batchaccess.web.ruleorder import rule_lines

NETWORK = {"provisioning": "BatchManaged", "ipFamilies": ["IPv4"]}


def rule(priority: int, access: str, source: str, ports: str = "*") -> dict[str, Any]:
    return {"priority": priority, "access": access, "sourceAddressPrefix": source, "sourcePortRanges": [ports]}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param(
            [rule(300, "Deny", "*"), rule(200, "Allow", "10.0.0.0/8")],
            ["Lets in 10.0.0.0/8.", "Keeps out everyone else."],
            id="the lowest priority comes first",
        ),
        pytest.param(
            [rule(200, "Allow", "*")],
            ["Lets in everyone. It makes no difference: without any rule everyone is let in too."],
            id="one rule for everyone",
        ),
        pytest.param(
            [rule(200, "Deny", "*"), rule(300, "Allow", "10.0.0.0/8")],
            ["Keeps out everyone.", "Never decides: the rules before it take everything it matches."],
            id="a rule behind one for everyone never decides",
        ),
        pytest.param(
            [rule(200, "Allow", "10.0.0.0/9"), rule(300, "Allow", "10.0.0.0/8"), rule(400, "Deny", "*")],
            [
                "Lets in 10.0.0.0/9. It makes no difference: the other rules come to the same.",
                "Lets in the rest of 10.0.0.0/8: 10.128.0.0/9.",
                "Keeps out everyone else.",
            ],
            id="a rule whose work another would do makes no difference",
        ),
        pytest.param(
            [rule(200, "Allow", "AzureCloud"), rule(300, "Deny", "*")],
            [
                "Lets in whoever the service tag AzureCloud stands for, whose addresses are not known here.",
                "Keeps out everyone else.",
            ],
            id="a service tag is nobody knows who",
        ),
        pytest.param(
            [rule(200, "Deny", "internet"), rule(300, "Allow", "VirtualNetwork")],
            ["Keeps out everyone on the Internet.", "Lets in neighbours in the virtual network."],
            id="zones are named whatever their case",
        ),
        pytest.param(
            [rule(200, "Allow", "Internet"), rule(300, "Allow", "52.166.10.20"), rule(400, "Deny", "*")],
            [
                "Lets in everyone on the Internet.",
                "Decides for neighbours in the virtual network at most: rules before it take everyone else it matches.",
                "Keeps out everyone else.",
            ],
            id="an address may be that of a neighbour",
        ),
        pytest.param(
            [rule(200, "Allow", "1.2.3.4", "1024-65535"), rule(300, "Deny", "*")],
            ["Lets in 1.2.3.4, from these source ports.", "Keeps out everyone else."],
            id="source ports are said",
        ),
        pytest.param(
            [rule(200, "Permit", "*")], ["Does something unknown to everyone."], id="an unknown access is not guessed"
        ),
    ],
)
def test_a_rule_is_said_to_do(rules: list[dict[str, Any]], said: list[str]) -> None:
    assert [each.does for each in rule_lines({"rules": rules}, NETWORK)] == said


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param({}, id="no rules"),
        pytest.param({"rules": "many"}, id="no list"),
        pytest.param({"rules": [{}, 7, {"priority": "x", "sourceAddressPrefix": "*"}]}, id="nothing like a rule"),
    ],
)
def test_what_is_no_rule_is_left_out(endpoint: dict[str, Any]) -> None:
    assert list(rule_lines(endpoint, {})) == []


def test_a_source_port_that_cannot_be_read_counts_as_all() -> None:
    (line,) = rule_lines({"rules": [rule(200, "Allow", "*", "x-y")]}, {"provisioning": "Invented"})
    assert line.ports == "*"
