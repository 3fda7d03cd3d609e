"""What an audit finds: what is open, what cannot be told, and what the security article recommends."""

from typing import Any

import pytest

from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.findingrules import RULES, FindingKind
from batchaccess.core.findings import Severity, account_findings, counts_as_found, pool_findings, weight
from batchaccess.core.model import IpFamily, Network, NodeFindings, Provisioning
from batchaccess.core.pooltraits import PoolTraits, UserAccount
from batchaccess.core.reachability import reachability
from tests.support.build import endpoint, network

SAFE = PoolTraits(trusted_launch=True, encryption_at_host=True)
SUBNET = "/subscriptions/s/subnets/b"
QUIET: Any = {"subnet_id": SUBNET, "provisioning": Provisioning.NO_PUBLIC_IP_ADDRESSES}
SSH_SEEN = NodeFindings(nodes=2, implicit_ports=frozenset({22}))


def found(
    net: Network,
    traits: PoolTraits = SAFE,
    *,
    legacy: bool = False,
    nodes: NodeFindings | None = None,
    forbidden: tuple[int, ...] = (),
    trusted: AddressSet = NO_ADDRESSES,
) -> list[tuple[str, str]]:
    """Rule and severity of everything found but what is said of every pool in no subnet."""
    reach = reachability(net, legacy=legacy, nodes=nodes)
    findings = pool_findings(reach, traits, forbidden_ports=forbidden, trusted=trusted)
    return [(each.rule.id, each.severity.value) for each in findings if each.rule.id != "NoSubnet"]


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        pytest.param(network(endpoint()), [("LoginPortOpenToInternet", "High")], id="SSH without rules"),
        pytest.param(
            network(endpoint("RDP", "allow Internet", port=3389)),
            [("LoginPortOpenToInternet", "High")],
            id="RDP for the tag Internet",
        ),
        pytest.param(network(endpoint("web", port=443)), [("EndpointOpenToInternet", "Medium")], id="another port"),
        pytest.param(
            network(endpoint("SSH", "allow 20.0.0.0/24", "deny *")),
            [("LoginPortOpenToInternet", "Medium")],
            id="SSH for an office",
        ),
        pytest.param(
            network(endpoint("web", "allow 20.0.0.0/24", "deny *", port=443)),
            [("EndpointOpenToInternet", "Low")],
            id="another port for an office",
        ),
        pytest.param(
            network(endpoint("SSH", "deny 20.0.0.0/8", "allow *")),
            [("LoginPortOpenToInternet", "High")],
            id="SSH for all but some",
        ),
        pytest.param(
            network(endpoint("SSH", "allow 10.0.0.0/8", "deny *"), **QUIET), [], id="SSH for private addresses only"
        ),
        pytest.param(network(endpoint("SSH"), **QUIET), [], id="no public addresses, whatever the rules"),
        pytest.param(
            network(endpoint("SSH", "allow AzureCloud", "deny *")),
            [("ReachabilityUndetermined", "Medium")],
            id="SSH for a tag",
        ),
        pytest.param(
            network(endpoint("web", "allow 10.0.0.0/8", port=443)),
            [("ReachabilityUndetermined", "Low")],
            id="another port without a last rule",
        ),
        pytest.param(
            network(endpoint("SSH", "deny *")),
            [("PublicAddressesWithoutNeed", "Info")],
            id="closed with public addresses",
        ),
        pytest.param(
            network(provisioning=Provisioning.USER_MANAGED),
            [("PublicAddressesWithoutNeed", "Info")],
            id="addresses of one's own and no endpoint",
        ),
    ],
)
def test_endpoints_are_judged_by_who_reaches_them(net: Network, expected: list[tuple[str, str]]) -> None:
    assert found(net) == expected


def test_an_old_pool_whose_nodes_nobody_saw_is_undetermined() -> None:
    unknown = ("ImplicitMappingUnknown", "Medium")
    assert found(network(), legacy=True) == [unknown, unknown]


def test_an_implicit_mapping_on_a_node_is_exposure() -> None:
    assert found(network(), legacy=True, nodes=SSH_SEEN) == [("ImplicitMappingOpenToInternet", "High")]


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ("20.0.0.0/16", []),
        ("20.0.0.0/25", [("LoginPortOpenToInternet", "Medium")]),
        ("9.9.9.9", [("LoginPortOpenToInternet", "Medium")]),
    ],
    ids=["all that get in", "half of them", "others"],
)
def test_trusted_addresses_are_no_exposure(trusted: str, expected: list[tuple[str, str]]) -> None:
    net = network(endpoint("SSH", "allow 20.0.0.0/24", "deny *"))
    assert found(net, trusted=AddressSet.parse(trusted)) == expected


