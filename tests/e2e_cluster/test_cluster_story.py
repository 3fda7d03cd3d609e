"""The demo's whole story on a real API server, the operator under the token and the roles that we ship."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from batchaccess.cli.demo import world as demo
from batchaccess.cli.demo.cluster import Cluster
from batchaccess.cli.demo.story import STORY, NotHeldError
from batchemulator import ScaledClock, Timings, make_service, serving_in_thread
from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.realcluster import RealCluster


class AuditedCluster(Cluster):
    """The demo's view of an API server, where the audit log counts the operator's writes."""

    def __init__(self, session: aiohttp.ClientSession, cluster: RealCluster) -> None:
        super().__init__(session, cluster.url, cluster.kubeconfig)
        self._real = cluster

    async def writes_of(self, user_agent: str) -> int:
        del user_agent
        return len(self._real.writes(since=0))


@asynccontextmanager
async def demo_world(cluster: RealCluster, folder: Path) -> AsyncIterator[demo.World]:
    service = make_service(
        [demo.PROD, demo.DEV, demo.ARCHIVE],
        pools=demo._pools(),
        clock=ScaledClock(),
        timings=Timings(allocation=3, creating=1, starting=2, removal=3),
    )
    connector = aiohttp.TCPConnector(ssl=cluster.context) if cluster.context is not None else None
    with serving_in_thread(service) as batch:
        async with aiohttp.ClientSession(connector=connector, headers=cluster.headers) as session:
            audited = AuditedCluster(session, cluster)
            await demo._declare(audited, batch)
            kubeconfig = operatorprocess.write_kubeconfig(cluster, folder)
            with operatorprocess.running(kubeconfig, folder / "operator.log") as operator:
                yield demo.World(
                    cluster=audited,
                    batch=batch,
                    kubeconfig=kubeconfig,
                    telemetry_url=await asyncio.to_thread(lambda: operator.url),
                    operator_log=folder / "operator.log",
                    session=session,
                )


@pytest.mark.usefixtures("plane")
async def test_every_step_of_the_demo_holds(cluster: RealCluster, tmp_path: Path) -> None:
    fell: list[str] = []
    try:
        async with demo_world(cluster, tmp_path) as told:
            for step in STORY:
                try:
                    print(f"{step.title}: {await step.run(told)}")  # noqa: T201 shown with a failure
                except NotHeldError as error:
                    fell.append(f"{step.title}: {error}")
    finally:
        cluster.abandon_everything()
    assert fell == []
    assert len(STORY) >= 14


def test_the_control_plane_is_the_one_that_was_asked_for(cluster: RealCluster, plane: ControlPlane) -> None:
    _, version = cluster.call("GET", "/version")
    label = plane.assets.label
    assert label.startswith("KUBEBUILDER_ASSETS") or version["gitVersion"] == f"v{label}"
