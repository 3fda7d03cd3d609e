"""How many series a pool costs, and that none of them outlives it."""

from pathlib import Path

from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from tests.monitoring.prometheus_server import running_prometheus
from tests.monitoring.test_real_prometheus import eventually
from tests.monitoring.tools import required_tool
from tests.telemetry.build_rows import pool_exposed, pool_in_order

POOLS = 2000
DELETED = 1000
SERIES_IN_ORDER = 9 + 1
"""As docs/metrics.md says: 9, and one for the IP family in which addresses are admitted."""
SERIES_EXPOSED = 9 + 2 + 1 + 1
"""Both families, exposed since, drifted since."""


def pool_series(metrics: Metrics) -> list[str]:
    return [line for line in metrics.exposition().decode().splitlines() if ',pool="' in line]


def test_a_pool_has_as_many_series_as_the_reference_says() -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    prod.observe_pools([pool_in_order()])
    assert len(pool_series(metrics)) == SERIES_IN_ORDER
    prod.observe_pools([pool_exposed()])
    assert len(pool_series(metrics)) == SERIES_EXPOSED


def test_of_two_thousand_pools_a_thousand_deleted_ones_leave_nothing_in_the_next_scrape() -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    before_any = len(metrics.exposition().splitlines())
    rows = [pool_in_order(f"pool-{number:04}") for number in range(POOLS)]
    prod.observe_pools(rows)
    assert len(pool_series(metrics)) == POOLS * SERIES_IN_ORDER
    prod.observe_pools(rows[DELETED:])
    left = pool_series(metrics)
    assert len(left) == (POOLS - DELETED) * SERIES_IN_ORDER
    assert not [line for line in left if ',pool="pool-0' in line]
    prod.observe_pools([])
    with_outcomes = len([line for line in metrics.exposition().splitlines() if b"batchaccess_pools{" in line])
    assert len(metrics.exposition().splitlines()) <= before_any + with_outcomes


async def test_prometheus_drops_the_series_of_deleted_pools(tmp_path: Path) -> None:
    required_tool("prometheus")
    metrics = Metrics()
    prod = metrics.connection("prod")
    rows = [pool_in_order(f"pool-{number:04}") for number in range(POOLS)]
    prod.observe_pools(rows)
    telemetry = TelemetryServer(metrics, liveness=list, readiness=list)
    await telemetry.start()
    try:
        async with running_prometheus(tmp_path) as server:
            server.scrape(f"127.0.0.1:{telemetry.port}")

            async def series() -> list[str]:
                return [each["value"][1] for each in await server.query('count({pool=~"pool-.*"})')]

            await eventually(series, [str(POOLS * SERIES_IN_ORDER)])
            prod.observe_pools(rows[DELETED:])
            await eventually(series, [str((POOLS - DELETED) * SERIES_IN_ORDER)])
    finally:
        await telemetry.stop()
