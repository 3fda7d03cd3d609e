"""How a scale is brought back, and when somebody's wish stands in its place."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchaccess.core.declared import Remediation, Strategy
from batchaccess.core.model import AllocationState, NodeCounts, ObservedPool
from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga.actions import (
    EnableAutoscale,
    Remediate,
    RemoveAzureJournal,
    Resize,
    StopResize,
    Underway,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.outcomes import Refusal, SagaMemory
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import Ending, Step
from tests.core.saga.situations import (
    BUSY,
    DRAINING,
    FORMULA,
    MARK,
    WIDE,
    acted,
    carrying,
    copy,
    decided,
    journal,
    scaled,
    situation,
    written,
)
from tests.support.build import NOW, pool

HOUR = timedelta(hours=1)
LATE = NOW + 3 * HOUR
PAUSING = replace(DRAINING, remediation=Remediation(strategy=Strategy.WHEN_EMPTY, pause_autoscale=True))
RECORDED_FORMULA = RecordedScale(targets=NodeCounts(dedicated=2), autoscale_formula=FORMULA, autoscale_interval="PT5M")
EMPTY = pool("p", WIDE)
DRAINED = scaled(BUSY, target=0)
GONE_NODES = carrying(scaled(BUSY, target=0, current=0), journal())


def test_our_own_shrinking_resize_is_stopped_before_the_scale_comes_back() -> None:
    shrinking = replace(carrying(DRAINED, journal()), allocation_state=AllocationState.RESIZING)
    ours = copy(Step.RESTORING, standing=NodeCounts(dedicated=2))
    assert isinstance(acted(situation(shrinking, kubernetes=ours)), StopResize)
    assert isinstance(decided(situation(shrinking, kubernetes=copy(Step.RESTORING))), Underway)
    stopping = replace(shrinking, allocation_state=AllocationState.STOPPING)
    assert isinstance(decided(situation(stopping, kubernetes=ours)), Underway)


def test_the_recorded_scale_comes_back_with_its_own_timeout() -> None:
    recorded = RecordedScale(targets=NodeCounts(dedicated=2, low_priority=3), resize_timeout="PT42M")
    of = journal(recorded=recorded)
    action = acted(situation(carrying(GONE_NODES, of), None, kubernetes=copy(Step.RESTORING, of, restore=MARK)))
    assert (action.targets, action.resize_timeout, action.is_restore) == (recorded.targets, "PT42M", True)


def test_the_recorded_formula_comes_back() -> None:
    of = journal(recorded=RECORDED_FORMULA)
    action = acted(situation(carrying(GONE_NODES, of), kubernetes=copy(Step.RESTORING, of, restore=MARK)))
    assert (action.formula, action.interval) == (FORMULA, "PT5M")
    assert isinstance(action, EnableAutoscale)


def test_a_restore_is_written_down_with_what_tells_it_from_a_later_wish() -> None:
    at = situation(GONE_NODES, kubernetes=copy(Step.RESTORING, standing=NodeCounts(dedicated=2)))
    action = acted(at)
    assert isinstance(action, WriteKubernetesJournal)
    assert (action.copy.step, action.copy.restore) == (Step.RESTORING, MARK)
    assert isinstance(acted(replace(at, kubernetes=action.copy)), Resize)


MAY_BE_FROM_BEFORE_THE_DRAIN = {
    "paused targets that were none already": (GONE_NODES, {"standing": NodeCounts()}),
    "paused targets of which only the Azure copy tells": (GONE_NODES, {"ending": Ending.RESUMED}),
    "paused targets of a saga that was taken over": (GONE_NODES, {"ending": Ending.ADOPTED}),
    "paused targets that are there still": (carrying(BUSY, journal()), {"standing": NodeCounts(dedicated=2)}),
    "targets of which nobody knows whether they were drained": (carrying(BUSY, journal()), {"ending": Ending.RESUMED}),
}


@pytest.mark.parametrize(
    ("of", "known"), MAY_BE_FROM_BEFORE_THE_DRAIN.values(), ids=MAY_BE_FROM_BEFORE_THE_DRAIN.keys()
)
def test_a_reading_that_may_be_older_than_the_drain_is_no_mark_of_a_restore(
    of: ObservedPool, known: dict[str, Any]
) -> None:
    paused = journal(recorded=RECORDED_FORMULA)
    at = situation(
        replace(of, metadata=carrying(of, paused).metadata), kubernetes=copy(Step.RESTORING, paused, **known)
    )
    assert isinstance(acted(at), EnableAutoscale)


def test_targets_that_somebody_sets_while_a_formula_has_to_be_paused_again_are_their_wish() -> None:
    paused = journal(recorded=RECORDED_FORMULA)
    drained_from = copy(Step.DRAINING, paused, standing=NodeCounts(dedicated=2), etag=BUSY.etag)
    annotated = replace(carrying(BUSY, paused), etag="annotated")
    again = acted(situation(annotated, kubernetes=drained_from, saga_memory=SagaMemory(unsent_etag=BUSY.etag)))
    assert again.copy.step is Step.PAUSING_AUTOSCALE
    resized = replace(scaled(annotated, target=5, current=5), etag="resized")
    assert written(situation(resized, kubernetes=again.copy)) == (Step.RESTORING, Ending.SCALE_CHANGED)


LATER = {
    "somebody set its scale": replace(
        GONE_NODES, etag="later", allocation_state_transition_time="2026-01-01T00:09:00Z"
    ),
    "somebody is setting its scale": replace(GONE_NODES, etag="later", allocation_state=AllocationState.RESIZING),
}


@pytest.mark.parametrize("of", LATER.values(), ids=LATER.keys())
def test_no_nodes_are_somebodys_wish_if_a_scale_was_set_since_the_restore_was_written_down(of: ObservedPool) -> None:
    restoring = copy(Step.RESTORING, standing=NodeCounts(dedicated=2), restore=MARK)
    assert written(situation(of, kubernetes=restoring))[0] is Step.CLEARING


def test_a_pool_that_only_was_written_to_since_its_restore_was_written_down_is_restored() -> None:
    restoring = copy(Step.RESTORING, standing=NodeCounts(dedicated=2), restore=MARK)
    annotated = replace(GONE_NODES, etag="later")
    action = acted(situation(annotated, kubernetes=restoring))
    assert isinstance(action, Resize)
    assert action.etag == "later"


def test_no_nodes_are_a_wish_while_the_journal_is_removed_unless_the_scale_that_seemed_back_never_was() -> None:
    clearing = copy(Step.CLEARING, standing=NodeCounts(dedicated=2), etag="restored", restore=MARK)
    wished = replace(GONE_NODES, etag="later", allocation_state_transition_time="2026-01-01T00:09:00Z")
    assert isinstance(acted(situation(wished, kubernetes=clearing)), RemoveAzureJournal)
    for misread in (GONE_NODES, replace(GONE_NODES, etag="annotated")):
        assert written(situation(misread, kubernetes=clearing))[0] is Step.RESTORING


def test_paused_targets_are_somebodys_wish_once_the_pool_was_found_empty() -> None:
    of = journal(recorded=RECORDED_FORMULA)
    paused = carrying(BUSY, of)
    before = copy(Step.RESTORING, of, restore=MARK)
    assert isinstance(acted(situation(paused, kubernetes=before)), EnableAutoscale)
    assert written(situation(paused, kubernetes=replace(before, emptied=True)))[0] is Step.CLEARING
    correcting = acted(situation(carrying(EMPTY, of), kubernetes=copy(Step.PAUSING_AUTOSCALE, of, etag="0x0")))
    assert (correcting.copy.step, correcting.copy.emptied) == (Step.CORRECTING, True)


def test_somebody_elses_scale_stands() -> None:
    grown = carrying(scaled(BUSY, target=7), journal())
    draining = copy(Step.DRAINING, etag="0x1", standing=NodeCounts(dedicated=2))
    assert written(situation(grown, kubernetes=draining)) == (Step.RESTORING, Ending.SCALE_CHANGED)
    restoring = copy(Step.RESTORING, standing=NodeCounts(dedicated=2))
    action = acted(situation(grown, kubernetes=replace(restoring, message="The network is as declared.")))
    assert action.copy.step is Step.CLEARING
    assert action.copy.message == (
        "The network is as declared. Somebody else set another scale than the recorded one meanwhile; it stands."
    )


def test_a_refused_restore_is_pending_until_it_is_tried_again() -> None:
    refusal = Refusal(ending=Ending.ACCESS_DENIED, message="denied", retry_at=NOW + HOUR)
    restoring = copy(Step.RESTORING, restore=MARK)
    at = situation(GONE_NODES, kubernetes=restoring, saga_memory=SagaMemory(refusal=refusal))
    decision = decided(at)
    assert isinstance(decision, Underway)
    assert (decision.reason, decision.until) == (RemediatingReason.RESTORE_PENDING, NOW + HOUR)
    again = decided(replace(at, now=NOW + HOUR))
    assert isinstance(again, Remediate)
    assert (type(again.action), again.reason) == (Resize, RemediatingReason.RESTORE_PENDING)


def test_capacity_that_did_not_come_back_is_asked_for_again() -> None:
    short = carrying(scaled(BUSY, current=1), journal())
    drained = copy(Step.RESTORING, standing=NodeCounts(dedicated=2))
    decision = decided(situation(short, kubernetes=drained))
    assert isinstance(decision, Remediate)
    assert isinstance(decision.action, Resize)
    assert (decision.action.again, decision.reason) == (True, RemediatingReason.RESTORE_PENDING)
    assert written(situation(short, kubernetes=copy(Step.RESTORING)))[0] is Step.CLEARING
