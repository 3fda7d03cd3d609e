"""An old and a new process beside each other, as in a rollout: no panel and no alert counts twice, and none fails."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchaccess.core.model import ObjectKey
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from tests.monitoring.prometheus_server import PrometheusServer, running_prometheus
from tests.monitoring.queries import alert_rules, panel_queries
from tests.monitoring.test_real_prometheus import eventually
from tests.telemetry.build_rows import pool_exposed, pool_in_order, pool_unmanaged, populated

OF_PROCESSES = {"operator: Memory A", "operator: Leader A", "operator: Replicas A"}
"""Panels that are meant to tell processes apart."""

Shown = dict[str, list[tuple[dict[str, str], float | None]]]
"""What each query returns; of what moves with the time only that it is there."""


class Rollout:
    """A Prometheus that scrapes the old process, and then the new one as well."""

    def __init__(self, prometheus: PrometheusServer, old: TelemetryServer, new: TelemetryServer) -> None:
        self.prometheus = prometheus
        self._targets = [f"127.0.0.1:{each.port}" for each in (old, new)]

    async def scrape(self, processes: int) -> None:
        """Scrape so many of the two, and wait until that has been done often enough for a rate."""
        self.prometheus.scrape(*self._targets[:processes])

        async def scraped() -> int:
            seen = "count_over_time(batchaccess_build_info[1m]) >= 3"
            return len(await self.prometheus.query(seen))

        await eventually(scraped, processes)

    async def shown(self) -> Shown:
        """What every panel and every alert shows now; an error of Prometheus fails the test."""
        queries = [*panel_queries(), *((f"alert: {rule['alert']}", rule["expr"]) for rule in alert_rules())]
        return {where: _comparable(expr, await self.prometheus.query(expr)) for where, expr in queries}


def _comparable(expr: str, samples: list[dict[str, Any]]) -> list[tuple[dict[str, str], float | None]]:
    moves = any(word in expr for word in ("rate(", "increase(", "changes(", "time()"))
    found = [(sample["metric"], None if moves else float(sample["value"][1])) for sample in samples]
    return sorted(found, key=str)


def other_than(metrics: Metrics) -> Metrics:
    """The metrics of a process that takes another policy for the one that governs every pool."""
    other = ObjectKey(namespace="render", name="other")
    rows = [replace(row, policy=other) for row in (pool_in_order(), pool_exposed(), pool_unmanaged())]
    metrics.connection("prod").observe_pools(rows)
    return metrics


@pytest.fixture
async def alike(tmp_path: Path) -> AsyncIterator[Rollout]:
    metrics = populated()
    async for rollout in _rollout(metrics, metrics, tmp_path):
        yield rollout


@pytest.fixture
async def at_odds(tmp_path: Path) -> AsyncIterator[Rollout]:
    async for rollout in _rollout(populated(), other_than(populated()), tmp_path):
        yield rollout


async def _rollout(old: Metrics, new: Metrics, directory: Path) -> AsyncIterator[Rollout]:
    servers = [TelemetryServer(metrics, liveness=list, readiness=list) for metrics in (old, new)]
    for server in servers:
        await server.start()
    try:
        async with running_prometheus(directory) as prometheus:
            yield Rollout(prometheus, *servers)
    finally:
        for server in servers:
            await server.stop()


async def test_two_processes_are_shown_as_one(alike: Rollout) -> None:
    await alike.scrape(1)
    alone = await alike.shown()
    await alike.scrape(2)
    both = await alike.shown()
    assert alone["fleet: Exposed pools A"]
    assert alone["alert: PoolInternetExposed"]
    for where in alone.keys() - OF_PROCESSES:
        assert both[where] == alone[where], where
    for where in OF_PROCESSES:
        assert len(both[where]) == 2 * len(alone[where]), where


async def test_two_processes_that_disagree_on_who_governs_a_pool_break_nothing(at_odds: Rollout) -> None:
    await at_odds.scrape(2)
    shown = await at_odds.shown()
    for where in ("fleet: Exposed pools A", "correction: Drifted pools A", "alert: PoolInternetExposed"):
        pools = [(labels["connection"], labels["pool"]) for labels, _ in shown[where]]
        assert pools == [("prod", "render-2")], where
