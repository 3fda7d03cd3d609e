from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchaccess.core.memory import NOTHING_REMEMBERED, after_error
from batchaccess.core.model import NodeCounts
from batchaccess.core.precondition import UNPROVEN, ETagForm, Precondition
from batchaccess.core.reasons import CompliantReason, ErrorKind
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    DisableAutoscale,
    EnableAutoscale,
    RemoveAzureJournal,
    Resize,
    SagaAction,
    StopResize,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.outcomes import (
    NO_SAGA_MEMORY,
    SagaMemory,
    after_action,
    after_refused_action,
    after_saga_request,
    while_sending,
)
from batchaccess.core.saga.steps import Ending, Step
from tests.core.saga.situations import BUSY, DRAINING, copy, journal
from tests.support.build import NOW

DRAIN = Resize(
    pool_id="p", etag="0x1", targets=NodeCounts(), resize_timeout="PT2H", deallocation=None, is_restore=False
)
RESTORE = Resize(
    pool_id="p", etag="0x1", targets=NodeCounts(dedicated=2), resize_timeout="PT15M", deallocation=None, is_restore=True
)
AZURE = WriteAzureJournal(pool_id="p", etag="0x1", metadata=(), journal=journal())
ENABLE = EnableAutoscale(pool_id="p", etag="0x1", formula="f", interval=None)
REMOVE = RemoveAzureJournal(pool_id="p", etag="0x1", metadata=())
PROVEN = Precondition(proven=True)


def refused(action: SagaAction, kind: ErrorKind, memory: SagaMemory = NO_SAGA_MEMORY, **changes: Any) -> SagaMemory:  # noqa: ANN401 options of the function under test
    arguments = {"message": "no", "precondition": PROVEN, "now": NOW, "jitter": 0.0, **changes}
    return after_refused_action(memory, action, kind=kind, **arguments)


REFUSALS = [
    (DRAIN, ErrorKind.DENIED, Ending.ACCESS_DENIED),
    (DRAIN, ErrorKind.TERMINAL, Ending.REJECTED),
    (AZURE, ErrorKind.TERMINAL, Ending.JOURNAL_REFUSED),
    (AZURE, ErrorKind.DENIED, Ending.ACCESS_DENIED),
]


@pytest.mark.parametrize(("action", "kind", "ending"), REFUSALS)
def test_what_is_refused_for_good_ends_the_saga(action: SagaAction, kind: ErrorKind, ending: Ending) -> None:
    memory = refused(action, kind)
    assert memory.refusal is not None
    assert memory.refusal.ending is ending
    assert memory.refusal.retry_at > NOW


@pytest.mark.parametrize("kind", [ErrorKind.WAITING, ErrorKind.TRANSIENT])
def test_what_time_may_heal_is_waited_for(kind: ErrorKind) -> None:
    memory = refused(DRAIN, kind, retry_after=120.0)
    assert memory.refusal is None
    assert memory.back_off_until == NOW + timedelta(seconds=120)


@pytest.mark.parametrize("kind", [ErrorKind.WAITING, ErrorKind.RACE])
@pytest.mark.parametrize("action", [RESTORE, ENABLE, StopResize(pool_id="p", etag="0x1")])
def test_a_scale_that_stays_away_because_the_service_is_not_ready_counts_as_failing(
    action: SagaAction, kind: ErrorKind
) -> None:
    assert refused(action, kind).failures == 1
    assert refused(DRAIN, kind).failures == 0


@pytest.mark.parametrize("kind", ErrorKind)
def test_a_lost_copy_that_cannot_be_written_again_is_not_waited_for(kind: ErrorKind) -> None:
    memory = refused(replace(AZURE, is_ahead=False), kind)
    assert memory == SagaMemory(is_copy_refused=True)


def test_somebody_who_asks_has_what_was_refused_tried_again_at_once() -> None:
    denied = refused(RESTORE, ErrorKind.DENIED, SagaMemory(sent_etag="0x0"))
    assert denied.refusal is not None
    assert after_saga_request(denied) == SagaMemory(sent_etag="0x0")
    assert after_saga_request(refused(RESTORE, ErrorKind.TRANSIENT)) == NO_SAGA_MEMORY
    enabled = after_action(NO_SAGA_MEMORY, ENABLE, now=NOW, jitter=0.0)
    assert after_saga_request(enabled) is enabled, "the service takes it no more than once in thirty seconds"


@pytest.mark.parametrize("jitter", [0.0, 0.99])
def test_a_denied_restore_is_tried_again_within_the_hour(jitter: float) -> None:
    refusal = refused(RESTORE, ErrorKind.DENIED, jitter=jitter).refusal
    assert refusal is not None
    assert timedelta(minutes=30) < refusal.retry_at - NOW <= timedelta(hours=1)


def test_a_quota_that_is_reached_is_told_at_once_where_a_scale_is_brought_back() -> None:
    refusal = refused(RESTORE, ErrorKind.WAITING, code="PoolQuotaReached").refusal
    assert refusal is not None
    assert refusal.ending is Ending.REJECTED
    assert refused(DRAIN, ErrorKind.WAITING, code="PoolQuotaReached").refusal is None


def test_failures_in_a_row_are_waited_for_longer_and_longer() -> None:
    memory, waits = NO_SAGA_MEMORY, []
    for _ in range(9):
        memory = refused(RESTORE, ErrorKind.TRANSIENT, memory)
        assert memory.back_off_until is not None
        waits.append(memory.back_off_until - NOW)
    assert waits == sorted(waits)
    assert max(waits) <= timedelta(hours=1)


