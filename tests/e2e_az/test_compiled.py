"""The real `az batch pool create --json-file` takes what `batchaccess compile` prints, and imports come back the same.

Its API version refuses backend ports 22 and 3389, so the pools here have others. Runs where AZ_CLI names an `az`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from batchemulator import DEV_ACCOUNT, ManualClock, make_service, serving_in_thread
from batchemulator.certificates import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AZ_CLI = os.environ.get("AZ_CLI")

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
}
POLICY = """\
apiVersion: batchaccess.dev/v1alpha1
kind: BatchPoolAccessPolicy
metadata: {name: license, namespace: render}
spec:
  connections: {names: [devaccount]}
  access:
    endpoints:
      items:
        - {name: license, backendPort: 27000, frontendPorts: {start: 5000, end: 5099}, allowFrom: [AzureCloud]}
        - {name: stats, protocol: UDP, backendPort: 8125, frontendPorts: {start: 6000, end: 6099}, allowFrom: []}
        - name: web
          backendPort: 443
          frontendPorts: {start: 7000, end: 7099}
          rules:
            - {priority: 162, access: Deny, sourceAddressPrefix: Internet, sourcePortRanges: ["0-1023", "2048"]}
    acceleratedNetworking: true
"""


def batchaccess(directory: Path, *words: str) -> str:
    """Run a command as a new user would; what it printed."""
    command = [sys.executable, "-m", "batchaccess", *words]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def az_environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    tls = self_signed(tmp_path / "tls")
    with serving_in_thread(make_service(clock=ManualClock()), tls=tls) as emulator:
        yield dict(os.environ) | {
            "AZURE_BATCH_ACCOUNT": DEV_ACCOUNT.name,
            "AZURE_BATCH_ACCESS_KEY": DEV_ACCOUNT.key,
            "AZURE_BATCH_ENDPOINT": emulator.url(),
            "AZURE_CONFIG_DIR": str(tmp_path / "config"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "REQUESTS_CA_BUNDLE": str(tls.authority),
        }


def test_a_compiled_policy_makes_a_pool_that_is_as_declared(az_environment: dict[str, str], tmp_path: Path) -> None:
    def az(*words: str) -> str:
        assert AZ_CLI is not None
        command = [AZ_CLI, "batch", "pool", *words, "--output", "json", "--only-show-errors"]
        done = subprocess.run(command, env=az_environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    compiled = json.loads(batchaccess(tmp_path, "compile", "-f", "policy.yaml"))
    (tmp_path / "whole.json").write_text(json.dumps(POOL | compiled), encoding="utf-8")

    az("create", "--json-file", str(tmp_path / "whole.json"))
    (tmp_path / "pools.json").write_text(az("list"), encoding="utf-8")
    planned = json.loads(
        batchaccess(tmp_path, "plan", "-f", "policy.yaml", "--pools", "devaccount=pools.json", "-o", "json")
    )
    assert (planned["summary"]["governed"], planned["summary"]["differing"]) == (1, 0)

    imported = batchaccess(tmp_path, "import", "render", "--pools", "devaccount=pools.json")
    (tmp_path / "imported.yaml").write_text(imported, encoding="utf-8")
    again = json.loads(batchaccess(tmp_path, "compile", "-f", "imported.yaml"))["networkConfiguration"]
    assert again["endpointConfiguration"] == compiled["networkConfiguration"]["endpointConfiguration"]
