"""Requests and responses as values, so that the service runs without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonObject = dict[str, Any]


class Delivery(StrEnum):
    """What the transport does with a response: faults need more than an answer."""

    ANSWERED = "answered"
    DROPPED = "dropped"
    """The connection closes without a byte of an answer."""
    WITHHELD = "withheld"
    """No answer ever comes; the client's own timeout has to end the wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. Header names are lower case; `path` and `raw_query` are as sent, still percent-encoded."""

    method: str
    path: str
    raw_query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = "https://localhost"
    """Scheme and authority the client used; every absolute URL of the answer starts with it."""
    bound_account: str | None = None
    """The account whose own port received the request, if it has one."""

    def query(self) -> dict[str, str]:
        """The decoded query parameters; the first of repeated ones counts, blank ones are dropped."""
        parameters: dict[str, str] = {}
        for name, value in parse_qsl(self.raw_query):
            parameters.setdefault(name, value)
        return parameters

    def url(self) -> str:
        """The absolute URL without its query, as the `DataServiceId` header repeats it."""
        return self.base_url + quote(self.path, safe="/%:@!$&'()*+,;=~-._")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response; `body` None means no body and no content type."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delivery: Delivery = Delivery.ANSWERED
