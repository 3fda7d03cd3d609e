"""PATCH and updateproperties: what changes when, under every assumption about what nobody has seen."""

from __future__ import annotations

from typing import Any

import pytest

from batchemulator import Assumptions
from batchemulator.assumptions import (
    Emptiness,
    EmptyList,
    IfMatchForm,
    MetadataLimit,
    NonEmptyPatch,
    Order,
    PatchDepth,
    Spelling,
    Survival,
    UnknownKey,
)
from tests.batchemulator.driver import V2024_02, V2024_07, Driver, nat_pool, network, rule

NETWORK = {"networkConfiguration": network(nat_pool())}
LEGACY = "2024-01-01T00:00:00Z"


def pool_driver(document: dict[str, Any] | None = None, **assumptions: Any) -> Driver:  # noqa: ANN401 - any switch
    driver = Driver(assumptions=Assumptions(**assumptions))
    driver.seed({"id": "p"} | (document or {}))
    return driver


def names(driver: Driver) -> list[str]:
    shown = driver.pool("p").get("networkConfiguration", {})
    return [entry["name"] for entry in shown.get("endpointConfiguration", {}).get("inboundNATPools", [])]


def test_network_of_an_empty_pool_changes_with_a_new_etag_and_no_body() -> None:
    driver = pool_driver()
    before = driver.pool("p")["eTag"]
    answer = driver.patch("/pools/p", NETWORK)
    assert (answer.status, answer.document) == (200, {})
    assert answer.headers["etag"] == driver.pool("p")["eTag"] != before
    assert driver.pool("p")["networkConfiguration"] == {
        "dynamicVNetAssignmentScope": "none",
        "endpointConfiguration": {"inboundNATPools": [nat_pool()]},
        "enableAcceleratedNetworking": False,
    }


NON_EMPTY = {
    NonEmptyPatch.OPERATION_INVALID_FOR_CURRENT_STATE: (409, "OperationInvalidForCurrentState"),
    NonEmptyPatch.OPERATION_NOT_VALID_ON_POOL: (409, "OperationNotValidOnPool"),
    NonEmptyPatch.POOL_BEING_RESIZED: (409, "PoolBeingResized"),
    NonEmptyPatch.PROPERTY_CANNOT_BE_UPDATED: (400, "PropertyCannotBeUpdated"),
    NonEmptyPatch.ACCEPTED_WITHOUT_EFFECT: (200, ""),
}


@pytest.mark.parametrize("answer", NonEmptyPatch)
def test_network_of_a_pool_with_nodes_does_not_change_and_the_answer_is_as_assumed(answer: NonEmptyPatch) -> None:
    driver = pool_driver({"targetDedicatedNodes": 1}, non_empty_patch=answer)
    refused = driver.patch("/pools/p", NETWORK)
    assert (refused.status, refused.code) == NON_EMPTY[answer]
    assert names(driver) == []


