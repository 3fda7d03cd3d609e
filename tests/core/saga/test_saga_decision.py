from dataclasses import replace
from datetime import timedelta

import pytest

from batchaccess.core.decision import PatchNetwork, Stall
from batchaccess.core.declared import Mode, NodeDeallocation
from batchaccess.core.memory import PoolMemory
from batchaccess.core.model import AllocationState, NodeCounts, PoolState
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    DisableAutoscale,
    Resize,
    Underway,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.decision import is_starting
from batchaccess.core.saga.metadata import journal_in
from batchaccess.core.saga.outcomes import Refusal, SagaMemory
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.steps import Ending, Step
from tests.core.saga.situations import (
    BUSY,
    DRAINING,
    FORMULA,
    GOOD,
    MARK,
    THEM,
    UNREADABLE,
    acted,
    autoscaled,
    carrying,
    copy,
    decided,
    history,
    journal,
    scaled,
    situation,
    written,
)
from tests.support.build import LEGACY, NOW, RECENT, connection, pool

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATE = NOW + 3 * HOUR
RECORDED_FORMULA = RecordedScale(targets=NodeCounts(dedicated=2), autoscale_formula=FORMULA, autoscale_interval="PT5M")
DRAINED = scaled(BUSY, target=0)
GONE_NODES = carrying(scaled(BUSY, target=0, current=0), journal())


def test_a_busy_pool_is_recorded_before_anything_else() -> None:
    decision = decided(situation(BUSY))
    assert is_starting(decision)
    action = acted(situation(BUSY))
    assert action.copy.step is Step.PREPARING
    assert action.copy.journal == journal()
    assert action.history == history(started=(NOW,), pool_created=RECENT)


def test_a_reading_from_before_our_resize_is_nobodys_wish_about_the_scale() -> None:
    outdated = situation(BUSY, kubernetes=copy(Step.CORRECTING), saga_memory=SagaMemory(sent_etag=BUSY.etag))
    assert isinstance(decided(outdated), Underway)
    somebodys = replace(BUSY, etag="newer")
    wish = situation(somebodys, kubernetes=copy(Step.CORRECTING), saga_memory=SagaMemory(sent_etag=BUSY.etag))
    assert written(wish) == (Step.RESTORING, Ending.SCALE_CHANGED)


def test_the_copies_are_written_in_order_and_the_first_change_is_conditional() -> None:
    preparing = copy(Step.PREPARING)
    first = acted(situation(BUSY, kubernetes=preparing))
    assert isinstance(first, WriteAzureJournal)
    assert (first.etag, journal_in(first.metadata)) == (BUSY.etag, journal())
    both = replace(carrying(BUSY, journal()), etag="0x9")
    action = acted(situation(both, kubernetes=preparing))
    assert (action.copy.step, action.copy.etag, action.copy.standing) == (Step.DRAINING, "0x9", NodeCounts(dedicated=2))
    resize = acted(situation(both, kubernetes=action.copy))
    assert resize == Resize(
        pool_id="p",
        etag="0x9",
        targets=NodeCounts(),
        resize_timeout="PT2H",
        deallocation=NodeDeallocation.TASK_COMPLETION,
        is_restore=False,
    )


def test_a_drain_gets_what_is_left_of_its_time_and_at_least_five_minutes() -> None:
    at = copy(Step.DRAINING, etag=BUSY.etag, standing=NodeCounts(dedicated=2))
    for minutes, timeout in ((30, "PT1H30M"), (118, "PT5M")):
        assert acted(situation(BUSY, kubernetes=at, now=NOW + minutes * MINUTE)).resize_timeout == timeout


def test_autoscale_is_disabled_under_its_own_etag_and_formula_only() -> None:
    scaled_journal = journal(recorded=RECORDED_FORMULA)
    of = carrying(autoscaled(), scaled_journal)
    pausing = copy(Step.PAUSING_AUTOSCALE, scaled_journal, etag=of.etag)
    assert acted(situation(of, kubernetes=pausing)) == DisableAutoscale(pool_id="p", etag=of.etag, formula=FORMULA)
    moved = acted(situation(replace(of, etag="0x9"), kubernetes=pausing))
    assert (moved.copy.step, moved.copy.etag) == (Step.PAUSING_AUTOSCALE, "0x9")
    edited = carrying(autoscaled(formula="$x = 1;"), scaled_journal)
    anew = acted(situation(edited, kubernetes=pausing))
    assert (anew.copy.step, anew.copy.etag) == (Step.PAUSING_AUTOSCALE, None)
    assert anew.copy.journal.recorded.autoscale_formula == "$x = 1;"
    assert isinstance(acted(situation(edited, kubernetes=anew.copy)), WriteAzureJournal)


