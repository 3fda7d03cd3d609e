"""How the operator proves who it is: every auth type of a connection, as the Azure SDK wants it.

Failing to get a token is turned into a `PortError` here already: further up it could not be told from a refusal by
the Batch service, as both are of the same exception class.
"""

import base64
import binascii
import os
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Final, Protocol, TypeAlias, TypeVar, assert_never

from azure.core.credentials import AccessToken, AccessTokenInfo, AzureNamedKeyCredential, TokenRequestOptions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential

from batchaccess.azurebatch.classify import stable_text
from batchaccess.azurebatch.endpoints import Endpoint
from batchaccess.azurebatch.secrets import SecretReader, WatchedSecret
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.azurebatch.transport import TrustingTransport
from batchaccess.core.declared import (
    Auth,
    AuthType,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

_Token = TypeVar("_Token", AccessToken, AccessTokenInfo)
Credential: TypeAlias = AzureNamedKeyCredential | AsyncTokenCredential

_AUTHORITY_VARIABLE: Final = "AZURE_AUTHORITY_HOST"
_REFUSALS: Final = frozenset(range(400, 500)) - {408, 429}
_NO_ANSWER: Final = (ServiceRequestError, ServiceResponseError)
_METADATA_SERVICE_AWAY: Final = (
    "ManagedIdentity: the instance metadata service (169.254.169.254) does not answer; the operator's NetworkPolicy "
    "lets it out there only with managedIdentity.enabled of the chart, or the component managed-identity of kustomize"
)


class Identity(Protocol):
    """Who the operator is towards one account."""

    @property
    def credential(self) -> Credential:
        """What the SDK's client is built with; another object after a renewal that said so."""
        ...

    async def renew_if_old(self) -> bool:
        """Take up a secret that was rotated; whether there is a new credential."""
        ...

    async def renew_after_denial(self) -> bool:
        """The same because the service refused us; at most every five seconds."""
        ...

    async def close(self) -> None:
        """Release connections to token endpoints."""
        ...


class FederatedIdentity:
    """WorkloadIdentity and ManagedIdentity: no secret of ours, azure-identity keeps itself fresh."""

    def __init__(self, credential: "ExplainedCredential") -> None:
        self._credential = credential

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
        """Release the connection to the token endpoint."""
        await self._credential.close()


class SecretIdentity:
    """SharedKey and ClientSecret: a credential made from a secret, and made anew when the secret changes."""

    def __init__(self, secret: WatchedSecret[Credential]) -> None:
        self._secret = secret

    @property
    def credential(self) -> Credential:
        """Made from the secret last read."""
        return self._secret.made

    async def renew_if_old(self) -> bool:
        """Read the secret again every five minutes."""
        return await self._renewed(self._secret.reread_if_old)

    async def renew_after_denial(self) -> bool:
        """Read the secret again now, unless that was done a moment ago."""
        return await self._renewed(self._secret.reread_after_denial)

    async def close(self) -> None:
        """Release the connection to the token endpoint, if there is one."""
        await _close(self._secret.made)

    async def _renewed(self, reread: Callable[[], Awaitable[bool]]) -> bool:
        former = self._secret.made
        changed = await reread()
        if changed:
            await _close(former)
        return changed


class ExplainedCredential(AsyncTokenCredential):
    """A token credential whose failures are `PortError`s with stable text, without trace ids or times."""

    def __init__(self, inner: AsyncTokenCredential, what: AuthType) -> None:
        self._inner: Any = inner
        self._what = what

    async def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **kwargs: object
    ) -> AccessToken:
        """A token for `scopes`; the form older SDK policies ask with."""
        return await self._explained(
            lambda: self._inner.get_token(*scopes, claims=claims, tenant_id=tenant_id, **kwargs)
        )

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token for `scopes`; the form the SDK asks with."""
        return await self._explained(lambda: self._inner.get_token_info(*scopes, options=options))

    async def close(self) -> None:
        """Release the connection to the token endpoint."""
        await self._inner.close()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def _explained(self, ask: Callable[[], Awaitable[_Token]]) -> _Token:
        try:
            return await ask()
        except AzureError as error:
            raise _token_error(error, self._what) from error
        except (OSError, ValueError, LookupError, TypeError) as error:
            # The pod's federated token file is read here, and azure-identity trips over unusual answers.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise PortError(
                ErrorKind.DENIED, "AuthenticationFailed", f"{self._what} could not be prepared: {reason}"
            ) from error


async def new_identity(
    auth: Auth,
    endpoint: Endpoint,
    *,
    secrets: SecretReader,
    settings: AdapterSettings,
    monotonic: Callable[[], float],
) -> Identity:
    """The identity a connection asks for.

    Raises:
        PortError: the connection lacks something (`Invalid`), its secret cannot be had (`SecretNotFound` or the
            reader's own code), or the pod is not prepared for the type (`AuthenticationFailed`).
    """
    match auth.type:
        case AuthType.WORKLOAD_IDENTITY:
            return FederatedIdentity(_workload_identity(auth, endpoint, settings))
        case AuthType.MANAGED_IDENTITY:
            return FederatedIdentity(_managed_identity(auth))
        case AuthType.CLIENT_SECRET:
            make = partial(_client_secret, auth, endpoint=endpoint, settings=settings)
            return SecretIdentity(await _secret(auth, secrets, make, monotonic))
        case AuthType.SHARED_KEY:
            return SecretIdentity(await _secret(auth, secrets, partial(_shared_key, endpoint=endpoint), monotonic))
        case _:
            assert_never(auth.type)


def _workload_identity(auth: Auth, endpoint: Endpoint, settings: AdapterSettings) -> ExplainedCredential:
    try:
        inner = WorkloadIdentityCredential(
            tenant_id=auth.tenant_id, client_id=auth.client_id, **_token_endpoint(endpoint, settings)
        )
    except ValueError as error:
        raise PortError(
            ErrorKind.DENIED,
            "AuthenticationFailed",
            "WorkloadIdentity is not set up for this pod: set spec.auth.clientId and spec.auth.tenantId, or annotate "
            "the operator's ServiceAccount with azure.workload.identity/client-id, and label its pods "
            'azure.workload.identity/use: "true"',
        ) from error
    return ExplainedCredential(inner, auth.type)


def _managed_identity(auth: Auth) -> ExplainedCredential:
    try:
        inner = ManagedIdentityCredential(client_id=auth.client_id)
    except ValueError as error:
        raise PortError(
            ErrorKind.DENIED,
            "AuthenticationFailed",
            "ManagedIdentity is not set up where the operator runs: set spec.auth.clientId to the client id of a "
            "user-assigned identity of the node",
        ) from error
    return ExplainedCredential(inner, auth.type)


def _client_secret(auth: Auth, secret: str, endpoint: Endpoint, settings: AdapterSettings) -> ExplainedCredential:
    if not auth.client_id or not auth.tenant_id:
        raise PortError(ErrorKind.INVALID, "Invalid", "ClientSecret needs spec.auth.clientId and spec.auth.tenantId")
    try:
        inner = ClientSecretCredential(
            tenant_id=auth.tenant_id,
            client_id=auth.client_id,
            client_secret=secret,
            **_token_endpoint(endpoint, settings),
        )
    except ValueError as error:
        raise PortError(ErrorKind.INVALID, "Invalid", f"ClientSecret cannot be used: {error}") from error
    return ExplainedCredential(inner, auth.type)


def _shared_key(secret: str, endpoint: Endpoint) -> AzureNamedKeyCredential:
    """A key alone belongs to the account the host names; `NAME:KEY` names another, as an emulator's host cannot."""
    name, colon, key = secret.rpartition(":")
    try:
        base64.b64decode(key, validate=True)
    except binascii.Error as error:
        raise PortError(
            ErrorKind.DENIED, "AuthenticationFailed", "the Secret does not hold a Batch account key, which is base64"
        ) from error
    return AzureNamedKeyCredential(name if colon else endpoint.account_name, key)


async def _secret(
    auth: Auth, reader: SecretReader, make: Callable[[str], Credential], monotonic: Callable[[], float]
) -> WatchedSecret[Credential]:
    if auth.secret_ref is None:
        raise PortError(ErrorKind.INVALID, "Invalid", f"{auth.type} needs spec.auth.secretRef")
    return await WatchedSecret.read_first(reader, auth.secret_ref, make=make, monotonic=monotonic)


def _authority(endpoint: Endpoint, settings: AdapterSettings) -> str:
    """Who issues the tokens: the cloud of the account's host, where that tells it, whatever the environment says.

    The workload identity webhook sets AZURE_AUTHORITY_HOST for a container to the cloud of the cluster, with which a
    connection to another cloud has nothing to do: its client secret, or the pod's token, must not be sent there.
    """
    if endpoint.tells_its_cloud:
        return endpoint.cloud.authority_host
    return settings.authority_host or os.environ.get(_AUTHORITY_VARIABLE) or endpoint.cloud.authority_host


def _token_endpoint(endpoint: Endpoint, settings: AdapterSettings) -> dict[str, Any]:
    """Who issues the tokens, and how it is spoken to.

    Instance discovery would ask the public cloud whether that authority exists, which private clouds cannot reach.
    """
    return {
        "authority": _authority(endpoint, settings),
        "disable_instance_discovery": True,
        "retry_total": 2,
        "retry_status": 0,
        "transport": TrustingTransport(settings.ca_file),
    }


def _token_error(error: AzureError, what: AuthType) -> PortError:
    """A token endpoint that refuses us is one thing, one that cannot be reached or talks nonsense another."""
    response = error.response if isinstance(error, HttpResponseError) else None
    status = None if response is None else response.status_code
    refused = isinstance(error, CredentialUnavailableError) if status is None else status in _REFUSALS
    if refused and what is AuthType.MANAGED_IDENTITY and isinstance(error.__cause__, _NO_ANSWER):
        return PortError(ErrorKind.DENIED, "AuthenticationFailed", _METADATA_SERVICE_AWAY)
    if refused:
        reason = stable_text(error.message.partition("\n")[0])
        return PortError(ErrorKind.DENIED, "AuthenticationFailed", f"{what}: no token was issued: {reason}")
    return PortError(
        ErrorKind.TRANSIENT,
        "TokenEndpointUnreachable",
        f"{what}: the token endpoint does not answer as it should",
        status=status,
    )


async def _close(credential: Credential) -> None:
    if not isinstance(credential, AzureNamedKeyCredential):
        await credential.close()
