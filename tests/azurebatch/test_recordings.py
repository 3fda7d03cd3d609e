"""Recorded answers of the real service: every one is understood, and known ones mean what they show."""

import re
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from batchaccess.azurebatch.classify import KINDS, error_from_answer
from batchaccess.azurebatch.convert import POOL_KEYS, observed_pool
from batchaccess.azurebatch.nodes import node_findings
from batchaccess.azurebatch.saved import read_saved_pools
from batchaccess.core.model import (
    Access,
    AllocationState,
    InboundEndpoint,
    IpFamily,
    Network,
    NodeCounts,
    NodeFindings,
    ObservedPool,
    PoolState,
    PortRange,
    Protocol,
    Rule,
    Scale,
)
from batchaccess.core.reasons import ErrorKind

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS}")


@cache
def response(name: str) -> dict[str, Any]:
    recorded: dict[str, Any] = orjson.loads((RECORDINGS / f"{name}.json").read_bytes())["response"]
    return recorded


def names(pattern: str) -> list[str]:
    return sorted(path.stem for path in RECORDINGS.glob(pattern)) if RECORDINGS.is_dir() else []


def recorded_pools() -> dict[str, dict[str, Any]]:
    """Every whole pool in a recorded answer, by recording and pool id; `$select` leaves partial ones out."""
    found: dict[str, dict[str, Any]] = {}
    for name in names("dp_*pool*.json") + names("dp_*patch*.json"):
        body = response(name).get("body")
        if isinstance(body, dict):
            for pool in body.get("value", [body]):
                if "allocationState" in pool:
                    found[f"{name}:{pool['id']}"] = pool
    return found


POOLS = recorded_pools()


def pool_of(name: str) -> ObservedPool:
    return observed_pool(response(name)["body"])


def test_there_are_pools_to_read() -> None:
    assert len(POOLS) >= 26


@pytest.mark.parametrize("name", POOLS)
def test_every_recorded_pool_is_read_completely(name: str) -> None:
    raw = POOLS[name]
    pool = observed_pool(raw)
    assert pool.id == raw["id"]
    assert pool.etag == raw["eTag"]
    assert pool.state.value == raw["state"]
    assert pool.allocation_state.value == raw["allocationState"]
    assert pool.allocation_state_transition_time == raw["allocationStateTransitionTime"]
    assert pool.creation_time is not None
    assert pool.creation_time.isoformat()[:19] == raw["creationTime"][:19]
    assert pool.scale.current == NodeCounts(
        dedicated=raw["currentDedicatedNodes"], low_priority=raw["currentLowPriorityNodes"]
    )
    assert pool.scale.target == NodeCounts(
        dedicated=raw["targetDedicatedNodes"], low_priority=raw["targetLowPriorityNodes"]
    )
    assert pool.scale.autoscale is raw["enableAutoScale"]
    assert pool.scale.autoscale_formula == raw.get("autoScaleFormula")
    assert pool.raw_network == raw.get("networkConfiguration")
    nat_pools = raw.get("networkConfiguration", {}).get("endpointConfiguration", {}).get("inboundNATPools", [])
    assert sorted(endpoint.name for endpoint in pool.network.endpoints) == sorted(nat["name"] for nat in nat_pools)
    assert not any(endpoint.protocol is Protocol.UNKNOWN for endpoint in pool.network.endpoints)


@pytest.mark.parametrize("name", POOLS)
def test_selecting_what_is_read_changes_nothing(name: str) -> None:
    selected = {key: value for key, value in POOLS[name].items() if key in POOL_KEYS}
    assert observed_pool(selected) == observed_pool(POOLS[name])


