"""One account on the wire: requests through azure-batch's own pipeline, answers as parsed JSON, errors as `PortError`.

The client's pipeline brings authentication, signatures, request ids, connection retries and the user agent. Its models
are not used: they cost twenty times the parsing and, at ten thousand pools, hold up the loop for most of a second.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import orjson
from azure.batch.aio import BatchClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from batchaccess import __version__
from batchaccess.azurebatch.classify import error_from_answer, retry_after_seconds
from batchaccess.azurebatch.credentials import Identity
from batchaccess.azurebatch.endpoints import Endpoint
from batchaccess.azurebatch.failures import connection_failed, no_answer_in_time, unreadable_answer
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.azurebatch.throttle import Throttle
from batchaccess.azurebatch.transport import TrustingTransport
from batchaccess.core.model import JsonObject
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Clock, PortError

API_VERSION: Final = "2025-06-01"
"""The first data plane whose every pool property can be updated while the pool is empty is 2024-07-01.20.0."""

_READS: Final = frozenset({"GET", "HEAD"})
_SUCCESS: Final = range(200, 300)
_CONTENT_TYPE: Final = "application/json; odata=minimalmetadata"


class RefusalPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Turns every answer that is no success into a `PortError`, inside the SDK's pipeline.

    Further out the SDK would choose an exception class that says less than the status, and parse error bodies in a way
    that fails on unusual ones. Standing inside its retry policy also settles that HTTP errors are never retried there.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        """Pass the request on, and a success back."""
        answer = await self.next.send(request)
        response = answer.http_response
        if response.status_code in _SUCCESS:
            return answer
        raise error_from_answer(
            response.status_code,
            await response.read(),
            retry_after=retry_after_seconds(response.headers, now=self._clock.now()),
            is_write=request.http_request.method not in _READS,
        )


class BatchWire:
    """Requests to one account, within its budget. Every method raises `PortError` and nothing else."""

    def __init__(
        self, endpoint: Endpoint, identity: Identity, throttle: Throttle, *, settings: AdapterSettings, clock: Clock
    ) -> None:
        self.endpoint = endpoint
        self.throttle = throttle
        self._identity = identity
        self._settings = settings
        self._clock = clock
        self._transport = TrustingTransport(settings.ca_file, use_proxies=not endpoint.is_loopback)
        self._client = self._new_client()
        self._renewal = asyncio.Lock()

    async def get(self, path: str, parameters: Mapping[str, str]) -> JsonObject:
        """The JSON object at `path`."""
        query = {**parameters, "api-version": API_VERSION}
        return await self._read(HttpRequest("GET", path, params=query, headers={"Accept": "application/json"}))

    async def follow(self, link: str) -> JsonObject:
        """The JSON object that an `odata.nextLink` leads to, which must be on the very same host."""
        if not self.endpoint.covers(link):
            raise unreadable_answer("odata.nextLink leads to another host, where it will not be followed")
        # The SDK takes braces in a URL for fields to fill in.
        safe = link.replace("{", "%7B").replace("}", "%7D")
        return await self._read(HttpRequest("GET", safe, headers={"Accept": "application/json"}))

    async def write(self, method: str, path: str, body: JsonObject | None, *, if_match: str | None) -> None:
        """Send `body`, if there is one, on the condition that the resource still has the ETag `if_match`.

        `if_match` is sent as it is written; None sends no condition.
        """
        headers = {} if body is None else {"Content-Type": _CONTENT_TYPE}
        if if_match is not None:
            headers["If-Match"] = if_match
        content = None if body is None else orjson.dumps(body, default=dict)
        parameters = {"api-version": API_VERSION}
        await self._send(HttpRequest(method, path, params=parameters, headers=headers, content=content))

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._client.close()
        await self._transport.close()
        await self._identity.close()

    async def _read(self, request: HttpRequest) -> JsonObject:
        document = _parsed(await self._send(request))
        if not isinstance(document, dict):
            raise unreadable_answer("it is not a JSON object")
        return document

    async def _send(self, request: HttpRequest) -> bytes:
        """Send within the budget; once more if the secret had been rotated, as a refusal has no effect to repeat."""
        await self._take_up(self._identity.renew_if_old)
        client = self._client
        try:
            return await self._send_once(request)
        except PortError as error:
            if error.kind is not ErrorKind.DENIED:
                raise
            await self._take_up(self._identity.renew_after_denial)
            if self._client is client:
                raise
        return await self._send_once(request)

    async def _take_up(self, renew: Callable[[], Awaitable[bool]]) -> None:
        """Use a renewed credential from now on; requests refused at the same time wait for one and the same renewal."""
        async with self._renewal:
            if await renew():
                self._client = self._new_client()

    async def _send_once(self, request: HttpRequest) -> bytes:
        await self.throttle.acquire()
        try:
            return await self._exchange(request)
        except PortError as error:
            if error.retry_after is not None:
                self.throttle.pause(error.retry_after)
            raise

    async def _exchange(self, request: HttpRequest) -> bytes:
        sent = False

        def mark_sent(_: object) -> None:
            nonlocal sent
            sent = True

        is_write = request.method not in _READS
        seconds = self._settings.request_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                # The hook runs behind authentication: waiting for a token in vain leaves nothing in doubt.
                options: dict[str, Any] = {"raw_request_hook": mark_sent, **self._plain_http_option()}
                response = await self._client.send_request(request, stream=True, **options)
                return await response.read()
        except TimeoutError as error:
            raise no_answer_in_time(self.endpoint.host, seconds, outcome_unknown=is_write and sent) from error
        except (AzureError, aiohttp.ClientError, OSError, ValueError) as error:
            raise connection_failed(error, self.endpoint.host, outcome_unknown=is_write and sent) from error

    def _plain_http_option(self) -> dict[str, Any]:
        """Only loopback passes the endpoint's check with http, and tokens for an emulator are no secrets."""
        token = callable(getattr(self._identity.credential, "get_token", None))
        return {"enforce_https": False} if token and self.endpoint.scheme == "http" else {}

    def _new_client(self) -> BatchClient:
        """A client of the current credential. It shares the transport, so replacing one closes nothing."""
        return BatchClient(
            self.endpoint.url,
            self._identity.credential,
            api_version=API_VERSION,
            credential_scopes=[self.endpoint.cloud.scope],
            per_call_policies=[],
            per_retry_policies=[RefusalPolicy(self._clock)],
            transport=self._transport,
            user_agent=f"batchaccess/{__version__}",
            permit_redirects=False,
            retry_total=2,
            retry_status=0,
            retry_read=0,
        )


def _parsed(body: bytes) -> object:
    """Parse a body of up to a thousand pools without collecting garbage meanwhile.

    Parsing makes tens of thousands of objects at once and no garbage. The dozens of collections it would start were
    measured to cost more than the parsing itself, and a single full one to hold up the loop for 150 ms.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise unreadable_answer("it is not JSON") from None
    finally:
        if was_collecting:
            gc.enable()
