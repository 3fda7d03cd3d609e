"""A loopback HTTP server that answers what a test tells it to, and remembers what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class ScriptedService:
    """Answers from `script` in turn, the last one for ever."""

    script: list[Answer]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(
            Asked(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers=headers,
                body=await request.read(),
            )
        )
        return await self.script[min(len(self.asked), len(self.script)) - 1](request)


@asynccontextmanager
async def serving(*script: Answer, tls: SSLContext | None = None) -> AsyncIterator[ScriptedService]:
    service = ScriptedService(script=list(script))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield service
    finally:
        await runner.cleanup()


def json(body: Any, status: int = 200, **headers: str) -> Answer:  # noqa: ANN401 any JSON
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def raw(text: str, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def refusal(status: int, code: str, **headers: str) -> Answer:
    message = {"lang": "en-US", "value": f"Text of {code}.\nRequestId:1-2\nTime:2026-02-03T00:00:21.2341036Z"}
    return json({"code": code, "message": message}, status, **headers)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()
