"""How long drift stays open."""

from datetime import datetime, timedelta

import pytest

from batchaccess.core.reasons import ConditionStatus, ConditionType, PoolOutcome
from batchaccess.core.status import Condition
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.rows import PoolRow
from tests.support.clock import FakeClock
from tests.telemetry.build_rows import SINCE
from tests.telemetry.read_exposition import value_of


def row(pool: str) -> PoolRow:
    return PoolRow(pool=pool, outcome=PoolOutcome.COMPLIANT, conditions=())


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
    metrics = Metrics(FakeClock())
    prod = metrics.connection("prod")
    prod.observe_pools([before])
    prod.observe_pools([after])
    prod.observe_pools([after])
    assert value_of(metrics, "batchaccess_drift_open_seconds_count", connection="prod") == count
    assert value_of(metrics, "batchaccess_drift_open_seconds_sum", connection="prod") == seconds