ENDINGS = {
    "the policy is suspended": (situation(BUSY, replace(DRAINING, suspend=True, generation=2)), Ending.SUSPENDED),
    "the connection is suspended": (situation(BUSY, on=connection(suspend=True)), Ending.SUSPENDED),
    "the policy is gone": (situation(BUSY, None), Ending.POLICY_GONE),
    "the policy was edited": (situation(BUSY, replace(DRAINING, generation=2)), Ending.POLICY_CHANGED),
    "the policy only audits now": (
        situation(BUSY, replace(DRAINING, mode=Mode.AUDIT, generation=2)),
        Ending.POLICY_CHANGED,
    ),
    "the drift is gone": (situation(pool("p", GOOD, nodes=2)), Ending.NOT_NEEDED),
    "the breaker opened": (situation(BUSY, breaker_open=True), Ending.BREAKER_OPEN),
    "the time is over": (situation(BUSY, now=LATE), Ending.DRAIN_TIMED_OUT),
    "the service denied it": (
        situation(
            BUSY,
            saga_memory=SagaMemory(refusal=Refusal(ending=Ending.ACCESS_DENIED, message="no", retry_at=LATE)),
        ),
        Ending.ACCESS_DENIED,
    ),
    "the metadata was damaged": (situation(replace(BUSY, metadata=UNREADABLE)), Ending.UNREADABLE_JOURNAL),
}
LATCHED = {Ending.BREAKER_OPEN, Ending.DRAIN_TIMED_OUT, Ending.ACCESS_DENIED}


@pytest.mark.parametrize(("at", "ending"), ENDINGS.values(), ids=ENDINGS.keys())
@pytest.mark.parametrize("step", [Step.PREPARING, Step.DRAINING])
def test_a_saga_stops_correcting_because(at: Situation, ending: Ending, step: Step) -> None:
    standing = NodeCounts(dedicated=2) if step is Step.DRAINING else None
    at = replace(at, kubernetes=copy(step, standing=standing), history=history())
    if ending is Ending.DRAIN_TIMED_OUT and step is Step.PREPARING:
        ending = Ending.NOT_NEEDED
    expected = Step.CLEARING if step is Step.PREPARING else Step.RESTORING
    assert written(at) == (expected, ending)
    latch = acted(at).history.latch
    is_held_back = ending is Ending.BREAKER_OPEN and step is Step.PREPARING
    assert (latch is not None) is (ending in LATCHED and not is_held_back)


def test_contention_ends_a_saga_and_holds_back_the_next_for_an_hour_and_not_longer() -> None:
    memory = PoolMemory(contended_until=NOW + HOUR)
    at = situation(GONE_NODES, kubernetes=copy(Step.CORRECTING), history=history(), memory=memory)
    assert written(at) == (Step.RESTORING, Ending.CONTENDED)
    assert acted(at).history.latch is None
    idle = situation(BUSY, history=history(started=(NOW,)), memory=memory)
    assert decided(idle).reason is CompliantReason.CONTENDED  # type: ignore[union-attr] # a wait
    assert is_starting(decided(replace(idle, now=NOW + HOUR)))


def test_a_deleting_connection_ends_its_sagas() -> None:
    deleting = replace(connection(), deleting=True)
    assert written(situation(BUSY, on=deleting, kubernetes=copy(Step.DRAINING))) == (
        Step.RESTORING,
        Ending.CONNECTION_DELETING,
    )


def test_an_edit_right_before_our_resize_is_recorded_and_not_given_way_to() -> None:
    grown = carrying(scaled(BUSY, target=7), journal())
    draining = copy(Step.DRAINING, etag="0x1", standing=NodeCounts(dedicated=2))
    at = situation(grown, kubernetes=draining, saga_memory=SagaMemory(unsent_etag="0x1"))
    action = acted(at)
    assert (action.copy.step, action.copy.journal.recorded.targets) == (Step.PREPARING, NodeCounts(dedicated=7))


def test_steady_with_nodes_left_is_an_incomplete_drain_and_never_empty() -> None:
    left = carrying(DRAINED, journal())
    draining = copy(Step.DRAINING, etag="0x1", standing=NodeCounts(dedicated=2))
    assert isinstance(decided(situation(left, kubernetes=draining, now=NOW + MINUTE)), Underway)
    assert written(situation(left, kubernetes=draining, now=NOW + 3 * MINUTE)) == (
        Step.RESTORING,
        Ending.DRAIN_INCOMPLETE,
    )


@pytest.mark.parametrize("written_as", ["{:%Y-%m-%dT%H:%M:%S}Z", "{:%Y-%m-%dT%H:%M:%S.%f}1Z", "{:%Y-%m-%dT%H:%M:%S}"])
def test_leftovers_are_waited_for_from_the_end_of_the_resize_however_long_it_took(written_as: str) -> None:
    steady_at = NOW + 25 * MINUTE
    left = replace(carrying(DRAINED, journal()), allocation_state_transition_time=written_as.format(steady_at))
    draining = copy(Step.DRAINING, etag="0x1", standing=NodeCounts(dedicated=2))
    assert isinstance(decided(situation(left, kubernetes=draining, now=steady_at + MINUTE)), Underway)
    incomplete = situation(left, kubernetes=draining, now=steady_at + 3 * MINUTE)
    assert written(incomplete) == (Step.RESTORING, Ending.DRAIN_INCOMPLETE)
    untold = replace(left, allocation_state_transition_time="")
    assert isinstance(acted(situation(untold, kubernetes=draining, now=steady_at)), WriteKubernetesJournal)


