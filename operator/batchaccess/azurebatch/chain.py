"""Reading accounts as a person or a pipeline: azure-identity's default chain, or what a connection declares.

The operator never uses the chain: in a cluster it must be clear which identity acts.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.identity.aio import DefaultAzureCredential

from batchaccess.azurebatch.credentials import Credential, Identity, new_identity
from batchaccess.azurebatch.endpoints import Endpoint, EndpointNotAllowedError, parse_endpoint
from batchaccess.azurebatch.secrets import SecretReader
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.azurebatch.surveyedaccount import SurveyedAccount
from batchaccess.azurebatch.throttle import Throttle
from batchaccess.azurebatch.wire import BatchWire
from batchaccess.core.declared import (
    AccountConnection,
    Auth,
    AuthType,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Clock, PortError

_Token = TypeVar("_Token", AccessToken, AccessTokenInfo)


async def connect_default(
    connection: AccountConnection, *, secrets: SecretReader, settings: AdapterSettings, clock: Clock
) -> SurveyedAccount:
    """The pools of the account that `connection` names, for commands that only read.

    WorkloadIdentity and ManagedIdentity become the default chain, which tries both and `az login` too; the types with
    a secret stay as declared. No request to Batch is made yet, and no token asked for.

    Raises:
        PortError: with code `EndpointNotAllowed`, `Invalid`, `SecretNotFound`, or why the secret cannot be read.
    """
    try:
        endpoint = parse_endpoint(connection.endpoint, allow_suffixes=settings.allow_endpoint_suffixes)
    except EndpointNotAllowedError as problem:
        raise PortError(ErrorKind.INVALID, "EndpointNotAllowed", str(problem)) from None
    try:
        identity = await _identity(connection.auth, endpoint, secrets=secrets, settings=settings, clock=clock)
        throttle = Throttle(connection.request_budget, monotonic=clock.monotonic)
        return SurveyedAccount(BatchWire(endpoint, identity, throttle, settings=settings, clock=clock))
    except OSError as error:
        raise PortError(
            ErrorKind.INVALID, "Invalid", f"the certificate file cannot be read: {error.strerror or error}"
        ) from error


async def _identity(
    auth: Auth, endpoint: Endpoint, *, secrets: SecretReader, settings: AdapterSettings, clock: Clock
) -> Identity:
    if auth.type in {AuthType.SHARED_KEY, AuthType.CLIENT_SECRET}:
        return await new_identity(auth, endpoint, secrets=secrets, settings=settings, monotonic=clock.monotonic)
    return ChainIdentity(auth, endpoint)


class ChainIdentity:
    """Implements `credentials.Identity` by the default chain: no secret of ours to renew."""

    def __init__(self, auth: Auth, endpoint: Endpoint) -> None:
        chosen: dict[str, Any] = {"authority": endpoint.cloud.authority_host}
        if auth.client_id:
            chosen |= {
                "managed_identity_client_id": auth.client_id,
                "workload_identity_client_id": auth.client_id,
            }
        self._credential = ChainCredential(DefaultAzureCredential(**chosen))

    @property
    def credential(self) -> Credential:
        """The same object for ever."""
        return self._credential

    async def renew_if_old(self) -> bool:
        """There is nothing to renew."""
        return False

    async def renew_after_denial(self) -> bool:
        """There is nothing to renew."""
        return False

    async def close(self) -> None:
        """Release the connections to token endpoints."""
        await self._credential.close()


class ChainCredential(AsyncTokenCredential):
    """The default chain, whose failure says in one line what a person can do."""

    def __init__(self, inner: DefaultAzureCredential) -> None:
        self._inner: Any = inner

    async def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **kwargs: object
    ) -> AccessToken:
        """A token for `scopes`; the form older SDK policies ask with."""
        return await _explained(lambda: self._inner.get_token(*scopes, claims=claims, tenant_id=tenant_id, **kwargs))

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token for `scopes`; the form the SDK asks with."""
        return await _explained(lambda: self._inner.get_token_info(*scopes, options=options))

    async def close(self) -> None:
        """Release the connections to token endpoints."""
        await self._inner.close()

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _explained(ask: Callable[[], Awaitable[_Token]]) -> _Token:
    try:
        return await ask()
    except (AzureError, OSError, ValueError) as error:
        raise PortError(
            ErrorKind.DENIED,
            "NoCredential",
            "no identity gave a token: run `az login`, set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, "
            "or put the account's key into BATCHACCESS_SHARED_KEY",
        ) from error
