"""A real Prometheus server for one test: it scrapes its targets every second and evaluates our rules."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientError, ClientSession

from tests.monitoring.queries import MONITORING
from tests.monitoring.tools import required_tool
from tests.support.listening import reserved_port

START_SECONDS = 30
STOP_SECONDS = 10


class PrometheusServer:
    """What a test asks a running server."""

    def __init__(self, session: ClientSession, targets: Path, *, url: str) -> None:
        self._session = session
        self._targets = targets
        self.url = url

    def scrape(self, *targets: str) -> None:
        """Scrape these (host:port) from now on; a server without any finds nothing."""
        written = self._targets.with_suffix(".new")
        written.write_text(json.dumps([{"targets": list(targets)}]), "utf-8")
        written.rename(self._targets)

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """The samples that an instant query returns now."""
        async with self._session.get("/api/v1/query", params={"query": expr}) as answer:
            body = await answer.json()
            assert body["status"] == "success", body
            result: list[dict[str, Any]] = body["data"]["result"]
            return result

    async def query_range(self, expr: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series that a graph from `start` to `end` (Unix time) shows, a point every `step` seconds."""
        params = {"query": expr, "start": str(start), "end": str(end), "step": str(step)}
        async with self._session.get("/api/v1/query_range", params=params) as answer:
            body = await answer.json()
            assert body["status"] == "success", body
            result: list[dict[str, Any]] = body["data"]["result"]
            return result

    async def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        async with self._session.get("/api/v1/alerts") as answer:
            alerts = (await answer.json())["data"]["alerts"]
            return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    async def is_ready(self) -> bool:
        """Whether it answers yet."""
        try:
            async with self._session.get("/-/ready") as answer:
                return answer.status == 200
        except ClientError:
            return False


@asynccontextmanager
async def running_prometheus(
    directory: Path, rules: Path = MONITORING / "alerts.yaml"
) -> AsyncIterator[PrometheusServer]:
    """Start a server without a target that evaluates `rules`; stops it at the end."""
    program = required_tool("prometheus")
    config = directory / "prometheus.yml"
    targets = directory / "targets.json"
    targets.write_text("[]", "utf-8")
    config.write_text(yaml.safe_dump(_configuration(targets, rules)), "utf-8")
    port = reserved_port()
    with (directory / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        async with ClientSession(url) as session:
            server = PrometheusServer(session, targets, url=url)
            async with asyncio.timeout(START_SECONDS):
                while not await server.is_ready():
                    assert process.returncode is None, (directory / "prometheus.log").read_text("utf-8")
                    await asyncio.sleep(0.1)
            yield server
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), STOP_SECONDS)


def _configuration(targets: Path, rules: Path) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "batchaccess", "file_sd_configs": [{"files": [str(targets)]}]}],
    }