@pytest.mark.parametrize(("source", "severity"), [("2000::/3", "High"), ("2a00::/12", "Medium")])
def test_ipv6_is_broad_by_the_part_that_is_in_use(source: str, severity: str) -> None:
    net = network(endpoint("SSH", f"allow {source}", "deny *"), ip_families=tuple(IpFamily))
    assert found(net) == [("LoginPortOpenToInternet", severity)]


@pytest.mark.parametrize(
    ("net", "broken"),
    [
        pytest.param(network(endpoint()), True, id="open"),
        pytest.param(network(endpoint("SSH", "allow AzureCloud", "deny *")), True, id="undetermined"),
        pytest.param(network(endpoint("SSH", "deny *")), False, id="closed"),
        pytest.param(network(endpoint("web", port=443)), False, id="another port"),
    ],
)
def test_guardrails_hold_for_certain_or_are_broken(net: Network, broken: bool) -> None:  # noqa: FBT001 a table's column
    assert (("GuardrailViolated", "High") in found(net, forbidden=(22,))) is broken


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        pytest.param(SAFE, [], id="everything is in order"),
        pytest.param(PoolTraits(), [], id="what is not known is no finding"),
        pytest.param(PoolTraits(trusted_launch=False), ["TrustedLaunchOff"], id="no Trusted Launch"),
        pytest.param(PoolTraits(encryption_at_host=False), ["EncryptionAtHostOff"], id="no encryption at the host"),
        pytest.param(PoolTraits(user_accounts=(UserAccount(name="ops", admin=True),)), ["UserAccounts"], id="a user"),
    ],
)
def test_advice_is_given_on_what_a_pool_shows(traits: PoolTraits, expected: list[str]) -> None:
    assert [rule for rule, _ in found(network(**QUIET), traits)] == expected


def test_a_pool_in_no_subnet_is_advised() -> None:
    (finding,) = pool_findings(
        reachability(network(provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES), legacy=False), SAFE
    )
    assert finding.rule.id == "NoSubnet"


def test_users_are_named() -> None:
    users = PoolTraits(user_accounts=(UserAccount(name="a", admin=False), UserAccount(name="b", admin=True)))
    (finding,) = pool_findings(reachability(network(**QUIET), legacy=False), users)
    assert finding.message == "every node has the users a, b (admin)"


def test_a_message_says_who_gets_in_and_why() -> None:
    (finding, *_) = pool_findings(reachability(network(endpoint()), legacy=False), SAFE)
    assert finding.message == (
        "SSH (TCP/22) lets in anyone on the Internet: an endpoint without rules admits everyone, e.g. 8.8.8.8"
    )
    assert finding.endpoint == "SSH"


def test_a_shared_key_is_a_finding_of_the_account() -> None:
    assert [each.rule.id for each in account_findings(shared_key=True)] == ["SharedKeyAuthentication"]
    assert account_findings(shared_key=False) == ()


def test_what_matters_most_comes_first() -> None:
    net = network(endpoint("SSH", port=22), endpoint("web", port=443, frontend="5000-5100"))
    users = PoolTraits(user_accounts=(UserAccount(name="a", admin=False),))
    findings = pool_findings(reachability(net, legacy=True, nodes=None), users)
    assert [each.severity for each in findings] == sorted(
        (each.severity for each in findings), key=list(Severity).index
    )
    assert list(findings) == sorted(findings, key=weight)
    assert findings[0].rule.id == "LoginPortOpenToInternet"


@pytest.mark.parametrize(
    ("least", "kinds"),
    [
        (FindingKind.EXPOSURE, {FindingKind.EXPOSURE}),
        (FindingKind.UNDETERMINED, {FindingKind.EXPOSURE, FindingKind.UNDETERMINED}),
        (FindingKind.ADVICE, set(FindingKind)),
    ],
)
def test_the_least_kind_and_all_above_it_count(least: FindingKind, kinds: set[FindingKind]) -> None:
    net = network(endpoint(), endpoint("web", "allow AzureCloud", "deny *", port=443, frontend="5000-5100"))
    findings = pool_findings(reachability(net, legacy=False), SAFE)
    assert {each.rule.kind for each in findings} == set(FindingKind)
    assert {each.rule.kind for each in findings if counts_as_found(each, least=least)} == kinds


def test_rules_have_names_of_their_own_and_say_what_to_do() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.title and rule.remedy and rule.citation.title for rule in RULES)
    assert all(rule.citation.url for rule in RULES if rule.kind is FindingKind.ADVICE)
