"""Secrets of connections, read through a port and read again: people rotate them while the operator runs."""

from collections.abc import Callable
from typing import Final, Protocol

from batchaccess.core.declared import SecretRef
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

REREAD_SECONDS: Final = 300.0
"""A rotated secret is taken up within this time although the old one still works."""

REREAD_AFTER_DENIAL_SECONDS: Final = 5.0
"""A wrong secret must not turn every refused request into a request to the API server."""


class SecretReader(Protocol):
    """Where secrets come from: Kubernetes Secrets of the operator's own namespace, or the environment of a shell."""

    async def read(self, name: str, key: str) -> str:
        """The value under `key` of the secret `name`, as text.

        Raises:
            PortError: code `SecretNotFound` if there is no such secret or key; another code if it could not be asked.
        """
        ...


class WatchedSecret:
    """One secret and when it was read. The value never appears in `repr`, messages or logs."""

    def __init__(self, reader: SecretReader, ref: SecretRef, *, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._ref = ref
        self._monotonic = monotonic
        self._value = ""
        self._read_at = 0.0
        self._denied_at = float("-inf")

    @property
    def value(self) -> str:
        """The value last read."""
        return self._value

    async def read(self) -> bool:
        """Read it now; whether it changed.

        Raises:
            PortError: it does not exist, is empty, or cannot be read now.
        """
        self._read_at = self._monotonic()
        value = (await self._reader.read(self._ref.name, self._ref.key)).strip()
        if not value:
            raise PortError(
                ErrorKind.DENIED, "SecretNotFound", f"key {self._ref.key!r} of Secret {self._ref.name!r} is empty"
            )
        changed = value != self._value
        self._value = value
        return changed

    async def reread_if_old(self) -> bool:
        """Read it again every five minutes; whether it changed.

        Raises:
            PortError: it is gone. That it cannot be asked for right now is no reason to stop using it.
        """
        if self._monotonic() - self._read_at < REREAD_SECONDS:
            return False
        return await self._reread()

    async def reread_after_denial(self) -> bool:
        """Read it again because the service refused it, unless that was done a moment ago; whether it changed.

        Raises:
            PortError: it is gone.
        """
        if self._monotonic() - self._denied_at < REREAD_AFTER_DENIAL_SECONDS:
            return False
        self._denied_at = self._monotonic()
        return await self._reread()

    async def _reread(self) -> bool:
        try:
            return await self.read()
        except PortError as error:
            if error.code == "SecretNotFound":
                raise
            return False
