"""From a declared connection to its pools."""

from batchaccess.azurebatch.credentials import new_identity
from batchaccess.azurebatch.endpoints import EndpointNotAllowedError, parse_endpoint
from batchaccess.azurebatch.pools import AzureBatchPools
from batchaccess.azurebatch.secrets import SecretReader
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.azurebatch.throttle import Throttle
from batchaccess.azurebatch.wire import BatchWire
from batchaccess.core.declared import AccountConnection
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Clock, PortError


async def connect(
    connection: AccountConnection, *, secrets: SecretReader, settings: AdapterSettings, clock: Clock
) -> AzureBatchPools:
    """The pools of the account that `connection` names. No request to Batch is made yet, and no token asked for.

    Raises:
        PortError: with code `EndpointNotAllowed`, `Invalid`, `SecretNotFound`, `AuthenticationFailed`, or whatever
            reading the secret failed with. Changing the connection or the secret is the remedy.
    """
    try:
        endpoint = parse_endpoint(connection.endpoint, allow_suffixes=settings.allow_endpoint_suffixes)
    except EndpointNotAllowedError as problem:
        raise PortError(ErrorKind.INVALID, "EndpointNotAllowed", str(problem)) from None
    try:
        identity = await new_identity(
            connection.auth, endpoint, secrets=secrets, settings=settings, monotonic=clock.monotonic
        )
        throttle = Throttle(connection.request_budget, monotonic=clock.monotonic)
        return AzureBatchPools(BatchWire(endpoint, identity, throttle, settings=settings, clock=clock))
    except OSError as error:
        raise PortError(
            ErrorKind.INVALID, "Invalid", f"the certificate file of the operator cannot be read: {error.strerror}"
        ) from error
