"""A real Prometheus scrapes the real server: every panel shows something, alerts fire and resolve, series vanish."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from batchaccess.core.reasons import DriftClass
from batchaccess.core.saga.steps import Step
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from tests.e2e_prometheus.scaledrules import write_scaled_rules
from tests.monitoring.prometheus_server import PrometheusServer, running_prometheus
from tests.monitoring.queries import panel_queries
from tests.telemetry.build_rows import pool_in_order, populated

WAIT_SECONDS = 40


@pytest.fixture
def metrics() -> Metrics:
    return populated()


@pytest.fixture
async def prometheus(metrics: Metrics, tmp_path: Path) -> AsyncIterator[PrometheusServer]:
    telemetry = TelemetryServer(metrics, liveness=list, readiness=list)
    await telemetry.start()
    try:
        async with running_prometheus(tmp_path, write_scaled_rules(tmp_path)) as server:
            server.scrape(f"127.0.0.1:{telemetry.port}")
            yield server
    finally:
        await telemetry.stop()


async def eventually(check: Callable[[], Awaitable[object]], expected: object) -> None:
    """Ask again until the answer is the expected one, but not for ever."""
    for _ in range(3 * WAIT_SECONDS):
        answer = await check()
        if answer == expected:
            return
        await asyncio.sleep(1 / 3)
    pytest.fail(f"still {answer!r}, not {expected!r}")


async def test_panels_show_data_and_alerts_follow_the_pools(metrics: Metrics, prometheus: PrometheusServer) -> None:
    prod = metrics.connection("prod")

    async def silent_panels() -> list[str]:
        prod.azure_request(AzureOperation.LIST_POOLS, seconds=0.1, status=200)
        prod.drift_detected(DriftClass.WIDENING)
        prod.saga_step_ended(Step.DRAINING, seconds=300)
        return [where for where, expr in panel_queries() if not await prometheus.query(expr)]

    async def exposure_pages() -> bool:
        return "PoolInternetExposed" in await prometheus.firing()

    async def series_of_the_exposed_pool() -> int:
        return len(await prometheus.query('{pool="render-2"}'))

    await eventually(silent_panels, [])
    await eventually(exposure_pages, expected=True)
    assert (await prometheus.query("up"))[0]["value"][1] == "1"

    prod.observe_pools([pool_in_order("render-1")])
    await eventually(exposure_pages, expected=False)
    await eventually(series_of_the_exposed_pool, 0)