def renamed(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 any JSON
    if isinstance(value, dict):
        return {names.get(key, key): renamed(member, names) for key, member in value.items()}
    return [renamed(element, names) for element in value] if isinstance(value, list) else value


AZ_NAMES = {
    "dynamicVNetAssignmentScope": "dynamicVnetAssignmentScope",
    "inboundNATPools": "inboundNatPools",
    "publicIPAddressConfiguration": "publicIpAddressConfiguration",
    "nodeAgentSKUId": "nodeAgentSkuId",
}


def as_az_prints(raw: dict[str, Any]) -> dict[str, Any]:
    printed: dict[str, Any] = renamed(raw, AZ_NAMES)
    return {"autoScaleFormula": None, "metadata": None, "certificateReferences": None, **printed}


def as_resource_manager_prints(raw: dict[str, Any]) -> dict[str, Any]:
    fixed = {key: raw[key] for key in ("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout")}
    auto = {"formula": raw.get("autoScaleFormula"), "evaluationInterval": raw.get("autoScaleEvaluationInterval")}
    properties: dict[str, Any] = {
        "creationTime": raw["creationTime"],
        "lastModified": raw["lastModified"],
        "provisioningState": "Deleting" if raw["state"] == "deleting" else "Succeeded",
        "allocationState": raw["allocationState"].capitalize(),
        "allocationStateTransitionTime": raw["allocationStateTransitionTime"],
        "currentDedicatedNodes": raw["currentDedicatedNodes"],
        "currentLowPriorityNodes": raw["currentLowPriorityNodes"],
        "scaleSettings": {"autoScale": auto} if raw["enableAutoScale"] else {"fixedScale": fixed},
    }
    if "metadata" in raw:
        properties["metadata"] = raw["metadata"]
    if "networkConfiguration" in raw:
        network = renamed(
            deepcopy(raw["networkConfiguration"]),
            {**AZ_NAMES, "publicIPAddressConfiguration": "publicIPAddressConfiguration"},
        )
        for nat_pool in network.get("endpointConfiguration", {}).get("inboundNatPools", []):
            nat_pool["protocol"] = nat_pool["protocol"].upper()
            for rule in nat_pool.get("networkSecurityGroupRules", []):
                rule["access"] = rule["access"].capitalize()
        properties["networkConfiguration"] = network
    return {
        "id": f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/a/pools/{raw['id']}",
        "name": raw["id"],
        "etag": f'W/"{raw["eTag"]}"',
        "properties": properties,
    }


@pytest.mark.parametrize("name", POOLS)
def test_the_other_forms_of_a_recorded_pool_give_the_same_model(name: str) -> None:
    raw = POOLS[name]
    pool = observed_pool(raw)
    (from_az,) = read_saved_pools([as_az_prints(raw)]).pools
    assert replace(from_az, raw_network=None) == replace(pool, raw_network=None)
    (from_arm,) = read_saved_pools([as_resource_manager_prints(raw)]).pools
    # Resource Manager does not tell the resize timeout and the targets of a pool on autoscale.
    scale = replace(pool.scale, resize_timeout=None, target=NodeCounts()) if pool.scale.autoscale else pool.scale
    assert replace(from_arm, raw_network=None) == replace(pool, raw_network=None, scale=scale)


@pytest.mark.parametrize("name", names("arm_*.json"))
def test_recorded_pools_of_resource_manager_are_read(name: str) -> None:
    body = response(name)["body"]
    (pool,) = read_saved_pools([body]).pools
    assert pool.id == body["name"]
    assert pool.allocation_state is AllocationState.RESIZING
    assert pool.network == Network()
    assert pool.is_legacy


def test_a_pool_with_a_udp_nat_pool_of_2020() -> None:
    pool = pool_of("dp_2020-03-01.11.0_pool_get_natpool_udp")
    assert pool.network.endpoints == (
        InboundEndpoint(
            name="TestEndpointConfig",
            protocol=Protocol.UDP,
            backend_port=64444,
            frontend=PortRange(60000, 61000),
            rules=(Rule(priority=150, access=Access.ALLOW, source="*"),),
        ),
    )
    assert pool.is_legacy
    assert pool.scale == Scale(current=NodeCounts(dedicated=1), target=NodeCounts(dedicated=1), resize_timeout="PT15M")


def test_a_pool_in_a_subnet_with_two_nat_pools_keeps_its_etag_while_it_fills() -> None:
    empty = pool_of("dp_2024-07-01.20.0_pool_get_subnet_two_natpools_resizing")
    full = pool_of("dp_2024-07-01.20.0_pool_get_subnet_two_natpools_steady_with_nodes_same_etag")
    assert empty.etag == full.etag
    assert empty.network == full.network
    assert [(endpoint.name, endpoint.backend_port) for endpoint in full.network.endpoints] == [
        ("SSHRule", 22),
        ("testinbound", 5000),
    ]
    assert (full.network.subnet_id or "").endswith("/virtualNetworks/sanjsdkvnet/subnets/default")
    assert (empty.is_empty, full.is_empty) == (False, False)
    assert full.scale.current == NodeCounts(dedicated=2, low_priority=2)


def test_a_new_pool_is_empty_only_once_it_is_steady() -> None:
    resizing = pool_of("dp_2025-06-01_patch_1_pool_get_resizing")
    steady = pool_of("dp_2025-06-01_patch_2_pool_get_steady")
    patched = pool_of("dp_2025-06-01_patch_4_pool_get_after_patch_networkConfiguration")
    assert [pool.is_empty for pool in (resizing, steady, patched)] == [False, True, True]
    assert resizing.etag == steady.etag != patched.etag
    assert steady.raw_network is None
    assert [endpoint.backend_port for endpoint in patched.network.endpoints] == [3389]


def test_a_full_listing_with_pools_being_deleted() -> None:
    body = response("dp_2025-06-01_pools_list_with_deleting_pools")["body"]
    pools = [observed_pool(raw) for raw in body["value"]]
    assert [pool.state for pool in pools].count(PoolState.DELETING) == 3
    ipv6 = pools[-1]
    assert ipv6.network.ip_families == (IpFamily.IPV4, IpFamily.IPV6)
    assert not ipv6.is_legacy
    assert ipv6.scale.resize_timeout == "PT7M9.497S"
    assert pools[1].creation_time == datetime(2026, 2, 3, 0, 0, 21, 271371, tzinfo=UTC)


def test_autoscale_on_and_off_again() -> None:
    on = pool_of("dp_2024-07-01.20.0_pool_get_natpool_autoscale")
    off = pool_of("dp_2024-07-01.20.0_pool_get_natpool_after_disableautoscale")
    assert (on.scale.autoscale_formula, on.scale.autoscale_interval) == ("$TargetDedicatedNodes=2", "PT6M")
    assert off.scale.autoscale_formula is None
    assert (on.is_empty, off.is_empty) == (False, True)


OWN = {
    "dp_2020-03-01.11.0_nodes_list_natpool_plus_implicit_sshrule": ("TestEndpointConfig", 64444),
    "dp_2020-03-01.11.0_nodes_list_endpoint_configuration": ("TestEndpointConfig", 64444),
    "dp_2025-06-01_nodes_list_ipv6_natpool": ("RDP", 3389),
}


def own_endpoints(name: str) -> list[InboundEndpoint]:
    """The NAT pools of the pool whose nodes were recorded."""
    if "two" in name:
        pairs = [("TestEndpointConfig", 64444), ("ssh", 22), ("testinbound", 5000), ("SSHRule", 22)]
    else:
        pairs = [OWN[name]] if name in OWN else []
    return [
        InboundEndpoint(name=own, protocol=Protocol.TCP, backend_port=port, frontend=PortRange(60000, 60100))
        for own, port in pairs
    ]


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        (
            "dp_2020-03-01.11.0_nodes_list_natpool_plus_implicit_sshrule",
            NodeFindings(nodes=1, implicit_ports=frozenset({22})),
        ),
        ("dp_2020-03-01.11.0_nodes_list_endpoint_configuration", NodeFindings(nodes=1, implicit_ports=frozenset({22}))),
        ("dp_2022-01-01.15.0_nodes_list_implicit_sshrule_22", NodeFindings(nodes=1, implicit_ports=frozenset({22}))),
        (
            "dp_2022-01-01.15.0_nodes_list_implicit_sshrule_3389",
            NodeFindings(nodes=1, implicit_ports=frozenset({3389})),
        ),
        ("dp_2024-07-01.20.0_nodes_list_dedicated_and_spot_two_public_ips", NodeFindings(nodes=4)),
        ("dp_2025-06-01_nodes_list_empty_while_resizing", NodeFindings(nodes=0)),
        ("dp_2025-06-01_nodes_list_ipv6_natpool", NodeFindings(nodes=1)),
        ("dp_2025-06-01_nodes_list_two_natpools", NodeFindings(nodes=1)),
        ("dp_2025-06-01_nodes_list_two_natpools_idle", NodeFindings(nodes=1)),
    ],
)
def test_recorded_nodes_show_implicit_mappings_and_nothing_else(name: str, findings: NodeFindings) -> None:
    assert node_findings(response(name)["body"]["value"], own_endpoints(name)) == findings


