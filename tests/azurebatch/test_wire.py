"""The adapter against a scripted server: what is sent, what is refused, what an error becomes."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import web

from batchaccess import __version__
from batchaccess.azurebatch.convert import POOL_KEYS
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.model import (
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError, UnreadablePool
from tests.azurebatch.accounts import SteppedClock, connected
from tests.azurebatch.scripted_service import ScriptedService, hang_up, json, raw, refusal, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LOOPBACK = ("127.0.0.1",)


def pool(pool_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    return {
        "id": pool_id,
        "eTag": "0x1",
        "state": "active",
        "allocationState": "steady",
        "currentDedicatedNodes": 0,
        "currentLowPriorityNodes": 0,
        "targetDedicatedNodes": 0,
        "targetLowPriorityNodes": 0,
        "enableAutoScale": False,
        **more,
    }


async def test_a_listing_selects_what_is_read_and_says_who_asks() -> None:
    async with serving(json({"value": [pool("a"), pool("b")]})) as service, connected(service.url) as pools:
        listing = await pools.list_pools()
    assert [found.id for found in listing.pools] == ["a", "b"]
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("GET", "/pools")
    assert asked.query["$select"].split(",") == list(POOL_KEYS)
    assert asked.query["maxresults"] == "1000"
    assert asked.query["api-version"] == "2025-06-01"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["user-agent"].startswith(f"batchaccess/{__version__} azsdk-python-batch/")
    assert asked.headers["authorization"].startswith("SharedKey acct:")
    assert len(asked.headers["client-request-id"]) == 36


def pages(service: ScriptedService, count: int) -> None:
    """Script `count` pages of one pool, each naming the next by a token with every awkward character."""

    def page(number: int) -> dict[str, Any]:
        body: dict[str, Any] = {"value": [pool(f"p{number}")]}
        if number + 1 < count:
            token = f"1!{number + 1}%2B%2F%3D&api-version=2025-06-01&maxresults=1"
            body["odata.nextLink"] = f"{service.url}/pools?$skiptoken={token}"
        return body

    service.script = [json(page(number)) for number in range(count)]


async def test_pages_are_followed_to_the_end() -> None:
    async with serving(json({})) as service, connected(service.url) as pools:
        pages(service, 3)
        listing = await pools.list_pools()
    assert [found.id for found in listing.pools] == ["p0", "p1", "p2"]
    assert service.asked[1].query["$skiptoken"] == "1!1+/="


async def test_braces_in_a_link_are_passed_on_as_they_are() -> None:
    async with serving(json({})) as service, connected(service.url) as pools:
        link = f"{service.url}/pools?$skiptoken={{a}}&api-version=2025-06-01"
        service.script = [json({"value": [], "odata.nextLink": link}), json({"value": [pool("a")]})]
        assert [found.id for found in (await pools.list_pools()).pools] == ["a"]
    assert service.asked[1].query["$skiptoken"] == "{a}"


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("https://evil.example/pools?$skiptoken=1", id="another host"),
        pytest.param("http://127.0.0.1:1/pools?$skiptoken=1", id="another port"),
        pytest.param("/pools?$skiptoken=1", id="no host"),
        pytest.param(7, id="no text"),
    ],
)
async def test_a_link_that_leads_elsewhere_is_refused_and_nothing_sent_there(link: object) -> None:
    async with serving(json({"value": [], "odata.nextLink": link})) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.list_pools()
    assert caught.value.code == "UnreadableAnswer"
    assert len(service.asked) == 1


async def test_pages_that_lead_in_a_circle_end() -> None:
    async with serving(json({})) as service, connected(service.url) as pools:
        service.script = [json({"value": [], "odata.nextLink": f"{service.url}/pools?$skiptoken=1"})]
        with pytest.raises(PortError, match="do not end"):
            await pools.list_pools()
    assert len(service.asked) == 2


async def test_a_redirect_is_not_followed() -> None:
    async with serving(raw("", 307, Location="https://evil.example/pools")) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.list_pools()
    assert caught.value.code == "RedirectRefused"
    assert len(service.asked) == 1


async def test_an_unchanged_pool_is_the_same_object_and_a_changed_one_is_not() -> None:
    async with serving(json({})) as service, connected(service.url) as pools:
        service.script = [
            json({"value": [pool("a"), pool("b"), pool("gone")]}),
            json({"value": [pool("a"), pool("b", currentDedicatedNodes=1)]}),
            json({"odata.metadata": "x", **pool("a")}),
            json({"value": [pool("a"), pool("gone")]}),
        ]
        first = {found.id: found for found in (await pools.list_pools()).pools}
        second = {found.id: found for found in (await pools.list_pools()).pools}
        read = await pools.get_pool("a")
        third = {found.id: found for found in (await pools.list_pools()).pools}
    assert second["a"] is first["a"]
    assert second["b"] is not first["b"]
    assert read is first["a"]
    assert third["gone"] is not first["gone"]


async def test_an_unreadable_pool_is_told_and_does_not_hide_the_others() -> None:
    body = {"value": [pool("a"), pool("b", metadata=7), {"id": ["no", "text"]}, {}, pool("c")]}
    async with serving(json(body)) as service, connected(service.url) as pools:
        listing = await pools.list_pools()
    assert [found.id for found in listing.pools] == ["a", "c"]
    assert listing.unreadable == (
        UnreadablePool(id="b", problem="metadata: 7 is not a list"),
        UnreadablePool(id="['no', 'text']", problem="id: ['no', 'text'] is not a text"),
        UnreadablePool(id="", problem="id: is missing"),
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw("<html>"), id="a page of a captive portal"),
        pytest.param(raw(""), id="nothing"),
        pytest.param(json([pool("a")]), id="a bare list"),
        pytest.param(json({"pools": []}), id="an object without value"),
        pytest.param(json({"value": {"a": 1}}), id="a value that is no list"),
        pytest.param(json({"value": [7]}), id="elements that are no objects"),
    ],
)
async def test_a_success_that_is_no_pool_list_is_an_error_and_not_an_empty_account(answer: Any) -> None:  # noqa: ANN401
    async with serving(answer) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.list_pools()
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "UnreadableAnswer")


async def test_a_pool_id_is_quoted_into_the_path() -> None:
    async with serving(json(pool("a/b?c"))) as service, connected(service.url) as pools:
        assert (await pools.get_pool("a/b?c")).id == "a/b?c"
    assert service.asked[0].path == "/pools/a/b?c"
    assert "c" not in service.asked[0].query


async def test_an_unreadable_pool_read_alone_is_an_error_naming_the_key() -> None:
    async with serving(json(pool("a", metadata=7))) as service, connected(service.url) as pools:
        with pytest.raises(PortError, match="pool a: metadata: 7 is not a list"):
            await pools.get_pool("a")


async def test_a_patch_sends_the_network_alone_under_a_quoted_condition() -> None:
    async with serving(raw("")) as service, connected(service.url) as pools:
        await pools.patch_network("a", {"subnetId": "s", "futureKey": [1]}, etag="0x8DE")
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("PATCH", "/pools/a")
    assert orjson.loads(asked.body) == {"networkConfiguration": {"subnetId": "s", "futureKey": [1]}}
    assert asked.headers["if-match"] == '"0x8DE"'
    assert asked.headers["content-type"] == "application/json; odata=minimalmetadata"
    assert asked.headers["content-length"] == str(len(asked.body))
    assert asked.query == {"api-version": "2025-06-01"}


@pytest.mark.parametrize(("etag", "sent"), [('"0x1"', '"0x1"'), ('W/"0x1"', 'W/"0x1"'), ("0x1", '"0x1"')])
async def test_an_etag_is_quoted_once(etag: str, sent: str) -> None:
    async with serving(raw("")) as service, connected(service.url) as pools:
        await pools.patch_network("a", {}, etag=etag)
    assert service.asked[0].headers["if-match"] == sent


@pytest.mark.parametrize("etag", ["", "*"])
async def test_an_unconditional_patch_is_never_sent(etag: str) -> None:
    async with serving(raw("")) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.patch_network("a", {}, etag=etag)
    assert caught.value.code == "MissingETag"
    assert service.asked == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 412, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("operation", ["list", "get", "patch", "nodes"])
async def test_an_error_surfaces_at_once_with_its_status_and_code(status: int, operation: str) -> None:
    async with serving(refusal(status, "SomeCode")) as service, connected(service.url) as pools:
        calls: dict[str, Callable[[], Coroutine[None, None, object]]] = {
            "list": pools.list_pools,
            "get": partial(pools.get_pool, "a"),
            "patch": partial(pools.patch_network, "a", {}, etag="0x1"),
            "nodes": partial(pools.list_node_endpoints, ObservedPool(id="a", etag="0x1")),
        }
        with pytest.raises(PortError) as caught:
            await calls[operation]()
    assert (caught.value.status, caught.value.code) == (status, "SomeCode")
    assert caught.value.message == "Text of SomeCode."
    assert len(service.asked) == 1
    assert caught.value.outcome_unknown is (operation == "patch" and status in {408, 500, 502, 503, 504})


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", '{"code": "X", "message": "text"}', '{"message": {}, "values": 3}']
)
async def test_an_error_body_of_any_shape_becomes_a_port_error(body: str) -> None:
    async with serving(raw(body, 503, Content_Type="application/json")) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.patch_network("a", {}, etag="0x1")
    assert caught.value.status == 503
    assert caught.value.kind is ErrorKind.TRANSIENT


async def test_retry_after_is_told_and_kept() -> None:
    clock = SteppedClock()
    busy = refusal(429, "TooManyRequests", Retry_After="120")
    async with serving(busy, json(pool("a"))) as service, connected(service.url, clock=clock) as pools:
        with pytest.raises(PortError) as caught:
            await pools.get_pool("a")
        assert caught.value.retry_after == 120
        assert pools.budget.paused_for == 120
        assert pools.budget.level == 0
        clock.step(60)
        with pytest.raises(PortError) as throttled:
            await pools.get_pool("a")
        assert (throttled.value.code, throttled.value.retry_after) == ("Throttled", 60)
        assert len(service.asked) == 1
        clock.step(60)
        assert (await pools.get_pool("a")).id == "a"


async def slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def test_no_answer_in_time_leaves_a_write_in_doubt_and_a_reading_not() -> None:
    settings = AdapterSettings(allow_endpoint_suffixes=LOOPBACK, request_timeout_seconds=0.2)
    async with serving(slow) as service, connected(service.url, settings=settings) as pools:
        with pytest.raises(PortError) as read:
            await pools.get_pool("a")
        with pytest.raises(PortError) as written:
            await pools.patch_network("a", {}, etag="0x1")
    assert (read.value.kind, read.value.code, read.value.outcome_unknown) == (ErrorKind.TRANSIENT, "Timeout", False)
    assert (written.value.code, written.value.outcome_unknown) == ("Timeout", True)
    assert len(service.asked) == 2


async def test_a_connection_broken_after_sending_leaves_a_write_in_doubt_and_is_not_repeated() -> None:
    async with serving(hang_up) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as written:
            await pools.patch_network("a", {}, etag="0x1")
        assert len(service.asked) == 1
    assert (written.value.code, written.value.outcome_unknown) == ("ConnectionFailed", True)


async def test_a_connection_broken_is_tried_again_for_a_reading() -> None:
    async with serving(hang_up, json(pool("a"))) as service, connected(service.url) as pools:
        assert (await pools.get_pool("a")).id == "a"


async def test_an_answer_cut_short_is_an_error() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"value": [')
        assert request.transport is not None
        request.transport.close()
        return response

    async with serving(cut) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.list_pools()
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "ConnectionFailed")


async def test_a_refused_connection_is_no_doubt_about_a_write() -> None:
    async with serving(json({})) as service:
        url = service.url
    async with connected(url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.patch_network("a", {}, etag="0x1")
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "ConnectionFailed")
    assert caught.value.message == "127.0.0.1 accepts no connection: Connection refused"
    assert caught.value.outcome_unknown is False


async def test_nodes_are_listed_in_pages_and_compared_with_the_pool() -> None:
    def node(*endpoints: tuple[str, int]) -> dict[str, Any]:
        mapped = [{"name": name, "backendPort": port} for name, port in endpoints]
        return {"id": "n", "endpointConfiguration": {"inboundEndpoints": mapped}}

    async with serving(json({})) as service, connected(service.url) as pools:
        link = f"{service.url}/pools/a/nodes?$skiptoken=1&api-version=2025-06-01"
        service.script = [
            json({"value": [node() | {"runningTasksCount": 3}], "odata.nextLink": link}),
            json({"value": [node(("SSHRule.1", 22))]}),
        ]
        findings = await pools.list_node_endpoints(ObservedPool(id="a", etag="0x1"))
    assert findings == NodeFindings(nodes=2, implicit_ports=frozenset({22}))
    assert findings.running_tasks == 3
    assert service.asked[0].path == "/pools/a/nodes"
    assert service.asked[0].query["$select"] == "id,endpointConfiguration,runningTasksCount"
