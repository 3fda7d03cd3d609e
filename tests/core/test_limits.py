import pytest

from batchaccess.core.limits import Violation, limit_violations
from batchaccess.core.model import (
    InboundEndpoint,
    IpFamily,
    IpTag,
    Network,
    Provisioning,
)
from tests.support.build import SUBNET, endpoint, network


def spread(count: int, *texts: str) -> list[InboundEndpoint]:
    """Endpoints that share nothing: names, backend ports, frontends and, by shifting, priorities."""
    return [
        endpoint(
            f"e{index}", *(shifted(text, index) for text in texts), port=100 + index, frontend=f"{start}-{start + 99}"
        )
        for index, start in enumerate(range(1000, 1000 + 100 * count, 100))
    ]


def shifted(text: str, index: int) -> str:
    return f"{text}{index:02d}"


def test_a_network_within_all_limits_breaks_none() -> None:
    full = spread(5, *(f"deny 10.{n}.0.0/16 priority 1{n}" for n in range(5)))
    assert sum(len(each.rules) for each in full) == 25
    assert limit_violations(network(*full, subnet_id=SUBNET)) == ()


BROKEN = {
    "six endpoints": (network(*spread(6)), "endpoints", "at most 5"),
    "twenty-six rules": (
        network(
            *spread(4, *(f"deny 10.{n}.0.0/16 priority 1{n}" for n in range(6))),
            endpoint("last", "deny * priority 4000", "deny * priority 4001", frontend="2000-2099"),
        ),
        "endpoints",
        "26 rules over all endpoints, a pool has at most 25",
    ),
    "a name that starts with a dash": (network(endpoint("-ssh")), "endpoints[-ssh].name", "starts with a letter"),
    "a name that ends with a dot": (network(endpoint("ssh.")), "endpoints[ssh.].name", "ends with a letter"),
    "a name of 78 characters": (network(endpoint("n" * 78)), f"endpoints[{'n' * 78}].name", "at most 77"),
    "names that differ in case only": (
        network(endpoint("ssh"), endpoint("SSH", port=23, frontend="5000-5099")),
        "endpoints[SSH].name",
        "whatever their case",
    ),
    "backend port 0": (network(endpoint(port=0)), "endpoints[SSH].backendPort", "not between 1 and 65535"),
    "backend port 65536": (network(endpoint(port=65536)), "endpoints[SSH].backendPort", "not between 1 and 65535"),
    "reserved backend port 29876": (network(endpoint(port=29876)), "endpoints[SSH].backendPort", "reserved"),
    "reserved backend port 29877": (network(endpoint(port=29877)), "endpoints[SSH].backendPort", "reserved"),
    "one backend port twice": (
        network(endpoint("a"), endpoint("b", frontend="5000-5099")),
        "endpoints[b].backendPort",
        "22 is the backend port of endpoint a already",
    ),
    "frontend from port 0": (
        network(endpoint(frontend="0-100")),
        "endpoints[SSH].frontendPorts",
        "between 1 and 65534",
    ),
    "frontend to port 65535": (
        network(endpoint(frontend="65400-65535")),
        "endpoints[SSH].frontendPorts",
        "between 1 and 65534",
    ),
    "frontend from high to low": (
        network(endpoint(frontend="4100-4000")),
        "endpoints[SSH].frontendPorts",
        "from low to high",
    ),
    "frontend of 39 ports": (
        network(endpoint(frontend="4000-4038")),
        "endpoints[SSH].frontendPorts",
        "fewer than 40 ports",
    ),
    "frontend that ends in the reserved range": (
        network(endpoint(frontend="49900-50000")),
        "endpoints[SSH].frontendPorts",
        "reaches into 50000-55000",
    ),
    "frontend that starts in the reserved range": (
        network(endpoint(frontend="55000-55100")),
        "endpoints[SSH].frontendPorts",
        "reaches into 50000-55000",
    ),
    "frontends that share one port": (
        network(endpoint("a", frontend="4000-4100"), endpoint("b", port=23, frontend="4100-4200")),
        "endpoints[b].frontendPorts",
        "4100-4200 overlaps 4000-4100 of endpoint a",
    ),
    "frontends that overlap one further back": (
        network(
            endpoint("a", frontend="4000-4900"),
            endpoint("b", port=23, frontend="3000-3100"),
            endpoint("c", port=24, frontend="4800-4999"),
        ),
        "endpoints[c].frontendPorts",
        "4800-4999 overlaps 4000-4900 of endpoint a",
    ),
    "priority 149": (
        network(endpoint("SSH", "deny * priority 149")),
        "endpoints[SSH].rules[0].priority",
        "150 and 4096",
    ),
    "priority 4097": (
        network(endpoint("SSH", "deny * priority 4097")),
        "endpoints[SSH].rules[0].priority",
        "150 and 4096",
    ),
    "one priority in two endpoints": (
        network(
            endpoint("a", "deny * priority 200"),
            endpoint("b", "allow 10.0.0.1 priority 199", "deny * priority 200", port=23, frontend="5000-5099"),
        ),
        "endpoints[b].rules[1].priority",
        "200 is used by a rule of endpoint a already",
    ),
    "a source with a wrong mask": (
        network(endpoint("SSH", "deny 10.0.0.0/33")),
        "endpoints[SSH].rules[0].sourceAddressPrefix",
        "'10.0.0.0/33' is neither an IP address",
    ),
    "a source port above 65535": (
        network(endpoint("SSH", "deny * ports 1-65536")),
        "endpoints[SSH].rules[0].sourcePortRanges",
        "within 0-65535",
    ),
    "source ports from high to low": (
        network(endpoint("SSH", "deny * ports 9-1")),
        "endpoints[SSH].rules[0].sourcePortRanges",
        "within 0-65535",
    ),
    "source ports that overlap": (
        network(endpoint("SSH", "deny * ports 1-10,10-20")),
        "endpoints[SSH].rules[0].sourcePortRanges",
        "do not overlap",
    ),
    "endpoints without public addresses": (
        network(endpoint(), provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES, subnet_id=SUBNET),
        "publicAddresses.provisioning",
        "but SSH would be there",
    ),
    "no public addresses and no subnet": (
        network(provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES),
        "publicAddresses.provisioning",
        "needs a subnet",
    ),
    "user managed addresses without any": (
        network(provisioning=Provisioning.USER_MANAGED),
        "publicAddresses.addressIds",
        "at least one",
    ),
    "addresses listed though Batch manages them": (
        network(address_ids=["/x"]),
        "publicAddresses.addressIds",
        "only with UserManaged, not with BatchManaged",
    ),
    "tags of addresses that Batch does not make": (
        network(provisioning=Provisioning.USER_MANAGED, address_ids=["/x"], ip_tags=[IpTag(type="a", tag="b")]),
        "publicAddresses.provisioning",
        "keep BatchManaged",
    ),
    "IPv6 alone": (network(ip_families=[IpFamily.IPV6]), "publicAddresses.ipFamilies", "IPv4 alone or IPv4 with IPv6"),
    "virtual networks per job without a subnet": (network(scope="Job"), "subnetId", "needs a subnet"),
}


