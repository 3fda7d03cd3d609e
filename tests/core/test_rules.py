from dataclasses import replace
from ipaddress import ip_address

import pytest

from batchaccess.core.addresses import ALL_ADDRESSES, AddressSet
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    Access,
    IpFamily,
    PortRange,
    Rule,
)
from batchaccess.core.reach import Reach, ReachFunction
from batchaccess.core.rules import evaluate
from batchaccess.core.sources import Tag, parse_source
from tests.support.build import rule, rules

BOTH = (IpFamily.IPV4, IpFamily.IPV6)
CLOSED, UNDETERMINED, OPEN = Reach.CLOSED, Reach.UNDETERMINED, Reach.OPEN


def function(*texts: str) -> ReachFunction:
    return evaluate(rules(*texts), BOTH)


def reach(made: ReachFunction, address: str, port: int = 50000) -> Reach:
    return made.at(ip_address(address), port)


@pytest.mark.parametrize(
    ("texts", "address", "expected"),
    [
        pytest.param([], "8.8.8.8", OPEN, id="no rules let everyone in"),
        pytest.param([], "2001:db8::1", OPEN, id="no rules let IPv6 in too"),
        pytest.param(["deny *"], "10.0.0.1", CLOSED, id="the asterisk matches every IPv4 source"),
        pytest.param(["deny *"], "2001:db8::1", CLOSED, id="the asterisk matches every IPv6 source"),
        pytest.param(["deny 0.0.0.0/0"], "8.8.8.8", CLOSED, id="all of IPv4 by CIDR"),
        pytest.param(["deny 0.0.0.0/0"], "2600::1", UNDETERMINED, id="all of IPv4 says nothing of IPv6"),
        pytest.param(["allow ::/0", "deny *"], "2600::1", OPEN, id="all of IPv6 by CIDR"),
        pytest.param(["allow ::/0", "deny *"], "8.8.8.8", CLOSED, id="all of IPv6 says nothing of IPv4"),
        pytest.param(["allow 10.0.0.0/8"], "10.1.2.3", OPEN, id="a CIDR matches exactly itself"),
        pytest.param(["allow 10.0.0.0/8"], "11.0.0.0", UNDETERMINED, id="no match though rules exist"),
        pytest.param(["allow 10.0.0.9/8"], "10.0.0.0", OPEN, id="a CIDR with host bits is its network"),
        pytest.param(["deny 10.0.0.1", "allow 10.0.0.0/8"], "10.0.0.1", CLOSED, id="the first match decides"),
        pytest.param(
            ["allow * priority 300", "deny * priority 200"], "8.8.8.8", CLOSED, id="the lower priority number is first"
        ),
        pytest.param(["deny Internet"], "8.8.8.8", CLOSED, id="Internet matches public literals"),
        pytest.param(["deny iNTERNET"], "2600::1", CLOSED, id="Internet in any case, IPv6 too"),
        pytest.param(["allow Internet", "deny *"], "192.168.0.1", CLOSED, id="Internet matches no private literal"),
        pytest.param(["allow VirtualNetwork", "deny *"], "10.0.0.4", UNDETERMINED, id="a tag may match a private one"),
        pytest.param(["allow VirtualNetwork", "deny *"], "8.8.8.8", UNDETERMINED, id="a tag may match a public one"),
        pytest.param(["allow AzureCloud", "allow *"], "8.8.8.8", OPEN, id="equal outcomes settle a maybe-match"),
        pytest.param(["deny AzureCloud", "deny *"], "8.8.8.8", CLOSED, id="equal denials settle a maybe-match"),
        pytest.param(["allow AzureCloud"], "8.8.8.8", UNDETERMINED, id="a tag, then nothing"),
        pytest.param(["deny 8.8.8.8", "allow AzureCloud"], "8.8.8.8", CLOSED, id="a tag behind a match is not asked"),
        pytest.param(
            ["allow AzureCloud", "deny azurecloud", "allow *"],
            "8.8.8.8",
            OPEN,
            id="a tag that repeats never decides: carrying it the first rule did",
        ),
        pytest.param(
            ["allow 10.0.0.1-10.0.0.9", "deny *"], "8.8.8.8", UNDETERMINED, id="a text nobody can read may match"
        ),
        pytest.param(["deny 10.0.0.0/99", "deny *"], "8.8.8.8", CLOSED, id="a text nobody can read, with its effect"),
    ],
)
def test_a_source_gets(texts: list[str], address: str, expected: Reach) -> None:
    assert reach(function(*texts), address) is expected


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (0, CLOSED),
        (999, CLOSED),
        (1000, OPEN),
        (2000, OPEN),
        (2001, CLOSED),
        (3000, OPEN),
        (3001, CLOSED),
        (65535, CLOSED),
    ],
)
def test_source_ports_decide_exactly(port: int, expected: Reach) -> None:
    made = function("allow 10.0.0.0/8 ports 1000-2000,3000", "deny *")
    assert reach(made, "10.0.0.1", port) is expected


