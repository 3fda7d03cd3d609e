"""What each recording call counts."""

from datetime import timedelta

import pytest

from batchaccess.core.reasons import DriftClass, ErrorKind, EventReason, EventType
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.azure import MAX_ERROR_CODES
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.words import (
    CorrectionOutcome,
    ObjectKind,
    PortClass,
    SweepResult,
    WatchedKind,
    WatchEvent,
    WriteResult,
)
from tests.support.clock import FakeClock
from tests.telemetry.build_rows import SINCE, connection_row, policy_row, pool_exposed, pool_in_order
from tests.telemetry.read_exposition import series_with, value_of


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(200, "200", id="a success by its status"),
        pytest.param(412, "412", id="an error by its status"),
        pytest.param(None, "none", id="no answer as none"),
        pytest.param(999, "Other", id="what is no HTTP status as Other"),
        pytest.param(-1, "Other", id="a negative number as Other"),
    ],
)
def test_requests_are_counted_by_status(status: int | None, code: str) -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod").azure_request(AzureOperation.GET_POOL, seconds=0.1, status=status)
    assert value_of(metrics, "batchaccess_azure_requests_total", connection="prod", operation="GetPool", code=code) == 1


@pytest.mark.parametrize(
    ("status", "throttled", "precondition_failed"),
    [
        pytest.param(429, 1, 0, id="429 is throttling"),
        pytest.param(412, 0, 1, id="412 is a failed precondition"),
        pytest.param(503, 0, 0, id="503 is neither"),
        pytest.param(200, 0, 0, id="a success is neither"),
    ],
)
def test_throttling_and_preconditions_are_told_apart(status: int, throttled: int, precondition_failed: int) -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod").azure_request(AzureOperation.PATCH_NETWORK, seconds=0.1, status=status)
    assert value_of(metrics, "batchaccess_azure_throttled_total", connection="prod") == throttled
    assert value_of(metrics, "batchaccess_azure_precondition_failed_total", connection="prod") == precondition_failed


def test_the_duration_and_the_wait_asked_for_are_observed() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.azure_request(AzureOperation.LIST_POOLS, seconds=0.3, status=503, retry_after=7)
    prod.azure_request(AzureOperation.LIST_POOLS, seconds=0.4, status=200)
    duration = "batchaccess_azure_request_duration_seconds"
    assert value_of(metrics, f"{duration}_sum", operation="ListPools") == pytest.approx(0.7)
    assert value_of(metrics, f"{duration}_bucket", operation="ListPools", le="0.25") == 0
    assert value_of(metrics, f"{duration}_bucket", operation="ListPools", le="0.5") == 2
    assert value_of(metrics, "batchaccess_azure_retry_after_seconds_count") == 1
    assert value_of(metrics, "batchaccess_azure_retry_after_seconds_sum") == 7


def test_error_codes_of_the_service_cannot_grow_without_bound() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    for number in range(3 * MAX_ERROR_CODES):
        prod.azure_request(AzureOperation.GET_POOL, seconds=0.1, status=400, error=f"Code{number}")
    series = {name for name, _ in series_with(metrics, connection="prod", operation="GetPool", error="Other")}
    assert series == {"batchaccess_azure_errors_total"}
    assert len([1 for _, labels in series_with(metrics, operation="GetPool") if "error" in dict(labels)]) == 101


@pytest.mark.parametrize("error", ["", "two words", "x" * 65, "http://secret/?sig=abc", "Ünknown"])
def test_what_is_no_error_code_never_becomes_a_label(error: str) -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod").azure_request(AzureOperation.GET_POOL, seconds=0.1, status=400, error=error)
    errors = "batchaccess_azure_errors_total"
    assert value_of(metrics, errors, connection="prod", operation="GetPool", error="Other") == 1


def test_the_budget_is_read_at_each_scrape() -> None:
    metrics = Metrics(FakeClock())
    tokens = iter([20.0, 3.5])
    metrics.connection("prod").watch_budget(lambda: next(tokens))
    assert value_of(metrics, "batchaccess_azure_budget_tokens", connection="prod") == 20
    assert value_of(metrics, "batchaccess_azure_budget_tokens", connection="prod") == 3.5


@pytest.mark.parametrize(
    ("result", "writes", "last_success", "no_op"),
    [
        pytest.param(
            SweepResult.COMPLETE, 0, SINCE.timestamp(), 1, id="a complete sweep without writes is a success and a no-op"
        ),
        pytest.param(SweepResult.COMPLETE, 2, SINCE.timestamp(), 0, id="a complete sweep with writes is a success"),
        pytest.param(
            SweepResult.INCOMPLETE, 1, SINCE.timestamp(), 0, id="an incomplete sweep listed the account: a success"
        ),
        pytest.param(SweepResult.FAILED, 0, None, 0, id="a failed sweep is neither, though it wrote nothing"),
    ],
)
def test_sweeps_are_counted_by_result(result: SweepResult, writes: int, last_success: float | None, no_op: int) -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod").sweep_finished(result, seconds=4, ended=SINCE, writes=writes)
    assert value_of(metrics, "batchaccess_sweeps_total", connection="prod", result=result) == 1
    assert value_of(metrics, "batchaccess_sweep_duration_seconds_sum", connection="prod") == 4
    assert value_of(metrics, "batchaccess_sweep_no_op_total", connection="prod") == no_op
    assert value_of(metrics, "batchaccess_sweep_last_success_timestamp_seconds", connection="prod") == last_success


