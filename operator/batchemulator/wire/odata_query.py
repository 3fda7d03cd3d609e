"""`$select`, `maxresults` and `$skiptoken`: which part of a list, and which keys, a request asks for."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from batchemulator.wire.errors import invalid_query
from batchemulator.wire.odata_filter import FilterError, parse_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from batchemulator.wire.messages import Request

MAX_PAGE = 1000
Select = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The part of a list a request asks for: at most `size` items after the marker."""

    size: int
    after: str | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        """The page a query asks for.

        Raises:
            ServiceError: 400 InvalidQueryParameterValue, in the recorded words for `maxresults`.
        """
        return cls(size=_page_size(query.get("maxresults")), after=_marker(query.get("$skiptoken")))


def _page_size(text: str | None) -> int:
    if text is None:
        return MAX_PAGE
    try:
        size = int(text)
    except ValueError:
        raise invalid_query("maxresults", text, "MaxResults must be an integer") from None
    if size < 1:
        raise invalid_query("maxresults", text, "MaxResults cannot be less than 1")
    if size > MAX_PAGE:
        raise invalid_query("maxresults", text, f"MaxResults cannot be greater than {MAX_PAGE}")
    return size


def _marker(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid_query("$skiptoken", token, "The continuation token is not one of this service") from None


def next_link(request: Request, last: str) -> str:
    """The absolute URL of the page after `last`: the request's own query with a new `$skiptoken`."""
    token = quote(base64.urlsafe_b64encode(last.encode()).decode(), safe="")
    kept = [part for part in request.raw_query.split("&") if part and _name_of(part) != "$skiptoken"]
    return f"{request.url()}?{'&'.join([*kept, f'$skiptoken={token}'])}"


def _name_of(part: str) -> str:
    return unquote(part.partition("=")[0])


def select_of(query: Mapping[str, str]) -> Select | None:
    """The top-level keys named by `$select`, or None for all."""
    text = query.get("$select")
    if text is None:
        return None
    return tuple(sorted({name.strip().partition("/")[0] for name in text.split(",") if name.strip()}))


def filter_of(query: Mapping[str, str]) -> Callable[[Mapping[str, object]], bool] | None:
    """The predicate of `$filter`, or None.

    Raises:
        ServiceError: 400 InvalidQueryParameterValue when it is not in the subset understood here.
    """
    text = query.get("$filter")
    if text is None:
        return None
    try:
        return parse_filter(text)
    except FilterError as error:
        raise invalid_query("$filter", text, str(error)) from error
