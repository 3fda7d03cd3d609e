"""A plain HTTP client for any Kubernetes API server, made from a kubeconfig. It knows nothing of the emulator."""

from __future__ import annotations

import asyncio
import base64
import ssl
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import yaml

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import aiohttp

Json = dict[str, Any]
_T = TypeVar("_T")

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where an API server is and how to be let in."""

    url: str
    token: str
    context: ssl.SSLContext | None
    bare_context: ssl.SSLContext | None
    """As the context, but without the client certificate."""


def server_of(kubeconfig: Path) -> Server:
    """The server of a kubeconfig's current context, with its token or client certificate."""
    config = yaml.safe_load(kubeconfig.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"])["user"]
    return Server(
        url=cluster["server"].rstrip("/"),
        token=user.get("token", ""),
        context=_tls(cluster, user),
        bare_context=_tls(cluster, {}),
    )


def _named(entries: list[Json], name: str) -> Json:
    return next(entry for entry in entries if entry["name"] == name)


def _tls(cluster: Json, user: Json) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https"):
        return None
    context = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority"))
    if "client-certificate-data" in user or "client-certificate" in user:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(f"{_pem(user, 'client-certificate')}\n{_pem(user, 'client-key')}")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(entry: Json, key: str) -> str:
    if f"{key}-data" in entry:
        return base64.b64decode(entry[f"{key}-data"]).decode()
    return Path(entry[key]).read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status code and the decoded body."""

    code: int
    body: Json
    headers: Mapping[str, str]

    @property
    def reason(self) -> str:
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])


class ApiClient:
    """Calls an API server."""

    def __init__(self, server: Server, session: aiohttp.ClientSession, *, token: str | None = None) -> None:
        self._server = server
        self._session = session
        self._token = server.token if token is None else token

    def with_token(self, token: str) -> ApiClient:
        """The same server as seen by somebody else, without a client certificate."""
        server = replace(self._server, context=self._server.bare_context)
        return ApiClient(server, self._session, token=token)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a body of bytes is sent as it is."""
        content = body if isinstance(body, bytes) else (None if body is None else orjson.dumps(body))
        headers = {"Content-Type": content_type, "Accept": accept, **self._authorization()}
        async with self._session.request(
            method, self._server.url + path, data=content, headers=headers, params=query or {}, ssl=self._context()
        ) as response:
            raw = await response.read()
            # A real server calls the index of its OpenAPI v3 documents plain text.
            is_json = "json" in response.content_type or raw.startswith(b"{")
            decoded = orjson.loads(raw) if is_json else {"text": raw.decode()}
            return Answer(code=response.status, body=decoded, headers=dict(response.headers))

    async def get(self, path: str, *, accept: str = "application/json", **query: str) -> Answer:
        return await self.call("GET", path, accept=accept, query=query)

    async def post(self, path: str, body: object, **query: str) -> Answer:
        return await self.call("POST", path, body, query=query)

    async def put(self, path: str, body: object, **query: str) -> Answer:
        return await self.call("PUT", path, body, query=query)

    async def merge(self, path: str, body: object, **query: str) -> Answer:
        return await self.call("PATCH", path, body, content_type=MERGE, query=query)

    async def delete(self, path: str, body: object = None, **query: str) -> Answer:
        return await self.call("DELETE", path, body, query=query)

    async def apply(self, path: str, body: object, manager: str, **query: str) -> Answer:
        return await self.call("PATCH", path, body, content_type=APPLY, query={"fieldManager": manager, **query})

    async def watch(
        self, path: str, enough: Callable[[list[Json]], bool], *, seconds: int = 10, **query: str | int
    ) -> list[Json]:
        """The events of a watch until there are enough of them, or the server ends the stream.

        Raises:
            WatchRefusedError: The server answered the request itself with an error.
            TimeoutError: Neither happened within the seconds and a margin.
        """
        parameters = {"watch": "1", "timeoutSeconds": str(seconds)} | query
        events: list[Json] = []
        async with (
            asyncio.timeout(seconds + 10),
            self._session.get(
                self._server.url + path, params=parameters, headers=self._authorization(), ssl=self._context()
            ) as response,
        ):
            if response.status != 200:
                raise WatchRefusedError(response.status)
            async for line in response.content:
                events.append(orjson.loads(line))
                if enough(events):
                    _abandon(response)
                    break
        return events

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _context(self) -> ssl.SSLContext | bool:
        return self._server.context if self._server.context is not None else True


def _abandon(response: aiohttp.ClientResponse) -> None:
    """Drop the connection of an endless stream at once: a TLS goodbye would outlive the test's event loop."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()


class WatchRefusedError(Exception):
    """A watch was answered with an error instead of a stream."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the watch was refused with {code}")
        self.code = code


async def until(condition: Callable[[], Awaitable[_T]], *, seconds: float = 15.0) -> _T:
    """The first true result of an awaitable condition, asked again and again for a bounded time.

    Raises:
        TimeoutError: It never was true.
    """
    async with asyncio.timeout(seconds):
        while True:
            result = await condition()
            if result:
                return result
            await asyncio.sleep(0.05)
