"""The service's limits on networkConfiguration: which property is named, for which api-version."""

from __future__ import annotations

from typing import Any

import pytest

from batchemulator import Assumptions
from batchemulator.assumptions import Answer
from batchemulator.state.network_limits import check_network
from batchemulator.versions import ApiVersion
from batchemulator.wire.errors import ErrorCode, ServiceError
from tests.batchemulator.driver import V2024_02, V2024_07, Driver, nat_pool, network, rule

SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
IP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/i"
NO_ADDRESSES = {"provision": "nopublicipaddresses"}


def nat_pools(count: int) -> list[dict[str, Any]]:
    return [
        nat_pool(f"n{number}", backendPort=100 + number, frontendPortRangeStart=start, frontendPortRangeEnd=start + 39)
        for number, start in enumerate(range(1000, 1000 + 100 * count, 100))
    ]


def with_rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return network(nat_pool(networkSecurityGroupRules=list(rules)))


ACCEPTED = {
    "nothing at all": {},
    "five NAT pools": network(*nat_pools(5)),
    "a range of exactly forty ports": network(nat_pool(frontendPortRangeStart=1, frontendPortRangeEnd=40)),
    "a range up to the last port before the reserved ones": network(
        nat_pool(frontendPortRangeStart=49960, frontendPortRangeEnd=49999),
    ),
    "a range from the first port after the reserved ones": network(
        nat_pool(frontendPortRangeStart=55001, frontendPortRangeEnd=65534),
    ),
    "a name of 77 characters": network(nat_pool("a" * 76 + "_")),
    "a name of one character": network(nat_pool("7")),
    "25 rules": with_rules(*(rule(150 + number) for number in range(25))),
    "the outermost priorities": with_rules(rule(150), rule(4096)),
    "every kind of source": with_rules(
        *(rule(200 + n, source=s) for n, s in enumerate(["*", "10.0.0.1", "10.0.0.0/8", "Internet", "Storage.WestUS"])),
    ),
    "every kind of source port": with_rules(
        rule(sourcePortRanges=["0", "1-1023", "65535"]), rule(300, sourcePortRanges=["*"])
    ),
    "enums in any case": network(nat_pool(protocol="TCP", networkSecurityGroupRules=[rule(access="Deny")])),
    "no public addresses with a subnet": {"subnetId": SUBNET, "publicIPAddressConfiguration": NO_ADDRESSES},
    "own addresses": {"publicIPAddressConfiguration": {"provision": "usermanaged", "ipAddressIds": [IP]}},
    "both address families": {"publicIPAddressConfiguration": {"ipFamilies": ["IPv6", "IPv4"]}},
    "keys nobody knows": {"somethingNew": {"a": 1}},
}

