"""What one operator process needs for a whole fleet, run for real: its own process, real HTTP to both emulators.

    python -m benchmarks.fleet [--accounts 50] [--pools 200] [--policies 2000]

Every account holds so many pools, all as the policies declare that are spread over them. Printed: how long the first
look at everything took, with a BatchPoolAccess written for each pool, and then memory and processor time of a minute in
which nothing changes. Needs /proc, that is Linux.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from batchaccess.cli.crds import crd_text
from batchaccess.cli.demo.cluster import Cluster
from batchemulator import Account, make_service, serving_in_thread
from kubeemulator.launch import emulator

GROUP: Final = "/apis/batchaccess.dev/v1alpha1"
CONNECTIONS: Final = f"{GROUP}/batchaccountconnections"
KEY: Final = "ZmxlZXQta2V5LW9mLXRoZS1iZW5jaG1hcmstbm90LWEtc2VjcmV0"
PERIOD_SECONDS: Final = 60
PATIENCE_SECONDS: Final = 1800
NAMESPACES: Final = 20
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How much there is."""

    accounts: int
    pools: int
    policies: int

    @property
    def names(self) -> list[str]:
        """The accounts, and the connections to them."""
        return [f"account{number:02}" for number in range(self.accounts)]

    @property
    def policies_per_account(self) -> int:
        """As many as there is room for, at least one."""
        return max(1, self.policies // self.accounts)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--pools", type=int, default=200, help="of each account")
    parser.add_argument("--policies", type=int, default=2000, help="in all")
    arguments = parser.parse_args()
    asyncio.run(measure(Fleet(accounts=arguments.accounts, pools=arguments.pools, policies=arguments.policies)))


async def measure(fleet: Fleet) -> None:
    """Build the fleet, let an operator look at it, and print what that took."""
    accounts = [Account(name=name, key=KEY) for name in fleet.names]
    service = make_service(accounts, pools={name: list(_pools(fleet)) for name in fleet.names})
    with (
        tempfile.TemporaryDirectory(prefix="batchaccess-fleet-") as directory,
        emulator(Path(directory) / "kubeconfig") as kube,
        serving_in_thread(service) as batch,
    ):
        async with aiohttp.ClientSession(kube.url, raise_for_status=True) as session:
            await Cluster(session, kube.url, kube.kubeconfig).apply(crd_text())
            await _declare(session, fleet, {account.name: batch.url(account) for account in accounts})
            log = Path(directory) / "operator.log"
            started = time.monotonic()
            async with _operator(kube.kubeconfig, log) as pid:
                await _until_observed(session, fleet)
                first = time.monotonic() - started
                _print_first(fleet, first, pid)
                await asyncio.sleep(PERIOD_SECONDS)
                await _print_steady_minute(session, fleet, pid)


def _print_first(fleet: Fleet, seconds: float, pid: int) -> None:
    total = fleet.accounts * fleet.pools
    print(f"{fleet.accounts} accounts, {total:,} pools, {fleet.accounts * fleet.policies_per_account:,} policies")
    print(f"  everything observed and written for the first time  {seconds:8.1f} s, {total / seconds:.0f} pools/s")
    print(f"  processor time of the operator for that             {_cpu_seconds(pid):8.1f} s")
    print(f"  its memory at most                                  {_memory_mib(pid, 'VmHWM'):8.0f} MiB", flush=True)


async def _print_steady_minute(session: aiohttp.ClientSession, fleet: Fleet, pid: int) -> None:
    writes, cpu = await _writes(session), _cpu_seconds(pid)
    await asyncio.sleep(PERIOD_SECONDS)
    used, written = _cpu_seconds(pid) - cpu, await _writes(session) - writes
    print(f"  processor time of a steady minute                   {used:8.1f} s, {written} writes to Kubernetes")
    print(f"  that is, for each sweep of an account               {used / fleet.accounts * 1e3:8.1f} ms")
    print(f"  memory then                                         {_memory_mib(pid, 'VmRSS'):8.0f} MiB")


def _pools(fleet: Fleet) -> Iterable[dict[str, Any]]:
    for number in range(fleet.pools):
        rules = [
            {"priority": 1000, "access": "allow", "sourceAddressPrefix": "192.168.1.0/24"},
            {"priority": 1001, "access": "deny", "sourceAddressPrefix": "*"},
        ]
        nat_pool = {
            "name": "SSH",
            "protocol": "tcp",
            "backendPort": 22,
            "frontendPortRangeStart": 4000,
            "frontendPortRangeEnd": 4100,
            "networkSecurityGroupRules": rules,
        }
        yield {
            "id": f"pool-{number % fleet.policies_per_account}-{number}",
            "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": [nat_pool]}},
        }


