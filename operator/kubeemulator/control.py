"""The emulator's own controls: a log of requests, faults to inject, watches to cut, history to forget.

GET    /emulator/requests      what was asked, oldest first
DELETE /emulator/requests      forget it
POST   /emulator/faults        one fault, see `Fault`
DELETE /emulator/faults        no faults any more
DELETE /emulator/watches       cut every open watch
POST   /emulator/compact       forget all history: watches from older versions get 410
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from kubeemulator.errors import bad_request

if TYPE_CHECKING:
    import asyncio

    from kubeemulator.jsontypes import JsonObject

_REMEMBERED: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request that was answered."""

    method: str
    path: str
    """With its query string."""

    user_agent: str
    user: str
    status: int
    """0 when the connection was dropped by a fault."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """Trouble for the next requests that match."""

    method: str = ".*"
    """A regular expression for the whole method."""

    path: str = ".*"
    """A regular expression searched in the path with its query string."""

    status: int | None = None
    """Answer with this status instead of doing what was asked."""

    reason: str = ""
    message: str = "injected by the emulator"
    retry_after: int | None = None
    drop: bool = False
    """Close the connection without an answer."""

    after_effect: bool = False
    """Do what was asked first, then drop or answer with the status."""

    delay_seconds: float = 0.0
    count: int = 1
    """How many requests it hits."""

    def hits(self, method: str, path: str) -> bool:
        """Whether it hits the request."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


@dataclass(slots=True)
class Controls:
    """What the controls have collected or arranged."""

    requests: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    faults: list[Fault] = field(default_factory=list)
    watches: set[asyncio.Task[None]] = field(default_factory=set)

    def log(self) -> list[JsonObject]:
        """The requests so far."""
        return [asdict(request) for request in self.requests]

    def inject(self, spec: JsonObject) -> None:
        """Arrange a fault.

        Raises:
            ApiError: 400, it is none.
        """
        try:
            fault = Fault(**spec)
            fault.hits("GET", "/")
        except (TypeError, re.error) as error:
            raise bad_request(f"no such fault: {error}") from error
        self.faults.append(fault)

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault that hits a request now, used up by one."""
        for fault in self.faults:
            if fault.hits(method, path):
                fault.count -= 1
                if fault.count <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def cut_watches(self) -> int:
        """Cut every open watch; returns how many there were."""
        count = len(self.watches)
        for task in list(self.watches):
            task.cancel()
        return count
