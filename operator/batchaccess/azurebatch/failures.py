"""What it means when no answer came: which failure it was, and whether a write may have taken effect all the same."""

import os

import aiohttp

from batchaccess.azurebatch.classify import stable_text
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Failures of opening the connection. Every later one, a closed keep-alive connection too, may follow the effect."""


def no_answer_in_time(host: str, seconds: float, *, outcome_unknown: bool) -> PortError:
    """No answer within the time allowed."""
    return PortError(
        ErrorKind.TRANSIENT,
        "Timeout",
        f"{host} did not answer within {seconds:g} seconds",
        outcome_unknown=outcome_unknown,
    )


def unreadable_answer(problem: str) -> PortError:
    """The service answered with success, but not with what was asked for."""
    return PortError(ErrorKind.TRANSIENT, "UnreadableAnswer", f"the service's answer cannot be understood: {problem}")


def connection_failed(failure: BaseException, host: str, *, outcome_unknown: bool) -> PortError:
    """The connection could not be made or broke; `outcome_unknown` is for the case that the request left."""
    causes = _causes(failure)
    never_sent = any(isinstance(cause, _NEVER_SENT) for cause in causes)
    return PortError(
        ErrorKind.TRANSIENT,
        "ConnectionFailed",
        f"{host} {_what_happened(causes)}",
        outcome_unknown=outcome_unknown and not never_sent,
    )


def _causes(failure: BaseException) -> list[BaseException]:
    """The failure and what it was raised from, outermost first; at most ten, should they form a ring."""
    causes: list[BaseException] = []
    cause: BaseException | None = failure
    while cause is not None and len(causes) < 10:  # noqa: PLR2004 a bound, as said
        causes.append(cause)
        cause = cause.__cause__
    return causes


def _what_happened(causes: list[BaseException]) -> str:
    """A text that is the same at every try: no addresses, no ports, no ids."""
    described = (_description(cause) for cause in causes)
    return next(filter(None, described), "broke the connection before its answer was complete")


def _description(cause: BaseException) -> str | None:
    match cause:
        case aiohttp.ClientConnectorDNSError():
            text = "cannot be resolved to an address; check spec.endpoint and the cluster's DNS"
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(cause.certificate_error, "verify_message", "") or "not valid"
            text = f"has a TLS certificate that is not trusted: {stable_text(reason)}"
        case aiohttp.ClientSSLError():
            text = "could not agree on TLS; does it speak https?"
        case aiohttp.ConnectionTimeoutError():
            text = "did not accept a connection in time"
        case aiohttp.ClientConnectorError():
            text = f"accepts no connection: {_reason(cause.os_error)}"
        case TimeoutError():
            text = "stopped answering"
        case _:
            return None
    return text


def _reason(error: OSError) -> str:
    """The system's own words; asyncio puts addresses and ports into `strerror`, which the error number has not."""
    return os.strerror(error.errno) if error.errno else "unreachable"
