from dataclasses import replace
from datetime import timedelta

from batchaccess.core.decision import Nothing, Stall, Wait
from batchaccess.core.model import MetadataItem, NodeCounts
from batchaccess.core.reasons import CompliantReason, PoolOutcome, RemediatingReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    RemoveAzureJournal,
    Resize,
    Underway,
    WriteAzureJournal,
)
from batchaccess.core.saga.decision import is_starting
from batchaccess.core.saga.journal import UnreadableJournal
from batchaccess.core.saga.metadata import NO_JOURNAL
from batchaccess.core.saga.outcomes import SagaMemory
from batchaccess.core.saga.steps import Ending, RestoreMark, Step
from tests.core.saga.situations import (
    BUSY,
    GOOD,
    MARK,
    THEM,
    UNREADABLE,
    WIDE,
    acted,
    carrying,
    copy,
    decided,
    history,
    journal,
    scaled,
    situation,
    written,
)
from tests.support.build import LEGACY, NOW, pool

HOUR = timedelta(hours=1)
EMPTY = pool("p", WIDE)
DRAINED = scaled(BUSY, target=0)


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


def test_a_kubernetes_copy_from_a_backup_gives_way_to_a_later_saga() -> None:
    later = journal(saga_id="fedcba987654", started=NOW + HOUR)
    at = situation(carrying(DRAINED, later), kubernetes=copy(Step.DRAINING))
    assert written(at) == (Step.RESTORING, Ending.RESUMED)
    assert acted(at).copy.journal == later


def test_a_restore_waits_for_one_try_to_write_a_lost_azure_copy_again() -> None:
    drained = scaled(BUSY, target=0, current=0)
    mark = RestoreMark(etag=drained.etag, allocated=drained.allocation_state_transition_time)
    restoring = situation(
        drained, kubernetes=copy(Step.RESTORING, standing=NodeCounts(dedicated=2), emptied=True, restore=mark)
    )
    action = acted(restoring)
    assert isinstance(action, WriteAzureJournal)
    assert not action.is_ahead
    assert isinstance(acted(replace(restoring, saga_memory=SagaMemory(is_copy_refused=True))), Resize)


def test_a_lost_azure_copy_is_written_again() -> None:
    for step in (Step.DRAINING, Step.RESTORING):
        at = situation(DRAINED, kubernetes=copy(step, standing=NodeCounts(dedicated=2), restore=MARK))
        assert isinstance(acted(at), WriteAzureJournal)
