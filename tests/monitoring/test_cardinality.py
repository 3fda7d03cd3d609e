"""How many series a pool costs, and that none of them outlives it."""

from pathlib import Path

import pytest

from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from tests.monitoring.prometheus_server import running_prometheus
from tests.monitoring.test_real_prometheus import eventually
from tests.monitoring.tools import required_tool
from tests.support.clock import FakeClock
from tests.support.drains import Drains, busy_pool
from tests.telemetry.build_rows import connection_row, policy_row, pool_exposed, pool_in_order

REFERENCE = Path(__file__).parents[2] / "docs" / "metrics.md"
POOLS = 2000
DELETED = 1000
SERIES_IN_ORDER = 9 + 1
"""As docs/metrics.md says: 9, and one for the IP family in which addresses are admitted."""
SERIES_EXPOSED = 9 + 2 + 1 + 1 + 1
"""Both families, exposed since, drifted since, the assertions of one policy."""
SERIES_OF_CONNECTION = 124
SERIES_OF_POLICY = 2
SERIES_OF_OPERATOR = 240
"""Some: the client library has its say in what it tells of the process."""


def all_series(metrics: Metrics) -> int:
    return len([line for line in metrics.exposition().splitlines() if not line.startswith(b"#")])


def pool_series(metrics: Metrics) -> list[str]:
    return [line for line in metrics.exposition().decode().splitlines() if ',pool="' in line]


def test_a_pool_has_as_many_series_as_the_reference_says() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.observe_pools([pool_in_order()])
    assert len(pool_series(metrics)) == SERIES_IN_ORDER
    prod.observe_pools([pool_exposed()])
    assert len(pool_series(metrics)) == SERIES_EXPOSED


def test_operator_connections_and_policies_have_as_many_as_the_reference_says() -> None:
    metrics = Metrics(FakeClock())
    operator = all_series(metrics)
    assert operator == pytest.approx(SERIES_OF_OPERATOR, abs=10)
    prod = metrics.connection("prod")
    prod.observe(connection_row())
    prod.observe_pools([])
    prod.observe_sagas({}, pending=0)
    prod.observe_breaker(is_open=False)
    with_connection = all_series(metrics)
    assert with_connection - operator == SERIES_OF_CONNECTION
    row = policy_row()
    metrics.observe_policy(row)
    assert all_series(metrics) - with_connection == SERIES_OF_POLICY + len(row.conditions)
    text = REFERENCE.read_text("utf-8")
    assert f"A connection has {SERIES_OF_CONNECTION} series" in text
    assert f"some {SERIES_OF_OPERATOR}." in text


async def test_a_sweep_that_finds_a_thousand_pools_deleted_leaves_nothing_of_them() -> None:
    world = Drains.of(*(busy_pool(f"pool-{number:04}", nodes=0) for number in range(POOLS)), policies=[])
    await world.sweep()
    before = pool_series(world.metrics)
    assert len({line.partition('pool="')[2].partition('"')[0] for line in before}) == POOLS
    for number in range(DELETED):
        world.account.pools.remove(f"pool-{number:04}")
    await world.sweep()
    left = pool_series(world.metrics)
    assert len(left) == len(before) // 2
    assert not [line for line in left if ',pool="pool-0' in line]


def test_of_two_thousand_pools_a_thousand_deleted_ones_leave_nothing_in_the_next_scrape() -> None:
    metrics = Metrics(FakeClock())
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
    metrics = Metrics(FakeClock())
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
