"""Requests to the Batch accounts: how many, how they ended, how long they took, how long we were asked to wait."""

import re
from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CollectorRegistry

from batchaccess.ports import AzureOperation
from batchaccess.telemetry.families import Family, Label, counter, gauge, histogram
from batchaccess.telemetry.labels import CONNECTION, OPERATION

AZURE_REQUESTS = counter(
    "azure_requests_total",
    "Requests to a Batch account, by HTTP status.",
    [
        CONNECTION,
        OPERATION,
        Label(name="code", meaning="HTTP status of the answer; none without an answer, Other for what is no status"),
    ],
)
AZURE_ERRORS = counter(
    "azure_errors_total",
    "Answers of a Batch account that were errors, by the service's own error code.",
    [
        CONNECTION,
        OPERATION,
        Label(
            name="error", meaning="Batch error code; Other for what is no code, or once 100 different ones were seen"
        ),
    ],
)
AZURE_REQUEST_DURATION = histogram(
    "azure_request_duration_seconds",
    "Seconds from sending a request to having read its answer.",
    [OPERATION],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
AZURE_THROTTLED = counter(
    "azure_throttled_total", "Requests that a Batch account refused because there were too many.", [CONNECTION]
)
AZURE_RETRY_AFTER = histogram(
    "azure_retry_after_seconds",
    "Seconds that the service asked us to wait, one observation per answer that asked.",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300),
)
AZURE_PRECONDITION_FAILED = counter(
    "azure_precondition_failed_total", "Writes refused because somebody changed the pool meanwhile.", [CONNECTION]
)
AZURE_BUDGET_TOKENS = gauge(
    "azure_budget_tokens", "Requests that could be sent now without waiting for the request budget.", [CONNECTION]
)

FAMILIES: tuple[Family, ...] = (
    AZURE_REQUESTS,
    AZURE_ERRORS,
    AZURE_REQUEST_DURATION,
    AZURE_THROTTLED,
    AZURE_RETRY_AFTER,
    AZURE_PRECONDITION_FAILED,
    AZURE_BUDGET_TOKENS,
)

NO_ANSWER = "none"
OTHER = "Other"
VALID_STATUS = range(100, 600)
MAX_ERROR_CODES = 100
ERROR_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")


class AzureMetrics:
    """The live instruments of all connections' requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = AZURE_REQUESTS.live_counter(registry)
        self._errors = AZURE_ERRORS.live_counter(registry)
        self._duration = AZURE_REQUEST_DURATION.live_histogram(registry)
        self._throttled = AZURE_THROTTLED.live_counter(registry)
        self._retry_after = AZURE_RETRY_AFTER.live_histogram(registry)
        self._precondition_failed = AZURE_PRECONDITION_FAILED.live_counter(registry)
        self._budget_tokens = AZURE_BUDGET_TOKENS.live_gauge(registry)
        self._error_codes: set[str] = set()
        for operation in AzureOperation:
            self._duration.labels(operation)

    def begin(self, connection: str) -> None:
        """Start the counters of a connection at zero, so that their first increase is seen by `rate`."""
        self._throttled.labels(connection)
        self._precondition_failed.labels(connection)

    def request(
        self,
        connection: str,
        operation: AzureOperation,
        *,
        seconds: float,
        status: int | None,
        error: str | None,
        retry_after: float | None,
    ) -> None:
        """Count one request; see `ConnectionMetrics.azure_request`."""
        self._requests.labels(connection, operation, _code(status)).inc()
        self._duration.labels(operation).observe(seconds)
        if error is not None:
            self._errors.labels(connection, operation, self._bounded(error)).inc()
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self._throttled.labels(connection).inc()
        if status == HTTPStatus.PRECONDITION_FAILED:
            self._precondition_failed.labels(connection).inc()
        if retry_after is not None:
            self._retry_after.observe(retry_after)

    def budget(self, connection: str, tokens: Callable[[], float]) -> None:
        """Read the request budget of a connection at each scrape."""
        self._budget_tokens.labels(connection).set_function(tokens)

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        for instrument in (
            self._requests,
            self._errors,
            self._throttled,
            self._precondition_failed,
            self._budget_tokens,
        ):
            instrument.remove_by_labels({CONNECTION.name: connection})

    def _bounded(self, error: str) -> str:
        """The error code as a label value. What a service answers must not grow our memory without limit."""
        if error in self._error_codes:
            return error
        if len(self._error_codes) >= MAX_ERROR_CODES or not ERROR_CODE.fullmatch(error):
            return OTHER
        self._error_codes.add(error)
        return error


def _code(status: int | None) -> str:
    if status is None:
        return NO_ANSWER
    return str(status) if status in VALID_STATUS else OTHER
