"""Puts an emulator into the state a recording was made in, and sends it the recorded request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from batchemulator import Fault, FaultKind, Timings
from batchemulator.state.nodes import NodeKind, NodeState
from batchemulator.versions import ApiVersion
from tests.batchemulator.driver import V2024_02, Answer, Driver, nat_pool, network

if TYPE_CHECKING:
    from collections.abc import Callable

SERVED = frozenset(version.value for version in ApiVersion)
_UBUNTU: dict[str, Any] = {"nodeAgentSKUId": "batch.node.ubuntu 16.04"}


def replay(name: str, recording: dict[str, Any]) -> Answer:
    """Answer a recorded request from an emulator prepared for it."""
    request = recording["request"]
    driver = Driver(timings=Timings(creating=1000.0))
    _prepare(driver, name, recording)
    url = urlsplit(request["url"])
    served = request["apiVersion"] if request["apiVersion"] in SERVED else V2024_02
    query = url.query.replace(f"api-version={request['apiVersion']}", f"api-version={served}")
    headers = {key: value for key, value in request["headers"].items() if key.startswith("if-")}
    path = url.path if name not in _OTHER_PATHS else _OTHER_PATHS[name](driver)
    return driver.call(request["method"], path, request["body"], query=query, headers=headers)


def _prepare(driver: Driver, name: str, recording: dict[str, Any]) -> None:
    if name in _PREPARED:
        _PREPARED[name](driver)
        return
    body = recording["response"]["body"] or {}
    pool_id = _pool_id(recording["request"]["url"])
    if "value" in body and pool_id is None:
        driver.seed(*body["value"])
    elif "allocationState" in body:
        driver.seed(_readable(body))
    elif pool_id is not None and recording["response"]["status"] != 404:
        driver.seed({"id": pool_id})


def _readable(body: dict[str, Any]) -> dict[str, Any]:
    """A recorded pool as a seed; what a recorder redacted is left out."""
    return {key: value for key, value in body.items() if value != "REDACTED"}


def _pool_id(url: str) -> str | None:
    segments = urlsplit(url).path.strip("/").split("/")
    return segments[1] if segments[0] == "pools" and len(segments) > 1 else None


def _seeded(document: dict[str, Any], state: NodeState = NodeState.IDLE) -> Callable[[Driver], None]:
    def prepare(driver: Driver) -> None:
        driver.seed(document)
        for node in driver.state(document["id"]).nodes:
            node.state = state
            if state in {NodeState.CREATING, NodeState.STARTING}:
                node.booted = None

    return prepare


def _machine(publisher: str, offer: str, sku: str, agent: str) -> dict[str, Any]:
    image = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    return {"imageReference": image, "nodeAgentSKUId": agent}


_JAMMY = _machine("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "batch.node.ubuntu 22.04")
_WINDOWS = _machine("microsoftwindowsserver", "windowsserver", "2022-datacenter", "batch.node.windows amd64")
_TWO_POOLS = network(
    nat_pool(
        "TestEndpointConfig",
        protocol="udp",
        backendPort=64444,
        frontendPortRangeStart=60000,
        frontendPortRangeEnd=61000,
    ),
    nat_pool("ssh", frontendPortRangeStart=15000, frontendPortRangeEnd=15100),
)
_ENDPOINT_POOL = {
    "id": "jssdkPool-Endpoint2987",
    "vmSize": "standard_a1_v2",
    "virtualMachineConfiguration": _JAMMY,
    "targetDedicatedNodes": 1,
    "networkConfiguration": _TWO_POOLS,
}
_IPV6_POOL = {
    "id": "jssdkPool-IPv653ff",
    "vmSize": "standard_d1_v2",
    "virtualMachineConfiguration": _WINDOWS,
    "targetDedicatedNodes": 1,
    "networkConfiguration": network(
        nat_pool("RDP", backendPort=3389, frontendPortRangeStart=15000, frontendPortRangeEnd=15100),
        publicIPAddressConfiguration={"ipFamilies": ["IPv4", "IPv6"]},
    ),
}
_SPOT_POOL = {
    "id": "BatchUser-canCRUDLowPri-testPoolsync",
    "vmSize": "standard_d1_v2",
    "virtualMachineConfiguration": _machine(
        "microsoftwindowsserver",
        "windowsserver",
        "2022-datacenter-smalldisk",
        "batch.node.windows amd64",
    ),
    "targetDedicatedNodes": 2,
    "targetLowPriorityNodes": 2,
    "networkConfiguration": network(
        nat_pool("testinbound", backendPort=5000, frontendPortRangeStart=60000, frontendPortRangeEnd=60040),
        nat_pool("SSHRule", frontendPortRangeStart=60100, frontendPortRangeEnd=60140),
    ),
}


def _legacy(pool_id: str, machine: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "id": pool_id,
        "vmSize": "standard_d1_v2",
        "virtualMachineConfiguration": machine,
        "targetDedicatedNodes": 1,
        "creationTime": "2022-09-06T23:44:00Z",
    } | more


def _udp_legacy(pool_id: str) -> dict[str, Any]:
    udp = nat_pool(
        "TestEndpointConfig",
        protocol="udp",
        backendPort=64444,
        frontendPortRangeStart=60000,
        frontendPortRangeEnd=61000,
    )
    return _legacy(pool_id, _UBUNTU, vmSize="standard_a1", networkConfiguration=network(udp))


def _resizing(driver: Driver) -> None:
    driver.seed({"id": "jssdkPool-IPv653ff"})
    assert driver.post("/pools/jssdkPool-IPv653ff/resize", {"targetDedicatedNodes": 1}).status == 202


def _stoppable(driver: Driver) -> None:
    driver.seed({"id": "jssdkPool-369e2"})
    assert driver.post("/pools/jssdkPool-369e2/resize", {"targetDedicatedNodes": 3}).status == 202


def _being_deleted(driver: Driver) -> None:
    driver.seed({"id": "nodesdktestpool1", "state": "deleting"})


def _autoscaled(driver: Driver) -> None:
    driver.seed(
        {
            "id": "jssdkPool-Basic68e8",
            "targetDedicatedNodes": 2,
            "enableAutoScale": True,
            "autoScaleFormula": "$TargetDedicatedNodes=2",
        },
    )


def _paged(driver: Driver) -> None:
    from tests.batchemulator.recorded import load  # noqa: PLC0415 - only this preparation needs another recording

    recorded = load("dp_2025-06-01_pools_list_nextlink_maxresults1")["response"]["body"]["value"][0]
    driver.seed(recorded, {"id": "jssdkPool-Later"})


def _counted(driver: Driver) -> None:
    counts = {
        "Basic2e14": (4, NodeState.STARTING),
        "Basic37da": (0, NodeState.STARTING),
        "Basic5597": (4, NodeState.STARTING),
        "Basic68e8": (2, NodeState.LEAVING_POOL),
        "Basicca42": (4, NodeState.STARTING),
        "Endpoint2987": (1, NodeState.CREATING),
        "IPv653ff": (1, NodeState.LEAVING_POOL),
    }
    for name, (count, state) in counts.items():
        _seeded({"id": f"jssdkPool-{name}", "targetDedicatedNodes": count}, state)(driver)


def _exists(driver: Driver) -> None:
    driver.seed({"id": "ncj-windows-2012-r2"})


def _job(driver: Driver) -> None:
    driver.add_job("cli-test-job-1", "p")


def _failing(kind: FaultKind, pool_id: str) -> Callable[[Driver], None]:
    def prepare(driver: Driver) -> None:
        driver.seed({"id": pool_id})
        driver.service.faults.add(Fault(kind=kind))

    return prepare


_PREPARED: dict[str, Callable[[Driver], None]] = {
    "dp_2020-03-01.11.0_nodes_list_endpoint_configuration": _seeded(_udp_legacy("nodesdkinboundendpointpool")),
    "dp_2020-03-01.11.0_nodes_list_natpool_plus_implicit_sshrule": _seeded(
        _udp_legacy("batch_network_814e11b1"),
        NodeState.STARTING,
    ),
    "dp_2022-01-01.15.0_nodes_list_implicit_sshrule_22": _seeded(
        _legacy("ncj-ubuntu1604", _machine("canonical", "ubuntuserver", "18.04-lts", "batch.node.ubuntu 18.04")),
    ),
    "dp_2022-01-01.15.0_nodes_list_implicit_sshrule_3389": _seeded(
        _legacy(
            "ncj-windows-2012-r2",
            _machine("microsoftwindowsserver", "windowsserver", "2012-r2-datacenter", "batch.node.windows amd64"),
        ),
    ),
    "dp_2024-07-01.20.0_nodes_list_dedicated_and_spot_two_public_ips": _seeded(_SPOT_POOL, NodeState.STARTING),
    "dp_2025-06-01_node_remoteloginsettings": _seeded(_ENDPOINT_POOL),
    "dp_2025-06-01_nodecounts": _counted,
    "dp_2025-06-01_nodes_list_empty_while_resizing": _resizing,
    "dp_2025-06-01_nodes_list_ipv6_natpool": _seeded(_IPV6_POOL, NodeState.CREATING),
    "dp_2025-06-01_nodes_list_two_natpools": _seeded(_ENDPOINT_POOL, NodeState.CREATING),
    "dp_2025-06-01_nodes_list_two_natpools_idle": _seeded(_ENDPOINT_POOL, NodeState.IDLE),
    "dp_2025-06-01_pool_evaluateautoscale_200_with_error": _autoscaled,
    "dp_2025-06-01_pool_stopresize_202_same_etag": _stoppable,
    "dp_2025-06-01_pools_list_nextlink_maxresults1": _paged,
    "err_409_PoolBeingDeleted": _being_deleted,
    "err_409_PoolExists": _exists,
    "err_412_ConditionNotMet_job_put_IfUnmodifiedSince": _job,
    "err_500_InternalError_create_pool": _failing(FaultKind.INTERNAL_ERROR, "other"),
    "err_500_OperationTimedOut_PATCH_pool": _failing(FaultKind.TIMED_OUT_BEFORE, "azure-cli-test-json"),
    "err_500_OperationTimedOut_disableautoscale": _failing(FaultKind.TIMED_OUT_AFTER, "azure-cli-test-iaas"),
}


def _login_path(driver: Driver) -> str:
    node = driver.state("jssdkPool-Endpoint2987").nodes[0]
    assert node.kind is NodeKind.DEDICATED
    return f"/pools/jssdkPool-Endpoint2987/nodes/{node.id}/remoteloginsettings"


_OTHER_PATHS: dict[str, Callable[[Driver], str]] = {"dp_2025-06-01_node_remoteloginsettings": _login_path}
