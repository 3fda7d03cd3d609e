"""What GET gives back of what was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchemulator import Assumptions
from batchemulator.state.normalisation import normalise_settings
from batchemulator.wire.times import format_duration, format_instant, parse_duration, parse_instant, ticks
from tests.batchemulator.driver import V2024_02, V2024_07, V2025_06, Driver, nat_pool, network, rule
from tests.batchemulator.recorded import load, names
from tests.batchemulator.test_recordings import needs_recordings

ROWS: dict[str, tuple[str, object, object]] = {
    "the machine size is lower case": ("vmSize", "STANDARD_D2S_V3", "standard_d2s_v3"),
    "an image without version is the latest": (
        "virtualMachineConfiguration",
        {"imageReference": {"offer": "o"}},
        {"imageReference": {"version": "latest", "offer": "o"}},
    ),
    "an image of one's own has no version": (
        "virtualMachineConfiguration",
        {"imageReference": {"virtualMachineImageId": "/i"}},
        {"imageReference": {"virtualMachineImageId": "/i"}},
    ),
    "placement is spelled in capitals": (
        "virtualMachineConfiguration",
        {"nodePlacementConfiguration": {"policy": "zonal"}},
        {"nodePlacementConfiguration": {"policy": "Zonal"}},
    ),
    "node filling is spelled in capitals": (
        "taskSchedulingPolicy",
        {"nodeFillType": "pack"},
        {"nodeFillType": "Pack", "jobDefaultOrder": "none"},
    ),
    "a start task gets its defaults": (
        "startTask",
        {"commandLine": "x", "resourceFiles": []},
        {
            "commandLine": "x",
            "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
            "maxTaskRetryCount": 0,
            "waitForSuccess": True,
        },
    ),
    "a named user of a start task stays": (
        "startTask",
        {"commandLine": "x", "userIdentity": {"username": "u"}},
        {"commandLine": "x", "userIdentity": {"username": "u"}, "maxTaskRetryCount": 0, "waitForSuccess": True},
    ),
    "passwords and keys of users vanish": (
        "userAccounts",
        [{"name": "u", "password": "p", "linuxUserConfiguration": {"uid": 5, "sshPrivateKey": "k"}}],
        [{"name": "u", "elevationLevel": "nonadmin", "linuxUserConfiguration": {"uid": 5}}],
    ),
    "keys of mounts vanish": (
        "mountConfiguration",
        [{"azureBlobFileSystemConfiguration": {"accountName": "a", "accountKey": "k", "sasKey": "s"}}],
        [{"azureBlobFileSystemConfiguration": {"accountName": "a"}}],
    ),
    "an empty list of certificates stays": ("certificateReferences", [], []),
    "a key nobody knows stays": ("brandNew", {"a": [None, []]}, {"a": [None, []]}),
}
NETWORK_ROWS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "nothing gets the scope": ({}, {"dynamicVNetAssignmentScope": "none"}),
    "the scope is lower case": ({"dynamicVNetAssignmentScope": "Job"}, {"dynamicVNetAssignmentScope": "job"}),
    "no NAT pools, no endpoint configuration": (network(), {"dynamicVNetAssignmentScope": "none"}),
    "a rule without source ports gets them all": (
        network(nat_pool(protocol="UDP", networkSecurityGroupRules=[rule(access="Deny")])),
        {
            "dynamicVNetAssignmentScope": "none",
            "endpointConfiguration": {
                "inboundNATPools": [
                    nat_pool(
                        protocol="udp",
                        networkSecurityGroupRules=[rule(access="deny", sourcePortRanges=["*"])],
                    ),
                ],
            },
        },
    ),
    "an empty rule list vanishes": (
        network(nat_pool(networkSecurityGroupRules=[])),
        {"dynamicVNetAssignmentScope": "none", "endpointConfiguration": {"inboundNATPools": [nat_pool()]}},
    ),
    "provision is spelled in capitals, families in order": (
        {"publicIPAddressConfiguration": {"provision": "usermanaged", "ipFamilies": ["IPv6", "IPv4"], "ipTags": []}},
        {
            "dynamicVNetAssignmentScope": "none",
            "publicIPAddressConfiguration": {"provision": "UserManaged", "ipFamilies": ["IPv4", "IPv6"]},
        },
    ),
    "the subnet keeps its spelling": (
        {"subnetId": "/Subscriptions/S"},
        {"subnetId": "/Subscriptions/S", "dynamicVNetAssignmentScope": "none"},
    ),
}


@pytest.mark.parametrize(("key", "sent", "read"), ROWS.values(), ids=ROWS.keys())
def test_a_property_is_read_as(key: str, sent: object, read: object) -> None:
    assert normalise_settings({key: sent}, Assumptions()) == {key: read}


@pytest.mark.parametrize(("sent", "read"), NETWORK_ROWS.values(), ids=NETWORK_ROWS.keys())
def test_a_network_is_read_as(sent: dict[str, object], read: dict[str, object]) -> None:
    once = normalise_settings({"networkConfiguration": sent}, Assumptions())
    assert once == {"networkConfiguration": read}
    assert normalise_settings(once, Assumptions()) == once


@pytest.mark.parametrize("key", ["metadata", "applicationPackageReferences", "userAccounts", "mountConfiguration"])
def test_empty_lists_vanish(key: str) -> None:
    assert normalise_settings({key: []}, Assumptions()) == {}


def test_users_of_windows_pools_get_a_login_mode() -> None:
    machine = {"nodeAgentSKUId": "batch.node.windows amd64"}
    accounts = [{"name": "u", "linuxUserConfiguration": {"sshPrivateKey": "k"}}]
    settings = {"virtualMachineConfiguration": machine, "userAccounts": accounts}
    assert normalise_settings(settings, Assumptions())["userAccounts"] == [
        {"name": "u", "elevationLevel": "nonadmin", "windowsUserConfiguration": {"loginMode": "batch"}},
    ]


@needs_recordings
@pytest.mark.parametrize("name", [name for name in names("dp_") if "_pool_get_" in name and "select" not in name])
def test_what_was_read_once_is_normal_already(name: str) -> None:
    body = load(name)["response"]["body"]
    settings = {key: value for key, value in body.items() if isinstance(value, dict | list)}
    settings["taskSchedulingPolicy"] = {"jobDefaultOrder": "none"} | body["taskSchedulingPolicy"]
    assert normalise_settings(settings, Assumptions()) == settings


@pytest.mark.parametrize(
    ("version", "accelerated", "modes", "order"),
    [(V2024_02, False, True, False), (V2024_07, True, True, False), (V2025_06, True, False, True)],
)
def test_versions_show_different_keys(version: str, *, accelerated: bool, modes: bool, order: bool) -> None:
    driver = Driver(version=version)
    driver.seed({"id": "p", "targetDedicatedNodes": 1, "networkConfiguration": {}, "certificateReferences": []})
    shown = driver.pool("p")
    assert ("enableAcceleratedNetworking" in shown["networkConfiguration"]) is accelerated
    assert ("currentNodeCommunicationMode" in shown) is modes
    assert ("certificateReferences" in shown) is modes
    assert ("jobDefaultOrder" in shown["taskSchedulingPolicy"]) is order


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("PT15M00S", "PT15M"),
        ("PT90M", "PT1H30M"),
        ("P7D", "P7D"),
        ("PT24H", "P1D"),
        ("PT7M9.497S", "PT7M9.497S"),
        ("PT0S", "PT0S"),
        ("P1DT1S", "P1DT1S"),
    ],
)
def test_durations_are_read_in_their_shortest_form(sent: str, read: str) -> None:
    assert format_duration(parse_duration(sent)) == read


@pytest.mark.parametrize("text", ["", "P", "PT", "15M", "PT15", "P1M", "-PT1S", "PT1M1H"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400)))
def test_a_duration_survives_its_text(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them naive
def test_an_instant_survives_its_text(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_instants_drop_zeros_and_the_seventh_decimal() -> None:
    assert format_instant(parse_instant("2026-02-03T00:00:21.2341036Z")) == "2026-02-03T00:00:21.234103Z"
    assert format_instant(parse_instant("2026-02-03T00:00:21.5000000Z")) == "2026-02-03T00:00:21.5Z"
    assert format_instant(parse_instant("2026-02-03T00:00:21Z")) == "2026-02-03T00:00:21Z"
    with pytest.raises(ValueError, match="is not an instant"):
        parse_instant("tomorrow")


def test_an_etag_is_its_instant_in_ticks() -> None:
    assert f"0x{ticks(parse_instant('2025-09-04T04:31:57.843034Z')):X}" == "0x8DDEB6BFC00FF84"