async def _declare(session: aiohttp.ClientSession, fleet: Fleet, urls: dict[str, str]) -> None:
    for namespace in ("batchaccess", *(f"team-{number}" for number in range(NAMESPACES))):
        await _create(session, "/api/v1/namespaces", "v1", "Namespace", {"name": namespace})
    for name, url in urls.items():
        secret = {"stringData": {"key": f"{name}:{KEY}"}}
        metadata = {"name": name, "namespace": "batchaccess"}
        await _create(session, "/api/v1/namespaces/batchaccess/secrets", "v1", "Secret", metadata, **secret)
        await _create_own(session, CONNECTIONS, "BatchAccountConnection", {"name": name}, _connection(name, url))
    wanted = [(name, number) for name in fleet.names for number in range(fleet.policies_per_account)]
    for start in range(0, len(wanted), _AT_ONCE):
        await asyncio.gather(*(_create_policy(session, *each) for each in wanted[start : start + _AT_ONCE]))


def _connection(name: str, url: str) -> dict[str, Any]:
    return {
        "endpoint": url,
        "auth": {"type": "SharedKey", "secretRef": {"name": name, "key": "key"}},
        "syncPeriodSeconds": PERIOD_SECONDS,
        "grants": [{"namespaces": {"all": True}, "modes": ["Audit", "Enforce"]}],
    }


async def _create_policy(session: aiohttp.ClientSession, account: str, number: int) -> None:
    namespace = f"team-{number % NAMESPACES}"
    item = {
        "name": "SSH",
        "backendPort": 22,
        "frontendPorts": {"start": 4000, "end": 4100},
        "allowFrom": ["192.168.1.0/24"],
    }
    spec = {
        "connections": {"names": [account]},
        "pools": {"ids": [f"pool-{number}-*"]},
        "mode": "Enforce",
        "access": {"endpoints": {"items": [item]}},
        "assertions": [{"name": "no-login", "ports": [22, 3389], "notReachableFrom": ["Internet"]}],
    }
    path = f"{GROUP}/namespaces/{namespace}/batchpoolaccesspolicies"
    metadata = {"name": f"{account}-{number}", "namespace": namespace}
    await _create_own(session, path, "BatchPoolAccessPolicy", metadata, spec)


async def _create_own(
    session: aiohttp.ClientSession, path: str, kind: str, metadata: dict[str, Any], spec: dict[str, Any]
) -> None:
    await _create(session, path, "batchaccess.dev/v1alpha1", kind, metadata, spec=spec)


async def _create(
    session: aiohttp.ClientSession,
    path: str,
    api_version: str,
    kind: str,
    metadata: dict[str, Any],
    **rest: Any,  # noqa: ANN401 the rest of a manifest
) -> None:
    async with session.post(path, json={"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}):
        pass


@asynccontextmanager
async def _operator(kubeconfig: Path, log: Path) -> AsyncIterator[int]:
    """The operator as its own process; yields its process id."""
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "batchaccess",
            "run",
            f"--kubeconfig={kubeconfig}",
            "--telemetry-port=0",
            "--allow-endpoint-suffix=127.0.0.1",
            stdout=stream,
            stderr=stream,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _until_observed(session: aiohttp.ClientSession, fleet: Fleet) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        async with session.get(CONNECTIONS) as answer:
            connections = (await answer.json())["items"]
        counts = [connection.get("status", {}).get("pools", {}).get("compliant") for connection in connections]
        if counts == [fleet.pools] * fleet.accounts:
            return
        await asyncio.sleep(0.5)
    raise SystemExit(f"not everything was observed within {PATIENCE_SECONDS} s: {counts}")


async def _writes(session: aiohttp.ClientSession) -> int:
    async with session.get("/emulator/requests") as answer:
        logged = (await answer.json())["requests"]
    return sum(each["method"] != "GET" and each["user_agent"].startswith("batchaccess/") for each in logged)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mib(pid: int, field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