@pytest.mark.parametrize(
    ("pool", "emptiness", "status"),
    [
        pytest.param({}, Emptiness.NO_NODES_AND_STEADY, 200, id="empty and steady"),
        pytest.param({"targetLowPriorityNodes": 1}, Emptiness.NO_NODES, 409, id="a Spot node"),
        pytest.param({"allocationState": "resizing"}, Emptiness.NO_NODES_AND_STEADY, 409, id="resizing without nodes"),
        pytest.param({"allocationState": "resizing"}, Emptiness.NO_NODES, 200, id="resizing does not matter"),
        pytest.param(
            {"currentDedicatedNodes": 0, "targetDedicatedNodes": 1, "allocationState": "resizing"},
            Emptiness.NO_NODES,
            409,
            id="a target above zero",
        ),
        pytest.param(
            {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=0"},
            Emptiness.NO_NODES_AND_STEADY,
            200,
            id="autoscale does not matter",
        ),
        pytest.param(
            {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=0"},
            Emptiness.NO_NODES_STEADY_AND_NO_AUTOSCALE,
            409,
            id="autoscale matters",
        ),
    ],
)
def test_what_counts_as_empty(pool: dict[str, Any], emptiness: Emptiness, status: int) -> None:
    assert pool_driver(pool, emptiness=emptiness).patch("/pools/p", NETWORK).status == status


@pytest.mark.parametrize("key", ["metadata", "applicationPackageReferences", "startTask"])
def test_some_properties_change_whatever_the_size(key: str) -> None:
    driver = pool_driver({"targetDedicatedNodes": 4, "allocationState": "resizing", **NETWORK})
    value = {"commandLine": "true"} if key == "startTask" else []
    assert driver.patch("/pools/p", {key: value}).status == 200
    assert names(driver) == ["ssh"]


@pytest.mark.parametrize(
    ("depth", "empty_list", "patch", "expected"),
    [
        ("replaces", "clears", network(nat_pool("new")), ["new"]),
        ("merges", "clears", network(nat_pool("new")), ["new"]),
        ("replaces", "clears", {"enableAcceleratedNetworking": True}, []),
        ("merges", "clears", {"enableAcceleratedNetworking": True}, ["ssh"]),
        ("replaces", "clears", network(), []),
        ("merges", "clears", network(), []),
        ("replaces", "ignored", network(), ["ssh"]),
        ("merges", "ignored", network(), ["ssh"]),
        ("replaces", "ignored", {"enableAcceleratedNetworking": True}, []),
    ],
)
def test_depth_and_empty_lists(depth: str, empty_list: str, patch: dict[str, Any], expected: list[str]) -> None:
    driver = pool_driver(NETWORK, patch_depth=PatchDepth(depth), empty_list=EmptyList(empty_list))
    assert driver.patch("/pools/p", {"networkConfiguration": patch}).status == 200
    assert names(driver) == expected


@pytest.mark.parametrize(("empty_list", "kept"), [(EmptyList.CLEARS, False), (EmptyList.IGNORED, True)])
def test_an_empty_list_at_the_top(empty_list: EmptyList, *, kept: bool) -> None:
    driver = pool_driver({"metadata": [{"name": "a", "value": "b"}]}, empty_list=empty_list)
    driver.patch("/pools/p", {"metadata": []})
    assert ("metadata" in driver.pool("p")) is kept


IF_MATCH = {
    IfMatchForm.EITHER: (200, 200),
    IfMatchForm.QUOTED: (200, 412),
    IfMatchForm.BARE: (412, 200),
    IfMatchForm.NEITHER: (412, 412),
}


@pytest.mark.parametrize("form", IfMatchForm)
def test_if_match_is_understood_in_the_assumed_form(form: IfMatchForm) -> None:
    statuses = []
    for spelling in ('"{}"', "{}"):
        driver = pool_driver(if_match_form=form)
        header = spelling.format(driver.pool("p")["eTag"])
        statuses.append(driver.patch("/pools/p", NETWORK, if_match=header).status)
    assert tuple(statuses) == IF_MATCH[form]


@pytest.mark.parametrize(
    ("header", "text"),
    [("if-match", '"0x1"'), ("if-unmodified-since", "Thu, 01 Jan 2026 00:00:00 GMT")],
)
def test_a_stale_condition_on_a_write_is_a_412_without_effect(header: str, text: str) -> None:
    driver = pool_driver()
    refused = driver.patch("/pools/p", NETWORK, **{header: text})
    assert (refused.status, refused.code) == (412, "ConditionNotMet")
    assert names(driver) == []


def test_a_stale_condition_on_a_read_is_a_304_without_body() -> None:
    driver = pool_driver()
    etag = driver.pool("p")["eTag"]
    answer = driver.get("/pools/p", **{"if-none-match": etag})
    assert (answer.status, answer.document) == (304, {})
    assert driver.get("/pools/p", **{"if-none-match": "0x1"}).status == 200


def test_a_star_matches_whatever_is_there() -> None:
    assert pool_driver().patch("/pools/p", NETWORK, if_match="*").status == 200


@pytest.mark.parametrize(
    ("limit", "length", "status"),
    [
        (MetadataLimit.NONE, 100_000, 200),
        (MetadataLimit.VALUE_256, 256, 200),
        (MetadataLimit.VALUE_256, 257, 400),
        (MetadataLimit.TOTAL_1024, 1023, 200),
        (MetadataLimit.TOTAL_1024, 1024, 400),
        (MetadataLimit.REFUSED, 0, 400),
    ],
)
def test_metadata_is_limited_as_assumed(limit: MetadataLimit, length: int, status: int) -> None:
    driver = pool_driver(metadata_limit=limit)
    assert driver.patch("/pools/p", {"metadata": [{"name": "n", "value": "v" * length}]}).status == status


def test_network_cannot_be_patched_through_the_oldest_version() -> None:
    driver = pool_driver()
    driver.version = V2024_02
    refused = driver.patch("/pools/p", {"networkConfiguration": {}})
    assert (refused.status, refused.code) == (400, "InvalidRequestBody")
    assert driver.patch("/pools/p", {"metadata": [], "certificateReferences": []}).status == 200


def test_an_unknown_key_may_be_ignored() -> None:
    driver = pool_driver(unknown_key=UnknownKey.IGNORED)
    driver.version = V2024_02
    assert driver.patch("/pools/p", NETWORK).status == 200
    assert names(driver) == []


def test_resource_tags_are_patchable_in_one_version_only() -> None:
    driver = pool_driver()
    body = {"resourceTags": {"a": "b"}}
    assert driver.patch("/pools/p", body).status == 400
    driver.version = V2024_07
    assert driver.patch("/pools/p", body).status == 200


def test_updateproperties_replaces_its_four_and_leaves_the_network() -> None:
    metadata = [{"name": "a", "value": "b"}]
    driver = pool_driver({**NETWORK, "metadata": metadata, "startTask": {"commandLine": "true"}})
    answer = driver.post("/pools/p/updateproperties", {"applicationPackageReferences": [], "metadata": []})
    assert answer.status == 204
    shown = driver.pool("p")
    assert ("startTask" in shown, "metadata" in shown, names(driver)) == (False, False, ["ssh"])
    refused = driver.post("/pools/p/updateproperties", {"metadata": []})
    assert refused.values["PropertyName"] == "applicationPackageReferences"


def node_endpoints(driver: Driver) -> list[str]:
    nodes = driver.get("/pools/p/nodes").document["value"]
    return [
        entry["name"] for node in nodes for entry in node.get("endpointConfiguration", {}).get("inboundEndpoints", [])
    ]


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        pytest.param({"creationTime": "2025-11-30T23:59:59Z"}, ["SSHRule.0"], id="before the cut-over"),
        pytest.param({"creationTime": "2025-12-01T00:00:00Z"}, [], id="since the cut-over"),
        pytest.param({"creationTime": LEGACY, "emulator": {"legacyMapping": False}}, [], id="told it has none"),
        pytest.param({"creationTime": LEGACY, **NETWORK}, ["ssh.0", "SSHRule.0"], id="beside its own NAT pool"),
        pytest.param(
            {
                "creationTime": LEGACY,
                "networkConfiguration": {"publicIPAddressConfiguration": {"provision": "NoPublicIPAddresses"}},
            },
            [],
            id="without public addresses",
        ),
    ],
)
def test_implicit_mappings_of_old_pools(pool: dict[str, Any], expected: list[str]) -> None:
    assert node_endpoints(pool_driver({"targetDedicatedNodes": 1, **pool})) == expected


