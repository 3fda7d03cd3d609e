from ipaddress import ip_address

import pytest

from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.model import (
    InboundEndpoint,
    IpFamily,
    Network,
    NodeFindings,
    Protocol,
    Provisioning,
)
from batchaccess.core.reach import NOBODY, Order, Reach
from batchaccess.core.reachability import (
    BackendPort,
    EndpointReachability,
    PoolReachability,
    compare_networks,
    functions_by_port,
    reachability,
)
from batchaccess.core.reasons import ExposedReason
from batchaccess.core.zones import Verdict, Why, ZoneVerdict
from tests.support.build import SUBNET, endpoint, network

OPEN, CLOSED, UNDETERMINED, NOT_APPLICABLE = (
    ZoneVerdict.OPEN,
    ZoneVerdict.CLOSED,
    ZoneVerdict.UNDETERMINED,
    ZoneVerdict.NOT_APPLICABLE,
)


def only(on: Network) -> EndpointReachability:
    (found,) = reachability(on, legacy=False).endpoints
    return found


def told(verdict: Verdict) -> tuple[ZoneVerdict, Why, int | None, str]:
    priority = verdict.witness.rule.priority if verdict.witness.rule else None
    return verdict.value, verdict.witness.why, priority, verdict.witness.example


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param([], (OPEN, Why.NO_RULES, None, "8.8.8.8"), id="no rules let the Internet in"),
        pytest.param(["deny *"], (CLOSED, Why.RULE_DENIES, 200, "8.8.8.8"), id="the one Deny is the witness"),
        pytest.param(
            ["deny AzureCloud", "deny Internet"],
            (CLOSED, Why.RULE_DENIES, 201, "8.8.8.8"),
            id="the rule that denies whatever tags a source carries is the witness",
        ),
        pytest.param(
            ["allow 198.168.100.7", "deny *"],
            (OPEN, Why.RULE_ALLOWS, 200, "198.168.100.7"),
            id="one public address let in opens the zone and is the example",
        ),
        pytest.param(["allow 10.0.0.0/8", "deny *"], (CLOSED, Why.RULE_DENIES, 201, "8.8.8.8"), id="a private source"),
        pytest.param(["allow 10.0.0.0/8"], (UNDETERMINED, Why.NO_RULE_MATCHES, None, "8.8.8.8"), id="no rule matches"),
        pytest.param(
            ["allow AzureCloud", "deny *"], (UNDETERMINED, Why.SERVICE_TAG, 200, "8.8.8.8"), id="a tag may let in"
        ),
        pytest.param(
            ["deny AzureCloud", "allow *"], (UNDETERMINED, Why.SERVICE_TAG, 200, "8.8.8.8"), id="a tag may deny"
        ),
        pytest.param(
            ["allow AzureCloud"], (UNDETERMINED, Why.SERVICE_TAG, 200, "8.8.8.8"), id="a tag that lets in says most"
        ),
        pytest.param(
            ["deny AzureCloud"], (UNDETERMINED, Why.NO_RULE_MATCHES, None, "8.8.8.8"), id="a tag that denies is no news"
        ),
        pytest.param(
            ["deny 8.0.0.0/8", "allow * ports 7-9", "deny *"],
            (OPEN, Why.RULE_ALLOWS, 201, "1.0.0.0"),
            id="the example is one that the rule lets in, from a port it lets in",
        ),
    ],
)
def test_internet_is_settled_by_rules(texts: list[str], expected: tuple[object, ...]) -> None:
    assert told(only(network(endpoint("SSH", *texts))).internet) == expected


