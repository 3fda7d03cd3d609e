"""The emulator on aiohttp: turns HTTP into `Request` values and `Response` values into HTTP, faults included."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

from aiohttp import web

from batchemulator.control import PREFIX, control
from batchemulator.wire.messages import Delivery, Request, Response

if TYPE_CHECKING:
    from batchemulator.service import BatchEmulator

_MAX_BODY = 8 * 1024 * 1024


def make_app(emulator: BatchEmulator, *, bound_account: str | None = None) -> web.Application:
    """An aiohttp application for one port; `bound_account` is the account that has this port for itself."""

    async def answer(incoming: web.Request) -> web.StreamResponse:
        request = await _read(incoming, bound_account)
        if request.path.startswith(PREFIX):
            if not _is_loopback(incoming.remote):
                raise web.HTTPForbidden(text="the control endpoint answers on loopback only")
            return _write(control(emulator, request))
        response = emulator.handle(request)
        match response.delivery:
            case Delivery.ANSWERED:
                return _write(response)
            case Delivery.DROPPED:
                return _drop(incoming)
            case Delivery.WITHHELD:
                await _until_cancelled()
                return _drop(incoming)

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_route("*", "/{path:.*}", answer)
    return app


async def _read(incoming: web.Request, bound_account: str | None) -> Request:
    path, _, query = incoming.raw_path.partition("?")
    return Request(
        method=incoming.method,
        path=path,
        raw_query=query,
        headers={name.lower(): value for name, value in incoming.headers.items()},
        body=await incoming.read(),
        base_url=f"{incoming.scheme}://{incoming.host}",
        bound_account=bound_account,
    )


def _write(response: Response) -> web.Response:
    headers = dict(response.headers)
    return web.Response(status=response.status, headers=headers, body=response.body)


def _is_loopback(remote: str | None) -> bool:
    return remote is not None and ipaddress.ip_address(remote).is_loopback


def _drop(incoming: web.Request) -> web.Response:
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)


async def _until_cancelled() -> None:
    """Wait for ever: aiohttp cancels the handler when the client goes away or the server stops."""
    await asyncio.get_running_loop().create_future()
