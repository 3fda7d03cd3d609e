"""Reads single keys of Secrets, by name, in the operator's own namespace and nowhere else."""

import base64
import binascii
from typing import Final

from batchaccess.core.reasons import ConnectionReason, ErrorKind
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import SECRETS
from batchaccess.ports import PortError

_NOT_FOUND: Final = 404


class SecretReader:
    """Secrets of one namespace. Nothing is kept: a rotated secret is seen at the next read."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def read(self, name: str, key: str) -> str:
        """The text under `key` of the Secret `name`.

        Raises:
            PortError: there is no such Secret or key (code `SecretNotFound`), its content is no text (`SecretInvalid`),
                or the API refused or did not answer. The message never holds any content.
        """
        try:
            secret = await self._client.get(SECRETS.path(namespace=self._namespace, name=name))
        except PortError as error:
            if error.status != _NOT_FOUND:
                raise
            raise self._missing(f"there is no Secret {self._namespace}/{name}") from error
        encoded = (secret.get("data") or {}).get(key)
        if encoded is None:
            raise self._missing(f"Secret {self._namespace}/{name} has no key {key}")
        try:
            return base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            # Without a cause: the traceback of a decoding error shows what it decoded.
            raise PortError(
                ErrorKind.DENIED, "SecretInvalid", f"key {key} of Secret {self._namespace}/{name} is not UTF-8 text"
            ) from None

    def _missing(self, message: str) -> PortError:
        return PortError(ErrorKind.DENIED, ConnectionReason.SECRET_NOT_FOUND, message)
