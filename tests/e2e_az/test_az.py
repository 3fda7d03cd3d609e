"""The real `az` against the emulator, over TLS and with SharedKey: what Azure's own command line can do here.

Runs where AZ_CLI names an `az`; `tests/e2e_az/install.sh` installs one outside the repository and prints its path.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from batchemulator import DEV_ACCOUNT, Emulator, ManualClock, make_service, serving_in_thread
from batchemulator.certificates import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AZ_CLI = os.environ.get("AZ_CLI")
AZ_VERSION = "2024-02-01.19.0"

pytestmark = [
    pytest.mark.skipif(AZ_CLI is None, reason="AZ_CLI does not name the real az (make e2e-az installs one)"),
    pytest.mark.timeout(300),
]

POOL: dict[str, Any] = {
    "id": "render",
    "vmSize": "STANDARD_D2S_V3",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"},
        "nodeAgentSKUId": "batch.node.ubuntu 22.04",
    },
    "targetDedicatedNodes": 0,
    "networkConfiguration": {
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    "name": "license",
                    "protocol": "tcp",
                    "backendPort": 27000,
                    "frontendPortRangeStart": 5000,
                    "frontendPortRangeEnd": 5099,
                    "networkSecurityGroupRules": [
                        {"priority": 162, "access": "deny", "sourceAddressPrefix": "Internet"},
                    ],
                },
                {
                    "name": "telemetry",
                    "protocol": "udp",
                    "backendPort": 8125,
                    "frontendPortRangeStart": 6000,
                    "frontendPortRangeEnd": 6099,
                },
            ],
        },
    },
}


@dataclass(frozen=True)
class Outcome:
    """How one az command ended."""

    status: int
    output: str
    errors: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - whatever JSON az prints
        return json.loads(self.output)


@dataclass(frozen=True)
class Az:
    """The real az, pointed at an emulator."""

    emulator: Emulator
    environment: dict[str, str]
    directory: Path

    def __call__(self, *words: str) -> Outcome:
        assert AZ_CLI is not None
        done = subprocess.run(
            [AZ_CLI, *words, "--output", "json", "--only-show-errors"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def must(self, *words: str) -> Outcome:
        outcome = self(*words)
        assert outcome.status == 0, outcome.errors
        return outcome

    def create(self, pool: dict[str, Any]) -> Outcome:
        path = self.directory / f"{pool['id']}.json"
        path.write_text(json.dumps(pool), encoding="utf-8")
        return self("batch", "pool", "create", "--json-file", str(path))

    def show(self, pool_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.must("batch", "pool", "show", "--pool-id", pool_id).document
        return shown


@pytest.fixture
def az(tmp_path: Path) -> Iterator[Az]:
    tls = self_signed(tmp_path / "tls")
    assert tls.authority is not None
    with serving_in_thread(make_service(clock=ManualClock()), tls=tls) as emulator:
        environment = dict(os.environ) | {
            "AZURE_BATCH_ACCOUNT": DEV_ACCOUNT.name,
            "AZURE_BATCH_ACCESS_KEY": DEV_ACCOUNT.key,
            "AZURE_BATCH_ENDPOINT": emulator.url(),
            "AZURE_CONFIG_DIR": str(tmp_path / "config"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "REQUESTS_CA_BUNDLE": str(tls.authority),
        }
        yield Az(emulator=emulator, environment=environment, directory=tmp_path)


def test_az_leads_a_pool_with_two_nat_pools_through_its_life(az: Az) -> None:
    assert az.create(POOL).status == 0
    az.emulator.advance(2)

    listed = az.must("batch", "pool", "list").document
    assert [pool["id"] for pool in listed] == ["render"]

    shown = az.show("render")
    nat_pools = shown["networkConfiguration"]["endpointConfiguration"]["inboundNatPools"]
    assert [nat_pool["name"] for nat_pool in nat_pools] == ["license", "telemetry"]
    assert nat_pools[0]["networkSecurityGroupRules"][0]["sourcePortRanges"] == ["*"]
    assert shown["allocationState"] == "steady"

    az.must("batch", "pool", "resize", "--pool-id", "render", "--target-dedicated-nodes", "2")
    assert az.show("render")["allocationState"] == "resizing"
    az.emulator.advance(120)
    assert az.show("render")["currentDedicatedNodes"] == 2
    nodes = az.must("batch", "node", "list", "--pool-id", "render").document
    ports = sorted(node["endpointConfiguration"]["inboundEndpoints"][0]["frontendPort"] for node in nodes)
    assert ports == [5000, 5001]

    az.must("batch", "pool", "set", "--pool-id", "render", "--metadata", "team=render")
    assert az.show("render")["metadata"] == [{"name": "team", "value": "render"}]

    az.must(
        *("batch", "pool", "autoscale", "enable", "--pool-id", "render"),
        *("--auto-scale-formula", "$TargetDedicatedNodes=0"),
    )
    az.emulator.advance(60)
    scaled = az.show("render")
    assert scaled["enableAutoScale"] is True
    assert scaled["targetDedicatedNodes"] == 0
    az.must("batch", "pool", "autoscale", "disable", "--pool-id", "render")
    assert az.show("render")["enableAutoScale"] is False

    az.must("batch", "pool", "delete", "--pool-id", "render", "--yes")
    az.emulator.advance(200)
    gone = az("batch", "pool", "show", "--pool-id", "render")
    assert gone.status != 0
    assert "PoolNotFound" in gone.errors or "does not exist" in gone.errors

    versions = {entry.query["api-version"] for entry in az.emulator.requests}
    assert versions == {AZ_VERSION}


@pytest.mark.parametrize("port", [22, 3389])
def test_login_ports_get_the_400_of_azs_api_version(az: Az, port: int) -> None:
    pool = json.loads(json.dumps(POOL))
    pool["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"][0]["backendPort"] = port
    outcome = az.create(pool)
    assert outcome.status != 0
    assert "InvalidPropertyValue" in outcome.errors or "properties in the request body is invalid" in outcome.errors
    assert str(port) in outcome.errors
    assert [entry.status for entry in az.emulator.requests.of("create_pool")] == [400]


def test_az_shows_what_was_patched_through_the_newer_api(az: Az) -> None:
    az.emulator.seed({"id": "render", "networkConfiguration": {"enableAcceleratedNetworking": True}})
    az.emulator.edit("render", {"networkConfiguration": POOL["networkConfiguration"]})
    nat_pools = az.show("render")["networkConfiguration"]["endpointConfiguration"]["inboundNatPools"]
    assert [nat_pool["backendPort"] for nat_pool in nat_pools] == [27000, 8125]


def test_a_wrong_key_is_refused(az: Az) -> None:
    wrong = Az(az.emulator, az.environment | {"AZURE_BATCH_ACCESS_KEY": "d3Jvbmc="}, az.directory)
    outcome = wrong("batch", "pool", "list")
    assert outcome.status != 0
    assert {entry.status for entry in az.emulator.requests} == {403}


def test_jobs_and_tasks_run_and_end(az: Az) -> None:
    az.emulator.seed({"id": "render", "targetDedicatedNodes": 1})
    az.must("batch", "job", "create", "--id", "frames", "--pool-id", "render")
    az.must(
        *("batch", "task", "create", "--job-id", "frames", "--task-id", "f1"),
        *("--command-line", "/bin/sh -c 'sleep 30; exit 3'"),
    )
    assert az.must("batch", "task", "show", "--job-id", "frames", "--task-id", "f1").document["state"] == "running"
    az.emulator.advance(31)
    ended = az.must("batch", "task", "show", "--job-id", "frames", "--task-id", "f1").document
    assert ended["executionInfo"]["exitCode"] == 3
