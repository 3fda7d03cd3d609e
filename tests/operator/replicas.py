"""Operator processes that share a Lease, and a witness of who held it and who wrote to the Batch account when."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import yaml

from batchemulator import DEV_ACCOUNT, Emulator, running
from batchemulator.timings import Timings
from tests.support.kube import Cluster, cluster, connection_manifest, policy_manifest
from tests.support.leasewitness import Witness, identities_in
from tests.support.waiting import eventually

POOLS = 4
LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/batchaccess/leases/batchaccess"
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
GRANT = {"namespaces": {"all": True}, "modes": ["Audit", "Enforce"], "strategies": ["WhenEmpty", "Drain"]}


class Gate:
    """A TCP proxy to the API server that can be shut: open connections break, new ones are refused an answer."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.shut = False

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def slam(self) -> None:
        self.shut = True
        for writer in list(self._writers):
            writer.close()

    async def close(self) -> None:
        self.slam()
        if self._server is not None:
            self._server.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        finally:
            self._writers -= {writer, there_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while block := await reader.read(65536):
                writer.write(block)
                await writer.drain()
        writer.close()


@dataclass
class Replica:
    """One operator process; its requests to Batch carry its name."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    gate: Gate

    @property
    def identities(self) -> set[str]:
        """Under which it ever led."""
        return identities_in(self.log.read_text())

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        await asyncio.to_thread(self.process.wait, 30)
        await self.gate.close()


@dataclass
class World:
    """An API server, a Batch account, and replicas."""

    kube: Cluster
    batch: Emulator
    directory: Path
    witness: Witness = field(default_factory=Witness)
    replicas: list[Replica] = field(default_factory=list)

    async def start(self) -> Replica:
        """One more replica, once it stands by or leads."""
        name = f"replica-{len(self.replicas)}"
        api = urlsplit(self.kube.running.url)
        gate = Gate(str(api.hostname), api.port or 80)
        config = yaml.safe_load(self.kube.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{await gate.open()}"
        kubeconfig = self.directory / f"{name}.kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config))
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: ASYNC220 starting takes no time, and the test owns it
                [sys.executable, "-m", "batchaccess", "run", "--leader-elect", "--log-level=debug"],
                env={
                    **os.environ,
                    "BATCHACCESS_KUBECONFIG": str(kubeconfig),
                    "BATCHACCESS_TELEMETRY_PORT": "0",
                    "BATCHACCESS_ALLOW_ENDPOINT_SUFFIX": "127.0.0.1",
                    "AZURE_HTTP_USER_AGENT": name,
                },
                stdout=output,
                stderr=output,
            )
        replica = Replica(name=name, process=process, log=log, gate=gate)
        self.replicas.append(replica)
        await eventually(lambda: self._looks_at_lease(replica), within=40, what=f"{name} to take part")
        return replica

    def leader(self) -> Replica | None:
        holder = self.witness.holder
        return next((each for each in self.replicas if holder and holder in each.identities), None)

    async def led_by_other(self, than: Replica | None, *, within: float) -> Replica:
        await eventually(
            lambda: (found := self.leader()) is not None and found is not than,
            within=within,
            what="another replica to lead",
        )
        found = self.leader()
        assert found is not None
        return found

    def calls_of(self, replica: Replica, *, since: float = 0, writes: bool = False) -> list[float]:
        return self.witness.calls_of(replica.name, since=since, writes=writes)

    def terms(self) -> list[tuple[float, float, str]]:
        """From when to when which identity held the Lease, as witnessed; the last has no end."""
        return self.witness.terms()

    def writes_without_the_lease(self) -> list[tuple[float, str]]:
        """Writes to the account outside the terms of who made them."""
        return self.witness.writes_without_the_lease({each.name: each.identities for each in self.replicas})

    def _looks_at_lease(self, replica: Replica) -> bool:
        assert replica.process.poll() is None, replica.log.read_text()
        return replica.log.exists() and "shows metrics" in replica.log.read_text()


@asynccontextmanager
async def world(directory: Path, *busy: str) -> AsyncIterator[World]:
    """Pools that drift all the time, so that whoever leads has something to write; `busy` ones have two nodes."""
    pools = [{"id": f"pool-{number}", "targetDedicatedNodes": 0, **OPEN_TO_ALL} for number in range(POOLS)]
    pools += [{"id": pool_id, "targetDedicatedNodes": 2, **OPEN_TO_ALL} for pool_id in busy]
    timings = Timings(settle=0.2, allocation=0.5, creating=0.1, starting=0.1, removal=6, stopping=0.2)
    with cluster(directory) as kube:
        async with running(pools={DEV_ACCOUNT.name: pools}, timings=timings) as batch:
            kube.apply(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "batchaccess"}},
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "weu", "namespace": "batchaccess"},
                    "stringData": {"key": f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}"},
                },
                connection_manifest(
                    endpoint=batch.url(),
                    auth={"type": "SharedKey", "secretRef": {"name": "weu", "key": "key"}},
                    syncPeriodSeconds=10,
                    requestBudget={"perSecond": 100, "burst": 100},
                    grants=[GRANT],
                ),
                policy_manifest(remediation={"strategy": "Drain"}),
            )
            made = World(kube=kube, batch=batch, directory=directory)
            tasks = [asyncio.create_task(each(made)) for each in (_watch_lease, _watch_account, _drift)]
            try:
                yield made
                for ended in [task for task in tasks if task.done()]:
                    ended.result()  # a witness that looked away proves nothing
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for replica in made.replicas:
                    await replica.end()
                for replica in made.replicas:
                    sys.stdout.write(f"--- {replica.name}\n{replica.log.read_text()[-4000:]}\n")


async def _watch_lease(made: World) -> None:
    """Note every few hundredths of a second who holds the Lease."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(made.kube.running.url + LEASE_PATH) as response:
                spec: dict[str, Any] = (await response.json()).get("spec", {}) if response.status == 200 else {}
            made.witness.holders.append((time.monotonic(), spec.get("holderIdentity") or ""))
            await asyncio.sleep(0.03)


async def _watch_account(made: World) -> None:
    """Note at once who asked the account for what; it waits for nothing else, so times are right on a busy machine."""
    counted = 0
    while True:
        entries = list(made.batch.requests)
        for entry in entries[counted:]:
            name = next((each.name for each in made.replicas if each.name in entry.user_agent.split()), "")
            made.witness.calls.append((time.monotonic(), name, entry.method))
        counted = len(entries)
        await asyncio.sleep(0.02)


async def _drift(made: World) -> None:
    """Open a pool to everybody and ask for a sweep, again and again."""
    path = "/apis/batchaccess.dev/v1alpha1/batchaccountconnections/prod-weu"
    headers = {"Content-Type": "application/merge-patch+json"}
    number = 0
    async with aiohttp.ClientSession() as session:
        while True:
            made.batch.edit(f"pool-{number % POOLS}", OPEN_TO_ALL)
            body = {"metadata": {"annotations": {"batchaccess.dev/requested-at": str(number)}}}
            async with session.patch(made.kube.running.url + path, data=json.dumps(body), headers=headers) as response:
                response.raise_for_status()
            number += 1
            await asyncio.sleep(0.5)
