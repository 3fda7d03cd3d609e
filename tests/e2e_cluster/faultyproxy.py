"""A reverse proxy between an operator and the API server, which delays, freezes and cuts what passes.

It serves with the control plane's own certificate, so that the operator trusts it as it trusts the API server.
"""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from tests.controlplane.server import ControlPlane

_START_SECONDS: Final = 30
_PASSED_ON: Final = ("Authorization", "Content-Type", "Accept", "User-Agent")
_HIDDEN: Final = ("Transfer-Encoding", "Content-Length", "Content-Encoding", "Connection")
_GATEWAY_TIMEOUT: Final = 504


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What is wrong with the API server just now; set from the tests' thread.

    Attributes:
        delay_seconds: added to every request but watches.
        watches_frozen: open watches stay open and deliver nothing any more; new ones open and deliver nothing.
        unreachable: every connection is dropped, the open ones too.
        before_patch: by the end of a path, called once before the next PATCH of it is passed on.
        expired: how often a watch was told 410 Gone.
        watches_opened: how many watches there were.
    """

    delay_seconds: float = 0
    watches_frozen: bool = False
    unreachable: bool = False
    before_patch: dict[str, Callable[[], None]] = field(default_factory=dict)
    expired: int = 0
    watches_opened: int = 0


@dataclass(slots=True, kw_only=True)
class FaultyProxy:
    """A proxy that runs."""

    url: str
    trouble: Trouble = field(default_factory=Trouble)


class _Forwarding:
    def __init__(self, target: str, session: aiohttp.ClientSession, trouble: Trouble) -> None:
        self._target = target
        self._session = session
        self._trouble = trouble

    async def handle(self, request: web.Request) -> web.StreamResponse:
        trouble = self._trouble
        is_watch = request.query.get("watch") in ("1", "true")
        if trouble.unreachable:
            return self._drop(request)
        if not is_watch:
            await asyncio.sleep(trouble.delay_seconds)
        if request.method == "PATCH":
            await self._before_patch(request.path)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        try:
            async with self._session.request(
                request.method, self._target + request.raw_path, data=await request.read() or None, headers=headers
            ) as answer:
                return await (self._stream if is_watch else self._whole)(request, answer)
        except aiohttp.ClientConnectionError:
            return self._drop(request)

    async def _before_patch(self, path: str) -> None:
        for end in [each for each in self._trouble.before_patch if path.endswith(each)]:
            await asyncio.to_thread(self._trouble.before_patch.pop(end))

    def _drop(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=_GATEWAY_TIMEOUT)

    async def _whole(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        del request
        kept = {name: text for name, text in answer.headers.items() if name.title() not in _HIDDEN}
        return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _stream(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        self._trouble.watches_opened += 1
        self._trouble.expired += answer.status == web.HTTPGone.status_code
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        lines = aiter(answer.content)
        following = asyncio.ensure_future(anext(lines))
        try:
            while not self._trouble.unreachable:
                done, _ = await asyncio.wait({following}, timeout=0.1)
                if not done or self._trouble.watches_frozen:
                    continue
                line = following.result()
                self._trouble.expired += b'"code":410' in line
                await response.write(line)
                following = asyncio.ensure_future(anext(lines))
        except StopAsyncIteration:
            return response
        except (ConnectionResetError, aiohttp.ClientError):
            pass
        finally:
            following.cancel()
        return self._drop(request)


@asynccontextmanager
async def _serving(plane: ControlPlane, trouble: Trouble) -> AsyncIterator[str]:
    trusting = ssl.create_default_context(cafile=str(plane.keys.authority))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(plane.keys.serving.certificate, plane.keys.serving.key)
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(ssl=trusting, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, skip_auto_headers=("Content-Type",)
    ) as session:
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/{path:.*}", _Forwarding(plane.url, session, trouble).handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving).start()
            yield f"https://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


@contextmanager
def faulty_proxy(plane: ControlPlane) -> Iterator[FaultyProxy]:
    """Serve from a thread with an event loop of its own."""
    started: list[FaultyProxy] = []
    failures: list[BaseException] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        trouble = Trouble()
        async with _serving(plane, trouble) as url:
            started.append(FaultyProxy(url=url, trouble=trouble))
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:  # noqa: BLE001 told to the thread that waits
            failures.append(error)
            ready.set()
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="faulty proxy")
    thread.start()
    try:
        assert ready.wait(_START_SECONDS), "the proxy did not start"
        assert started, failures
        yield started[0]
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)
