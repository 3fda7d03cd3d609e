"""What a call to an account leaves in the metrics."""

from batchaccess.azurebatch.observed import Call
from batchaccess.control.accounts import count_call
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.metrics import Metrics
from tests.support.clock import FakeClock
from tests.telemetry.read_exposition import value_of


def test_a_throttled_call_is_counted_with_the_wait_the_service_asked_for() -> None:
    metrics = Metrics(FakeClock())
    count_call(
        metrics.connection("prod"),
        Call(
            operation=AzureOperation.LIST_POOLS,
            code="TooManyRequests",
            kind=ErrorKind.TRANSIENT,
            status=429,
            seconds=0.1,
            retry_after=12,
        ),
    )
    assert value_of(metrics, "batchaccess_azure_throttled_total", connection="prod") == 1
    assert value_of(metrics, "batchaccess_azure_retry_after_seconds_sum") == 12


def test_a_call_that_went_well_asks_for_no_wait() -> None:
    metrics = Metrics(FakeClock())
    count_call(
        metrics.connection("prod"),
        Call(operation=AzureOperation.LIST_POOLS, code="OK", kind=None, status=None, seconds=0.1),
    )
    assert value_of(metrics, "batchaccess_azure_retry_after_seconds_count") == 0
    assert (
        value_of(metrics, "batchaccess_azure_requests_total", connection="prod", operation="ListPools", code="200") == 1
    )
