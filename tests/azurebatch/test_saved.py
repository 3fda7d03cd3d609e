"""Pools from files: the forms of az and of Resource Manager give the same model as the data plane."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from batchaccess.azurebatch.convert import observed_pool
from batchaccess.azurebatch.saved import SavedPoolsError, read_saved_pools
from batchaccess.core.model import (
    AllocationState,
    NodeCounts,
    ObservedPool,
    PoolState,
    Scale,
)
from batchaccess.ports import UnreadablePool

RULE = {"priority": 170, "access": "deny", "sourceAddressPrefix": "Internet", "sourcePortRanges": ["*"]}
DATA_PLANE: dict[str, Any] = {
    "id": "render-1",
    "eTag": "0x8DE62B741E34788",
    "creationTime": "2026-02-03T00:00:21Z",
    "lastModified": "2026-02-03T00:00:21Z",
    "state": "active",
    "allocationState": "steady",
    "allocationStateTransitionTime": "2026-02-03T00:00:37.6302267Z",
    "resizeTimeout": "PT15M",
    "currentDedicatedNodes": 1,
    "targetDedicatedNodes": 1,
    "currentLowPriorityNodes": 0,
    "targetLowPriorityNodes": 0,
    "enableAutoScale": False,
    "networkConfiguration": {
        "subnetId": "/subscriptions/s/subnets/b",
        "dynamicVNetAssignmentScope": "none",
        "enableAcceleratedNetworking": False,
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    "name": "ssh",
                    "protocol": "tcp",
                    "backendPort": 22,
                    "frontendPortRangeStart": 4000,
                    "frontendPortRangeEnd": 4100,
                    "networkSecurityGroupRules": [RULE],
                }
            ]
        },
        "publicIPAddressConfiguration": {"provision": "BatchManaged", "ipFamilies": ["IPv4"]},
    },
}
AZ: dict[str, Any] = {
    **{key: value for key, value in DATA_PLANE.items() if key != "networkConfiguration"},
    "networkConfiguration": {
        "dynamicVnetAssignmentScope": "none",
        "enableAcceleratedNetworking": False,
        "endpointConfiguration": {
            "inboundNatPools": DATA_PLANE["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
        },
        "publicIpAddressConfiguration": {"ipFamilies": ["IPv4"], "provision": "BatchManaged"},
        "subnetId": "/subscriptions/s/subnets/b",
    },
    "taskSchedulingPolicy": {"nodeFillType": "Spread"},
    "url": "https://a.weu.batch.azure.com/pools/render-1",
}
"""As `az batch pool list` of azure-cli 2.91 printed it."""

AZ_WITH_NULLS: dict[str, Any] = {
    **AZ,
    "creationTime": "2026-02-03T00:00:21+00:00",
    "autoScaleFormula": None,
    "metadata": None,
    "networkConfiguration": {
        **AZ["networkConfiguration"],
        "publicIpAddressConfiguration": {
            "ipAddressIds": None,
            "ipFamilies": ["IPv4"],
            "ipAddressProvisioningType": "batchmanaged",
        },
    },
}
"""What tools make of it that print attribute names of the SDK, and null for what is not set."""

RESOURCE_MANAGER: dict[str, Any] = {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/a/pools/render-1",
    "name": "render-1",
    "type": "Microsoft.Batch/batchAccounts/pools",
    "etag": 'W/"0x8DE62B741E34788"',
    "properties": {
        "creationTime": "2026-02-03T00:00:21Z",
        "lastModified": "2026-02-03T00:00:21Z",
        "provisioningState": "Succeeded",
        "allocationState": "Steady",
        "allocationStateTransitionTime": "2026-02-03T00:00:37.6302267Z",
        "currentDedicatedNodes": 1,
        "currentLowPriorityNodes": 0,
        "scaleSettings": {
            "fixedScale": {"targetDedicatedNodes": 1, "targetLowPriorityNodes": 0, "resizeTimeout": "PT15M"}
        },
        "networkConfiguration": {
            "subnetId": "/subscriptions/s/subnets/b",
            "dynamicVnetAssignmentScope": "None",
            "endpointConfiguration": {
                "inboundNatPools": [
                    {
                        "name": "ssh",
                        "protocol": "TCP",
                        "backendPort": 22,
                        "frontendPortRangeStart": 4000,
                        "frontendPortRangeEnd": 4100,
                        "networkSecurityGroupRules": [RULE | {"access": "Deny"}],
                    }
                ]
            },
            "publicIPAddressConfiguration": {"provision": "BatchManaged", "ipFamilies": ["IPv4"]},
        },
    },
}


def only_pool(document: object) -> ObservedPool:
    listing = read_saved_pools(document)
    assert not listing.unreadable
    (pool,) = listing.pools
    return pool


def without_raw(pool: ObservedPool) -> ObservedPool:
    return replace(pool, raw_network=None)


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(DATA_PLANE, id="the data plane's own form"),
        pytest.param(AZ, id="az batch pool list"),
        pytest.param(AZ_WITH_NULLS, id="the SDK's attribute names, and nulls"),
        pytest.param(RESOURCE_MANAGER, id="Resource Manager"),
    ],
)
def test_every_form_of_a_pool_gives_the_same_model(saved: dict[str, Any]) -> None:
    assert without_raw(only_pool([saved])) == without_raw(observed_pool(DATA_PLANE))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param([DATA_PLANE], id="a list"),
        pytest.param({"value": [DATA_PLANE]}, id="an answer of the service"),
        pytest.param(DATA_PLANE, id="one pool"),
        pytest.param(RESOURCE_MANAGER, id="one pool of Resource Manager"),
    ],
)
def test_a_document_may_be_a_list_an_answer_or_one_pool(document: object) -> None:
    assert only_pool(document).id == "render-1"


def test_the_network_keeps_its_unknown_keys_under_the_names_of_the_data_plane() -> None:
    saved = deepcopy(AZ)
    saved["networkConfiguration"]["futureKey"] = {"a": 1}
    raw = only_pool(saved).raw_network
    assert raw is not None
    assert raw["futureKey"] == {"a": 1}
    assert raw["endpointConfiguration"]["inboundNATPools"][0]["name"] == "ssh"


def test_scale_of_an_autoscaled_pool_of_resource_manager() -> None:
    saved = deepcopy(RESOURCE_MANAGER)
    saved["properties"]["scaleSettings"] = {"autoScale": {"formula": "$x=1", "evaluationInterval": "PT15M"}}
    pool = only_pool(saved)
    assert pool.scale == Scale(
        current=NodeCounts(dedicated=1), autoscale=True, autoscale_formula="$x=1", autoscale_interval="PT15M"
    )
    assert not pool.is_empty


def test_a_pool_that_says_only_its_network_is_read_but_never_taken_for_empty() -> None:
    pool = only_pool({"id": "p", "networkConfiguration": {}})
    assert (pool.state, pool.allocation_state) == (PoolState.UNKNOWN, AllocationState.UNKNOWN)
    assert not pool.is_empty


def test_a_pool_being_deleted_in_resource_manager_is_deleting() -> None:
    saved = deepcopy(RESOURCE_MANAGER)
    saved["properties"]["provisioningState"] = "Deleting"
    assert only_pool(saved).state is PoolState.DELETING


def test_unreadable_pools_are_told_beside_the_readable_ones() -> None:
    listing = read_saved_pools([DATA_PLANE, {"id": "bad", "metadata": 7}, 7, {}])
    assert [pool.id for pool in listing.pools] == ["render-1"]
    assert listing.unreadable == [
        UnreadablePool(id="bad", problem="metadata: 7 is not a list"),
        UnreadablePool(id="[2]", problem="is not an object"),
        UnreadablePool(id="[3]", problem="id: is missing"),
    ]


@pytest.mark.parametrize("document", [None, 7, "pools", {}, {"pools": []}, {"value": {}}])
def test_another_document_is_refused(document: object) -> None:
    with pytest.raises(SavedPoolsError, match="expected a list of pools"):
        read_saved_pools(document)
