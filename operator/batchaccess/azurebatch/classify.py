"""What an error answer of the Batch service means, decided by HTTP status and Batch error code alone.

Exception classes say nothing here: once If-Match is set, azure-batch raises the same class for every status.
Codes and statuses are those of the REST document "Batch Status and Error Codes" and of recorded answers.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Final

import orjson

from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

KINDS: Final[Mapping[tuple[int, str], ErrorKind]] = MappingProxyType(
    {
        (304, "ConditionNotMet"): ErrorKind.RACE,
        (400, "EmptyMetadataKey"): ErrorKind.TERMINAL,
        (400, "InvalidAuthenticationInfo"): ErrorKind.DENIED,
        (400, "InvalidHeaderValue"): ErrorKind.TERMINAL,
        (400, "InvalidPropertyValue"): ErrorKind.TERMINAL,
        (400, "InvalidQueryParameterValue"): ErrorKind.TERMINAL,
        (400, "InvalidRequestBody"): ErrorKind.TERMINAL,
        (400, "InvalidUri"): ErrorKind.TERMINAL,
        (400, "MetadataTooLarge"): ErrorKind.TERMINAL,
        (400, "MissingRequiredHeader"): ErrorKind.TERMINAL,
        (400, "MissingRequiredProperty"): ErrorKind.TERMINAL,
        (400, "MissingRequiredQueryParameter"): ErrorKind.TERMINAL,
        (400, "OutOfRangeQueryParameterValue"): ErrorKind.TERMINAL,
        # From 2024-07-01 on every property of a pool can be updated while it is empty, so this is the wrong moment.
        (400, "PropertyCannotBeUpdated"): ErrorKind.WAITING,
        (400, "RequestUrlFailedToParse"): ErrorKind.TERMINAL,
        (400, "UnsupportedHeader"): ErrorKind.TERMINAL,
        (400, "UnsupportedProperty"): ErrorKind.TERMINAL,
        (400, "UnsupportedQueryParameter"): ErrorKind.TERMINAL,
        (400, "UnsupportedRequestVersion"): ErrorKind.TERMINAL,
        (401, "AuthenticationFailed"): ErrorKind.DENIED,
        (401, "InvalidAuthenticationInfo"): ErrorKind.DENIED,
        (403, "AccountIsDisabled"): ErrorKind.DENIED,
        (403, "AuthenticationFailed"): ErrorKind.DENIED,
        (403, "Forbidden"): ErrorKind.DENIED,
        (403, "InsufficientAccountPermissions"): ErrorKind.DENIED,
        (404, "PoolNotFound"): ErrorKind.WAITING,
        (404, "ResourceNotFound"): ErrorKind.WAITING,
        (405, "UnsupportedHttpVerb"): ErrorKind.TERMINAL,
        (408, "OperationTimedOut"): ErrorKind.TRANSIENT,
        (409, "InvalidApplicationPackageReferences"): ErrorKind.TERMINAL,
        (409, "OperationInvalidForCurrentState"): ErrorKind.WAITING,
        (409, "OperationNotValidOnPool"): ErrorKind.WAITING,
        (409, "PoolBeingCreated"): ErrorKind.WAITING,
        (409, "PoolBeingDeleted"): ErrorKind.WAITING,
        (409, "PoolBeingResized"): ErrorKind.WAITING,
        (409, "PoolQuotaReached"): ErrorKind.WAITING,
        (409, "ScopeLocked"): ErrorKind.DENIED,
        (411, "MissingContentLengthHeader"): ErrorKind.TERMINAL,
        (412, "ConditionNotMet"): ErrorKind.RACE,
        (413, "RequestBodyTooLarge"): ErrorKind.TERMINAL,
        (429, "TooManyRequests"): ErrorKind.TRANSIENT,
        (500, "InternalError"): ErrorKind.TRANSIENT,
        (500, "OperationTimedOut"): ErrorKind.TRANSIENT,
        (501, "NotImplemented"): ErrorKind.TERMINAL,
        (503, "ServerBusy"): ErrorKind.TRANSIENT,
        (503, "TooManyEnableAutoScaleRequests"): ErrorKind.TRANSIENT,
    }
)
"""Answers whose meaning is known; every other one goes by its status."""

_KIND_BY_STATUS: Final[Mapping[int, ErrorKind]] = MappingProxyType(
    {
        304: ErrorKind.RACE,
        400: ErrorKind.TERMINAL,
        401: ErrorKind.DENIED,
        403: ErrorKind.DENIED,
        404: ErrorKind.WAITING,
        409: ErrorKind.WAITING,
        412: ErrorKind.RACE,
    }
)

LONGEST_RETRY_AFTER_SECONDS: Final = 3600.0
"""A longer Retry-After counts as this: it silences the whole account, the restores of drained pools included."""

_MESSAGE_LIMIT: Final = 1000
_REDIRECTS: Final = range(300, 400)
_TIMEOUT: Final = 408
_SERVER_ERRORS: Final = 500
_CHANGING_PARTS = re.compile(r"\s*\b(RequestId|Request ID|Time|Trace ID|Correlation ID|Timestamp)\s*:\s*\S+( \d\S*)?")


def classify(status: int, code: str) -> ErrorKind:
    """How an answer with this status and Batch error code is handled; an unlisted code goes by its status."""
    return KINDS.get((status, code)) or _KIND_BY_STATUS.get(status, ErrorKind.TRANSIENT)


def error_from_answer(
    status: int, body: bytes, *, retry_after: float | None = None, is_write: bool = False
) -> PortError:
    """The port error of an answer that is no success.

    A write answered with 408 or 5xx may still have taken effect: 500 OperationTimedOut is recorded for PATCH, and its
    outcome is only known after a new reading.
    """
    code, message = _read_error_body(body)
    if code is None:
        code = "RedirectRefused" if status in _REDIRECTS else f"Http{status}"
        message = message or f"the service answered {status} without saying why"
    return PortError(
        classify(status, code),
        code,
        message,
        status=status,
        retry_after=retry_after,
        outcome_unknown=is_write and (status == _TIMEOUT or status >= _SERVER_ERRORS),
    )


def stable_text(message: str) -> str:
    """`message` on one line without what changes at every try: request and trace ids, times."""
    return " ".join(_CHANGING_PARTS.sub("", message).split())[:_MESSAGE_LIMIT]


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds the service asked us to wait, from the Retry-After header as a number or an HTTP date.

    At most `LONGEST_RETRY_AFTER_SECONDS`, whatever it says.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER_SECONDS)


def _read_error_body(body: bytes) -> tuple[str | None, str]:
    """Code and stable message of an error body; no code if this is not one of Azure."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, ""
    if isinstance(document, dict) and isinstance(document.get("error"), dict):
        document = document["error"]
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        return None, ""
    text = stable_text(_message_text(document.get("message")))
    details = stable_text(_details_text(document.get("values")))
    if details:
        text = f"{text} ({details})" if text else details
    return document["code"], text[:_MESSAGE_LIMIT] or document["code"]


def _message_text(message: Any) -> str:  # noqa: ANN401 whatever the service answered
    if isinstance(message, dict):
        message = message.get("value")
    return message if isinstance(message, str) else ""


def _details_text(values: Any) -> str:  # noqa: ANN401 whatever the service answered
    """The `values` list as text; an entry may have a key and no value."""
    if not isinstance(values, list):
        return ""
    entries = [entry for entry in values if isinstance(entry, dict) and entry.get("key")]
    return "; ".join(f"{entry['key']}: {entry['value']}" if entry.get("value") else entry["key"] for entry in entries)
