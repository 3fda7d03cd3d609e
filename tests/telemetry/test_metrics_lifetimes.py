"""Series live exactly as long as what they tell of."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import DriftClass
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.families import MetricType
from batchaccess.telemetry.metrics import FAMILIES, Metrics
from batchaccess.telemetry.words import CorrectionOutcome, SweepResult
from tests.support.clock import FakeClock
from tests.telemetry.build_rows import (
    SINCE,
    connection_row,
    policy_row,
    pool_exposed,
    pool_in_order,
    populated,
)
from tests.telemetry.read_exposition import series_of, series_with, value_of


def test_a_deleted_pool_takes_its_series_along() -> None:
    metrics = populated()
    metrics.connection("prod").observe_pools([pool_in_order("kept")])
    assert series_with(metrics, pool="kept")
    assert not series_with(metrics, pool="render-2")


def test_the_condition_that_no_longer_holds_has_no_series() -> None:
    metrics = populated()
    prod = metrics.connection("prod")
    prod.observe_pools([pool_exposed("render-1")])
    prod.observe_pools([pool_in_order("render-1")])
    drifted = series_with(metrics, pool="render-1", type="Drifted")
    assert [dict(labels)["status"] for _, labels in drifted] == ["False"]
    assert (
        value_of(metrics, "batchaccess_pool_drifted_since_timestamp_seconds", connection="prod", pool="render-1")
        is None
    )


def test_a_deleted_connection_takes_every_series_along() -> None:
    metrics = populated()
    assert series_with(metrics, connection="prod")
    metrics.forget_connection("prod")
    assert not series_with(metrics, connection="prod")


def test_of_a_connection_that_nobody_looked_at_nothing_is_claimed() -> None:
    metrics = Metrics(FakeClock())
    metrics.connection("prod")
    claims = {name for name, _ in series_with(metrics, connection="prod")}
    gauges = {family.name for family in FAMILIES if family.type is MetricType.GAUGE}
    assert claims & gauges == set()


def test_a_deleted_policy_takes_every_series_along() -> None:
    metrics = populated()
    metrics.forget_connection("prod")
    metrics.forget_policy(ObjectKey(namespace="render", name="ssh"))
    assert not series_with(metrics, policy="render/ssh")


def test_forgetting_what_is_unknown_does_nothing() -> None:
    metrics = Metrics(FakeClock())
    metrics.forget_connection("never-seen")
    metrics.forget_policy(ObjectKey(namespace="never", name="seen"))


def test_a_request_still_in_flight_does_not_revive_a_deleted_connection() -> None:
    metrics = populated()
    handle = metrics.connection("prod")
    metrics.forget_connection("prod")
    handle.azure_request(AzureOperation.LIST_POOLS, seconds=1, status=200)
    handle.sweep_finished(SweepResult.COMPLETE, seconds=1, ended=SINCE, writes=0)
    handle.drift_detected(DriftClass.WIDENING, after=7)
    handle.observe_breaker(is_open=True)
    handle.observe_sagas({}, pending=1)
    handle.drift_corrected(DriftClass.WIDENING, CorrectionOutcome.VERIFIED)
    handle.watch_budget(lambda: 1.0)
    handle.observe(connection_row())
    handle.observe_pools([pool_in_order()])
    handle.observe_some_pools([pool_in_order()])
    assert not series_with(metrics, connection="prod")


def test_a_connection_created_again_counts_from_zero() -> None:
    metrics = populated()
    metrics.forget_connection("prod")
    metrics.connection("prod")
    assert value_of(metrics, "batchaccess_sweeps_total", connection="prod", result="Complete") == 0
    assert value_of(metrics, "batchaccess_drift_detected_total", connection="prod", kind="Widening") == 0


def test_the_handle_of_a_connection_stays_the_same() -> None:
    metrics = Metrics(FakeClock())
    assert metrics.connection("prod") is metrics.connection("prod")


def test_two_operators_in_one_process_do_not_share_series() -> None:
    populated()
    assert not series_with(Metrics(FakeClock()), connection="prod")


def test_after_deleting_half_of_2000_pools_their_series_are_gone_at_the_next_scrape() -> None:
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.observe_pools([pool_exposed(f"p{number}") for number in range(2000)])
    before = len(series_of(metrics))
    prod.observe_pools([pool_exposed(f"p{number}") for number in range(1000)])
    assert before - len(series_of(metrics)) == 1000 * 14
    assert not series_with(metrics, pool="p1000")


class FleetMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, exactly what exists has series."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics(FakeClock())
        self.pools: dict[str, set[str]] = {}
        self.policies: set[str] = set()

    @rule(connection=st.sampled_from("ab"), pools=st.sets(st.sampled_from("xyz")))
    def sweep(self, connection: str, pools: set[str]) -> None:
        handle = self.metrics.connection(connection)
        handle.observe(connection_row(connection))
        handle.observe_pools([pool_exposed(pool) for pool in pools])
        self.pools[connection] = pools

    @rule(connection=st.sampled_from("ab"))
    def delete_connection(self, connection: str) -> None:
        self.metrics.forget_connection(connection)
        self.pools.pop(connection, None)

    @rule(name=st.sampled_from("pq"))
    def apply_policy(self, name: str) -> None:
        self.metrics.observe_policy(policy_row(ObjectKey(namespace="team", name=name)))
        self.policies.add(f"team/{name}")

    @rule(name=st.sampled_from("pq"))
    def delete_policy(self, name: str) -> None:
        self.metrics.forget_policy(ObjectKey(namespace="team", name=name))
        self.policies.discard(f"team/{name}")

    @invariant()
    def what_exists_has_series(self) -> None:
        shown: dict[str, set[str]] = {}
        policies = set()
        for name, labels in series_of(self.metrics):
            values = dict(labels)
            if name == "batchaccess_sweep_period_seconds":
                shown.setdefault(values["connection"], set())
            if name == "batchaccess_pool_info":
                shown.setdefault(values["connection"], set()).add(values["pool"])
            if name == "batchaccess_policy_info":
                policies.add(values["policy"])
        assert shown == self.pools
        assert policies == self.policies


TestFleet = FleetMachine.TestCase
TestFleet.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
