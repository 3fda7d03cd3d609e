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
from batchaccess.core.verification import UnexpectedResult, Verified, verify
from batchaccess.core.wire import network_configuration_body
from tests.support.build import SUBNET, access, as_observed, as_returned, endpoint, network, pool, wanted

CLOSING = access(wanted("SSH", "deny * priority 200"))
OPEN = network(endpoint("SSH"), endpoint("web", port=80, frontend="5000-5100"), subnet_id=SUBNET)
CLOSED = endpoint("SSH", "deny * priority 200")


def result(before: Network, after: Network, declared: DesiredAccess = CLOSING) -> list[tuple[str, str, str]]:
    """What is unexpected after a PATCH: field, what is there now, what should be."""
    verification = verify(
        pool("p", on=before), pool("p", on=after), desired=desired_network(before, declared), access=declared
    )
    match verification:
        case Verified():
            return []
        case UnexpectedResult(differences=differences):
            return [(each.field, each.observed, each.desired) for each in differences]


def test_a_pool_that_is_as_desired_is_verified() -> None:
    assert result(OPEN, network(CLOSED, subnet_id=SUBNET)) == []


def test_another_spelling_of_what_is_managed_is_fine() -> None:
    assert result(OPEN, network(endpoint("SSH", "deny * priority 300"), subnet_id=SUBNET)) == []


def test_an_unmanaged_resource_id_in_another_case_is_fine() -> None:
    before = network(
        endpoint("SSH"), subnet_id=SUBNET, provisioning=Provisioning.USER_MANAGED, address_ids=["/a", "/B"]
    )
    after = network(CLOSED, subnet_id=SUBNET.upper(), provisioning=Provisioning.USER_MANAGED, address_ids=["/A", "/b"])
    assert result(before, after) == []


def test_no_change_at_all_is_unexpected() -> None:
    assert [field for field, _, _ in result(OPEN, OPEN)] == ["endpoints[SSH]", "endpoints[web]"]


def test_a_merge_that_left_what_was_to_be_removed_is_unexpected() -> None:
    after = network(CLOSED, endpoint("web", port=80, frontend="5000-5100"), subnet_id=SUBNET)
    assert result(OPEN, after) == [("endpoints[web]", "TCP/80: no rules, open to everyone", "no endpoint")]


def test_an_ignored_empty_list_is_unexpected() -> None:
    assert len(result(OPEN, OPEN, access())) == 2


KEEPING = access(wanted("SSH", "deny * priority 200"), unlisted=Unlisted.KEEP)
WEB = endpoint("web", "allow * priority 300", port=80, frontend="5000-5100")
RULE_TEXT = "TCP/80 on 5000-5100: 300 Allow *"

UNMANAGED: dict[str, tuple[Network, Network, DesiredAccess, tuple[str, str, str]]] = {
    "a kept endpoint changed in spelling": (
        network(endpoint("SSH"), WEB),
        network(CLOSED, endpoint("web", "allow * priority 301", port=80, frontend="5000-5100")),
        KEEPING,
        ("endpoints[web]", "TCP/80 on 5000-5100: 301 Allow *", RULE_TEXT),
    ),
    "an endpoint changed though none are managed": (
        network(endpoint("x", port=80, frontend="5000-5100")),
        network(endpoint("X", "deny *", port=80, frontend="5000-5100"), accelerated=True),
        access(manage_endpoints=False, accelerated=True),
        ("endpoints[x]", "TCP/80 on 5000-5100: 200 Deny *", "TCP/80 on 5000-5100: no rules"),
    ),
    "the subnet is gone": (
        network(endpoint("SSH"), subnet_id=SUBNET),
        network(CLOSED),
        CLOSING,
        ("subnetId", "absent", SUBNET.casefold()),
    ),
    "the provisioning changed": (
        network(endpoint("SSH")),
        network(CLOSED, provisioning=Provisioning.UNKNOWN),
        CLOSING,
        ("publicAddresses.provisioning", "Unknown", "BatchManaged"),
    ),
    "an address is gone": (
        network(endpoint("SSH"), provisioning=Provisioning.USER_MANAGED, address_ids=["/a", "/b"]),
        network(CLOSED, provisioning=Provisioning.USER_MANAGED, address_ids=["/a"]),
        CLOSING,
        ("publicAddresses.addressIds", "/a", "/a, /b"),
    ),
    "the IP families changed": (
        network(endpoint("SSH"), ip_families=[IpFamily.IPV4, IpFamily.IPV6]),
        network(CLOSED),
        CLOSING,
        ("publicAddresses.ipFamilies", "IPv4", "IPv4, IPv6"),
    ),
    "an IP tag is gone": (
        network(endpoint("SSH"), ip_tags=[IpTag(type="t", tag="v")]),
        network(CLOSED),
        CLOSING,
        ("publicAddresses.ipTags", "none", "t=v"),
    ),
    "acceleration was switched on": (
        network(endpoint("SSH")),
        network(CLOSED, accelerated=True),
        CLOSING,
        ("acceleratedNetworking", "True", "False"),
    ),
    "the assignment scope changed": (
        network(endpoint("SSH")),
        network(CLOSED, scope="job"),
        CLOSING,
        ("dynamicVNetAssignmentScope", "job", "none"),
    ),
}