def test_a_source_is_open_if_some_source_port_is_let_in() -> None:
    made = function("deny 10.0.0.0/9 ports 0-65534", "allow 10.0.0.0/8", "deny *")
    assert made.open_sources == AddressSet.parse("10.0.0.0/8")
    assert made.always_open_sources == AddressSet.parse("10.128.0.0/9")
    assert not made.undetermined_sources


def test_undetermined_sources_leave_out_what_is_open_from_some_port() -> None:
    made = function("allow 10.0.0.0/8 ports 1-2", "deny 192.168.0.0/16", "deny Internet")
    assert made.open_sources == AddressSet.parse("10.0.0.0/8")
    expected = ALL_ADDRESSES - PUBLIC_ADDRESSES - AddressSet.parse("10.0.0.0/8") - AddressSet.parse("192.168.0.0/16")
    assert made.undetermined_sources == expected


@pytest.mark.parametrize(
    ("texts", "sources", "expected"),
    [
        (["allow 10.0.0.1", "deny *"], "10.0.0.0/8", OPEN),
        (["allow 10.0.0.1", "deny *"], "11.0.0.0/8", CLOSED),
        (["deny 10.0.0.1"], "10.0.0.0/31", UNDETERMINED),
    ],
)
def test_a_set_of_sources_gets_the_most_that_one_of_it_gets(texts: list[str], sources: str, expected: Reach) -> None:
    assert function(*texts).reach_from(AddressSet.parse(sources)) is expected


def test_an_access_nobody_knows_leaves_what_it_matches_undetermined() -> None:
    unknown = replace(rule("allow 10.0.0.0/8"), access=Access.UNKNOWN)
    made = evaluate((unknown, rule("deny * priority 300")), BOTH)
    assert reach(made, "10.0.0.1") is UNDETERMINED
    assert reach(made, "11.0.0.1") is CLOSED


def test_a_family_the_pool_has_not_is_closed() -> None:
    made = evaluate((), (IpFamily.IPV4,))
    assert reach(made, "2600::1") is CLOSED
    assert made.open_sources == AddressSet.parse("0.0.0.0/0")


@pytest.mark.parametrize(
    "ports",
    [(PortRange(70000, 80000),), (PortRange(9, 3),), (PortRange(-5, -1),), ()],
    ids=["beyond the last port", "backwards", "negative", "none"],
)
def test_ports_that_cannot_be_match_nothing_and_break_nothing(ports: tuple[PortRange, ...]) -> None:
    made = evaluate((Rule(priority=150, access=Access.ALLOW, source="*", source_ports=ports),), BOTH)
    assert reach(made, "8.8.8.8", 0) is UNDETERMINED
    assert not made.open_sources


@pytest.mark.parametrize(
    ("text", "tag"),
    [("VirtualNetwork", "virtualnetwork"), ("AzureCloud.WestEurope", "azurecloud.westeurope"), ("", ""), ("?", "?")],
)
def test_what_is_no_address_is_a_tag_without_regard_to_case(text: str, tag: str) -> None:
    assert parse_source(text) == Tag(tag)


def test_port_segments_that_do_not_differ_are_merged() -> None:
    made = function("allow 10.0.0.0/8 ports 0-99", "allow 10.0.0.0/8 ports 100-65535", "deny *")
    assert made == function("allow 10.0.0.0/8", "deny *")
    assert len(made.anywhere) == 1
