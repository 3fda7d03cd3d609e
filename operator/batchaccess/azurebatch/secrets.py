"""Secrets of connections, read through a port and read again: people rotate them while the operator runs."""

import logging
from collections.abc import Callable
from typing import Final, Generic, Protocol, Self, TypeVar

from batchaccess.core.declared import SecretRef
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

_log = logging.getLogger(__name__)

T = TypeVar("T")

REREAD_SECONDS: Final = 300.0
"""A rotated secret is taken up within this time although the old one still works."""

REREAD_AFTER_DENIAL_SECONDS: Final = 5.0
"""A wrong secret must not turn every refused request into a request to the API server."""

_USELESS: Final = frozenset({"SecretNotFound", "SecretInvalid"})
"""Codes of a reader's errors that tell something of the secret, and not of the asking."""


class SecretReader(Protocol):
    """Where secrets come from: Kubernetes Secrets of the operator's own namespace, or the environment of a shell."""

    async def read(self, name: str, key: str) -> str:
        """The value under `key` of the secret `name`, as text.

        Raises:
            PortError: code `SecretNotFound` if there is no such secret or key, `SecretInvalid` if it is no text;
                another code if it could not be asked.
        """
        ...


class WatchedSecret(Generic[T]):
    """One secret and what was made of it. The value never appears in `repr`, messages or logs.

    A value is in use once something was made of it, not before. While the secret is gone, or nothing can be made of it,
    what was made last is not used on: every question is answered with what is wrong, until a reading finds it mended.
    """

    def __init__(
        self,
        reader: SecretReader,
        ref: SecretRef,
        *,
        make: Callable[[str], T],
        monotonic: Callable[[], float],
        value: str,
    ) -> None:
        """Begin with a `value` that was just read; `read_first` does that.

        Raises:
            PortError: `make` raised it: nothing can be made of the value.
        """
        self._reader = reader
        self._ref = ref
        self._make = make
        self._monotonic = monotonic
        self._value = value
        self._made = make(value)
        self._problem: PortError | None = None
        self._read_at = monotonic()
        self._denied_at = float("-inf")

    @classmethod
    async def read_first(
        cls, reader: SecretReader, ref: SecretRef, *, make: Callable[[str], T], monotonic: Callable[[], float]
    ) -> Self:
        """Read it and make something of it.

        Raises:
            PortError: it does not exist, is empty, cannot be read now, or nothing can be made of it.
        """
        return cls(reader, ref, make=make, monotonic=monotonic, value=await _content(reader, ref))

    @property
    def made(self) -> T:
        """What was made of the last value of which something could be made."""
        return self._made

    async def reread_if_old(self) -> bool:
        """Read it again every five minutes, and sooner while it is of no use; whether something is new.

        Raises:
            PortError: it is gone, or nothing can be made of it. That it cannot be asked for right now is no reason to
                stop using it.
        """
        age = self._monotonic() - self._read_at
        if age >= (REREAD_SECONDS if self._problem is None else REREAD_AFTER_DENIAL_SECONDS):
            return await self._reread()
        self._insist()
        return False

    async def reread_after_denial(self) -> bool:
        """Read it again because the service refused it, unless that was done a moment ago; whether something is new.

        Raises:
            PortError: it is gone, or nothing can be made of it.
        """
        if self._monotonic() - self._denied_at < REREAD_AFTER_DENIAL_SECONDS:
            return False
        self._denied_at = self._monotonic()
        return await self._reread()

    async def _reread(self) -> bool:
        self._read_at = self._monotonic()
        try:
            value = await _content(self._reader, self._ref)
        except PortError as error:
            if error.code in _USELESS:
                self._problem = error
            else:
                name = self._ref.name
                _log.warning("the Secret %s was not read again, so what was read last counts: %s", name, error)
            self._insist()
            return False
        return self._take_up(value)

    def _take_up(self, value: str) -> bool:
        changed = value != self._value
        try:
            made = self._make(value) if changed else self._made
        except PortError as error:
            self._problem = error
            raise
        self._value, self._made, self._problem = value, made, None
        return changed

    def _insist(self) -> None:
        if self._problem is not None:
            raise self._problem.with_traceback(None)


async def _content(reader: SecretReader, ref: SecretRef) -> str:
    value = (await reader.read(ref.name, ref.key)).strip()
    if not value:
        raise PortError(ErrorKind.DENIED, "SecretNotFound", f"key {ref.key!r} of Secret {ref.name!r} is empty")
    return value
