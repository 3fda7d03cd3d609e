"""Starts and ends the parts of the demo: embedded API and operator as processes, emulated accounts in a thread."""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

import aiohttp
import yaml

from batchaccess.cli.crds import crd_text
from batchaccess.cli.demo.cluster import Cluster, manifest
from batchemulator import Account, Emulator, ScaledClock, Timings, make_service, serving_in_thread
from kubeemulator.launch import KubeEmulator, start_in_process

PROD: Final = Account(name="prodbatch", key="cHJvZGJhdGNoLWtleS1vZi10aGUtZGVtby1ub3QtYS1zZWNyZXQ=")
DEV: Final = Account(name="devbatch", key="ZGV2YmF0Y2gta2V5LW9mLXRoZS1kZW1vLW5vdC1hLXNlY3JldA==")
ARCHIVE: Final = Account(name="archivebatch", key="YXJjaGl2ZWJhdGNoLWtleS1vZi10aGUtZGVtby1ub3QtYS1zZWNyZXQ=")
"""An account without pools; what Kubernetes holds of its key is wrong at first."""

OPERATOR_NAMESPACE: Final = "batchaccess"
_START_SECONDS: Final = 30
_STOP_SECONDS: Final = 25
_METRICS: Final = re.compile(r"shows metrics at (\S+)/metrics")


class DemoError(Exception):
    """A part of the demo did not come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The running demo."""

    cluster: Cluster
    batch: Emulator
    kubeconfig: Path
    telemetry_url: str
    operator_log: Path
    session: aiohttp.ClientSession
    jobs: list[str] = field(default_factory=list)
    """Ids of the jobs submitted so far."""

    async def metrics(self) -> str:
        """What a scrape shows now."""
        async with self.session.get(f"{self.telemetry_url}/metrics") as response:
            return await response.text()


@asynccontextmanager
async def running() -> AsyncIterator[World]:
    """Bring up the whole world, operator included, and take it down in the reverse order."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batchaccess-demo-")))
        kubeconfig = directory / "kubeconfig"
        kube = await asyncio.to_thread(start_in_process, kubeconfig)
        stack.push_async_callback(asyncio.to_thread, kube.stop)
        timings = Timings(allocation=3, creating=1, starting=2, removal=3, deletion=2, deletion_with_nodes=4)
        service = make_service([PROD, DEV, ARCHIVE], pools=_pools(), clock=ScaledClock(), timings=timings)
        batch = stack.enter_context(serving_in_thread(service))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        cluster = Cluster(session, kube.url, kubeconfig)
        await _declare(cluster, batch)
        log = directory / "operator.log"
        telemetry_url = await stack.enter_async_context(_operator(kube, log))
        yield World(
            cluster=cluster,
            batch=batch,
            kubeconfig=kubeconfig,
            telemetry_url=telemetry_url,
            operator_log=log,
            session=session,
        )


async def _declare(cluster: Cluster, batch: Emulator) -> None:
    await cluster.apply(crd_text())
    await cluster.apply(
        manifest(
            "connections.yaml",
            PROD_ENDPOINT=batch.url(PROD),
            DEV_ENDPOINT=batch.url(DEV),
            ARCHIVE_ENDPOINT=batch.url(ARCHIVE),
            PROD_KEY=PROD.key,
            DEV_KEY=DEV.key,
        )
    )
    await cluster.apply(manifest("archive-secret.yaml", KEY=DEV.key))


def _pools() -> dict[str, list[dict[str, object]]]:
    text = resources.files("batchaccess.cli.demo").joinpath("pools.yaml").read_text(encoding="utf-8")
    pools: dict[str, list[dict[str, object]]] = yaml.safe_load(text)
    return pools


@asynccontextmanager
async def _operator(kube: KubeEmulator, log: Path) -> AsyncIterator[str]:
    """The operator as its own process; yields where it shows metrics."""
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "batchaccess",
            "run",
            f"--kubeconfig={kube.kubeconfig}",
            f"--namespace={OPERATOR_NAMESPACE}",
            "--telemetry-port=0",
            "--status-page",
            "--allow-endpoint-suffix=127.0.0.1",
            "--log-format=text",
            stdout=stream,
            stderr=stream,
        )
    try:
        yield await _telemetry_url(process, log)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _telemetry_url(process: asyncio.subprocess.Process, log: Path) -> str:
    """Wait until the operator's log names its metrics."""
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        text = await asyncio.to_thread(log.read_text, encoding="utf-8")
        if found := _METRICS.search(text):
            return found[1]
        if process.returncode is not None:
            raise DemoError(f"the operator ended with status {process.returncode}:\n{text}")
        await asyncio.sleep(0.05)
    raise DemoError(f"the operator did not start within {_START_SECONDS} s")