def test_the_network_is_patched_once_the_pool_is_empty_however_late() -> None:
    draining = copy(Step.DRAINING, etag="0x1", standing=NodeCounts(dedicated=2))
    assert written(situation(GONE_NODES, kubernetes=draining, now=LATE))[0] is Step.CORRECTING
    correcting = copy(Step.CORRECTING, standing=NodeCounts(dedicated=2))
    assert isinstance(acted(situation(GONE_NODES, kubernetes=correcting, now=LATE)), PatchNetwork)
    put_off = PoolMemory(back_off_until=LATE + timedelta(minutes=1), back_off_message="The service is not ready.")
    for tried in (PoolMemory(failures=1), put_off):
        failing = situation(GONE_NODES, kubernetes=correcting, now=LATE, memory=tried)
        assert written(failing) == (Step.RESTORING, Ending.DRAIN_TIMED_OUT)


def test_a_request_in_the_middle_of_a_saga_is_answered_by_how_it_ends() -> None:
    drained = situation(
        scaled(BUSY, target=7), kubernetes=copy(Step.DRAINING, etag="0x0"), history=history(), requested="pool:a"
    )
    action = acted(drained)
    assert action.copy.ending is Ending.SCALE_CHANGED
    after = situation(scaled(BUSY, target=7), history=action.history, requested="pool:a")
    assert decided(after) == Stall(reason=CompliantReason.SCALE_CHANGED, message=action.copy.message)
    assert is_starting(decided(replace(after, requested="pool:b")))


def test_a_corrected_network_leads_to_the_restore_without_a_latch() -> None:
    fixed = carrying(replace(pool("p", GOOD), scale=GONE_NODES.scale), journal())
    at = situation(fixed, kubernetes=copy(Step.CORRECTING), history=history())
    assert written(at) == (Step.RESTORING, Ending.CORRECTED)
    assert acted(at).history == history()


def test_a_pool_of_the_same_name_made_anew_is_none_of_the_sagas() -> None:
    for step in Step:
        old = copy(step, journal(pool_created=LEGACY))
        assert isinstance(acted(situation(BUSY, kubernetes=old)), ClearKubernetesJournal)


def test_a_pool_being_deleted_is_only_watched() -> None:
    deleting = replace(BUSY, state=PoolState.DELETING)
    for step in Step:
        assert isinstance(decided(situation(deleting, kubernetes=copy(step))), Underway)


def test_back_off_holds_back_the_service_and_not_the_journal() -> None:
    memory = SagaMemory(back_off_until=NOW + MINUTE, back_off_message="busy")
    restoring = situation(GONE_NODES, kubernetes=copy(Step.RESTORING, restore=MARK), saga_memory=memory)
    decision = decided(restoring)
    assert isinstance(decision, Underway)
    assert (decision.message, decision.until) == ("busy", NOW + MINUTE)
    assert written(situation(carrying(BUSY, journal()), kubernetes=copy(Step.RESTORING), saga_memory=memory))


TIMED_OUT = "The pool was not empty in time."
RESTORING = copy(Step.RESTORING, ending=Ending.DRAIN_TIMED_OUT, message=TIMED_OUT, restore=MARK)
RESIZING = replace(carrying(DRAINED, journal()), allocation_state=AllocationState.RESIZING, etag=MARK.etag)
ON_THEIR_WAY = replace(carrying(BUSY, journal()), allocation_state=AllocationState.RESIZING)
SAID_WHILE_RESTORING = {
    "a resize is waited for": situation(RESIZING, kubernetes=RESTORING),
    "the nodes are on their way": situation(ON_THEIR_WAY, kubernetes=RESTORING),
    "the service is left alone for a while": situation(
        carrying(DRAINED, journal()),
        kubernetes=RESTORING,
        saga_memory=SagaMemory(back_off_until=NOW + MINUTE, back_off_message="busy"),
    ),
    "another holder's journal is in the way": situation(
        carrying(DRAINED, journal(saga_id="fedcba987654", holder=THEM)), kubernetes=RESTORING
    ),
}


@pytest.mark.parametrize("at", SAID_WHILE_RESTORING.values(), ids=SAID_WHILE_RESTORING.keys())
def test_how_the_correcting_part_ended_is_said_while(at: Situation) -> None:
    decision = decided(at)
    assert isinstance(decision, Underway)
    assert decision.message.endswith(f". {TIMED_OUT}") or decision.message == f"busy {TIMED_OUT}"


def test_before_it_ended_nothing_is_said_of_an_ending() -> None:
    leaving = replace(GONE_NODES, scale=replace(GONE_NODES.scale, current=NodeCounts(dedicated=1)), etag="later")
    draining = copy(Step.DRAINING, etag=BUSY.etag, standing=NodeCounts(dedicated=2))
    at = replace(leaving, allocation_state=AllocationState.RESIZING)
    decision = decided(situation(at, kubernetes=draining))
    assert isinstance(decision, Underway)
    assert decision.message == "Nodes are leaving the pool."