REFUSED: dict[str, tuple[str, object]] = {
    "six NAT pools": ("inboundNATPools", network(*nat_pools(6))),
    "two NAT pools of one name": ("name", network(nat_pools(1)[0], nat_pools(2)[1] | {"name": "N0"})),
    "a name that ends with a dash": ("name", network(nat_pool("ssh-"))),
    "a name that starts with a dot": ("name", network(nat_pool(".ssh"))),
    "a name of 78 characters": ("name", network(nat_pool("a" * 78))),
    "a missing name": ("name", network({key: value for key, value in nat_pool().items() if key != "name"})),
    "an unknown protocol": ("protocol", network(nat_pool(protocol="sctp"))),
    "two NAT pools to one backend port": (
        "backendPort",
        network(nat_pools(1)[0], nat_pools(2)[1] | {"backendPort": 100}),
    ),
    "a backend port of the Batch agent": ("backendPort", network(nat_pool(backendPort=29876))),
    "backend port 0": ("backendPort", network(nat_pool(backendPort=0))),
    "backend port 65536": ("backendPort", network(nat_pool(backendPort=65536))),
    "a backend port that is no number": ("backendPort", network(nat_pool(backendPort="22"))),
    "a range of 39 ports": ("frontendPortRangeEnd", network(nat_pool(frontendPortRangeEnd=4038))),
    "a range that ends before it starts": ("frontendPortRangeEnd", network(nat_pool(frontendPortRangeEnd=3000))),
    "a range into the reserved ports": (
        "frontendPortRangeStart",
        network(nat_pool(frontendPortRangeStart=49900, frontendPortRangeEnd=50000)),
    ),
    "a range around the reserved ports": (
        "frontendPortRangeStart",
        network(nat_pool(frontendPortRangeStart=49000, frontendPortRangeEnd=56000)),
    ),
    "a range up to port 65535": ("frontendPortRangeEnd", network(nat_pool(frontendPortRangeEnd=65535))),
    "overlapping ranges, tcp and udp alike": (
        "frontendPortRangeStart",
        network(
            nat_pool("a"),
            nat_pool("b", protocol="udp", backendPort=53, frontendPortRangeStart=4100, frontendPortRangeEnd=4200),
        ),
    ),
    "26 rules over all NAT pools": (
        "networkSecurityGroupRules",
        network(
            nat_pools(1)[0] | {"networkSecurityGroupRules": [rule(150 + number) for number in range(13)]},
            nat_pools(2)[1] | {"networkSecurityGroupRules": [rule(250 + number) for number in range(13)]},
        ),
    ),
    "one priority in two NAT pools": (
        "priority",
        network(
            nat_pools(1)[0] | {"networkSecurityGroupRules": [rule(150)]},
            nat_pools(2)[1] | {"networkSecurityGroupRules": [rule(150)]},
        ),
    ),
    "priority 149": ("priority", with_rules(rule(149))),
    "priority 4097": ("priority", with_rules(rule(4097))),
    "a priority that is no number": ("priority", with_rules(rule(priority="200"))),  # type: ignore[arg-type]
    "an unknown access": ("access", with_rules(rule(access="block"))),
    "a missing source": ("sourceAddressPrefix", with_rules({"priority": 200, "access": "allow"})),
    "a source that is no address": ("sourceAddressPrefix", with_rules(rule(source="10.0.0.256"))),
    "a source port that is no port": ("sourcePortRanges", with_rules(rule(sourcePortRanges=["65536"]))),
    "overlapping source ports": ("sourcePortRanges", with_rules(rule(sourcePortRanges=["1-10", "10"]))),
    "a star beside a source port": ("sourcePortRanges", with_rules(rule(sourcePortRanges=["*", "10"]))),
    "NAT pools without public addresses": (
        "provision",
        network(nat_pool(), subnetId=SUBNET, publicIPAddressConfiguration=NO_ADDRESSES),
    ),
    "no public addresses without a subnet": ("provision", {"publicIPAddressConfiguration": NO_ADDRESSES}),
    "own addresses without ids": ("ipAddressIds", {"publicIPAddressConfiguration": {"provision": "UserManaged"}}),
    "ids without own addresses": ("ipAddressIds", {"publicIPAddressConfiguration": {"ipAddressIds": [IP]}}),
    "an unknown provision": ("provision", {"publicIPAddressConfiguration": {"provision": "some"}}),
    "IPv6 alone": ("ipFamilies", {"publicIPAddressConfiguration": {"ipFamilies": ["IPv6"]}}),
    "an unknown scope": ("dynamicVNetAssignmentScope", {"dynamicVNetAssignmentScope": "pool"}),
    "acceleration that is no boolean": ("enableAcceleratedNetworking", {"enableAcceleratedNetworking": "yes"}),
    "a configuration that is no object": ("networkConfiguration", []),
    "NAT pools that are no list": ("inboundNATPools", {"endpointConfiguration": {"inboundNATPools": {}}}),
}


