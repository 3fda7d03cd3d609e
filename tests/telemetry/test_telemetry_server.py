"""The HTTP server: metrics as Prometheus scrapes them, probes as the kubelet asks them."""

import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from tests.support.clock import FakeClock
from tests.telemetry.build_rows import pool_exposed, populated

PROMETHEUS_ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


class Probes:
    def __init__(self) -> None:
        self.liveness: list[str] = []
        self.readiness: list[str] = []


@pytest.fixture
def probes() -> Probes:
    return Probes()


@pytest.fixture
async def server(probes: Probes) -> AsyncIterator[TelemetryServer]:
    server = TelemetryServer(populated(), liveness=lambda: probes.liveness, readiness=lambda: probes.readiness)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: TelemetryServer) -> AsyncIterator[ClientSession]:
    async with ClientSession(server.url, auto_decompress=False) as session:
        yield session


async def test_metrics_are_served_as_prometheus_text(client: ClientSession) -> None:
    async with client.get("/metrics", headers={"Accept": PROMETHEUS_ACCEPT, "Accept-Encoding": "identity"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert b'batchaccess_pool_exposure_violation{connection="prod",pool="render-2"} 1.0\n' in await answer.read()


async def test_metrics_are_compressed_for_who_asks(client: ClientSession) -> None:
    async with client.get("/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()).startswith(b"# HELP batchaccess_pool_info")


async def test_a_large_exposition_is_served_whole(client: ClientSession, server: TelemetryServer) -> None:
    metrics: Metrics = server._metrics
    metrics.connection("prod").observe_pools([pool_exposed(f"pool-{number:04}") for number in range(2000)])
    async with client.get("/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        assert gzip.decompress(await answer.read()).count(b"\nbatchaccess_pool_info{") == 2000


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        pytest.param("/healthz", 500, id="liveness fails with 500"),
        pytest.param("/readyz", 503, id="readiness fails with 503"),
    ],
)
async def test_probes_say_what_is_wrong(client: ClientSession, probes: Probes, path: str, failure: int) -> None:
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")
    (probes.liveness if path == "/healthz" else probes.readiness).extend(["first problem", "second problem"])
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (failure, "first problem\nsecond problem\n")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 405), ("DELETE", 405)])
async def test_nothing_can_be_changed_through_it(client: ClientSession, method: str, status: int) -> None:
    async with client.request(method, "/metrics") as answer:
        assert answer.status == status


async def test_it_listens_on_loopback_unless_told_otherwise(server: TelemetryServer) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server.port > 0


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param("0.0.0.0", "http://127.0.0.1:8080", id="every IPv4 address is shown as loopback"),  # noqa: S104 not bound
        pytest.param("::", "http://127.0.0.1:8080", id="every address is shown as loopback"),
        pytest.param("::1", "http://[::1]:8080", id="an IPv6 address is shown in brackets"),
        pytest.param("10.1.2.3", "http://10.1.2.3:8080", id="one address is shown as it is"),
    ],
)
def test_the_url_can_be_opened(host: str, url: str) -> None:
    assert TelemetryServer(Metrics(FakeClock()), liveness=list, readiness=list, host=host, port=8080).url == url


async def test_a_taken_port_is_an_error_at_start(server: TelemetryServer) -> None:
    second = TelemetryServer(Metrics(FakeClock()), liveness=list, readiness=list, port=server.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()


async def test_stopping_frees_the_port_and_may_be_repeated() -> None:
    first = TelemetryServer(Metrics(FakeClock()), liveness=list, readiness=list)
    await first.stop()
    await first.start()
    port = first.port
    await first.stop()
    await first.stop()
    second = TelemetryServer(Metrics(FakeClock()), liveness=list, readiness=list, port=port)
    await second.start()
    await second.stop()


async def test_further_pages_can_be_added() -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    server = TelemetryServer(Metrics(FakeClock()), liveness=list, readiness=list)
    server.application.router.add_get("/", hello)
    await server.start()
    try:
        async with ClientSession(server.url) as session, session.get("/") as answer:
            assert await answer.text() == "hello"
    finally:
        await server.stop()