@pytest.mark.parametrize(
    ("provisioning", "texts", "expected"),
    [
        (Provisioning.USER_MANAGED, [], (OPEN, Why.NO_RULES, None, "8.8.8.8")),
        (Provisioning.NO_PUBLIC_IP_ADDRESSES, [], (CLOSED, Why.NO_PUBLIC_ADDRESSES, None, "8.8.8.8")),
        (Provisioning.UNKNOWN, [], (UNDETERMINED, Why.PROVISIONING_UNKNOWN, None, "8.8.8.8")),
        (Provisioning.UNKNOWN, ["deny *"], (CLOSED, Why.RULE_DENIES, 200, "8.8.8.8")),
        (Provisioning.UNKNOWN, ["deny 9.0.0.0/8"], (UNDETERMINED, Why.NO_RULE_MATCHES, None, "8.8.8.8")),
    ],
)
def test_internet_is_settled_by_provisioning(
    provisioning: Provisioning, texts: list[str], expected: tuple[object, ...]
) -> None:
    assert told(only(network(endpoint("SSH", *texts), provisioning=provisioning)).internet) == expected


@pytest.mark.parametrize(
    ("families", "texts", "expected"),
    [
        pytest.param(
            [IpFamily.IPV4], ["deny 0.0.0.0/0"], (CLOSED, Why.RULE_DENIES, 200, "8.8.8.8"), id="IPv6 is not there"
        ),
        pytest.param(
            [IpFamily.IPV4, IpFamily.IPV6],
            ["deny 0.0.0.0/0", "allow ::/0"],
            (OPEN, Why.RULE_ALLOWS, 201, "2001:4860:4860::8888"),
            id="IPv6 alone opens the zone",
        ),
        pytest.param([], [], (OPEN, Why.NO_RULES, None, "8.8.8.8"), id="no family named means IPv4"),
    ],
)
def test_internet_is_asked_over_the_families_of_the_pool(
    families: list[IpFamily], texts: list[str], expected: tuple[object, ...]
) -> None:
    assert told(only(network(endpoint("SSH", *texts), ip_families=families)).internet) == expected


@pytest.mark.parametrize(
    ("texts", "in_subnet", "without"),
    [
        pytest.param([], (OPEN, Why.NO_RULES), (OPEN, Why.NO_RULES), id="the implicit allow admits it"),
        pytest.param(["deny *"], (CLOSED, Why.RULE_DENIES), (CLOSED, Why.RULE_DENIES), id="a rule denies everyone"),
        pytest.param(
            ["deny VirtualNetwork", "allow *"],
            (CLOSED, Why.RULE_DENIES),
            (CLOSED, Why.RULE_DENIES),
            id="a rule denies it",
        ),
        pytest.param(
            ["allow virtualnetwork", "deny *"], (OPEN, Why.RULE_ALLOWS), (OPEN, Why.RULE_ALLOWS), id="a rule admits it"
        ),
        pytest.param(
            ["deny Internet"],
            (UNDETERMINED, Why.NO_RULE_MATCHES),
            (NOT_APPLICABLE, Why.NO_SUBNET),
            id="the tag Internet never matches it",
        ),
        pytest.param(
            ["allow Internet", "deny *"], (CLOSED, Why.RULE_DENIES), (CLOSED, Why.RULE_DENIES), id="nor admits it"
        ),
        pytest.param(
            ["allow 192.168.1.0/24", "deny *"],
            (UNDETERMINED, Why.ADDRESS_SPACE_UNKNOWN),
            (NOT_APPLICABLE, Why.NO_SUBNET),
            id="its addresses are not known",
        ),
        pytest.param(
            ["deny 0.0.0.0/1", "deny 128.0.0.0/1"],
            (CLOSED, Why.RULE_DENIES),
            (CLOSED, Why.RULE_DENIES),
            id="CIDRs that together are everyone deny it",
        ),
        pytest.param(
            ["allow AzureCloud", "deny *"],
            (UNDETERMINED, Why.SERVICE_TAG),
            (NOT_APPLICABLE, Why.NO_SUBNET),
            id="it may carry another tag",
        ),
        pytest.param(
            ["allow VirtualNetwork ports 1", "deny *"],
            (OPEN, Why.RULE_ALLOWS),
            (OPEN, Why.RULE_ALLOWS),
            id="one source port is enough",
        ),
    ],
)
def test_virtual_network_is_settled_by_rules_or_by_the_subnet(
    texts: list[str], in_subnet: tuple[object, ...], without: tuple[object, ...]
) -> None:
    made = endpoint("SSH", *texts)
    assert told(only(network(made, subnet_id=SUBNET)).virtual_network)[:2] == in_subnet
    assert told(only(network(made)).virtual_network)[:2] == without


