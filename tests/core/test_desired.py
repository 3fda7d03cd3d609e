import pytest

from batchaccess.core.declared import (
    DesiredAccess,
    Unlisted,
)
from batchaccess.core.desired import canonical_sources, desired_network, kept_endpoints
from batchaccess.core.limits import limit_violations
from batchaccess.core.model import (
    IpFamily,
    IpTag,
    Network,
    Provisioning,
    Rule,
)
from tests.support.build import SUBNET, access, endpoint, network, rule, rules, wanted


def test_what_is_not_declared_keeps_its_observed_value() -> None:
    observed = network(
        endpoint("SSH", "allow 10.0.0.0/8"),
        provisioning=Provisioning.USER_MANAGED,
        address_ids=["/ip"],
        ip_families=[IpFamily.IPV4, IpFamily.IPV6],
        ip_tags=[IpTag(type="t", tag="v")],
        subnet_id=SUBNET,
        accelerated=True,
        scope="job",
    )
    assert desired_network(observed, DesiredAccess()) == observed


def test_what_is_declared_replaces_the_observed_value() -> None:
    declared = access(
        wanted("SSH", "deny *"),
        provisioning=Provisioning.USER_MANAGED,
        address_ids=["/b", "/a", "/B"],
        subnet_id=SUBNET,
        accelerated=True,
    )
    observed = network(endpoint("old", port=80), scope="job")
    assert desired_network(observed, declared) == network(
        endpoint("SSH", "deny *"),
        provisioning=Provisioning.USER_MANAGED,
        address_ids=["/a", "/B"],
        subnet_id=SUBNET,
        accelerated=True,
        scope="job",
    )


def test_acceleration_can_be_declared_off() -> None:
    assert not desired_network(network(accelerated=True), access(accelerated=False)).accelerated_networking


def compiled(
    *items: object, observed: Network | None = None, unlisted: Unlisted = Unlisted.REMOVE
) -> dict[str, tuple[Rule, ...]]:
    declared = access(*items, unlisted=unlisted)  # type: ignore[arg-type]  # every caller passes endpoints
    desired = desired_network(observed or Network(), declared)
    return {each.name: each.rules for each in desired.endpoints}


def test_sources_become_allow_rules_and_a_final_deny() -> None:
    assert compiled(wanted("SSH", allow_from=["192.168.1.0/24", "10.0.0.1"])) == {
        "SSH": rules("allow 10.0.0.1 priority 1000", "allow 192.168.1.0/24 priority 1001", "deny * priority 1002")
    }


def test_no_source_means_closed_and_never_an_empty_list() -> None:
    assert compiled(wanted("RDP", allow_from=[], port=3389)) == {"RDP": (rule("deny * priority 1000"),)}


def test_priorities_run_through_endpoints_by_name() -> None:
    assert compiled(wanted("b", allow_from=["10.0.0.1"], port=2), wanted("a", allow_from=["10.0.0.2"], port=1)) == {
        "a": rules("allow 10.0.0.2 priority 1000", "deny * priority 1001"),
        "b": rules("allow 10.0.0.1 priority 1002", "deny * priority 1003"),
    }


def test_priorities_of_verbatim_rules_are_stepped_over() -> None:
    assert compiled(
        wanted("a", allow_from=["10.0.0.1"], port=1),
        wanted("b", "deny * priority 1000", "allow 10.0.0.9 priority 162", port=2),
        wanted("c", "deny * priority 1002", port=3),
    ) == {
        "a": rules("allow 10.0.0.1 priority 1001", "deny * priority 1003"),
        "b": rules("allow 10.0.0.9 priority 162", "deny * priority 1000"),
        "c": rules("deny * priority 1002"),
    }


def test_priorities_of_kept_endpoints_are_stepped_over() -> None:
    observed = network(endpoint("old", "deny * priority 1000", port=80))
    assert compiled(wanted("SSH"), observed=observed, unlisted=Unlisted.KEEP) == {
        "SSH": rules("deny * priority 1001"),
        "old": rules("deny * priority 1000"),
    }


def test_priorities_of_removed_endpoints_are_free_again() -> None:
    observed = network(endpoint("old", "deny * priority 1000", port=80))
    assert compiled(wanted("SSH"), observed=observed) == {"SSH": rules("deny * priority 1000")}


def test_an_endpoint_listed_in_another_case_is_replaced_not_kept() -> None:
    observed = network(endpoint("ssh", "allow *"), endpoint("other", port=80))
    assert compiled(wanted("SSH"), observed=observed, unlisted=Unlisted.KEEP) == {
        "SSH": rules("deny * priority 1000"),
        "other": (),
    }


def test_limits_are_checked_on_the_merge() -> None:
    observed = network(endpoint("old", "deny * priority 1000", port=22, frontend="4050-4150"))
    merge = desired_network(observed, access(wanted("SSH", "deny * priority 1000"), unlisted=Unlisted.KEEP))
    assert [violation.field for violation in limit_violations(merge)] == [
        "endpoints[old].backendPort",
        "endpoints[old].frontendPorts",
        "endpoints[old].rules[0].priority",
    ]


def test_sources_beyond_the_rule_limit_compile_and_are_then_refused() -> None:
    declared = access(wanted("SSH", allow_from=[f"10.{n}.0.0/16" for n in range(200)]))
    desired = desired_network(Network(), declared)
    assert len(desired.endpoints[0].rules) == 201
    assert "201 rules" in str(limit_violations(desired)[0])


def test_compiling_again_from_the_result_changes_nothing() -> None:
    declared = access(
        wanted("SSH", allow_from=["10.0.0.1", "Internet"]),
        wanted("x", "deny * priority 1001", port=80, frontend="6000-6100"),
        unlisted=Unlisted.KEEP,
    )
    once = desired_network(network(endpoint("old", "deny * priority 1000", port=81, frontend="7000-7100")), declared)
    assert desired_network(once, declared) == once


SOURCES = {
    "numbers come in order of address, not of text": (["10.0.0.0/8", "9.0.0.0/8"], ("9.0.0.0/8", "10.0.0.0/8")),
    "a wider prefix comes before a narrower one": (["10.0.0.0/16", "10.0.0.0/8"], ("10.0.0.0/8", "10.0.0.0/16")),
    "IPv4, then IPv6, then tags, then everyone": (
        ["*", "Internet", "2001:db8::/32", "AzureCloud", "1.2.3.4"],
        ("1.2.3.4", "2001:db8::/32", "AzureCloud", "Internet", "*"),
    ),
    "a host prefix is the address": (["10.0.0.1/32", "2001:db8::1/128"], ("10.0.0.1", "2001:db8::1")),
    "bits beyond the prefix are cleared": (["10.0.0.5/24"], ("10.0.0.0/24",)),
    "IPv6 is compressed": (["2001:0DB8:0:0::0/32"], ("2001:db8::/32",)),
    "one meaning in two spellings is listed once": (
        ["10.0.0.1", "10.0.0.1/32", "internet", "Internet"],
        ("10.0.0.1", "Internet"),
    ),
}


@pytest.mark.parametrize(("sources", "canonical"), SOURCES.values(), ids=SOURCES.keys())
def test_sources_have_one_spelling_and_one_order(sources: list[str], canonical: tuple[str, ...]) -> None:
    assert canonical_sources(sources) == canonical
    assert canonical_sources(reversed(sources)) == canonical


def test_all_endpoints_are_kept_where_none_are_managed() -> None:
    observed = network(endpoint("a"), endpoint("b", port=23))
    assert kept_endpoints(observed, None) == observed.endpoints
    assert kept_endpoints(observed, access().endpoints) == ()
