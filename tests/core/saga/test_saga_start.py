from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchaccess.core.decision import Nothing, PatchNetwork, Stall, Wait
from batchaccess.core.declared import Remediation, Strategy
from batchaccess.core.memory import PoolMemory, network_digest
from batchaccess.core.model import AllocationState, ObservedPool, PoolState
from batchaccess.core.reasons import CompliantReason, PoolOutcome
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
)
from batchaccess.core.saga.decision import is_starting
from batchaccess.core.saga.gates import Blocked
from batchaccess.core.saga.outcomes import SagaMemory
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.steps import DrainLatch
from tests.core.saga.situations import (
    BUSY,
    DRAINING,
    GOOD,
    WIDE,
    acted,
    autoscaled,
    decided,
    history,
    situation,
)
from tests.support.build import LEGACY, NOW, pool

MINUTE = timedelta(minutes=1)
PAUSING = replace(DRAINING, remediation=Remediation(strategy=Strategy.WHEN_EMPTY, pause_autoscale=True))
EMPTY = pool("p", WIDE)


def test_nothing_starts_for_an_empty_pool() -> None:
    decision = decided(situation(EMPTY))
    assert isinstance(decision, PatchNetwork)
    assert not is_starting(decision)


WAITING = {
    "the strategy is WhenEmpty": (situation(BUSY, replace(DRAINING, remediation=Remediation())), "PoolNotEmpty"),
    "somebody resizes the pool": (
        situation(replace(BUSY, allocation_state=AllocationState.RESIZING)),
        "PoolNotEmpty",
    ),
    "the state of the pool is unknown": (situation(replace(BUSY, state=PoolState.UNKNOWN)), "PoolNotEmpty"),
    "the formula is not told": (situation(autoscaled(formula=None)), "PoolNotEmpty"),
    "a gate is closed": (
        situation(BUSY, blocked=Blocked(reason=CompliantReason.OUTSIDE_WINDOW, message="w")),
        "OutsideWindow",
    ),
    "the pool backs off": (
        situation(BUSY, memory=PoolMemory(back_off_until=NOW + MINUTE, back_off_message="b")),
        "BackingOff",
    ),
    "the saga backs off": (
        situation(BUSY, saga_memory=SagaMemory(back_off_until=NOW + MINUTE, back_off_message="b")),
        "BackingOff",
    ),
    "it was drained three times within the hour": (
        situation(BUSY, history=history(started=(NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW - MINUTE))),
        "Contended",
    ),
    "it was drained three times within the hour, under another policy": (
        situation(BUSY, history=history(replace(DRAINING, uid="other"), started=(NOW, NOW, NOW))),
        "Contended",
    ),
    "a value that somebody asked with was removed since": (
        situation(BUSY, history=history(started=(NOW, NOW, NOW), requested="pool:a connection:b"), requested="pool:a"),
        "Contended",
    ),
    "the pool is to be paused but has nodes": (situation(autoscaled(), PAUSING), "PoolNotEmpty"),
}


@pytest.mark.parametrize(("at", "reason"), WAITING.values(), ids=WAITING.keys())
def test_no_saga_starts_while(at: Situation, reason: str) -> None:
    decision = decided(at)
    assert isinstance(decision, Wait)
    assert decision.reason == reason


def test_a_pool_standing_at_zero_is_paused() -> None:
    assert is_starting(decided(situation(autoscaled(0), PAUSING)))


def latched(of: ObservedPool = BUSY, **changes: Any) -> Any:  # noqa: ANN401 a history
    latch = DrainLatch(network_digest=network_digest(of), reason=CompliantReason.DRAIN_TIMED_OUT, message="late")
    return history(latch=latch, **changes)


def test_a_drift_that_was_drained_for_is_not_drained_for_again() -> None:
    assert decided(situation(BUSY, history=latched())) == Stall(reason=CompliantReason.DRAIN_TIMED_OUT, message="late")


RELEASED = {
    "somebody asks for another try": situation(BUSY, history=latched(), requested="now"),
    "the policy was edited": situation(BUSY, replace(DRAINING, generation=2), history=latched()),
    "the pool was made anew": situation(BUSY, history=latched(pool_created=LEGACY)),
    "another network drifts": situation(BUSY, history=latched(of=pool("p", GOOD))),
}


@pytest.mark.parametrize("at", RELEASED.values(), ids=RELEASED.keys())
def test_a_latched_drift_is_drained_for_again_when(at: Situation) -> None:
    assert is_starting(decided(at))


def test_a_latch_is_forgotten_once_the_drift_is_gone() -> None:
    action = acted(situation(pool("p", GOOD, nodes=2), history=latched(started=(NOW,))))
    assert action == ClearKubernetesJournal(history=history(started=(NOW,)))
    rest = situation(pool("p", GOOD, nodes=2), history=history(started=(NOW,)))
    assert decided(rest) == Nothing(outcome=PoolOutcome.COMPLIANT)
