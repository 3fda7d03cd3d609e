"""Conditional headers: 412 on writes, 304 on reads (REST doc "Status and Error Codes")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.assumptions import IfMatchForm
from batchemulator.wire.errors import ErrorCode, ServiceError, invalid_query
from batchemulator.wire.times import parse_http_date

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.wire.messages import Request

NOT_MODIFIED = 304


def check_conditions(request: Request, *, etag: str, modified: datetime, form: IfMatchForm) -> None:
    """Whether the conditions of a request hold for a resource.

    Raises:
        ServiceError: ConditionNotMet, 412, or 304 for a read of what did not change.
    """
    headers = request.headers
    failed = ServiceError(code=ErrorCode.CONDITION_NOT_MET)
    if_match = headers.get("if-match")
    if if_match is not None and not _names(if_match, etag, form):
        raise failed
    if_unmodified = headers.get("if-unmodified-since")
    if if_unmodified is not None and _whole_seconds(modified) > _date("If-Unmodified-Since", if_unmodified):
        raise failed
    unchanged = ServiceError(
        code=ErrorCode.CONDITION_NOT_MET,
        status_override=NOT_MODIFIED if request.method in {"GET", "HEAD"} else None,
    )
    if_none_match = headers.get("if-none-match")
    if if_none_match is not None and _names(if_none_match, etag, form):
        raise unchanged
    if_modified = headers.get("if-modified-since")
    if if_modified is not None and _whole_seconds(modified) <= _date("If-Modified-Since", if_modified):
        raise unchanged


def _names(header: str, etag: str, form: IfMatchForm) -> bool:
    if header.strip() == "*":
        return True
    quoted, bare = f'"{etag}"', etag
    match form:
        case IfMatchForm.EITHER:
            return header in {quoted, bare}
        case IfMatchForm.QUOTED:
            return header == quoted
        case IfMatchForm.BARE:
            return header == bare
        case IfMatchForm.NEITHER:
            return False


def _whole_seconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def _date(name: str, text: str) -> datetime:
    try:
        return parse_http_date(text)
    except ValueError:
        raise invalid_query(name, text, "The header is not an RFC 1123 date") from None
