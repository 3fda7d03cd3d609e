"""Which ports the Internet reaches although a policy, an assertion or a guardrail closes them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from batchaccess.core.assessment import Assessment, assess
from batchaccess.core.declared import AccessPolicy, Assertion, DesiredAccess, Unlisted
from batchaccess.core.model import IpFamily, Network, NodeFindings, Protocol, Provisioning
from batchaccess.core.reachability import BackendPort
from batchaccess.core.reasons import DriftClass
from batchaccess.core.selection import Candidates
from tests.support.build import access, assertion, connection, endpoint, network, policy, pool, wanted

SSH = BackendPort(Protocol.TCP, 22)
RDP = BackendPort(Protocol.TCP, 3389)
WEB = BackendPort(Protocol.TCP, 80)
BOTH = (IpFamily.IPV4, IpFamily.IPV6)

OFFICE = access(wanted("SSH", allow_from=["20.50.1.0/24"]))
CLOSED = access(wanted("SSH"))
NOTHING = access(manage_endpoints=False)

AGAINST_THE_POLICY: dict[str, tuple[Network, DesiredAccess, set[BackendPort]]] = {
    "everyone gets in where an office may": (network(endpoint("SSH")), OFFICE, {SSH}),
    "everyone gets in by a rule where an office may": (network(endpoint("SSH", "allow *")), OFFICE, {SSH}),
    "the office gets in where it may": (network(endpoint("SSH", "allow 20.50.1.0/24", "deny *")), OFFICE, set()),
    "a part of the office gets in": (network(endpoint("SSH", "allow 20.50.1.7", "deny *")), OFFICE, set()),
    "one address beside the office gets in": (
        network(endpoint("SSH", "allow 20.50.1.0/24", "allow 20.50.2.1", "deny *")),
        OFFICE,
        {SSH},
    ),
    "another office gets in": (network(endpoint("SSH", "allow 20.50.2.0/24", "deny *")), OFFICE, {SSH}),
    "everyone gets in where a tag may": (
        network(endpoint("SSH")),
        access(wanted("SSH", allow_from=["AzureCloud"])),
        {SSH},
    ),
    "a tag gets in where an office may: who that is nobody knows": (
        network(endpoint("SSH", "allow AzureCloud", "deny *")),
        OFFICE,
        set(),
    ),
    "everyone gets in where everyone may": (
        network(endpoint("SSH")),
        access(wanted("SSH", allow_from=["*"])),
        set(),
    ),
    "everyone gets in from some ports where the office may": (
        network(endpoint("SSH", "allow * ports 1000-2000", "deny *")),
        OFFICE,
        {SSH},
    ),
    "the office gets in from every port where it may from some": (
        network(endpoint("SSH", "allow 20.50.1.0/24", "deny *")),
        access(wanted("SSH", "allow 20.50.1.0/24 ports 1000-2000", "deny *")),
        {SSH},
    ),
    "neighbours get in where an office may": (
        network(endpoint("SSH", "allow 20.50.1.0/24", "allow 10.0.0.0/8", "deny *")),
        OFFICE,
        set(),
    ),
    "everyone gets in where nobody may": (network(endpoint("SSH")), CLOSED, {SSH}),
    "an endpoint that is not listed and goes": (
        network(endpoint("web", port=80), endpoint("SSH", "deny *")),
        CLOSED,
        {WEB},
    ),
    "an endpoint that is not listed and stays": (
        network(endpoint("web", port=80), endpoint("SSH", "deny *")),
        access(wanted("SSH"), unlisted=Unlisted.KEEP),
        set(),
    ),
    "the same port of another protocol": (
        network(endpoint("log", protocol=Protocol.UDP)),
        access(wanted("SSH", allow_from=["*"])),
        {BackendPort(Protocol.UDP, 22)},
    ),
    "the other address family": (
        network(endpoint("SSH", "deny 0.0.0.0/0", "allow 2000::/3", "deny *"), ip_families=BOTH),
        OFFICE,
        {SSH},
    ),
    "no public addresses": (
        network(endpoint("SSH"), provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES),
        OFFICE,
        set(),
    ),
    "public addresses nobody knows of": (network(endpoint("SSH"), provisioning=Provisioning.UNKNOWN), OFFICE, set()),
    "public addresses that are to go": (
        network(endpoint("SSH", "allow 20.50.1.0/24", "deny *")),
        replace(OFFICE, public_addresses=access(provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES).public_addresses),
        {SSH},
    ),
    "endpoints that are not managed": (network(endpoint("SSH")), NOTHING, set()),
    "no endpoints": (network(), OFFICE, set()),
}


AGAINST_AN_ASSERTION: dict[str, tuple[Network, Assertion, set[BackendPort]]] = {
    "the Internet gets in": (network(endpoint("SSH")), assertion(ports=[22]), {SSH}),
    "the Internet gets in elsewhere": (network(endpoint("web", port=80)), assertion(ports=[22]), set()),
    "one public address gets in": (network(endpoint("SSH", "allow 20.50.1.7", "deny *")), assertion(), {SSH}),
    "no ports are all ports": (network(endpoint("SSH"), endpoint("web", port=80)), assertion(), {SSH, WEB}),
    "everyone is kept out, and gets in": (network(endpoint("SSH")), assertion(not_from=["0.0.0.0/0"]), {SSH}),
    "a public range is kept out, and gets in": (
        network(endpoint("SSH", "allow 20.0.0.0/8", "deny *")),
        assertion(not_from=["20.50.0.0/16"]),
        {SSH},
    ),
    "a public range is kept out, and another gets in": (
        network(endpoint("SSH", "allow 21.0.0.0/8", "deny *")),
        assertion(not_from=["20.50.0.0/16"]),
        set(),
    ),
    "all IPv6 addresses are kept out of a pool with IPv4": (
        network(endpoint("SSH")),
        assertion(not_from=["::/0"]),
        set(),
    ),
    "neighbours are kept out, and get in: none of them is on the Internet": (
        network(endpoint("SSH", "allow 10.0.0.0/8", "deny *")),
        assertion(not_from=["10.0.0.0/8", "0.0.0.0/0"]),
        set(),
    ),
    "the virtual network is kept out, and the Internet gets in": (
        network(endpoint("SSH")),
        assertion(not_from=["VirtualNetwork"]),
        set(),
    ),
    "who gets in is not known": (network(endpoint("SSH", "allow AzureCloud", "deny *")), assertion(), set()),
    "no public addresses": (
        network(endpoint("SSH"), provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES),
        assertion(),
        set(),
    ),
}


def assessed(
    on: Network,
    *policies: AccessPolicy,
    forbid: Sequence[int] = (),
    nodes: NodeFindings | None = None,
    legacy: bool = False,
) -> Assessment:
    account = connection(forbid=forbid)
    candidates = Candidates.of(account, policies, {})
    return assess(pool("p", on=on, legacy=legacy), nodes=nodes, connection=account, candidates=candidates)


@pytest.mark.parametrize(("on", "declares", "expected"), AGAINST_THE_POLICY.values(), ids=AGAINST_THE_POLICY.keys())
def test_against_the_governing_policy(on: Network, declares: DesiredAccess, expected: set[BackendPort]) -> None:
    assert assessed(on, policy(declares=declares)).exposure_violations == expected


@pytest.mark.parametrize(("on", "asserted", "expected"), AGAINST_AN_ASSERTION.values(), ids=AGAINST_AN_ASSERTION.keys())
def test_against_an_assertion(on: Network, asserted: Assertion, expected: set[BackendPort]) -> None:
    asserting = policy(declares=NOTHING, assertions=[asserted])
    assert assessed(on, asserting).exposure_violations == expected


def test_assertions_of_a_policy_that_does_not_govern_count() -> None:
    governing = policy("governs", wanted("SSH", allow_from=["*"]), priority=1)
    overridden = policy("overridden", assertions=[assertion(ports=[22])])
    found = assessed(network(endpoint("SSH", "allow *")), governing, overridden)
    assert found.policy is governing
    assert found.exposure_violations == {SSH}


def test_a_guardrail_counts_whoever_governs_and_only_where_it_is_broken_for_certain() -> None:
    on = network(endpoint("SSH"), endpoint("RDP", "allow AzureCloud", "deny *", port=3389), endpoint("web", port=80))
    assert assessed(on, forbid=[22, 3389]).exposure_violations == {SSH}
    assert assessed(on, policy(declares=NOTHING), forbid=[22, 3389]).exposure_violations == {SSH}


def test_without_a_policy_and_a_guardrail_nothing_is_forbidden() -> None:
    assert assessed(network(endpoint("SSH"))).exposure_violations == frozenset()


@pytest.mark.parametrize(
    ("declares", "expected"),
    [
        pytest.param(access(), {RDP}, id="everything that is not listed is to go"),
        pytest.param(access(unlisted=Unlisted.KEEP), set(), id="what is not listed may stay"),
        pytest.param(
            access(wanted("RDP", port=3389), unlisted=Unlisted.KEEP), {RDP}, id="the port is listed, and closed"
        ),
        pytest.param(NOTHING, set(), id="endpoints are not managed"),
    ],
)
def test_a_mapping_of_the_service_itself(declares: DesiredAccess, expected: set[BackendPort]) -> None:
    nodes = NodeFindings(nodes=1, implicit_ports=frozenset({3389}))
    found = assessed(network(), policy(declares=declares), nodes=nodes, legacy=True)
    assert found.exposure_violations == expected
    drifted = any(each.kind is DriftClass.IMPLICIT_MAPPING for each in found.drift.differences)
    assert drifted is bool(expected)
