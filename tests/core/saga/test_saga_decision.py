from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchaccess.core.decision import Nothing, PatchNetwork, Stall, Wait
from batchaccess.core.declared import Mode, NodeDeallocation, Remediation, Strategy
from batchaccess.core.memory import PoolMemory, network_digest
from batchaccess.core.model import AllocationState, MetadataItem, NodeCounts, ObservedPool, PoolState
from batchaccess.core.reasons import CompliantReason, PoolOutcome, RemediatingReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    DisableAutoscale,
    RemoveAzureJournal,
    Resize,
    Underway,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.decision import is_starting
from batchaccess.core.saga.gates import Blocked
from batchaccess.core.saga.journal import UnreadableJournal
from batchaccess.core.saga.metadata import NO_JOURNAL, journal_in
from batchaccess.core.saga.outcomes import Refusal, SagaMemory
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.steps import DrainLatch, Ending, Step
from tests.core.saga.situations import (
    BUSY,
    DRAINING,
    FORMULA,
    GOOD,
    MARK,
    THEM,
    WIDE,
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
from tests.support.build import LEGACY, NOW, connection, pool

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATE = NOW + 3 * HOUR
PAUSING = replace(DRAINING, remediation=Remediation(strategy=Strategy.WHEN_EMPTY, pause_autoscale=True))
RECORDED_FORMULA = RecordedScale(targets=NodeCounts(dedicated=2), autoscale_formula=FORMULA, autoscale_interval="PT5M")
EMPTY = pool("p", WIDE)
DRAINED = scaled(BUSY, target=0)
GONE_NODES = carrying(scaled(BUSY, target=0, current=0), journal())


def test_a_busy_pool_is_recorded_before_anything_else() -> None:
    decision = decided(situation(BUSY))
    assert is_starting(decision)
    action = acted(situation(BUSY))
    assert action.copy.step is Step.PREPARING
    assert action.copy.journal == journal()
    assert action.history == history(started=(NOW,))


def test_nothing_starts_for_an_empty_pool() -> None:
    decision = decided(situation(EMPTY))
    assert isinstance(decision, PatchNetwork)
    assert not is_starting(decision)


def test_a_reading_from_before_our_resize_is_nobodys_wish_about_the_scale() -> None:
    outdated = situation(BUSY, kubernetes=copy(Step.CORRECTING), saga_memory=SagaMemory(sent_etag=BUSY.etag))
    assert isinstance(decided(outdated), Underway)
    somebodys = replace(BUSY, etag="newer")
    wish = situation(somebodys, kubernetes=copy(Step.CORRECTING), saga_memory=SagaMemory(sent_etag=BUSY.etag))
    assert written(wish) == (Step.RESTORING, Ending.SCALE_CHANGED)


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


def test_a_foreign_journal_is_waited_for_even_where_the_pool_is_empty() -> None:
    for of in (BUSY, EMPTY):
        decision = decided(situation(carrying(of, journal(holder=THEM))))
        assert isinstance(decision, Wait)
        assert decision.reason is CompliantReason.FOREIGN_JOURNAL
        assert "adopt: 0123456789ab" in decision.message


def test_a_foreign_journal_does_not_matter_where_nothing_is_to_be_written() -> None:
    decision = decided(situation(carrying(pool("p", GOOD), journal(holder=THEM))))
    assert decision == Nothing(outcome=PoolOutcome.COMPLIANT)


def test_a_foreign_saga_is_taken_over_by_its_id_only() -> None:
    theirs = carrying(BUSY, journal(holder=THEM))
    assert isinstance(decided(situation(theirs, adopt="somethingelse")), Wait)
    action = acted(situation(theirs, adopt="0123456789ab"))
    assert (action.copy.step, action.copy.journal) == (Step.TAKING_OVER, journal())
    taking = situation(theirs, kubernetes=action.copy)
    assert isinstance(acted(taking), WriteAzureJournal)
    assert acted(taking).journal == journal()
    assert written(situation(carrying(BUSY, journal()), kubernetes=action.copy)) == (Step.RESTORING, Ending.ADOPTED)
    assert isinstance(acted(situation(BUSY, kubernetes=action.copy)), ClearKubernetesJournal)


def test_a_saga_taken_over_by_another_holder_is_let_go() -> None:
    theirs = carrying(DRAINED, journal(holder=THEM))
    for step in (Step.PREPARING, Step.DRAINING, Step.CORRECTING, Step.RESTORING, Step.CLEARING):
        assert isinstance(acted(situation(theirs, kubernetes=copy(step))), ClearKubernetesJournal)


def test_another_holders_own_saga_is_waited_for_with_the_scale_kept() -> None:
    theirs = carrying(DRAINED, journal(holder=THEM, saga_id="fedcba987654"))
    for step in (Step.DRAINING, Step.CORRECTING, Step.RESTORING):
        decision = decided(situation(theirs, kubernetes=copy(step)))
        assert isinstance(decision, Underway)
        assert decision.reason is RemediatingReason.RESTORE_PENDING
    assert isinstance(acted(situation(theirs, kubernetes=copy(Step.PREPARING))), ClearKubernetesJournal)


UNREADABLE = (MetadataItem(name="batchaccess.dev/journal-0", value="?"),)


def test_an_unreadable_journal_is_said_and_nothing_is_touched() -> None:
    for of in (BUSY, EMPTY, pool("p", GOOD)):
        decision = decided(situation(replace(of, metadata=UNREADABLE)))
        assert isinstance(decision, Stall)
        assert decision.reason is CompliantReason.UNREADABLE_JOURNAL
    decision = decided(situation(BUSY, kubernetes=UnreadableJournal(problem="x")))
    assert isinstance(decision, Stall)
    assert decided(situation(replace(BUSY, metadata=UNREADABLE), None)) == Nothing(outcome=PoolOutcome.UNMANAGED)


def test_a_journal_copied_from_another_pool_is_unreadable() -> None:
    for foreign in (journal(pool_id="q"), journal(pool_created=LEGACY)):
        decision = decided(situation(carrying(BUSY, foreign)))
        assert isinstance(decision, Stall)
        assert "another pool" in decision.message


def test_only_our_azure_copy_resumes_at_the_restore() -> None:
    for kubernetes in (None, UnreadableJournal(problem="x")):
        at = situation(carrying(DRAINED, journal()), None, kubernetes=kubernetes)
        assert written(at) == (Step.RESTORING, Ending.RESUMED)


def test_a_word_for_no_journal_is_none() -> None:
    assert is_starting(decided(situation(replace(BUSY, metadata=(NO_JOURNAL,)))))


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
    failing = situation(GONE_NODES, kubernetes=correcting, now=LATE, memory=PoolMemory(failures=1))
    assert written(failing) == (Step.RESTORING, Ending.DRAIN_TIMED_OUT)


def test_a_corrected_network_leads_to_the_restore_without_a_latch() -> None:
    fixed = carrying(replace(pool("p", GOOD), scale=GONE_NODES.scale), journal())
    at = situation(fixed, kubernetes=copy(Step.CORRECTING), history=history())
    assert written(at) == (Step.RESTORING, Ending.CORRECTED)
    assert acted(at).history == history()


def test_the_azure_copy_goes_first_and_leaves_other_items() -> None:
    note = MetadataItem(name="team", value="render")
    both = carrying(replace(BUSY, metadata=(note,)), journal())
    clearing = copy(Step.CLEARING)
    action = acted(situation(both, kubernetes=clearing))
    assert isinstance(action, RemoveAzureJournal)
    assert action.metadata == (note,)
    done = situation(replace(BUSY, metadata=(note,)), kubernetes=clearing, history=history())
    assert acted(done) == ClearKubernetesJournal(history=history())


def test_an_ignored_empty_list_is_answered_with_a_word() -> None:
    at = situation(carrying(BUSY, journal()), kubernetes=copy(Step.CLEARING))
    assert acted(at).metadata == ()
    assert acted(replace(at, saga_memory=SagaMemory(removals=1))).metadata == (NO_JOURNAL,)


def test_a_pool_of_the_same_name_made_anew_is_none_of_the_sagas() -> None:
    for step in Step:
        old = copy(step, journal(pool_created=LEGACY))
        assert isinstance(acted(situation(BUSY, kubernetes=old)), ClearKubernetesJournal)


def test_a_pool_being_deleted_is_only_watched() -> None:
    deleting = replace(BUSY, state=PoolState.DELETING)
    for step in Step:
        assert isinstance(decided(situation(deleting, kubernetes=copy(step))), Underway)


def test_a_kubernetes_copy_from_a_backup_gives_way_to_a_later_saga() -> None:
    later = journal(saga_id="fedcba987654", started=NOW + HOUR)
    at = situation(carrying(DRAINED, later), kubernetes=copy(Step.DRAINING))
    assert written(at) == (Step.RESTORING, Ending.RESUMED)
    assert acted(at).copy.journal == later


def test_a_lost_azure_copy_is_written_again() -> None:
    for step in (Step.DRAINING, Step.RESTORING):
        at = situation(DRAINED, kubernetes=copy(step, standing=NodeCounts(dedicated=2), restore=MARK))
        assert isinstance(acted(at), WriteAzureJournal)


def test_back_off_holds_back_the_service_and_not_the_journal() -> None:
    memory = SagaMemory(back_off_until=NOW + MINUTE, back_off_message="busy")
    restoring = situation(GONE_NODES, kubernetes=copy(Step.RESTORING, restore=MARK), saga_memory=memory)
    decision = decided(restoring)
    assert isinstance(decision, Underway)
    assert (decision.message, decision.until) == ("busy", NOW + MINUTE)
    assert written(situation(carrying(BUSY, journal()), kubernetes=copy(Step.RESTORING), saga_memory=memory))
