"""From pool JSON to the observed model: defaults, closed words, canonical order, and what cannot be read."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from batchaccess.azurebatch.convert import EMPTINESS_KEYS, POOL_KEYS, observed_network, observed_pool
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    AllocationState,
    InboundEndpoint,
    IpFamily,
    IpTag,
    MetadataItem,
    Network,
    NodeCounts,
    PoolState,
    PortRange,
    Protocol,
    Provisioning,
    Rule,
    Scale,
)

POOL: dict[str, Any] = {
    "id": "render-1",
    "eTag": "0x8DE62B741E34788",
    "lastModified": "2026-02-03T00:00:35.714036Z",
    "creationTime": "2026-02-03T00:00:21.2341036Z",
    "state": "active",
    "allocationState": "steady",
    "allocationStateTransitionTime": "2026-02-03T00:00:37.6302267Z",
    "resizeTimeout": "PT15M",
    "currentDedicatedNodes": 0,
    "targetDedicatedNodes": 0,
    "currentLowPriorityNodes": 0,
    "targetLowPriorityNodes": 0,
    "enableAutoScale": False,
    "metadata": [{"name": "team", "value": "render"}, {"name": "team", "value": ""}],
    "networkConfiguration": {
        "subnetId": "/subscriptions/S/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/Batch",
        "dynamicVNetAssignmentScope": "none",
        "enableAcceleratedNetworking": True,
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    "name": "ssh",
                    "protocol": "tcp",
                    "backendPort": 22,
                    "frontendPortRangeStart": 4000,
                    "frontendPortRangeEnd": 4100,
                    "networkSecurityGroupRules": [
                        {"priority": 175, "access": "deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]},
                        {
                            "priority": 170,
                            "access": "allow",
                            "sourceAddressPrefix": "192.168.1.0/24",
                            "sourcePortRanges": ["1000-2000", "80"],
                        },
                    ],
                },
                {
                    "name": "dns",
                    "protocol": "udp",
                    "backendPort": 53,
                    "frontendPortRangeStart": 5000,
                    "frontendPortRangeEnd": 5100,
                },
            ]
        },
        "publicIPAddressConfiguration": {
            "provision": "UserManaged",
            "ipAddressIds": ["/subscriptions/s/b", "/subscriptions/S/A"],
            "ipFamilies": ["IPv6", "IPv4"],
            "ipTags": [{"ipTagType": "FirstPartyUsage", "tag": "/b"}, {"ipTagType": "FirstPartyUsage", "tag": "/a"}],
        },
    },
}


def pool_with(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    raw = deepcopy(POOL)
    change(raw)
    return raw


def test_a_full_pool_is_read_with_everything_in_canonical_order() -> None:
    pool = observed_pool(POOL)
    assert pool.id == "render-1"
    assert pool.etag == "0x8DE62B741E34788"
    assert pool.state is PoolState.ACTIVE
    assert pool.allocation_state is AllocationState.STEADY
    assert pool.allocation_state_transition_time == "2026-02-03T00:00:37.6302267Z"
    assert pool.creation_time == datetime(2026, 2, 3, 0, 0, 21, 234103, tzinfo=UTC)
    assert pool.last_modified == datetime(2026, 2, 3, 0, 0, 35, 714036, tzinfo=UTC)
    assert pool.metadata == (MetadataItem(name="team", value="render"), MetadataItem(name="team", value=""))
    assert pool.scale == Scale(resize_timeout="PT15M")
    assert pool.is_empty
    assert pool.raw_network is POOL["networkConfiguration"]
    assert pool.network == Network(
        endpoints=(
            InboundEndpoint(name="dns", protocol=Protocol.UDP, backend_port=53, frontend=PortRange(5000, 5100)),
            InboundEndpoint(
                name="ssh",
                protocol=Protocol.TCP,
                backend_port=22,
                frontend=PortRange(4000, 4100),
                rules=(
                    Rule(
                        priority=170,
                        access=Access.ALLOW,
                        source="192.168.1.0/24",
                        source_ports=(PortRange(80, 80), PortRange(1000, 2000)),
                    ),
                    Rule(priority=175, access=Access.DENY, source="*", source_ports=(ALL_PORTS,)),
                ),
            ),
        ),
        provisioning=Provisioning.USER_MANAGED,
        address_ids=("/subscriptions/S/A", "/subscriptions/s/b"),
        ip_families=(IpFamily.IPV4, IpFamily.IPV6),
        ip_tags=(IpTag(type="FirstPartyUsage", tag="/a"), IpTag(type="FirstPartyUsage", tag="/b")),
        subnet_id="/subscriptions/S/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/Batch",
        accelerated_networking=True,
    )


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(None, id="no network configuration"),
        pytest.param({}, id="an empty one"),
        pytest.param({"dynamicVNetAssignmentScope": "none", "enableAcceleratedNetworking": False}, id="defaults said"),
        pytest.param({"endpointConfiguration": {"inboundNATPools": []}}, id="an empty list of NAT pools"),
        pytest.param(
            {"endpointConfiguration": None, "publicIPAddressConfiguration": None, "subnetId": None}, id="nulls"
        ),
        pytest.param({"publicIPAddressConfiguration": {"ipFamilies": ["IPv4"]}}, id="provision left out"),
        pytest.param({"publicIPAddressConfiguration": {"provision": "batchmanaged"}}, id="provision in lower case"),
        pytest.param({"somethingNew": {"a": 1}}, id="a key of a later version"),
    ],
)
def test_what_is_absent_means_the_default_of_the_service(network: dict[str, Any] | None) -> None:
    assert observed_network(network) == Network()


def test_a_pool_without_network_keeps_that_it_had_none() -> None:
    pool = observed_pool(pool_with(lambda raw: raw.pop("networkConfiguration")))
    assert pool.raw_network is None
    assert pool.network == Network()


def test_unknown_keys_are_ignored_and_kept_for_the_patch() -> None:
    raw = pool_with(lambda raw: raw["networkConfiguration"].update(futureKey={"a": [1]}))
    pool = observed_pool(raw)
    assert pool.network == observed_pool(POOL).network
    assert pool.raw_network is not None
    assert pool.raw_network["futureKey"] == {"a": [1]}


def nat_pool(raw: dict[str, Any]) -> dict[str, Any]:
    pools: list[dict[str, Any]] = raw["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
    return pools[0]


def rule(raw: dict[str, Any]) -> dict[str, Any]:
    rules: list[dict[str, Any]] = nat_pool(raw)["networkSecurityGroupRules"]
    return rules[0]


def addresses(raw: dict[str, Any]) -> dict[str, Any]:
    configuration: dict[str, Any] = raw["networkConfiguration"]["publicIPAddressConfiguration"]
    return configuration


def test_words_of_a_later_version_become_unknown_and_never_something_known() -> None:
    def change(raw: dict[str, Any]) -> None:
        nat_pool(raw)["protocol"] = "sctp"
        rule(raw)["access"] = "audit"
        addresses(raw)["provision"] = "Anycast"
        addresses(raw)["ipFamilies"] = ["IPv8", "IPv4"]
        raw["state"] = "hibernating"
        raw["allocationState"] = "thinking"

    pool = observed_pool(pool_with(change))
    ssh = pool.network.endpoints[1]
    assert ssh.protocol is Protocol.UNKNOWN
    assert ssh.rules[-1].access is Access.UNKNOWN
    assert pool.network.provisioning is Provisioning.UNKNOWN
    assert pool.network.ip_families == (IpFamily.IPV4,)
    assert pool.state is PoolState.UNKNOWN
    assert pool.allocation_state is AllocationState.UNKNOWN
    assert not pool.is_empty


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        pytest.param("TCP", Protocol.TCP, id="upper case, as Resource Manager"),
        pytest.param("udp", Protocol.UDP, id="lower case, as the data plane"),
        pytest.param("Unknown", Protocol.UNKNOWN, id="our own word for unknown"),
    ],
)
def test_closed_words_are_read_whatever_their_case(sent: str, read: Protocol) -> None:
    pool = observed_pool(pool_with(lambda raw: nat_pool(raw).update(protocol=sent)))
    assert pool.network.endpoints[1].protocol is read


@pytest.mark.parametrize(
    ("ranges", "read"),
    [
        pytest.param(None, (ALL_PORTS,), id="absent"),
        pytest.param([], (ALL_PORTS,), id="empty"),
        pytest.param(["*"], (ALL_PORTS,), id="star"),
        pytest.param(["80", "*"], (ALL_PORTS,), id="star among others"),
        pytest.param(["0-65535"], (ALL_PORTS,), id="all of them written out"),
        pytest.param(["443", "80", "443"], (PortRange(80, 80), PortRange(443, 443)), id="sorted without repeats"),
        pytest.param([" 80 - 90 "], (PortRange(80, 90),), id="white space"),
    ],
)
def test_source_ports(ranges: list[str] | None, read: tuple[PortRange, ...]) -> None:
    pool = observed_pool(pool_with(lambda raw: rule(raw).update(sourcePortRanges=ranges)))
    assert pool.network.endpoints[1].rules[-1].source_ports == read


@pytest.mark.parametrize("key", EMPTINESS_KEYS)
def test_a_pool_is_not_taken_for_empty_when_a_count_is_missing(key: str) -> None:
    assert not observed_pool(pool_with(lambda raw: raw.pop(key))).is_empty
    assert not observed_pool(pool_with(lambda raw: raw.update({key: None}))).is_empty


@pytest.mark.parametrize("key", ["state", "allocationState"])
def test_a_pool_is_not_taken_for_empty_when_a_state_is_missing(key: str) -> None:
    assert not observed_pool(pool_with(lambda raw: raw.pop(key))).is_empty


def test_scale_of_a_pool_on_autoscale() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw.update(
            enableAutoScale=True,
            autoScaleFormula="$TargetDedicatedNodes=2",
            autoScaleEvaluationInterval="PT5M",
            currentDedicatedNodes=2,
            targetLowPriorityNodes=3,
        )

    assert observed_pool(pool_with(change)).scale == Scale(
        current=NodeCounts(dedicated=2),
        target=NodeCounts(low_priority=3),
        resize_timeout="PT15M",
        autoscale=True,
        autoscale_formula="$TargetDedicatedNodes=2",
        autoscale_interval="PT5M",
    )


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-02-03T00:00:21.2341036Z", datetime(2026, 2, 3, 0, 0, 21, 234103, tzinfo=UTC)),
        ("2026-02-03T00:00:21.2Z", datetime(2026, 2, 3, 0, 0, 21, 200000, tzinfo=UTC)),
        ("2026-02-03T00:00:21Z", datetime(2026, 2, 3, 0, 0, 21, tzinfo=UTC)),
        ("2026-02-03T01:00:21+01:00", datetime(2026, 2, 3, 0, 0, 21, tzinfo=UTC)),
        ("2026-02-03T00:00:21", datetime(2026, 2, 3, 0, 0, 21, tzinfo=UTC)),
    ],
)
def test_times_are_read_with_any_number_of_decimals(written: str, moment: datetime) -> None:
    assert observed_pool(pool_with(lambda raw: raw.update(creationTime=written))).creation_time == moment


def test_a_pool_of_unknown_age_counts_as_legacy() -> None:
    assert observed_pool(pool_with(lambda raw: raw.pop("creationTime"))).is_legacy


NAT = "networkConfiguration.endpointConfiguration.inboundNATPools"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        pytest.param(lambda raw: raw.pop("id"), "id", id="no id"),
        pytest.param(lambda raw: raw.update(id=""), "id", id="an empty id"),
        pytest.param(lambda raw: raw.update(id=7), "id", id="an id that is no text"),
        pytest.param(lambda raw: raw.update(eTag=7), "eTag", id="an etag that is no text"),
        pytest.param(lambda raw: raw.update(creationTime="yesterday"), "creationTime", id="a time that is none"),
        pytest.param(lambda raw: raw.update(currentDedicatedNodes="0"), "currentDedicatedNodes", id="a count as text"),
        pytest.param(lambda raw: raw.update(currentDedicatedNodes=True), "currentDedicatedNodes", id="a count as bool"),
        pytest.param(lambda raw: raw.update(targetDedicatedNodes=-1), "targetDedicatedNodes", id="a negative count"),
        pytest.param(lambda raw: raw.update(enableAutoScale="false"), "enableAutoScale", id="a bool as text"),
        pytest.param(lambda raw: raw.update(metadata={"a": "b"}), "metadata", id="metadata as an object"),
        pytest.param(lambda raw: raw.update(metadata=["a"]), "metadata[0]", id="a metadata item as text"),
        pytest.param(lambda raw: raw.update(networkConfiguration=[]), "networkConfiguration", id="a network as list"),
        pytest.param(
            lambda raw: raw["networkConfiguration"].update(endpointConfiguration="open"),
            "networkConfiguration.endpointConfiguration",
            id="endpoints as text",
        ),
        pytest.param(lambda raw: nat_pool(raw).pop("name"), f"{NAT}[0].name", id="a NAT pool without name"),
        pytest.param(lambda raw: nat_pool(raw).pop("protocol"), f"{NAT}[0].protocol", id="without protocol"),
        pytest.param(lambda raw: nat_pool(raw).pop("backendPort"), f"{NAT}[0].backendPort", id="without backend port"),
        pytest.param(lambda raw: nat_pool(raw).update(backendPort=70000), f"{NAT}[0].backendPort", id="a high port"),
        pytest.param(
            lambda raw: nat_pool(raw).update(frontendPortRangeEnd=3999),
            f"{NAT}[0].frontendPortRangeEnd",
            id="a range backwards",
        ),
        pytest.param(
            lambda raw: rule(raw).pop("priority"),
            f"{NAT}[0].networkSecurityGroupRules[0].priority",
            id="a rule without priority",
        ),
        pytest.param(
            lambda raw: rule(raw).update(sourcePortRanges=["80-"]),
            f"{NAT}[0].networkSecurityGroupRules[0].sourcePortRanges",
            id="a source port range without end",
        ),
        pytest.param(
            lambda raw: rule(raw).update(sourcePortRanges=["9" * 5000]),
            f"{NAT}[0].networkSecurityGroupRules[0].sourcePortRanges",
            id="a source port of five thousand digits",
        ),
        pytest.param(
            lambda raw: rule(raw).update(sourcePortRanges=["٢٢"]),
            f"{NAT}[0].networkSecurityGroupRules[0].sourcePortRanges",
            id="a source port in other digits",
        ),
        pytest.param(
            lambda raw: addresses(raw).update(ipAddressIds="one"),
            "networkConfiguration.publicIPAddressConfiguration.ipAddressIds",
            id="address ids as text",
        ),
    ],
)
def test_what_cannot_be_read_names_the_key(change: Callable[[dict[str, Any]], object], key: str) -> None:
    with pytest.raises(Unreadable) as caught:
        observed_pool(pool_with(change))
    assert caught.value.key == key
    assert len(str(caught.value)) < 250


def test_everything_read_is_selected() -> None:
    assert set(POOL) <= set(POOL_KEYS)
