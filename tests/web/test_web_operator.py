"""The operator shows its status page where it was asked to, and nowhere else."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from click.testing import CliRunner

from batchaccess import app
from batchaccess.cli import main
from batchaccess.settings import Settings
from tests.support.kube import Cluster, cluster
from tests.support.waiting import eventually

URL = re.compile(r"shows metrics at (\S+)/metrics")


@pytest.mark.parametrize(
    ("flags", "environment", "shown"),
    [
        pytest.param([], {}, False, id="it is off by default"),
        pytest.param(["--status-page"], {}, True, id="a flag turns it on"),
        pytest.param([], {"BATCHACCESS_STATUS_PAGE": "true"}, True, id="the environment turns it on"),
        pytest.param(
            ["--no-status-page"], {"BATCHACCESS_STATUS_PAGE": "true"}, False, id="a flag beats the environment"
        ),
    ],
)
def test_it_is_shown_if_asked_for(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], environment: dict[str, str], *, shown: bool
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(app, "run", started.append)
    assert CliRunner().invoke(main, ["run", *flags], env=environment).exit_code == 0
    assert [settings.status_page for settings in started] == [shown]


@pytest.mark.parametrize(("asked", "status"), [(True, 200), (False, 404)])
async def test_the_operator_serves_it_beside_its_metrics(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, asked: bool, status: int
) -> None:
    caplog.set_level(logging.INFO)
    stop = asyncio.Event()
    with cluster(tmp_path) as running:
        settings = Settings(kubeconfig=running.kubeconfig, telemetry_port=0, status_page=asked)
        operator = asyncio.create_task(app.serve(settings, stop=stop))
        try:
            await eventually(lambda: URL.search(caplog.text), within=20, what="the start")
            found = URL.search(caplog.text)
            assert found is not None
            async with ClientSession() as session, session.get(f"{found[1]}/") as answer:
                assert answer.status == status
            assert ("the status page is at" in caplog.text) is asked
        finally:
            stop.set()
            assert await operator == 0


def lease_of(holder: str) -> dict[str, Any]:
    """A Lease that is its holder's for an hour, if there is one."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 3600, "renewTime": "2026-01-01T00:00:00.000000Z"}
    metadata = {"name": "batchaccess", "namespace": "batchaccess"}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def looks_at_the_lease(running: Cluster) -> int:
    return sum("leases/batchaccess" in each["path"] for each in running.requests())


async def test_a_replica_that_stands_by_says_who_leads_until_it_does_so_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stop = asyncio.Event()
    with cluster(tmp_path) as running:
        running.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "batchaccess"}})
        running.apply(lease_of("batchaccess-7d9f_some-uuid"))
        settings = Settings(kubeconfig=running.kubeconfig, telemetry_port=0, status_page=True, leader_elect=True)
        operator = asyncio.create_task(app.serve(settings, stop=stop))
        try:
            await eventually(lambda: URL.search(caplog.text), within=20, what="the start")
            found = URL.search(caplog.text)
            assert found is not None

            async def shown() -> str:
                async with ClientSession() as session, session.get(f"{found[1]}/events") as answer:
                    return await answer.text()

            await eventually(lambda: looks_at_the_lease(running) > 1, within=20, what="a second look at the Lease")
            assert "batchaccess-7d9f leads." in await shown()
            assert "kubectl --namespace batchaccess port-forward pod/batchaccess-7d9f" in await shown()
            running.apply(lease_of(""))
            await eventually(lambda: "this replica leads" in caplog.text, within=20, what="its own term")
            assert "stands by" not in await shown()
        finally:
            stop.set()
            assert await operator == 0