def test_the_virtual_network_is_shown_by_a_source_it_may_have() -> None:
    made = network(endpoint("SSH", "allow 192.168.1.0/24", "deny *"), subnet_id=SUBNET)
    assert told(only(made).virtual_network) == (UNDETERMINED, Why.ADDRESS_SPACE_UNKNOWN, 200, "192.168.1.0")
    made = network(endpoint("SSH", "allow VirtualNetwork", "deny *"), subnet_id=SUBNET)
    assert told(only(made).virtual_network) == (OPEN, Why.RULE_ALLOWS, 200, "10.0.0.4")


def test_provisioning_leaves_the_virtual_network_alone() -> None:
    made = network(endpoint("SSH"), provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES, subnet_id=SUBNET)
    assert told(only(made).virtual_network) == (OPEN, Why.NO_RULES, None, "10.0.0.4")


def implicit_ports(
    *endpoints: InboundEndpoint, nodes: NodeFindings | None, legacy: bool = True
) -> list[tuple[int, str]]:
    found = reachability(network(*endpoints), legacy=legacy, nodes=nodes)
    return [(each.backend_port, each.internet.value) for each in found.endpoints if each.implicit]


UDP_22 = endpoint("odd", "deny *", protocol=Protocol.UDP)


@pytest.mark.parametrize(
    ("endpoints", "nodes", "expected"),
    [
        pytest.param([], None, [(22, "Undetermined"), (3389, "Undetermined")], id="nodes not listed"),
        pytest.param([], NodeFindings(nodes=0), [(22, "Undetermined"), (3389, "Undetermined")], id="no node to ask"),
        pytest.param([], NodeFindings(nodes=1), [], id="nodes show none"),
        pytest.param(
            [], NodeFindings(nodes=1, implicit_ports=frozenset({22})), [(22, "Open")], id="nodes show one: open to all"
        ),
        pytest.param([endpoint("SSH", "deny *")], None, [(3389, "Undetermined")], id="a NAT pool maps one of them"),
        pytest.param([UDP_22], None, [(22, "Undetermined"), (3389, "Undetermined")], id="a UDP pool is no SSH mapping"),
        pytest.param(
            [endpoint("SSH", "deny *")],
            NodeFindings(nodes=3, implicit_ports=frozenset({22})),
            [(22, "Open")],
            id="what nodes show counts even beside a NAT pool of the same port",
        ),
    ],
)
def test_legacy_pools_may_carry_implicit_mappings(
    endpoints: list[InboundEndpoint], nodes: NodeFindings | None, expected: list[tuple[int, str]]
) -> None:
    assert implicit_ports(*endpoints, nodes=nodes) == expected


def test_pools_after_the_cut_over_carry_no_implicit_mappings() -> None:
    assert implicit_ports(nodes=None, legacy=False) == []


def test_implicit_mappings_say_what_they_are() -> None:
    ssh, rdp = reachability(network(subnet_id=SUBNET), legacy=True).endpoints
    assert (ssh.name, rdp.name) == ("SSH (implicit)", "RDP (implicit)")
    assert ssh.frontend is None
    assert ssh.rules == ()
    assert told(ssh.internet) == (UNDETERMINED, Why.IMPLICIT_MAPPING_UNKNOWN, None, "8.8.8.8")
    assert told(ssh.virtual_network) == (UNDETERMINED, Why.IMPLICIT_MAPPING_UNKNOWN, None, "10.0.0.4")
    nodes = NodeFindings(nodes=2, implicit_ports=frozenset({3389, 5900}))
    rdp, other = reachability(network(), legacy=True, nodes=nodes).endpoints
    assert other.name == "5900 (implicit)"
    assert told(rdp.internet) == (OPEN, Why.IMPLICIT_MAPPING, None, "8.8.8.8")
    assert told(rdp.virtual_network) == (OPEN, Why.IMPLICIT_MAPPING, None, "10.0.0.4")