@pytest.mark.parametrize(("before", "after", "declared", "told"), UNMANAGED.values(), ids=UNMANAGED.keys())
def test_an_unmanaged_change_is_unexpected(
    before: Network, after: Network, declared: DesiredAccess, told: tuple[str, str, str]
) -> None:
    assert told in result(before, after, declared)


def test_a_kept_endpoint_that_is_gone_is_unexpected() -> None:
    found = result(network(endpoint("SSH"), WEB), network(CLOSED), KEEPING)
    assert ("endpoints[web]", "absent", RULE_TEXT) in found


def test_fields_that_are_managed_are_compared_with_what_is_desired_alone() -> None:
    declared = access(
        wanted("SSH", "deny * priority 200"),
        provisioning=Provisioning.USER_MANAGED,
        address_ids=["/new"],
        subnet_id=SUBNET,
        accelerated=True,
    )
    before = network(endpoint("SSH"))
    assert result(before, desired_network(before, declared), declared) == []


def sent_and_returned(raw: dict[str, Any]) -> dict[str, Any]:
    observed = as_observed(raw)
    return network_configuration_body(raw, observed, desired_network(observed, CLOSING), CLOSING)


RAW: dict[str, Any] = {
    **as_returned(
        network(endpoint("SSH", "deny 10.0.0.1"), provisioning=Provisioning.USER_MANAGED, address_ids=["/a"])
    ),
    "futureTop": {"deep": [1]},
}
RAW["endpointConfiguration"]["futureMiddle"] = 1
RAW["endpointConfiguration"]["inboundNATPools"][0]["futurePool"] = 1
RAW["publicIPAddressConfiguration"]["futurePublic"] = 1


def unknown_keys(after: dict[str, Any]) -> list[str]:
    before_pool = pool("p", on=as_observed(RAW), raw=RAW)
    after_pool = pool("p", on=as_observed(after), raw=after)
    desired = desired_network(before_pool.network, CLOSING)
    verification = verify(before_pool, after_pool, desired=desired, access=CLOSING)
    return [] if isinstance(verification, Verified) else [each.field for each in verification.differences]


def test_unknown_keys_that_are_still_there_are_fine() -> None:
    assert unknown_keys(sent_and_returned(RAW)) == []


def test_a_new_unknown_key_is_taken_for_a_default() -> None:
    after = sent_and_returned(RAW)
    after["anotherFuture"] = "off"
    after["endpointConfiguration"]["inboundNATPools"][0]["x"] = 1
    assert unknown_keys(after) == []


def test_unknown_keys_that_are_gone_or_different_are_unexpected() -> None:
    after = sent_and_returned(RAW)
    after["futureTop"] = {"deep": [2]}
    del after["endpointConfiguration"]["futureMiddle"]
    after["publicIPAddressConfiguration"]["futurePublic"] = None
    del after["endpointConfiguration"]["inboundNATPools"][0]["futurePool"]
    assert unknown_keys(after) == [
        "networkConfiguration.futureTop",
        "publicIPAddressConfiguration.futurePublic",
        "endpointConfiguration.futureMiddle",
        "endpoints[SSH].futurePool",
    ]


def test_keys_of_an_endpoint_that_was_removed_go_with_it() -> None:
    before = pool("p", on=as_observed(RAW), raw=RAW)
    declared = access()
    body = network_configuration_body(RAW, before.network, desired_network(before.network, declared), declared)
    after = pool("p", on=as_observed(body), raw=body)
    assert verify(before, after, desired=desired_network(before.network, declared), access=declared) == Verified()


def test_a_pool_that_had_no_network_is_verified_with_the_defaults_the_service_adds() -> None:
    before = pool("p", raw=None)
    after = pool("p", on=network(CLOSED))
    desired = desired_network(before.network, CLOSING)
    assert verify(before, after, desired=desired, access=CLOSING) == Verified()
    assert verify(before, pool("p", raw=None), desired=desired, access=CLOSING) != Verified()
