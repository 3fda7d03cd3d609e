"""A client of the Kubernetes API that speaks plain JSON: configured and authenticated by the official client.

The typed models of the official client are not used: custom resources have none, and unknown fields must survive.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from yaml import YAMLError

from batchaccess import __version__
from batchaccess.core.model import JsonObject
from batchaccess.core.reasons import ErrorKind
from batchaccess.kube.errors import refused, unanswered
from batchaccess.ports import PortError, WriteLeave

MERGE_PATCH: Final = "application/merge-patch+json"
"""Content type of a JSON merge patch (RFC 7386)."""

JSON_PATCH: Final = "application/json-patch+json"
"""Content type of a JSON patch (RFC 6902)."""

NO_CONFIGURATION: Final = "NoConfiguration"
"""Code of the error when neither a kubeconfig nor a ServiceAccount can be found."""

_JSON: Final = "application/json"
_READ: Final = "GET"
_UNAUTHORIZED: Final = 401
_REFUSED: Final = 400
_AT_ONCE: Final = 16
"""Requests in flight, whoever makes them. The first sweeps of many accounts would else ask for more than the event loop
takes in, and what it does not take in piles up in memory."""

_USER_AGENT: Final = f"batchaccess/{__version__}"

ConfigurationLoader: TypeAlias = Callable[[], Awaitable[Configuration]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccess:
    """Where the API server is and how to prove who we are, for other clients; never shown in a repr."""

    server: str
    authorization: str | None
    ca_path: str | None
    certificate_path: str | None
    private_key_path: str | None
    insecure: bool

    def __repr__(self) -> str:
        """Only the address: the rest may be secret."""
        return f"ApiAccess(server={self.server!r})"


class KubeClient:
    """Requests to one API server, every failure a `PortError`.

    A 401 makes it read its credentials again, once per request: tokens of service accounts rotate under a running pod.
    """

    def __init__(
        self,
        load: ConfigurationLoader,
        client: ApiClient,
        *,
        timeout_seconds: float,
        leave: WriteLeave | None = None,
    ) -> None:
        self._load = load
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._leave = leave
        self._slots = asyncio.Semaphore(_AT_ONCE)

    @classmethod
    async def connect(cls, kubeconfig: Path | None = None, *, timeout_seconds: float = 30) -> Self:
        """A client for the cluster of `kubeconfig`; without one, the cluster we run in, else the default kubeconfig.

        Nothing is sent yet.

        Raises:
            PortError: there is no usable configuration (code `NoConfiguration`); the message says what is missing.
        """

        async def load() -> Configuration:
            return await _configuration(kubeconfig)

        return cls(load, _api_client(await load()), timeout_seconds=timeout_seconds)

    def under(self, leave: WriteLeave | None) -> Self:
        """The same client, over the same connections, with every write refused or bounded by `leave`.

        Its requests wait for each other, not for those of this client.
        """
        return type(self)(self._load, self._client, timeout_seconds=self._timeout_seconds, leave=leave)

    async def access(self) -> ApiAccess:
        """Address and credentials, read now."""
        configuration = await self._load()
        bearer = (await configuration.auth_settings()).get("BearerToken")
        return ApiAccess(
            server=configuration.host,
            authorization=None if bearer is None else bearer["value"],
            ca_path=configuration.ssl_ca_cert,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
            insecure=not configuration.verify_ssl,
        )

    async def get(self, path: str, **query: str | int) -> JsonObject:
        """Read an object or a list."""
        return await self._request(_READ, path, query=query)

    async def create(self, path: str, body: JsonObject) -> JsonObject:
        """Create an object in the collection at `path`."""
        return await self._request("POST", path, body=body)

    async def merge_patch(self, path: str, body: JsonObject) -> JsonObject:
        """Change an object by a JSON merge patch."""
        return await self._request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def json_patch(self, path: str, operations: Sequence[JsonObject]) -> JsonObject:
        """Change an object by a JSON patch, whose `test` operations say what it must be like."""
        return await self._request("PATCH", path, body=operations, content_type=JSON_PATCH)

    async def delete(self, path: str, *, uid: str) -> None:
        """Delete the object at `path` if it still is the one with `uid`."""
        await self._request("DELETE", path, body={"preconditions": {"uid": uid}})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()  # type: ignore[no-untyped-call]  # untyped upstream

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: JsonObject | Sequence[JsonObject] | None = None,
        content_type: str = _JSON,
    ) -> JsonObject:
        async with self._slots:
            status, headers, content = await self._send(method, path, query, body, content_type)
            if status == _UNAUTHORIZED:
                await self._renew_credentials()
                status, headers, content = await self._send(method, path, query, body, content_type)
        if status >= _REFUSED:
            raise refused(status, content, retry_after=headers.get("Retry-After"))
        answer = json.loads(content)
        return answer if isinstance(answer, dict) else {}

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: JsonObject | Sequence[JsonObject] | None,
        content_type: str,
    ) -> tuple[int, Mapping[str, str], bytes]:
        seconds = self._timeout_seconds
        if self._leave is not None and method != _READ:
            seconds = min(seconds, self._leave())
        try:
            async with asyncio.timeout(seconds):
                _, url, headers, *_ = await self._client.param_serialize(
                    method,
                    path,
                    query_params=list(query.items()) if query else None,
                    header_params={"Accept": _JSON, "Content-Type": content_type},
                    auth_settings=["BearerToken"],
                )
                response = await self._client.call_api(method, url, headers, body, _request_timeout=_WITHOUT_LIMIT)
                content: bytes = await response.read()  # type: ignore[no-untyped-call]  # untyped upstream
                return response.status, response.headers, content
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unanswered(error, sent=method != _READ) from error

    async def _renew_credentials(self) -> None:
        renewed = await self._load()
        self._client.configuration.api_key = renewed.api_key
        self._client.configuration.refresh_api_key_hook = renewed.refresh_api_key_hook


_WITHOUT_LIMIT: Final = aiohttp.ClientTimeout()
"""The limit is set once, around the whole request."""


def _api_client(configuration: Configuration) -> ApiClient:
    client = ApiClient(configuration)
    client.user_agent = _USER_AGENT
    return client


async def _configuration(kubeconfig: Path | None) -> Configuration:
    try:
        return await _loaded(kubeconfig)
    except (ConfigException, OSError) as error:
        raise PortError(ErrorKind.TERMINAL, NO_CONFIGURATION, f"no usable Kubernetes configuration: {error}") from error
    except (TypeError, YAMLError) as error:  # what the official client makes of a file that is empty or something else
        raise PortError(
            ErrorKind.TERMINAL,
            NO_CONFIGURATION,
            f"no usable Kubernetes configuration: {kubeconfig or 'the default kubeconfig'} is no kubeconfig",
        ) from error


async def _loaded(kubeconfig: Path | None) -> Configuration:
    configuration = Configuration()
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # untyped upstream
    else:
        await load_kube_config(  # type: ignore[no-untyped-call]  # untyped upstream
            config_file=None if kubeconfig is None else str(kubeconfig),
            client_configuration=configuration,
            persist_config=False,
        )
    return configuration