@pytest.mark.parametrize(
    ("endpoints", "exposed"),
    [
        ([], ExposedReason.NONE),
        ([endpoint("A", "deny *")], ExposedReason.NONE),
        ([endpoint("A", "deny *"), endpoint("B", "allow 10.0.0.0/8", port=23)], ExposedReason.UNDETERMINED),
        ([endpoint("A", "allow AzureCloud"), endpoint("B", port=23)], ExposedReason.INTERNET_REACHABLE),
    ],
)
def test_exposed_is_the_most_any_endpoint_lets_in(endpoints: list[InboundEndpoint], exposed: ExposedReason) -> None:
    assert reachability(network(*endpoints), legacy=False).exposed is exposed


def pool(*endpoints: InboundEndpoint, subnet_id: str | None = None) -> PoolReachability:
    return reachability(network(*endpoints, subnet_id=subnet_id), legacy=False)


BOTH = (IpFamily.IPV4, IpFamily.IPV6)


@pytest.mark.parametrize(
    ("rules", "families", "low", "high"),
    [
        pytest.param(["deny *"], BOTH, 0, 0, id="nobody"),
        pytest.param(["allow 10.0.0.0/8", "deny *"], BOTH, 0, 0, id="neighbours"),
        pytest.param(["allow 20.50.1.0/24", "deny *"], BOTH, 6e-8, 8e-8, id="an office"),
        pytest.param(["allow 20.0.0.0/8", "deny *"], BOTH, 0.004, 0.005, id="a large network"),
        pytest.param(["allow 2000::/3", "deny *"], BOTH, 0.1, 0.2, id="every IPv6 address in use"),
        pytest.param(["allow 0.0.0.0/0", "deny *"], BOTH, 1, 1, id="every IPv4 address"),
        pytest.param([], (IpFamily.IPV4,), 1, 1, id="everyone"),
        pytest.param(["allow AzureCloud", "deny *"], BOTH, 0, 0, id="nobody for certain"),
    ],
)
def test_the_share_of_the_internet_that_gets_in(
    rules: list[str], families: tuple[IpFamily, ...], low: float, high: float
) -> None:
    made = reachability(network(endpoint("SSH", *rules), ip_families=families), legacy=False)
    assert low <= made.exposed_share <= high


def test_exposed_addresses_count_each_public_address_once() -> None:
    made = pool(
        endpoint("A", "allow 20.0.0.0/24", "allow 10.0.0.0/8", "deny *"),
        endpoint("B", "allow 20.0.0.128/24", "allow 30.0.0.1", "deny *", port=23),
        endpoint("C", "allow AzureCloud", port=24),
    )
    assert made.exposed_addresses(IpFamily.IPV4) == 257
    assert made.exposed_addresses(IpFamily.IPV6) == 0


def test_addresses_behind_no_public_address_are_not_exposed() -> None:
    made = network(endpoint("A"), provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES)
    assert reachability(made, legacy=False).exposed_addresses(IpFamily.IPV4) == 0


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("10.1.0.0/16", (OPEN, Why.RULE_ALLOWS, 200, "10.1.0.0")),
        ("8.8.8.8", (CLOSED, Why.RULE_DENIES, 201, "8.8.8.8")),
        ("0.0.0.0/0", (OPEN, Why.RULE_ALLOWS, 200, "10.0.0.4")),
        ("2600::/16", (CLOSED, Why.NO_ADDRESSES_OF_FAMILY, None, "2600::")),
    ],
)
def test_a_set_of_sources_gets_a_verdict_of_an_endpoint(sources: str, expected: tuple[object, ...]) -> None:
    made = pool(endpoint("SSH", "allow 10.0.0.0/8", "deny *"))
    assert told(made.verdict_from(AddressSet.parse(sources), made.endpoints[0])) == expected