@pytest.mark.parametrize(
    ("after_patch", "after_scale", "expected"),
    [
        ("survives", "survives", ["ssh.0", "SSHRule.0"]),
        ("vanishes", "survives", ["ssh.0"]),
        ("survives", "vanishes", ["ssh.0"]),
    ],
)
def test_whether_implicit_mappings_outlive_a_patch_and_a_scale_from_zero(
    after_patch: str,
    after_scale: str,
    expected: list[str],
) -> None:
    driver = pool_driver(
        {"creationTime": LEGACY},
        legacy_mapping_after_patch=Survival(after_patch),
        legacy_mapping_after_scale_from_zero=Survival(after_scale),
    )
    driver.patch("/pools/p", NETWORK)
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 1})
    driver.advance(31)
    assert node_endpoints(driver) == expected


@pytest.mark.parametrize(("order", "expected"), [(Order.KEPT, ["b", "a"]), (Order.SORTED, ["a", "b"])])
def test_order_of_nat_pools_and_rules(order: Order, expected: list[str]) -> None:
    driver = pool_driver(nat_pool_order=order)
    second = nat_pool("a", backendPort=80, frontendPortRangeStart=8000, frontendPortRangeEnd=8100)
    rules = {"networkSecurityGroupRules": [rule(300), rule(200)]}
    driver.patch("/pools/p", {"networkConfiguration": network(nat_pool("b") | rules, second)})
    assert names(driver) == expected
    nat_pools = driver.pool("p")["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
    shown = next(entry for entry in nat_pools if entry["name"] == "b")["networkSecurityGroupRules"]
    assert [entry["priority"] for entry in shown] == ([300, 200] if order is Order.KEPT else [200, 300])


@pytest.mark.parametrize(("spelling", "expected"), [(Spelling.AS_SENT, "/Sub/S"), (Spelling.LOWER_CASE, "/sub/s")])
def test_spelling_of_resource_ids(spelling: Spelling, expected: str) -> None:
    driver = pool_driver(resource_id_spelling=spelling)
    addresses = {"provision": "usermanaged", "ipAddressIds": ["/Sub/S"]}
    driver.patch(
        "/pools/p", {"networkConfiguration": {"subnetId": "/Sub/S", "publicIPAddressConfiguration": addresses}}
    )
    shown = driver.pool("p")["networkConfiguration"]
    assert (shown["subnetId"], shown["publicIPAddressConfiguration"]["ipAddressIds"]) == (expected, [expected])


def test_unknown_keys_of_a_seeded_pool_survive_and_are_shown() -> None:
    driver = pool_driver({"brandNew": {"a": [1]}, "networkConfiguration": {"alsoNew": True}})
    driver.patch("/pools/p", {"metadata": [{"name": "a", "value": "b"}]})
    shown = driver.pool("p")
    assert (shown["brandNew"], shown["networkConfiguration"]["alsoNew"]) == ({"a": [1]}, True)
