"""What is added up over time: exposure from sweep to sweep, and how long drift stays open."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.reasons import ConditionStatus, ConditionType, PoolOutcome
from batchaccess.core.status import Condition
from batchaccess.telemetry.connection import ConnectionMetrics
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import SweepResult
from tests.telemetry.build_rows import SINCE
from tests.telemetry.read_exposition import value_of


def row(pool: str, *, open_ports: tuple[int, ...] = (), forbidden: tuple[int, ...] = ()) -> PoolRow:
    return PoolRow(
        pool=pool,
        outcome=PoolOutcome.COMPLIANT,
        conditions=(),
        internet_open_ports=frozenset(open_ports),
        violating_ports=frozenset(forbidden),
    )


def sweep(prod: ConnectionMetrics, at: float, *rows: PoolRow, result: SweepResult = SweepResult.COMPLETE) -> None:
    if result is not SweepResult.FAILED:
        prod.observe_pools(rows)
    prod.sweep_finished(result, seconds=1, ended=SINCE + timedelta(seconds=at), writes=0)


def exposure(metrics: Metrics, port_class: str, verdict: str) -> float | None:
    name = "batchaccess_exposure_seconds_total"
    return value_of(metrics, name, connection="prod", port_class=port_class, verdict=verdict)


def test_exposure_counts_from_the_sweep_that_saw_it_to_the_one_that_no_longer_does() -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    sweep(prod, 0, row("a"))
    sweep(prod, 60, row("a", open_ports=(22,), forbidden=(22,)))
    assert exposure(metrics, "login", "Forbidden") == 0
    sweep(prod, 120, row("a", open_ports=(22,), forbidden=(22,)))
    sweep(prod, 200, row("a"))
    sweep(prod, 260, row("a"))
    assert exposure(metrics, "login", "Forbidden") == 140
    assert exposure(metrics, "other", "Forbidden") == 0


def test_exposure_adds_up_over_pools_and_is_told_apart_by_ports_and_verdict() -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    sweep(
        prod,
        0,
        row("a", open_ports=(22, 3389, 8080), forbidden=(22,)),
        row("b", open_ports=(3389,)),
        row("c", open_ports=(443,)),
    )
    sweep(prod, 10)
    assert exposure(metrics, "login", "Forbidden") == 10
    assert exposure(metrics, "login", "Allowed") == 10
    assert exposure(metrics, "other", "Allowed") == 20
    assert exposure(metrics, "other", "Forbidden") == 0


def test_an_outage_of_the_account_counts_as_what_was_seen_before_it() -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    sweep(prod, 0, row("a", open_ports=(22,)))
    sweep(prod, 60, result=SweepResult.FAILED)
    sweep(prod, 120, result=SweepResult.FAILED)
    sweep(prod, 180, row("a"))
    assert exposure(metrics, "login", "Allowed") == 180


def test_a_clock_set_back_takes_nothing_away() -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    sweep(prod, 100, row("a", open_ports=(22,)))
    sweep(prod, 0, row("a", open_ports=(22,)))
    assert exposure(metrics, "login", "Allowed") == 0


@given(steps=st.lists(st.tuples(st.integers(1, 100), st.integers(0, 5)), max_size=12))
def test_exposure_is_the_area_under_the_number_of_exposed_pools(steps: list[tuple[int, int]]) -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    now = area = exposed = 0
    sweep(prod, now)
    for seconds, pools in steps:
        now += seconds
        area += seconds * exposed
        exposed = pools
        sweep(prod, now, *(row(f"p{number}", open_ports=(22,)) for number in range(pools)))
    assert exposure(metrics, "login", "Allowed") == area


def drifted(status: ConditionStatus, since: datetime) -> PoolRow:
    condition = Condition(
        type=ConditionType.DRIFTED,
        status=status,
        reason="Widening",
        message="",
        observed_generation=1,
        last_transition_time=since,
    )
    return PoolRow(pool="a", outcome=PoolOutcome.PENDING, conditions=(condition,))


LATER = SINCE + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("before", "after", "count", "seconds"),
    [
        pytest.param(
            drifted(ConditionStatus.TRUE, SINCE), drifted(ConditionStatus.FALSE, LATER), 1, 600, id="drift that ended"
        ),
        pytest.param(
            drifted(ConditionStatus.TRUE, LATER),
            drifted(ConditionStatus.FALSE, SINCE),
            1,
            0,
            id="drift that ended before it began, by a clock set back",
        ),
        pytest.param(
            drifted(ConditionStatus.TRUE, SINCE),
            drifted(ConditionStatus.UNKNOWN, LATER),
            0,
            0,
            id="drift lost from sight",
        ),
        pytest.param(
            drifted(ConditionStatus.FALSE, SINCE), drifted(ConditionStatus.TRUE, LATER), 0, 0, id="drift begun"
        ),
        pytest.param(drifted(ConditionStatus.TRUE, SINCE), row("b"), 0, 0, id="a drifted pool that was deleted"),
    ],
)
def test_the_length_of_drift_is_observed_when_it_ends(
    before: PoolRow, after: PoolRow, count: int, seconds: int
) -> None:
    metrics = Metrics()
    prod = metrics.connection("prod")
    prod.observe_pools([before])
    prod.observe_pools([after])
    prod.observe_pools([after])
    assert value_of(metrics, "batchaccess_drift_open_seconds_count", connection="prod") == count
    assert value_of(metrics, "batchaccess_drift_open_seconds_sum", connection="prod") == seconds