def test_every_recorded_node_listing_has_a_row_above() -> None:
    assert len(names("dp_*_nodes_list_*.json")) == 9


RECORDED_ERRORS = [name for name in names("err_*.json") if response(name).get("body")]


@pytest.mark.parametrize("name", RECORDED_ERRORS)
def test_every_recorded_error_is_understood(name: str) -> None:
    recorded = response(name)
    error = error_from_answer(recorded["status"] or 403, orjson.dumps(recorded["body"]), is_write=True)
    code = recorded["body"].get("code") or recorded["body"]["error"]["code"]
    assert error.code == code
    assert error.message
    assert "RequestId" not in error.message
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d", error.message)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("err_400_InvalidPropertyValue_subnetId_2024-07-01.20.0", ErrorKind.TERMINAL),
        ("err_403_Forbidden_subnetId_not_enabled", ErrorKind.DENIED),
        ("err_404_PoolNotFound_2026_python_15.1.0", ErrorKind.WAITING),
        ("err_409_PoolBeingDeleted", ErrorKind.WAITING),
        ("err_412_ConditionNotMet_job_put_IfUnmodifiedSince", ErrorKind.RACE),
        ("err_429_TooManyRequests", ErrorKind.TRANSIENT),
        ("err_500_OperationTimedOut_PATCH_pool", ErrorKind.TRANSIENT),
        ("err_AuthenticationFailed_sharedkey_not_allowed", ErrorKind.DENIED),
    ],
)
def test_recorded_errors_have_their_kind(name: str, kind: ErrorKind) -> None:
    recorded = response(name)
    status = recorded["status"] or 403
    assert (status, recorded["body"]["code"]) in KINDS
    assert error_from_answer(status, orjson.dumps(recorded["body"])).kind is kind


def test_a_recorded_refusal_names_property_and_reason() -> None:
    recorded = response("err_400_InvalidPropertyValue_subnetId_2024-07-01.20.0")
    message = error_from_answer(400, orjson.dumps(recorded["body"])).message
    assert "PropertyName: subnetId" in message
    assert "Reason: The specified subnetId is in a different subscription" in message
