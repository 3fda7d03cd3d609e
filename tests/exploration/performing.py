"""What becomes of an action: its effect on the pool or on the Kubernetes copy, and what the operator learns.

Every effect is checked against the invariants at the moment it happens.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from batchaccess.core.decision import PatchNetwork
from batchaccess.core.memory import PoolMemory, after_error, after_success, after_unexpected_result
from batchaccess.core.precondition import Precondition
from batchaccess.core.reasons import DriftClass, ErrorKind
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
from batchaccess.core.saga.durations import seconds_of
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import is_ours
from batchaccess.core.saga.outcomes import SagaMemory, after_action, after_refused_action
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import Ending, Step
from batchaccess.core.status import Difference
from tests.exploration import servicemodel as service
from tests.exploration.party import CLOCK, THEM, Party, journal_of, observed, with_etags, without_etags
from tests.exploration.servicemodel import Assumptions, Pool, Refused
from tests.exploration.world import (
    ACTIONS,
    COPIES,
    HISTORIES,
    MEMORIES,
    NO_ACTION,
    NO_COPY,
    NO_MEMORY,
    NO_SAGA,
    SAGA_MEMORIES,
    State,
)

JITTER = 0.5


class InvariantError(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, sentence: str) -> None:  # noqa: FBT001 reads as a sentence
    """An invariant."""
    if not holds:
        raise InvariantError(sentence)


def is_kubernetes(action: SagaAction) -> bool:
    """Whether an action is a write to Kubernetes."""
    return isinstance(action, WriteKubernetesJournal | ClearKubernetesJournal)


def pending(state: State) -> SagaAction | None:
    """The action that was decided on and not yet performed, with its eTag back in place."""
    box = ACTIONS.value(state.action)
    if box is None:
        return None
    action: Any = box.action
    etag = None if state.action_etag is None else f"0x{state.action_etag}"
    if isinstance(action, WriteKubernetesJournal):
        return replace(action, copy=with_etags(action.copy, state.action_etag, state.action_mark))
    restored: SagaAction = replace(action, etag=etag) if hasattr(action, "etag") else action
    return restored


def _idle(state: State) -> State:
    return state._replace(action=NO_ACTION, action_etag=None, action_mark=None)


def crashed(state: State) -> State:
    """The process died: what was in memory is gone."""
    return _idle(state)._replace(
        memory=NO_MEMORY,
        memory_etag=None,
        saga=NO_SAGA,
        sent_etag=None,
        unsent_etag=None,
        raced_etag=None,
        proven=False,
    )


def outcomes(state: State, action: SagaAction, party: Party, assumed: Assumptions) -> Iterator[tuple[str, State]]:
    """Everything that may become of the pending action."""
    try:
        done = effect(state, action, party, assumed)
    except Refused as refused:
        yield f"{_name(action)} refused: {refused.code}", _learned_refusal(state, action, party, refused.kind)
        return
    yield f"{_name(action)} done", _learned_success(done, action, party)
    budget = state.budget
    if budget.crashes:
        spent = budget._replace(crashes=budget.crashes - 1)
        yield f"crash after {_name(action)}", crashed(done)._replace(budget=spent)
    if budget.errors:
        spent = budget._replace(errors=budget.errors - 1)
        yield from _errors(state._replace(budget=spent), done._replace(budget=spent), action, party)


def _errors(before: State, done: State, action: SagaAction, party: Party) -> Iterator[tuple[str, State]]:
    name = _name(action)
    if is_kubernetes(action):
        yield f"{name} not written", _idle(before)
        return
    for kind in (ErrorKind.TRANSIENT, ErrorKind.DENIED, ErrorKind.TERMINAL):
        yield (
            f"{name} fails: {kind}",
            _learned_refusal(before, action, party, kind, unknown=kind is ErrorKind.TRANSIENT),
        )
    if not isinstance(action, DisableAutoscale):
        yield f"{name} fails: 412", _learned_refusal(before, action, party, ErrorKind.RACE)
    if not (isinstance(action, PatchNetwork) and done.pool.network == "good"):
        yield f"{name} unanswered", _learned_refusal(done, action, party, ErrorKind.TRANSIENT, unknown=True)
    else:
        yield f"{name} unanswered", _learned_success(done, action, party)


def effect(state: State, action: SagaAction, party: Party, assumed: Assumptions) -> State:
    """The state after the action took effect.

    Raises:
        Refused: the service does not do it.
        InvariantError: it should never have been asked for.
    """
    if isinstance(action, WriteKubernetesJournal):
        return _written_down(state, action)
    if isinstance(action, ClearKubernetesJournal):
        return _idle(state)._replace(copy=NO_COPY, copy_etag=None, mark=None, history=HISTORIES.number(action.history))
    _check_condition(state, action, party, assumed)
    _check_alone(state, action)
    return _checked(state, action, party, _idle(state)._replace(pool=_changed_pool(state.pool, action, party, assumed)))


def _checked(state: State, action: SagaAction, party: Party, done: State) -> State:
    """What the pool became, with the ghosts moved on."""
    match action:
        case Resize(is_restore=False):
            return _drained(state, done, party)
        case DisableAutoscale():
            _check_recorded(state)
            return done._replace(changed=True)
        case Resize() | EnableAutoscale():
            return done._replace(restored=True)
        case PatchNetwork():
            require(state.pool.is_empty, "2: the network is never PATCHed on a pool that is not empty")
            require(state.pool.etag == state.action_etag, "2: the network is never PATCHed over a newer write")
            return done._replace(drains=0 if done.pool.network == "good" else done.drains)
        case _:
            return done


def _written_down(state: State, action: WriteKubernetesJournal) -> State:
    copy = action.copy
    written = _idle(state)._replace(
        copy=COPIES.number(without_etags(copy)[0]),
        copy_etag=state.action_etag,
        mark=state.action_mark,
        history=HISTORIES.number(action.history),
    )
    if copy.step in (Step.PREPARING, Step.PAUSING_AUTOSCALE) and not state.changed:
        return written._replace(legit=_recorded_anywhere(state.pool, copy.journal))
    if copy.ending is Ending.RESUMED:
        # A late reading may show the journal of a saga that has just ended: see docs/limits.md.
        return written._replace(legit=state.legit | {_scale(copy.journal.recorded)}, restored=False)
    return written


def _drained(before: State, done: State, party: Party) -> State:
    _check_recorded(before)
    if not _is_called_for(before, party):
        return done._replace(changed=True)
    require(before.drains == 0, "3: never a second drain for the same drift")
    return done._replace(changed=True, drains=before.drains + 1)


def _is_called_for(state: State, party: Party) -> bool:
    """Whether what is declared is still what the saga began with; if not, this drain is not counted."""
    copy, policy = COPIES.value(state.copy), party.policy(state.policy)
    return copy is not None and policy is not None and copy.journal.policy.generation == policy.generation


def _check_recorded(state: State) -> None:
    """The first change of a saga is made on the very scale that is recorded, in both copies if none was lost."""
    copy = COPIES.value(state.copy)
    require(copy is not None, "1: nothing is changed without a journal in Kubernetes")
    if copy is None or state.changed:
        return
    # Autoscale that is off by now may have been paused by somebody else in that moment: see docs/limits.md.
    paused = copy.journal.recorded.autoscale and state.pool.formula is None
    same = paused or _scale(copy.journal.recorded) == state.pool.scale
    require(same, "1: nothing is changed but the recorded scale")
    require(journal_of(state.pool.metadata) == copy.journal, "1: nothing is changed without a journal in Azure")


def _recorded_anywhere(pool: Pool, journal: Journal) -> frozenset[tuple[object, ...]]:
    """The scale there is, and what either copy says; the Azure copy is rewritten later than the Kubernetes copy."""
    return frozenset({pool.scale, _scale(journal.recorded)}) | _recorded_in_azure(pool)


def recorded_scales(state: State) -> frozenset[tuple[object, ...]]:
    """What the copies of the journal say."""
    copy = COPIES.value(state.copy)
    known = frozenset() if copy is None else frozenset({_scale(copy.journal.recorded)})
    return known | _recorded_in_azure(state.pool)


def _recorded_in_azure(pool: Pool) -> frozenset[tuple[object, ...]]:
    found = journal_of(pool.metadata)
    return frozenset({_scale(found.recorded)}) if isinstance(found, Journal) else frozenset()


def _scale(recorded: RecordedScale) -> tuple[object, ...]:
    if recorded.autoscale_formula is not None:
        return ("formula", recorded.autoscale_formula)
    return ("targets", recorded.targets.dedicated, recorded.resize_timeout)


def _check_condition(state: State, action: SagaAction, party: Party, assumed: Assumptions) -> None:
    """If-Match, and the reading right before a write that takes none."""
    unchanged = state.pool.etag == state.action_etag
    if isinstance(action, DisableAutoscale):
        if party.rereads_before_disabling and not (unchanged and state.pool.formula == action.formula):
            raise Refused(ErrorKind.RACE, "not sent")
        return
    if party.sends_if_match and not unchanged:
        raise Refused(ErrorKind.RACE, "ConditionNotMet")
    if assumed.if_match == "neither" or (assumed.if_match == "bare" and not _sends_bare(state, action)):
        raise Refused(ErrorKind.RACE, "ConditionNotMet")


def _sends_bare(state: State, action: SagaAction) -> bool:
    if state.proven:
        return True
    if isinstance(action, PatchNetwork):
        return MEMORIES.value(state.memory).bare_trial
    return SAGA_MEMORIES.value(state.saga).bare_trial


def _check_alone(state: State, action: SagaAction) -> None:
    found = journal_of(state.pool.metadata)
    theirs = isinstance(found, Journal) and found.holder == THEM
    adopting = isinstance(action, WriteAzureJournal) and state.adopt
    require(not theirs or adopting, "3: never two writers on one pool")


def _changed_pool(pool: Pool, action: SagaAction, party: Party, assumed: Assumptions) -> Pool:
    match action:
        case WriteAzureJournal(metadata=metadata) | RemoveAzureJournal(metadata=metadata):
            return service.patch_metadata(pool, metadata, assumed)
        case DisableAutoscale():
            return service.disable_autoscale(pool)
        case Resize(targets=targets, resize_timeout=timeout):
            require(bool(timeout) and (seconds_of(timeout) or 0) >= 300, "every resize sends a resizeTimeout")
            sent = timeout if party.sends_resize_timeout else None
            return service.resize(pool, target=targets.dedicated, timeout=sent)
        case StopResize():
            return service.stop_resize(pool)
        case EnableAutoscale(formula=formula):
            return service.enable_autoscale(pool, formula, assumed)
        case PatchNetwork():
            after = service.patch_network(pool, "good", assumed)
            kept = tuple(item for item in pool.metadata if not is_ours(item))
            return after._replace(metadata=kept) if party.sends_metadata_with_network else after
        case _:
            raise TypeError(f"{action} changes no pool")


def _learned_success(state: State, action: SagaAction, party: Party) -> State:
    if isinstance(action, PatchNetwork):
        return _with_memory(state, _verified(state, party))._replace(proven=True)
    saga = after_action(_remembered(state), action, now=CLOCK[state.clock], jitter=JITTER)
    conditional = not is_kubernetes(action) and not isinstance(action, DisableAutoscale)
    return _with_saga(state, saga)._replace(proven=state.proven or conditional)


def _remembered(state: State) -> SagaMemory:
    return replace(
        SAGA_MEMORIES.value(state.saga),
        sent_etag=_text(state.sent_etag),
        unsent_etag=_text(state.unsent_etag),
        raced_etag=_text(state.raced_etag),
    )


def _verified(state: State, party: Party) -> PoolMemory:
    memory = MEMORIES.value(state.memory)
    after, policy = observed(state.pool), party.policy(state.policy)
    if state.pool.network == "good" or policy is None:
        return after_success(memory, pool=after, now=CLOCK[state.clock])
    differences = (Difference(field="endpoints", kind=DriftClass.CONFIGURATION, observed="a", desired="b"),)
    return after_unexpected_result(memory, policy=policy, pool=after, differences=differences)


def _learned_refusal(
    state: State, action: SagaAction, party: Party, kind: ErrorKind, *, unknown: bool = False
) -> State:
    precondition = Precondition(proven=state.proven)
    idle = _idle(state)
    if isinstance(action, PatchNetwork):
        policy = party.policy(state.policy)
        if policy is None:
            return idle
        memory = after_error(
            replace(MEMORIES.value(state.memory), raced_etag=_text(state.memory_etag)),
            kind=kind,
            code="code",
            message="no",
            policy=policy,
            pool=replace(observed(state.pool), etag=action.etag),
            now=CLOCK[state.clock],
            jitter=JITTER,
            precondition=precondition,
        )
        raced = state.action_etag if memory.raced_etag == action.etag else state.memory_etag
        return _with_memory(idle, memory)._replace(memory_etag=raced if memory.raced_etag else None)
    saga = after_refused_action(
        _remembered(state),
        action,
        kind=kind,
        message="no",
        precondition=precondition,
        now=CLOCK[state.clock],
        jitter=JITTER,
        outcome_unknown=unknown and party.doubts_unanswered,
    )
    return _with_saga(idle, saga)


def _with_saga(state: State, saga: SagaMemory) -> State:
    """Without times: a visit may come at any later moment."""
    refusal = saga.refusal
    timeless = replace(
        saga,
        refusal=None if refusal is None else replace(refusal, retry_at=CLOCK[0]),
        failures=min(saga.failures, 3),
        back_off_until=None,
        back_off_message="",
        races=min(saga.races, 3),
        removals=min(saga.removals, 1),
        sent_etag=None,
        unsent_etag=None,
        raced_etag=None,
    )
    return state._replace(
        saga=SAGA_MEMORIES.number(timeless),
        sent_etag=_number(saga.sent_etag),
        unsent_etag=_number(saga.unsent_etag),
        raced_etag=_number(saga.raced_etag),
    )


def _with_memory(state: State, memory: PoolMemory) -> State:
    latch = memory.latch
    timeless = replace(
        memory,
        latch=None if latch is None else replace(latch, retry_at=None),
        failures=min(memory.failures, 1),
        back_off_until=None,
        back_off_message="",
        last_write=None,
        overwrites=(),
        raced_etag=None,
        races=min(memory.races, 3),
    )
    return state._replace(memory=MEMORIES.number(timeless), memory_etag=state.memory_etag if memory.races else None)


def _text(etag: int | None) -> str | None:
    return None if etag is None else f"0x{etag}"


def _number(etag: str | None) -> int | None:
    return None if etag is None else int(etag.removeprefix("0x"))


def _name(action: SagaAction) -> str:
    match action:
        case WriteKubernetesJournal(copy=copy):
            return f"WriteKubernetesJournal({copy.step})"
        case Resize(is_restore=is_restore):
            return "Resize(restore)" if is_restore else "Resize(drain)"
        case _:
            return type(action).__name__