def test_a_failed_sweep_leaves_the_time_of_the_last_success() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.sweep_finished(SweepResult.COMPLETE, seconds=1, ended=SINCE, writes=0)
    prod.sweep_finished(SweepResult.FAILED, seconds=1, ended=SINCE + timedelta(hours=1), writes=0)
    name = "batchaccess_sweep_last_success_timestamp_seconds"
    assert value_of(metrics, name, connection="prod") == SINCE.timestamp()


def test_drift_is_counted_by_kind_and_outcome() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.drift_detected(DriftClass.MIXED)
    prod.drift_corrected(DriftClass.MIXED, CorrectionOutcome.DENIED)
    assert value_of(metrics, "batchaccess_drift_detected_total", connection="prod", kind="Mixed") == 1
    corrected = "batchaccess_drift_corrected_total"
    assert value_of(metrics, corrected, connection="prod", kind="Mixed", outcome="Denied") == 1
    assert value_of(metrics, corrected, connection="prod", kind="Mixed", outcome="Verified") == 0


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (ErrorKind.RACE, CorrectionOutcome.RACED),
        (ErrorKind.DENIED, CorrectionOutcome.DENIED),
        (ErrorKind.TERMINAL, CorrectionOutcome.REJECTED),
        (ErrorKind.INVALID, CorrectionOutcome.REJECTED),
        (ErrorKind.WAITING, CorrectionOutcome.FAILED),
        (ErrorKind.TRANSIENT, CorrectionOutcome.FAILED),
    ],
)
def test_every_kind_of_error_has_an_outcome(kind: ErrorKind, outcome: CorrectionOutcome) -> None:
    assert CorrectionOutcome.of_error(kind) is outcome


@pytest.mark.parametrize(
    ("port", "port_class"),
    [(22, PortClass.LOGIN), (3389, PortClass.LOGIN), (23, PortClass.OTHER), (0, PortClass.OTHER)],
)
def test_login_ports_are_ssh_and_rdp(port: int, port_class: PortClass) -> None:
    assert PortClass.of(port) is port_class


def test_reachability_is_told_by_port_class() -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod").observe_pools([pool_exposed("open"), pool_in_order("closed")])

    def reachable(pool: str, port_class: str) -> float | None:
        name = "batchaccess_pool_internet_reachable"
        return value_of(metrics, name, connection="prod", pool=pool, port_class=port_class)

    assert [reachable(pool, port_class) for pool in ("open", "closed") for port_class in PortClass] == [1, 1, 0, 0]


def test_an_unchanged_row_is_not_rendered_again() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.observe_pools([pool_in_order("same"), pool_in_order("other")])
    before = metrics._instruments.pools._pools["prod"]
    prod.observe_pools([pool_in_order("same"), pool_exposed("other")])
    after = metrics._instruments.pools._pools["prod"]
    assert after["same"] is before["same"]
    assert after["other"] is not before["other"]


def test_of_two_rows_for_one_pool_the_later_counts() -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod").observe_pools([pool_exposed("twice"), pool_in_order("twice")])
    assert value_of(metrics, "batchaccess_pool_exposure_violation", connection="prod", pool="twice") == 0
    assert value_of(metrics, "batchaccess_pools", connection="prod", outcome="Compliant") == 1
    assert value_of(metrics, "batchaccess_pools", connection="prod", outcome="Pending") == 0


def test_the_row_of_another_connection_is_refused() -> None:
    with pytest.raises(ValueError, match="row of connection test was given to the metrics of prod"):
        Metrics(FakeClock()).connection("prod").observe(connection_row("test"))


@pytest.mark.parametrize("kind", ObjectKind)
def test_the_first_failed_write_is_an_increase(kind: ObjectKind) -> None:
    metrics = Metrics(FakeClock())
    writes = "batchaccess_status_writes_total"
    assert value_of(metrics, writes, kind=kind, result="Failed") == 0
    metrics.status_written(kind, WriteResult.FAILED)
    assert value_of(metrics, writes, kind=kind, result="Failed") == 1


def test_suspension_is_shown_and_lifted() -> None:
    metrics = Metrics(FakeClock())
    for suspended in (True, False):
        metrics.connection("prod").observe(connection_row(suspended=suspended))
        metrics.observe_policy(policy_row(suspended=suspended))
        assert value_of(metrics, "batchaccess_connection_suspended", connection="prod") == suspended
        assert value_of(metrics, "batchaccess_policy_suspended", policy="render/ssh") == suspended


def test_kubernetes_traffic_is_counted() -> None:
    metrics = Metrics(FakeClock())
    metrics.status_written(ObjectKind.POLICY, WriteResult.CONFLICT)
    metrics.event_emitted(EventType.NORMAL, EventReason.CONNECTED, WriteResult.FAILED)
    metrics.watch_delivered(ObjectKind.POOL, WatchEvent.LISTED)
    metrics.changes_missed(WatchedKind.NAMESPACE, 3)
    labels = {"kind": "BatchPoolAccessPolicy", "result": "Conflict"}
    assert value_of(metrics, "batchaccess_status_writes_total", **labels) == 1
    assert value_of(metrics, "batchaccess_events_total", type="Normal", reason="Connected", result="Failed") == 1
    assert value_of(metrics, "batchaccess_watch_events_total", kind="BatchPoolAccess", event="Listed") == 1
    missed = {kind: value_of(metrics, "batchaccess_resync_missed_changes_total", kind=kind) for kind in WatchedKind}
    assert missed == dict.fromkeys(WatchedKind, 0) | {WatchedKind.NAMESPACE: 3}, "each kind has a series from the start"