@pytest.mark.parametrize(("broken", "field", "text"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_limit_names_its_field_and_the_limit(broken: Network, field: str, text: str) -> None:
    (violation,) = limit_violations(broken)
    assert violation.field == field
    assert text in violation.message


ALLOWED = {
    "a name of one digit": network(endpoint("7")),
    "a name of 77 characters that ends in an underscore": network(endpoint("n" * 76 + "_")),
    "the login ports": network(endpoint(port=22), endpoint("RDP", port=3389, frontend="5000-5100")),
    "the lowest ports": network(endpoint(port=1, frontend="1-40")),
    "the highest backend port": network(endpoint(port=65535)),
    "exactly 40 frontend ports": network(endpoint(frontend="4000-4039")),
    "frontends right beside the reserved range": network(
        endpoint("a", frontend="49900-49999"), endpoint("b", port=23, frontend="55001-55100")
    ),
    "frontends right beside each other, up to the last port": network(
        endpoint("a", frontend="65400-65449"), endpoint("b", port=23, frontend="65450-65534")
    ),
    "the lowest and the highest priority": network(endpoint("SSH", "deny * priority 150", "deny * priority 4096")),
    "source ports side by side": network(endpoint("SSH", "deny * ports 0-10,11,12-65535")),
    "an IPv6 source": network(endpoint("SSH", "deny 2001:db8::/32")),
    "a regional service tag": network(endpoint("SSH", "allow Storage.WestEurope")),
    "two IP families": network(ip_families=[IpFamily.IPV4, IpFamily.IPV6]),
    "a provisioning this version does not know, with addresses and tags": network(
        provisioning=Provisioning.UNKNOWN, address_ids=["/x"], ip_tags=[IpTag(type="a", tag="b")]
    ),
    "no public addresses in a subnet": network(provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES, subnet_id=SUBNET),
    "virtual networks per job in a subnet": network(scope="job", subnet_id=SUBNET),
}


@pytest.mark.parametrize("allowed", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_service_accepts_breaks_no_limit(allowed: Network) -> None:
    assert limit_violations(allowed) == ()


def test_all_violations_are_found_at_once_and_sorted() -> None:
    broken = network(endpoint("b-", port=29876, frontend="50000-50001"))
    found = limit_violations(broken)
    assert found == tuple(sorted(found))
    assert [violation.field for violation in found] == [
        "endpoints[b-].backendPort",
        "endpoints[b-].frontendPorts",
        "endpoints[b-].frontendPorts",
        "endpoints[b-].name",
    ]


def test_a_violation_reads_as_a_sentence() -> None:
    assert str(Violation(field="subnetId", message="needed")) == "subnetId: needed"
