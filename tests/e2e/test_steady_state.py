"""What sweeps cost on real parts: the SDK against the emulated account, our writers against the embedded API."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.api.windows import windows_of
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.clock import SystemClock
from batchaccess.control.accounts import AccountParts, account_factory
from batchaccess.core.declared import AccountConnection
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.events import EventRecorder
from batchaccess.kube.finalizers import LiveFinalizers
from batchaccess.kube.poolaccess import PoolAccessObjects
from batchaccess.kube.resync import resync
from batchaccess.kube.secrets import SecretReader
from batchaccess.kube.statuswriter import StatusWriter
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.parts import SagaParts
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.sweep.summary import SweepSummary
from batchaccess.telemetry.metrics import Metrics
from batchemulator import DEV_ACCOUNT, Emulator, running
from tests.support.kube import Cluster, cluster

POOLS = 200
LEGACY = 20
SWEEPS = 20

CONNECTION = "prod"
SECRETS = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "batchaccess"}},
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "prod", "namespace": "batchaccess"},
        "stringData": {"key": f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}"},
    },
]
POLICY = {
    "apiVersion": "batchaccess.dev/v1alpha1",
    "kind": "BatchPoolAccessPolicy",
    "metadata": {"name": "ssh", "namespace": "default"},
    "spec": {
        "connections": {"names": [CONNECTION]},
        "mode": "Enforce",
        "access": {
            "endpoints": {
                "items": [
                    {
                        "name": "SSH",
                        "backendPort": 22,
                        "frontendPorts": {"start": 4000, "end": 4100},
                        "allowFrom": ["192.168.1.0/24"],
                    }
                ]
            }
        },
    },
}
OPEN_TO_ALL = {
    "networkConfiguration": {
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
}


def connection_to(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchAccountConnection",
        "metadata": {"name": CONNECTION},
        "spec": {
            "endpoint": url,
            "auth": {"type": "SharedKey", "secretRef": {"name": "prod", "key": "key"}},
            "requestBudget": {"perSecond": 100, "burst": 100},
            "grants": [{"namespaces": {"all": True}, "modes": ["Audit", "Enforce"]}],
        },
    }


def compliant_pool(number: int) -> dict[str, Any]:
    """A pool as the policy declares; the first ones are old and have nodes without implicit mappings."""
    legacy = number < LEGACY
    return {
        "id": f"pool-{number:03}",
        **({"creationTime": "2024-03-01T00:00:00Z", "targetDedicatedNodes": 1} if legacy else {}),
        "emulator": {"legacyMapping": False},
        "networkConfiguration": {
            "endpointConfiguration": {
                "inboundNATPools": [
                    {
                        "name": "SSH",
                        "protocol": "tcp",
                        "backendPort": 22,
                        "frontendPortRangeStart": 4000,
                        "frontendPortRangeEnd": 4100,
                        "networkSecurityGroupRules": [
                            {"priority": 1000, "access": "allow", "sourceAddressPrefix": "192.168.1.0/24"},
                            {"priority": 1001, "access": "deny", "sourceAddressPrefix": "*"},
                        ],
                    }
                ]
            }
        },
    }


@dataclass
class Parts:
    """The operator's own parts without its loops: a sweep happens when the test says so."""

    kube: Cluster
    batch: Emulator
    client: KubeClient
    live: LiveCatalogue
    sweep: Any

    async def swept(self) -> SweepSummary:
        summary = await self.sweep.run_once(self.live.catalogue())
        assert isinstance(summary, SweepSummary)
        return summary

    def kubernetes_writes(self) -> list[str]:
        return [
            f"{each['method']} {each['path']}" for each in self.kube.requests() if each["method"] not in ("GET", "HEAD")
        ]


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    with cluster(tmp_path) as kube:
        async with running(pools={DEV_ACCOUNT.name: [compliant_pool(number) for number in range(POOLS)]}) as batch:
            kube.apply(*SECRETS, connection_to(batch.url()), POLICY)
            client = await KubeClient.connect(kube.kubeconfig)
            live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
            assert not (await resync(client, live)).failures
            writer = StatusWriter(client, live, lambda *_: None)
            clock = SystemClock()
            make = account_factory(
                AccountParts(
                    adapter=AdapterSettings(allow_endpoint_suffixes=("127.0.0.1",)),
                    secrets=SecretReader(client, "batchaccess"),
                    store=live,
                    reports=PoolAccessObjects(client, live, writer, lambda *_: None),
                    recorder=EventRecorder(client, clock, lambda *_: None),
                    metrics=Metrics(SystemClock()),
                    acceptances=Acceptances(),
                    sagas=SagaParts(
                        finalizers=LiveFinalizers(client, live),
                        register=SagaRegister(),
                        windows=windows_of,
                        new_saga_id=lambda: "0123456789ab",
                        handled_request=live.handled_request,
                    ),
                    clock=clock,
                )
            )
            declared = live.catalogue().connections[0]
            assert isinstance(declared, AccountConnection)
            sweep = make(declared, lambda: None)
            try:
                yield Parts(kube=kube, batch=batch, client=client, live=live, sweep=sweep)
            finally:
                await sweep.close()
                await client.close()


async def test_twenty_sweeps_over_compliant_pools_cost_twenty_lists_and_no_write(parts: Parts) -> None:
    first = await parts.swept()
    assert first.counts is not None
    assert (first.counts.total, first.counts.compliant) == (POOLS, POOLS), first.message
    assert len(parts.batch.requests.of("list_nodes")) == LEGACY
    parts.kube.forget_requests()
    for _ in range(SWEEPS - 1):
        await parts.swept()
    assert [each.operation for each in parts.batch.requests].count("list_pools") == SWEEPS
    assert len(parts.batch.requests) == SWEEPS + LEGACY
    assert parts.batch.requests.writes() == []
    assert parts.kubernetes_writes() == []


async def test_one_outside_edit_is_found_by_the_next_sweep_and_costs_get_patch_get(parts: Parts) -> None:
    await parts.swept()
    parts.batch.edit("pool-150", OPEN_TO_ALL)
    parts.batch.requests.reset()
    summary = await parts.swept()
    assert [each.operation for each in parts.batch.requests] == ["list_pools", "get_pool", "update_pool", "get_pool"]
    assert summary.counts is not None
    assert summary.counts.compliant == POOLS
    status = parts.kube.status_of("/apis/batchaccess.dev/v1alpha1/batchpoolaccesses/prod.pool-150")
    assert status["lastChange"]["before"] == (
        "SSH (TCP/22): anyone on the Internet (because an endpoint without rules admits everyone, e.g. 8.8.8.8)"
    )