def test_autoscale_is_not_enabled_twice_within_thirty_seconds() -> None:
    for memory in (
        refused(ENABLE, ErrorKind.TRANSIENT),
        after_action(NO_SAGA_MEMORY, ENABLE, now=NOW, jitter=0.0),
    ):
        assert memory.backs_off(NOW + timedelta(seconds=29))


def test_a_drain_that_lost_a_race_is_known_to_be_unsent() -> None:
    assert refused(DRAIN, ErrorKind.RACE).unsent_etag == "0x1"
    assert refused(DRAIN, ErrorKind.RACE, outcome_unknown=True).unsent_etag is None
    assert refused(RESTORE, ErrorKind.RACE).unsent_etag is None


def test_a_drain_is_unsent_from_its_write_ahead_until_it_is_sent_and_not_certainly_refused() -> None:
    ahead = WriteKubernetesJournal(copy=copy(Step.DRAINING, etag="0x1"), history=None)
    written = after_action(NO_SAGA_MEMORY, ahead, now=NOW, jitter=0.0)
    assert written.unsent_etag == "0x1"
    assert while_sending(written, DRAIN).unsent_etag is None
    assert while_sending(written, RESTORE) == written
    assert refused(DRAIN, ErrorKind.TRANSIENT, written).unsent_etag == "0x1"
    unanswered = refused(DRAIN, ErrorKind.TRANSIENT, written, outcome_unknown=True)
    assert unanswered.unsent_etag is None
    assert refused(DRAIN, ErrorKind.RACE, unanswered).unsent_etag is None
    assert after_action(unanswered, ahead, now=NOW, jitter=0.0).unsent_etag is None
    assert after_action(written, DRAIN, now=NOW, jitter=0.0).unsent_etag is None


def test_an_etag_refused_twice_running_is_sent_once_without_quotes_and_then_given_up() -> None:
    once = refused(AZURE, ErrorKind.RACE, precondition=UNPROVEN)
    assert not once.bare_trial
    twice = refused(AZURE, ErrorKind.RACE, once, precondition=UNPROVEN)
    assert (twice.bare_trial, twice.refusal, twice.back_off_until) == (True, None, None)
    assert UNPROVEN.form_to_send(bare_trial=True) is ETagForm.BARE
    thrice = refused(AZURE, ErrorKind.RACE, twice, precondition=UNPROVEN)
    assert thrice.refusal is not None
    assert (thrice.refusal.ending, thrice.bare_trial) == (Ending.PRECONDITION_UNSUPPORTED, False)


def test_a_spelling_that_was_accepted_is_remembered_and_not_doubted() -> None:
    assert UNPROVEN.accepted(ETagForm.BARE) == Precondition(form=ETagForm.BARE, proven=True)
    assert PROVEN.accepted(ETagForm.QUOTED) is PROVEN
    assert PROVEN.form_to_send(bare_trial=True) is ETagForm.QUOTED
    memory = NO_SAGA_MEMORY
    for _ in range(5):
        memory = refused(AZURE, ErrorKind.RACE, memory)
    assert (memory.refusal, memory.bare_trial) == (None, False)
    assert memory.backs_off(NOW)


def test_another_etag_counts_anew() -> None:
    once = refused(AZURE, ErrorKind.RACE, precondition=UNPROVEN)
    other = WriteAzureJournal(pool_id="p", etag="0x2", metadata=(), journal=journal())
    assert refused(other, ErrorKind.RACE, once, precondition=UNPROVEN).races == 1


def test_a_patch_gets_the_same_trial() -> None:
    def raced(memory: Any, precondition: Precondition | None) -> Any:  # noqa: ANN401 of PoolMemory
        return after_error(
            memory,
            kind=ErrorKind.RACE,
            code="ConditionNotMet",
            message="no",
            policy=DRAINING,
            pool=BUSY,
            now=NOW,
            jitter=0.0,
            precondition=precondition,
        )

    twice = raced(raced(NOTHING_REMEMBERED, UNPROVEN), UNPROVEN)
    assert (twice.bare_trial, twice.latch) == (True, None)
    thrice = raced(twice, UNPROVEN)
    assert thrice.latch is not None
    assert thrice.latch.reason is CompliantReason.PRECONDITION_UNSUPPORTED
    memory = NOTHING_REMEMBERED
    for _ in range(5):
        memory = raced(memory, PROVEN)
    assert memory.latch is None


def test_each_step_begins_with_a_clear_memory_but_for_what_was_not_sent() -> None:
    memory = SagaMemory(failures=3, unsent_etag="0x1", races=1, removals=1)
    write = WriteKubernetesJournal(copy=copy(Step.RESTORING), history=None)
    assert after_action(memory, write, now=NOW, jitter=0.0) == SagaMemory(unsent_etag="0x1")
    assert after_action(memory, ClearKubernetesJournal(history=None), now=NOW, jitter=0.0) is NO_SAGA_MEMORY
    assert after_action(memory, REMOVE, now=NOW, jitter=0.0).removals == 2
    disable = DisableAutoscale(pool_id="p", etag="0x1", formula="f")
    assert after_action(memory, disable, now=NOW, jitter=0.0) == SagaMemory(unsent_etag="0x1")


def test_a_repeated_restore_is_repeated_ever_more_slowly() -> None:
    again = replace(RESTORE, again=True)
    memory = after_action(after_action(NO_SAGA_MEMORY, again, now=NOW, jitter=0.0), again, now=NOW, jitter=0.0)
    assert memory.failures == 2
    assert memory.backs_off(NOW)
