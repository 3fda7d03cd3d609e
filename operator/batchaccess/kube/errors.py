"""Failures of the Kubernetes API as `PortError`: by HTTP status and the reason in the answered Status object."""

import json
from collections.abc import Mapping
from typing import Any, Final

from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

CONNECTION_FAILED: Final = "ConnectionFailed"
"""Code of an error without any answer."""

_KIND_BY_STATUS: Final = {
    400: ErrorKind.TERMINAL,
    401: ErrorKind.DENIED,
    403: ErrorKind.DENIED,
    404: ErrorKind.WAITING,
    409: ErrorKind.RACE,
    410: ErrorKind.RACE,
    422: ErrorKind.INVALID,
}


def refused(status: int, body: bytes, *, retry_after: str | None) -> PortError:
    """The error for an answer with an HTTP status of 400 or more.

    A body that is no Status object (a proxy's page, say) is left out: who knows what it holds.
    """
    answer = _status_object(body)
    reason = answer.get("reason") or f"HTTP{status}"
    return PortError(
        _KIND_BY_STATUS.get(status, ErrorKind.TRANSIENT),
        str(reason),
        str(answer.get("message") or "the Kubernetes API gave no reason"),
        status=status,
        retry_after=_seconds(retry_after),
    )


def unanswered(error: BaseException, *, sent: bool) -> PortError:
    """The error for a request without an answer; `sent` says that it changes something and may have arrived."""
    return PortError(
        ErrorKind.TRANSIENT,
        CONNECTION_FAILED,
        f"no answer from the Kubernetes API ({type(error).__name__})",
        outcome_unknown=sent,
    )


def _status_object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return answer
    return {}


def _seconds(retry_after: str | None) -> float | None:
    try:
        return None if retry_after is None else float(retry_after)
    except ValueError:
        return None