def test_an_empty_set_of_sources_is_refused() -> None:
    with pytest.raises(ValueError, match="ask about at least one address"):
        pool().unmapped_from(NO_ADDRESSES)


def test_ports_that_nothing_maps_are_closed_to_the_internet_and_unread_in_a_subnet() -> None:
    alone, inside = pool(), pool(subnet_id=SUBNET)
    private, public = AddressSet.parse("10.0.0.0/8"), AddressSet.parse("20.0.0.0/8")
    assert told(alone.unmapped_internet) == (CLOSED, Why.NO_ENDPOINT, None, "8.8.8.8")
    assert told(inside.unmapped_internet) == (CLOSED, Why.NO_ENDPOINT, None, "8.8.8.8")
    assert told(alone.unmapped_virtual_network) == (NOT_APPLICABLE, Why.NO_SUBNET, None, "10.0.0.4")
    assert told(inside.unmapped_virtual_network) == (UNDETERMINED, Why.SUBNET_NOT_READ, None, "10.0.0.4")
    assert told(alone.unmapped_from(private)) == (CLOSED, Why.NO_ENDPOINT, None, "10.0.0.4")
    assert told(inside.unmapped_from(private)) == (UNDETERMINED, Why.SUBNET_NOT_READ, None, "10.0.0.4")
    assert told(inside.unmapped_from(public)) == (CLOSED, Why.NO_ENDPOINT, None, "20.0.0.0")


@pytest.mark.parametrize(
    ("observed", "desired", "order", "ports"),
    [
        pytest.param([endpoint("SSH", "deny *")], [endpoint("ssh2", "deny *")], Order(), [], id="a name"),
        pytest.param(
            [endpoint("SSH")], [endpoint("SSH", frontend="5000-5100")], Order(), [], id="another frontend range"
        ),
        pytest.param([endpoint("SSH")], [], Order(higher=True), ["TCP/22"], id="an endpoint nobody wants"),
        pytest.param([], [endpoint("SSH")], Order(lower=True), ["TCP/22"], id="an endpoint that is missing"),
        pytest.param([endpoint("SSH", "deny *")], [], Order(), [], id="a closed endpoint is none"),
        pytest.param(
            [endpoint("SSH", "allow *", port=23)],
            [endpoint("SSH", "allow *")],
            Order(higher=True, lower=True),
            ["TCP/22", "TCP/23"],
            id="another backend port",
        ),
        pytest.param(
            [endpoint("SSH", "allow *", protocol=Protocol.UDP)],
            [endpoint("SSH", "allow *")],
            Order(higher=True, lower=True),
            ["TCP/22", "UDP/22"],
            id="another protocol",
        ),
    ],
)
def test_networks_compare_by_backend_port(
    observed: list[InboundEndpoint], desired: list[InboundEndpoint], order: Order, ports: list[str]
) -> None:
    found = compare_networks(network(*observed), network(*desired))
    assert found.order == order
    assert (found.higher, found.lower) == (order.higher, order.lower)
    assert [str(each.port) for each in found.ports] == ports


def test_a_differing_port_comes_with_both_functions() -> None:
    (found,) = compare_networks(network(endpoint("SSH")), network()).ports
    assert found.port == BackendPort(Protocol.TCP, 22)
    assert found.observed.at(ip_address("8.8.8.8"), 1) is Reach.OPEN
    assert found.desired == NOBODY


def test_two_endpoints_of_one_backend_port_leave_it_undetermined() -> None:
    made = network(endpoint("A", "deny *"), endpoint("B", "deny *"))
    assert functions_by_port(made)[BackendPort(Protocol.TCP, 22)].at(ip_address("8.8.8.8"), 1) is Reach.UNDETERMINED


def test_rules_are_shown_in_the_order_of_trial() -> None:
    made = only(network(endpoint("SSH", "deny * priority 300", "allow 10.0.0.0/8 priority 200")))
    assert [rule.priority for rule in made.rules] == [200, 300]
