"""The HTTP side of the status page: which address shows what, and with which headers. Answers GET and HEAD only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from http import HTTPStatus
from importlib import resources
from typing import Final, TypeAlias

from aiohttp import web

from batchaccess.core.model import ObjectKey
from batchaccess.ports import Clock
from batchaccess.web.addresses import Addresses, filter_from, page_from
from batchaccess.web.connectionpage import connection_page
from batchaccess.web.eventspage import events_page
from batchaccess.web.fleet import FleetIndex, PoolGlance
from batchaccess.web.fleetpage import FleetRequest, fleet_page
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import el
from batchaccess.web.policypage import policies_page, policy_page
from batchaccess.web.poolpage import pool_page
from batchaccess.web.readings import Readings, RecentEvent

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_SLICE: Final = 250
"""Pools read at a time: some milliseconds."""

_ASSETS: Final = {"status.css": "text/css", "status.js": "text/javascript", "icon.svg": "image/svg+xml"}


class StatusPage:
    """Serves the pages; `add_to` an application before it is started."""

    def __init__(self, readings: Readings, clock: Clock) -> None:
        self._readings = readings
        self._clock = clock
        self._fleet = FleetIndex()

    def add_to(self, application: web.Application) -> None:
        """Add the pages; addresses that nobody serves are answered with a page too."""
        application.middlewares.append(self._missing_pages)
        application.add_routes(
            [
                web.get("/", self._serve_fleet),
                web.get("/pools/{name}", self._serve_pool),
                web.get("/policies", self._serve_policies),
                web.get("/policies/{namespace}/{name}", self._serve_policy),
                web.get("/connections/{name}", self._serve_connection),
                web.get("/events", self._serve_events),
                web.get("/assets/{name}", self._serve_asset),
            ]
        )

    async def _serve_fleet(self, request: web.Request) -> web.Response:
        asked = FleetRequest(wanted=filter_from(request.query), page=page_from(request.query))
        pools = await self._look()
        return _html(fleet_page(pools, self._readings.connections(), asked, shell=self._shell("Pools")))

    async def _look(self) -> Sequence[PoolGlance]:
        """The fleet, read in slices: the sweeps run on the same event loop and go on between them."""
        readings = list(self._readings.pools())
        for first in range(0, len(readings), _SLICE):
            self._fleet.learn(readings[first : first + _SLICE])
            await asyncio.sleep(0)
        return self._fleet.look(readings)

    async def _serve_pool(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        pool = self._readings.pool(name)
        if pool is None:
            raise web.HTTPNotFound
        events = self._events_about("BatchPoolAccess", name)
        connection = self._readings.connection(pool.connection)
        return _html(pool_page(pool, connection, events, shell=self._shell("Pools", depth=1)))

    async def _serve_policies(self, request: web.Request) -> web.Response:
        return _html(policies_page(self._readings.policies(), page_from(request.query), shell=self._shell("Policies")))

    async def _serve_policy(self, request: web.Request) -> web.Response:
        key = ObjectKey(namespace=request.match_info["namespace"], name=request.match_info["name"])
        policy = self._readings.policy(key)
        if policy is None:
            raise web.HTTPNotFound
        events = self._events_about("BatchPoolAccessPolicy", key.name, key.namespace)
        return _html(policy_page(policy, self._readings.pool, events, shell=self._shell("Policies", depth=2)))

    async def _serve_connection(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        connection = self._readings.connection(name)
        if connection is None:
            raise web.HTTPNotFound
        events = self._events_about("BatchAccountConnection", name)
        return _html(connection_page(connection, events, shell=self._shell("Pools", depth=1)))

    async def _serve_events(self, _: web.Request) -> web.Response:
        return _html(events_page(self._readings.events(), shell=self._shell("Events")))

    async def _serve_asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _ASSETS:
            raise web.HTTPNotFound
        return _answer(_asset(name), content_type=_ASSETS[name])

    def _events_about(self, kind: str, name: str, namespace: str | None = None) -> list[RecentEvent]:
        return [event for event in self._readings.events() if event.is_about(kind, name, namespace)]

    def _shell(self, place: str = "", *, depth: int = 0) -> Shell:
        return Shell(
            addresses=Addresses(depth),
            now=self._clock.now(),
            problems=self._readings.problems(),
            place=place,
            standby=self._readings.standby(),
        )

    @web.middleware
    async def _missing_pages(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return self._missing(request)

    def _missing(self, request: web.Request) -> web.Response:
        shell = self._shell(depth=max(0, request.rel_url.raw_path.count("/") - 1))
        content = page(
            "Not found",
            el("h1", "Not found"),
            el("p", "There is nothing at this address. What it showed may have been deleted since."),
            el("p", el("a", "Show all pools", href=shell.addresses.fleet())),
            shell=shell,
        )
        return _html(content, status=HTTPStatus.NOT_FOUND)


def _html(text: str, *, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return _answer(text.encode(), content_type="text/html", status=status)


def _answer(body: bytes, *, content_type: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    answer = web.Response(body=body, content_type=content_type, charset="utf-8", status=status, headers=HEADERS)
    answer.enable_compression()
    return answer


@lru_cache(maxsize=len(_ASSETS))
def _asset(name: str) -> bytes:
    return resources.files("batchaccess.web").joinpath("assets", name).read_bytes()
