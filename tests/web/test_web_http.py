"""The status page over HTTP: addresses, headers, and that it needs nothing but itself."""

from collections.abc import AsyncIterator
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from aiohttp import ClientSession

from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from batchaccess.web.statuspage import HEADERS, StatusPage
from tests.support.clock import FakeClock
from tests.web.feed import Fed, connection, pool, pool_status
from tests.web.wellformed import judged

PAGES = ("/", "/?q=render", "/pools/prod.render-1", "/policies", "/policies/render/ssh", "/connections/prod", "/events")


@pytest.fixture
def fed() -> Fed:
    return Fed()


@pytest.fixture
async def client(fed: Fed) -> AsyncIterator[ClientSession]:
    server = TelemetryServer(Metrics(FakeClock()), liveness=list, readiness=list)
    StatusPage(fed, FakeClock()).add_to(server.application)
    await server.start()
    async with ClientSession(server.url) as session:
        yield session
    await server.stop()


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_good_html_that_nobody_keeps(client: ClientSession, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert judged(await answer.text()).problems == []


def test_the_policy_lets_in_nothing_but_its_own() -> None:
    sources = [part.split()[1:] for part in HEADERS["Content-Security-Policy"].split("; ")]
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'none'")
    assert {source for each in sources for source in each} == {"'none'", "'self'"}


async def test_every_link_and_asset_resolves(client: ClientSession) -> None:
    await crawl(client, "/")


async def test_every_link_resolves_with_a_hostile_fleet(client: ClientSession, fed: Fed) -> None:
    fed.all_pools.append(pool("a b?c=d&e#f%2F../g", status=pool_status(policy="x?/y#")))
    fed.all_connections.append(connection("odd name?#%"))
    assert "/pools/prod.a%20b%3Fc%3Dd%26e%23f%252F..%2Fg" in await crawl(client, "/", missing="/policies/x%3F/y%23")


async def crawl(client: ClientSession, start: str, *, missing: str = "") -> set[str]:
    """Follow every link as a browser does; the addresses seen. Only `missing` may lead nowhere."""
    waiting, seen = [start], set[str]()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        async with client.get(address) as answer:
            assert answer.status == (404 if address == missing else 200), address
            if answer.content_type != "text/html":
                continue
            page = judged(await answer.text())
        targets = {urldefrag(urljoin(address, link)) for link in (*page.links, *page.assets)}
        waiting += sorted({target.url or "/" for target in targets if target.url} - seen - set(waiting))
        here = [
            each.fragment for each in targets if each.fragment and urlsplit(each.url).path == urlsplit(address).path
        ]
        assert not [fragment for fragment in here if fragment not in page.ids]
    return seen


async def test_links_are_relative_so_that_a_proxy_may_add_a_prefix(client: ClientSession) -> None:
    for path in PAGES:
        async with client.get(path) as answer:
            page = judged(await answer.text())
        assert not [link for link in (*page.links, *page.assets) if not link.startswith((".", "#"))]


@pytest.mark.parametrize(
    "path",
    [
        "/pools/prod.gone",
        "/policies/render/gone",
        "/connections/gone",
        "/assets/secret.txt",
        "/assets/..%2Fstatuspage.py",
        "/nothing",
        "/deep/er/still",
        "/pools/<script>",
    ],
)
async def test_what_is_not_there_is_answered_with_a_page(client: ClientSession, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 404
        page = judged(await answer.text())
        assert page.problems == []
        assert "There is nothing at this address" in page.text
        for link in page.assets:
            async with client.get(urljoin(path, link)) as asset:
                assert asset.status == 200


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_can_be_changed(client: ClientSession, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        async with client.request(method, path) as answer:
            assert answer.status == 405


@pytest.mark.parametrize("path", [*PAGES, "/assets/status.css"])
async def test_a_head_says_the_same_without_a_body(client: ClientSession, path: str) -> None:
    async with client.head(path) as answer:
        assert answer.status == 200
        assert await answer.read() == b""
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("name", "type"),
    [("status.css", "text/css"), ("status.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
async def test_assets_have_their_types(client: ClientSession, name: str, type: str) -> None:
    async with client.get(f"/assets/{name}") as answer:
        assert answer.content_type == type
        assert "//" not in (await answer.text()).replace("http://www.w3.org", "").replace("// ", "")


async def test_metrics_and_probes_are_served_beside_it(client: ClientSession) -> None:
    for path in ("/metrics", "/healthz", "/readyz"):
        async with client.get(path) as answer:
            assert answer.status == 200


async def test_a_page_shows_what_is_so_now(client: ClientSession, fed: Fed) -> None:
    async with client.get("/") as answer:
        assert "1 of 1 pool reachable from the Internet" in judged(await answer.text()).text
    fed.all_pools[0] = pool(status=pool_status(exposed=("False", "None")))
    async with client.get("/") as answer:
        assert "No pool is reachable from the Internet" in judged(await answer.text()).text


async def test_the_filter_works_by_address_alone(client: ClientSession, fed: Fed) -> None:
    fed.all_pools.append(pool("other", status=pool_status(exposed=("False", "None"))))
    async with client.get("/", params={"exposure": "closed"}) as answer:
        page = judged(await answer.text())
    assert "1 pool of 2" in page.text
    assert [link for link in page.links if link.startswith("./pools/")] == ["./pools/prod.other"]


async def test_events_of_a_pool_are_only_its_own(client: ClientSession, fed: Fed) -> None:
    fed.all_pools.append(pool("other"))
    async with client.get("/pools/prod.other") as answer:
        assert "The operator told of nothing since this replica started." in judged(await answer.text()).text
