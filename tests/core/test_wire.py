from typing import Any

import pytest

from batchaccess.core.declared import (
    DesiredAccess,
    Unlisted,
)
from batchaccess.core.desired import desired_network
from batchaccess.core.model import (
    IpFamily,
    IpTag,
    Network,
    Provisioning,
)
from batchaccess.core.wire import network_configuration_body
from tests.support.build import SUBNET, access, as_observed, as_returned, endpoint, network, wanted


def body_of(raw: dict[str, Any] | None, declared: DesiredAccess) -> dict[str, Any]:
    observed = as_observed(raw or {})
    return network_configuration_body(raw, observed, desired_network(observed, declared), declared)


SSH_CLOSED = {
    "name": "SSH",
    "protocol": "tcp",
    "backendPort": 22,
    "frontendPortRangeStart": 4000,
    "frontendPortRangeEnd": 4100,
    "networkSecurityGroupRules": [
        {"priority": 1000, "access": "deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}
    ],
}


def test_a_pool_without_a_network_gets_just_what_is_declared() -> None:
    assert body_of(None, access(wanted("SSH"))) == {"endpointConfiguration": {"inboundNATPools": [SSH_CLOSED]}}


def test_no_endpoints_at_all_is_said_with_an_empty_list() -> None:
    assert body_of(None, access()) == {"endpointConfiguration": {"inboundNATPools": []}}


def test_what_is_not_managed_is_sent_back_as_it_was() -> None:
    raw = as_returned(
        network(
            endpoint("SSH", "allow 10.0.0.0/8 ports 1-2,3"),
            provisioning=Provisioning.USER_MANAGED,
            address_ids=["/ip"],
            ip_families=[IpFamily.IPV4, IpFamily.IPV6],
            ip_tags=[IpTag(type="t", tag="v")],
            subnet_id=SUBNET,
            accelerated=True,
        )
    )
    assert body_of(raw, DesiredAccess()) == {
        **raw,
        "publicIPAddressConfiguration": {**raw["publicIPAddressConfiguration"], "provision": "usermanaged"},
    }


def test_closed_words_are_sent_in_lower_case_and_others_left_alone() -> None:
    raw = {
        "dynamicVNetAssignmentScope": "None",
        "publicIPAddressConfiguration": {"provision": "NoPublicIPAddresses"},
        "endpointConfiguration": {
            "inboundNATPools": [
                {"name": "TCP", "protocol": "TCP", "networkSecurityGroupRules": [{"access": "Deny"}]},
                {"name": "Q", "protocol": "QUIC"},
            ]
        },
        "future": {"access": "Allow", "protocol": 7},
    }
    assert network_configuration_body(raw, Network(), Network(), DesiredAccess()) == {
        "dynamicVNetAssignmentScope": "none",
        "publicIPAddressConfiguration": {"provision": "nopublicipaddresses"},
        "endpointConfiguration": {
            "inboundNATPools": [
                {"name": "TCP", "protocol": "tcp", "networkSecurityGroupRules": [{"access": "deny"}]},
                {"name": "Q", "protocol": "QUIC"},
            ]
        },
        "future": {"access": "allow", "protocol": 7},
    }


def test_unknown_keys_survive_at_every_level() -> None:
    raw = as_returned(network(endpoint("ssh", "allow 10.0.0.0/8 priority 300", "deny * priority 301")))
    (pool,) = raw["endpointConfiguration"]["inboundNATPools"]
    raw["futureTop"] = {"a": [1, {"b": None}]}
    raw["endpointConfiguration"]["futureMiddle"] = True
    raw["publicIPAddressConfiguration"] = {"provision": "BatchManaged", "futurePublic": "x"}
    pool["futurePool"] = "y"
    pool["networkSecurityGroupRules"][1]["futureRule"] = "z"
    declared = access(
        wanted("SSH", allow_from=["10.1.0.0/16"]), provisioning=Provisioning.USER_MANAGED, address_ids=["/ip"]
    )
    body = body_of(raw, declared)
    assert body["futureTop"] == {"a": [1, {"b": None}]}
    assert body["endpointConfiguration"]["futureMiddle"] is True
    assert body["publicIPAddressConfiguration"] == {
        "provision": "usermanaged",
        "futurePublic": "x",
        "ipAddressIds": ["/ip"],
    }
    (sent,) = body["endpointConfiguration"]["inboundNATPools"]
    assert (sent["name"], sent["futurePool"]) == ("SSH", "y")
    allow, deny = sent["networkSecurityGroupRules"]
    assert "futureRule" not in allow
    assert (deny["futureRule"], deny["priority"]) == ("z", 1001)


def test_of_two_rules_of_one_meaning_each_keeps_its_own_unknown_keys() -> None:
    raw = as_returned(network(endpoint("SSH", "deny * priority 300", "deny * priority 301")))
    first, second = raw["endpointConfiguration"]["inboundNATPools"][0]["networkSecurityGroupRules"]
    first["x"], second["x"] = 1, 2
    body = body_of(raw, access(wanted("SSH", "deny * priority 400", "deny * priority 401")))
    sent = body["endpointConfiguration"]["inboundNATPools"][0]["networkSecurityGroupRules"]
    assert [(each["priority"], each["x"]) for each in sent] == [(400, 1), (401, 2)]


def test_a_rule_of_another_meaning_keeps_nothing() -> None:
    raw = as_returned(network(endpoint("SSH", "allow 10.0.0.0/8", "allow 11.0.0.0/8 ports 7", "deny 12.0.0.0/8")))
    for each in raw["endpointConfiguration"]["inboundNATPools"][0]["networkSecurityGroupRules"]:
        each["x"] = 1
    body = body_of(raw, access(wanted("SSH", "deny 10.0.0.0/8", "allow 11.0.0.0/8", "deny 13.0.0.0/8")))
    sent = body["endpointConfiguration"]["inboundNATPools"][0]["networkSecurityGroupRules"]
    assert [each.get("x") for each in sent] == [None, None, None]


def test_a_kept_endpoint_is_sent_exactly_as_it_was() -> None:
    raw = as_returned(network(endpoint("SSH", "allow *"), endpoint("web", port=80, frontend="5000-5100")))
    raw["endpointConfiguration"]["inboundNATPools"][1] |= {"protocol": "quic", "x": 1}
    observed = network(endpoint("SSH", "allow *"), endpoint("web", port=80, frontend="5000-5100"))
    declared = access(wanted("SSH"), unlisted=Unlisted.KEEP)
    body = network_configuration_body(raw, observed, desired_network(observed, declared), declared)
    assert body["endpointConfiguration"]["inboundNATPools"] == [
        SSH_CLOSED,
        {
            "name": "web",
            "protocol": "quic",
            "backendPort": 80,
            "frontendPortRangeStart": 5000,
            "frontendPortRangeEnd": 5100,
            "x": 1,
        },
    ]


PUBLIC = {
    "Batch managed while nothing is there says nothing": (None, Provisioning.BATCH_MANAGED, (), None),
    "the same addresses in another case and order stay": (
        {"provision": "UserManaged", "ipAddressIds": ["/B", "/a"]},
        Provisioning.USER_MANAGED,
        ("/A", "/b"),
        {"provision": "usermanaged", "ipAddressIds": ["/B", "/a"]},
    ),
    "no public addresses drop the ids": (
        {"provision": "UserManaged", "ipAddressIds": ["/a"], "ipFamilies": ["IPv4"]},
        Provisioning.NO_PUBLIC_IP_ADDRESSES,
        (),
        {"provision": "nopublicipaddresses", "ipFamilies": ["IPv4"]},
    ),
    "another address replaces the list": (
        {"provision": "UserManaged", "ipAddressIds": ["/a"]},
        Provisioning.USER_MANAGED,
        ("/b",),
        {"provision": "usermanaged", "ipAddressIds": ["/b"]},
    ),
}


@pytest.mark.parametrize(("returned", "provisioning", "ids", "sent"), PUBLIC.values(), ids=PUBLIC.keys())
def test_public_addresses(
    returned: dict[str, Any] | None, provisioning: Provisioning, ids: tuple[str, ...], sent: dict[str, Any] | None
) -> None:
    raw = {} if returned is None else {"publicIPAddressConfiguration": returned}
    declared = access(manage_endpoints=False, provisioning=provisioning, address_ids=ids)
    assert body_of(raw, declared).get("publicIPAddressConfiguration") == sent


def test_a_subnet_that_differs_in_case_only_keeps_its_spelling() -> None:
    body = body_of({"subnetId": SUBNET.upper()}, access(manage_endpoints=False, subnet_id=SUBNET))
    assert body == {"subnetId": SUBNET.upper()}


def test_another_subnet_and_acceleration_are_set() -> None:
    declared = access(manage_endpoints=False, subnet_id=SUBNET, accelerated=True)
    assert body_of({"subnetId": "/other", "enableAcceleratedNetworking": False}, declared) == {
        "subnetId": SUBNET,
        "enableAcceleratedNetworking": True,
    }


@pytest.mark.parametrize("odd", [None, [], "text", {"inboundNATPools": "text"}, {"inboundNATPools": [7]}])
def test_a_shape_nobody_expects_does_not_stop_us(odd: object) -> None:
    declared = access(wanted("SSH"))
    desired = desired_network(Network(), declared)
    body = network_configuration_body({"endpointConfiguration": odd}, Network(), desired, declared)
    assert body == {"endpointConfiguration": {"inboundNATPools": [SSH_CLOSED]}}


def test_the_returned_object_itself_is_never_changed() -> None:
    raw = as_returned(network(endpoint("SSH", "allow *"), provisioning=Provisioning.USER_MANAGED, address_ids=["/a"]))
    copy = as_returned(network(endpoint("SSH", "allow *"), provisioning=Provisioning.USER_MANAGED, address_ids=["/a"]))
    body_of(raw, access(wanted("SSH", "deny *"), provisioning=Provisioning.BATCH_MANAGED))
    assert raw == copy
