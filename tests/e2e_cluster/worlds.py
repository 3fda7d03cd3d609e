"""A small world to break things in: one emulated Batch account, its connection, a policy, the operator."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from batchemulator import Timings
from batchemulator.accounts import DEV_ACCOUNT
from batchemulator.server import Emulator, make_service, serving_in_thread
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.operatorprocess import OperatorProcess
from tests.e2e_cluster.realcluster import NAMESPACE, PATIENCE_SECONDS, RealCluster, until, until_is
from tests.support.kube import connection_manifest, policy_manifest

CONNECTION: Final = "prod-weu"
POLICY: Final = "ssh"
SYNC_SECONDS: Final = 10

QUICK: Final = Timings(settle=0.2, allocation=1, creating=0.1, starting=0.1, removal=0.5)
_VERIFIED: Final = "batchaccess_drift_corrected_total"
_IMAGE: Final = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}
OPEN_NETWORK: Final[dict[str, Any]] = {
    "endpointConfiguration": {
        "inboundNATPools": [
            {
                "name": "SSH",
                "protocol": "tcp",
                "backendPort": 22,
                "frontendPortRangeStart": 4000,
                "frontendPortRangeEnd": 4100,
            }
        ]
    }
}


def open_pool(id: str = "render-1", *, nodes: int = 0) -> dict[str, Any]:
    """A pool whose SSH is open to everyone; empty unless told otherwise."""
    return {
        "id": id,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": _IMAGE, "nodeAgentSKUId": "batch.node.ubuntu 22.04"},
        "targetDedicatedNodes": nodes,
        "networkConfiguration": OPEN_NETWORK,
    }


def secret() -> dict[str, Any]:
    """The account's key, where connections look for it."""
    key = base64.b64encode(f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}".encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": CONNECTION, "namespace": NAMESPACE},
        "data": {"key": key},
    }


def connection(batch: Emulator) -> dict[str, Any]:
    """The connection to the emulated account, which sweeps as often as may be."""
    grant = {
        "namespaces": {"all": True},
        "maxPriority": 1000,
        "modes": ["Audit", "Enforce"],
        "strategies": ["WhenEmpty", "Drain"],
    }
    return connection_manifest(
        CONNECTION,
        endpoint=batch.url(),
        grants=[grant],
        auth={"type": "SharedKey", "secretRef": {"name": CONNECTION, "key": "key"}},
        syncPeriodSeconds=SYNC_SECONDS,
    )


def is_closed(batch: Emulator, pool_id: str = "render-1") -> bool:
    """Whether SSH of a pool is closed by one explicit Deny."""
    network = batch.pool(pool_id).settings["networkConfiguration"]
    rules = network["endpointConfiguration"]["inboundNATPools"][0].get("networkSecurityGroupRules", [])
    return [(rule["access"], rule["sourceAddressPrefix"]) for rule in rules] == [("deny", "*")]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The parts, and what tests do to them."""

    cluster: RealCluster
    batch: Emulator
    kubeconfig: Path
    folder: Path
    operator: OperatorProcess

    def declare(self, **policy: Any) -> None:  # noqa: ANN401 any field of a policy
        """Connection and policy; waits until both are in force."""
        self.cluster.apply(secret(), connection(self.batch), policy_manifest(POLICY, **policy))
        self.becomes_enforced()

    def becomes_enforced(self, *, within: float = PATIENCE_SECONDS) -> None:
        """Wait until the connection is Ready and the policy Enforced."""
        until_is(lambda: self.cluster.condition("bac", CONNECTION, "Ready").split("/")[0], "True", within=within)
        until_is(lambda: self.cluster.condition("bpap", POLICY, "Enforced"), "True/Enforced", within=within)

    def open_behind_its_back(self, pool_id: str = "render-1") -> None:
        """Drift: somebody opens SSH to the world."""
        self.batch.edit(pool_id, {"networkConfiguration": OPEN_NETWORK})

    def corrects_drift(self, pool_id: str = "render-1", *, within: float = PATIENCE_SECONDS) -> None:
        """Open a pool behind the operator's back and wait until it is closed again, and the operator has looked."""
        before = self.operator.metric(_VERIFIED)
        self.open_behind_its_back(pool_id)
        until(lambda: is_closed(self.batch, pool_id), f"{pool_id} is closed again", within=within)
        until(lambda: self.operator.metric(_VERIFIED) > before, "the correction is verified")

    def sweeps(self) -> int:
        """How often the account was listed so far."""
        return len(self.batch.requests.of("list_pools"))


@contextmanager
def world(
    cluster: RealCluster,
    folder: Path,
    *,
    pools: Sequence[dict[str, Any]] = (),
    kubeconfig: Path | None = None,
    timings: Timings = QUICK,
    flags: Sequence[str] = (),
) -> Iterator[World]:
    """Account and operator; nothing is declared yet. Everything of ours is deleted afterwards.

    The account has one open, empty pool unless others are given.
    """
    service = make_service(pools={DEV_ACCOUNT.name: list(pools) or [open_pool()]}, timings=timings)
    path = kubeconfig or operatorprocess.write_kubeconfig(cluster, folder)
    with serving_in_thread(service) as batch:
        try:
            with operatorprocess.running(path, folder / "operator.log", flags) as operator:
                yield World(cluster=cluster, batch=batch, kubeconfig=path, folder=folder, operator=operator)
        finally:
            cluster.abandon_everything()