@pytest.mark.parametrize("configuration", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(configuration: dict[str, Any]) -> None:
    check_network(configuration, ApiVersion.V2025_06)


@pytest.mark.parametrize(("name", "configuration"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_the_name_of_the_property(name: str, configuration: object) -> None:
    with pytest.raises(ServiceError) as caught:
        check_network(configuration, ApiVersion.V2025_06)
    assert caught.value.status == 400
    assert caught.value.code in {ErrorCode.INVALID_PROPERTY_VALUE, ErrorCode.MISSING_REQUIRED_PROPERTY}
    assert dict(caught.value.values)["PropertyName"] == name


@pytest.mark.parametrize("port", [22, 3389])
@pytest.mark.parametrize(
    ("version", "reserved"),
    [(ApiVersion.V2024_02, True), (ApiVersion.V2024_07, False), (ApiVersion.V2025_06, False)],
)
def test_login_ports_are_reserved_in_the_oldest_version_only(port: int, version: ApiVersion, *, reserved: bool) -> None:
    configuration = network(nat_pool(backendPort=port))
    if not reserved:
        check_network(configuration, version)
        return
    with pytest.raises(ServiceError) as caught:
        check_network(configuration, version)
    assert dict(caught.value.values)["PropertyValue"] == str(port)


def test_a_limit_is_judged_before_the_pool_is_looked_for() -> None:
    answer = Driver().patch("/pools/none", {"networkConfiguration": network(*nat_pools(6))})
    assert (answer.status, answer.code) == (400, "InvalidPropertyValue")
    assert set(answer.values) == {"PropertyName", "PropertyValue", "Reason"}


def test_metadata_items_need_name_and_value() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    assert driver.patch("/pools/p", {"metadata": [{"name": "a"}]}).values["PropertyName"] == "value"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param({"vmSize": "A1"}, "id", id="no id"),
        pytest.param({"id": "p"}, "vmSize", id="no vmSize"),
        pytest.param({"id": "p", "vmSize": "A1"}, "virtualMachineConfiguration", id="no machine"),
        pytest.param({"id": "p q", "vmSize": "A1", "virtualMachineConfiguration": {}}, "id", id="a space in the id"),
        pytest.param({"id": "p" * 65, "vmSize": "A1", "virtualMachineConfiguration": {}}, "id", id="an id of 65"),
        pytest.param(
            {"id": "p", "vmSize": "A1", "virtualMachineConfiguration": {}, "enableAutoScale": True},
            "autoScaleFormula",
            id="autoscale without formula",
        ),
    ],
)
def test_a_pool_that_cannot_be_created(body: dict[str, object], name: str) -> None:
    answer = Driver().post("/pools", body)
    assert (answer.status, answer.values["PropertyName"]) == (400, name)


def test_shared_key_with_a_subnet_is_the_recorded_403_unless_assumed_otherwise() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    refused = driver.signed("PATCH", "/pools/p", {"networkConfiguration": {"subnetId": SUBNET}})
    assert (refused.status, refused.code) == (403, "Forbidden")
    assert refused.values["Reason"] == f"Property subnetId with value {SUBNET} is not enabled for current account"
    assert driver.patch("/pools/p", {"networkConfiguration": {"subnetId": SUBNET}}).status == 200
    driver.service.environment.assumptions = Assumptions(shared_key_with_subnet=Answer.ACCEPTED)
    assert driver.signed("PATCH", "/pools/p", {"networkConfiguration": {"subnetId": SUBNET}}).status == 200


@pytest.mark.parametrize("version", [V2024_02, V2024_07])
def test_older_versions_refuse_what_they_refuse_on_creation_too(version: str) -> None:
    body = {
        "id": "p",
        "vmSize": "A1",
        "virtualMachineConfiguration": {"nodeAgentSKUId": "x"},
        "networkConfiguration": network(nat_pool()),
    }
    answer = Driver(version=version).post("/pools", body)
    assert answer.status == (400 if version == V2024_02 else 201)
