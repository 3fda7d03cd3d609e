"""Visits every state of the world within a budget and checks the five invariants in each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed

from batchaccess.core.decision import PatchNetwork
from batchaccess.core.memory import after_observation
from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    DisableAutoscale,
    Remediate,
    Resize,
    SagaAction,
    SagaDecision,
    Underway,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.steps import Step
from tests.exploration.events import crash, edits, is_closed, is_idle, losses, time_passes
from tests.exploration.frontier import Frontier
from tests.exploration.leads import Lead, lead_of
from tests.exploration.party import CLOCK, Party, observed, without_etags
from tests.exploration.performing import InvariantError, outcomes, pending, require
from tests.exploration.servicemodel import Assumptions, Pool
from tests.exploration.world import (
    ACTIONS,
    COPIES,
    HISTORIES,
    MEMORIES,
    NO_COPY,
    NOTHING,
    ActionBox,
    Budget,
    State,
    renamed,
)

LONGEST_RUN = 300


@dataclass(frozen=True)
class World:
    """Where an exploration starts and what it takes for granted; `only` names the edits that happen, all if empty."""

    name: str
    pool: Pool
    budget: Budget
    assumed: Assumptions = field(default_factory=Assumptions)
    party: Party = field(default_factory=Party)
    only: frozenset[str] = frozenset()


@dataclass
class Found:
    """What an exploration saw. `violation` ends it, with the way that leads there."""

    states: int = 0
    transitions: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    leads: set[Lead] = field(default_factory=set)
    violation: str = ""
    path: tuple[str, ...] = ()
    complete: bool = True


def explore(world: World, *, most_states: int) -> Found:
    """Visit every state within the budget; a violation comes with a way on which as little as possible goes wrong."""
    search = _Search(world)
    start = renamed(State(pool=world.pool, budget=world.budget, legit=frozenset({world.pool.scale})))
    found = search.found
    frontier = Frontier(start)
    state, label = start, ""
    try:
        while (following := frontier.take()) is not None:
            if found.states == most_states:
                found.complete = False
                break
            state, label = following, "checked"
            found.states += 1
            search.check(state)
            for label, successor in search.successors(state):
                found.transitions += 1
                frontier.add(search.settled(successor), state, label)
    except InvariantError as violation:
        found.violation = str(violation)
        found.path = (*frontier.way(state), label)
    return found


def at_rest(state: State) -> State:
    """Between sagas time does not matter: the next one starts its own clock, and no start counts as recent."""
    history = HISTORIES.value(state.history)
    if history is not None:
        history = changed(history, started=())
    return state._replace(clock=0, history=HISTORIES.number(history))


class _Search:
    def __init__(self, world: World) -> None:
        self._world = world
        self._decisions: dict[State, SagaDecision] = {}
        self._converges: set[State] = set()
        self.found = Found()

    def settled(self, state: State) -> State:
        """Renamed, and with the ghosts of a saga that is over put away; checks invariant 1."""
        if is_closed(state) and state.pool.life == "active":
            require(
                state.pool.scale in state.legit,
                f"1: the scale ends as recorded or as somebody set it, not {state.pool.scale}",
            )
            state = at_rest(state)._replace(legit=frozenset({state.pool.scale}), changed=False, restored=False)
        return renamed(state)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        for label, successor in self._happenings(state):
            written = successor.pool.etag != state.pool.etag
            yield label, successor._replace(previous=state.pool) if written else successor

    def _happenings(self, state: State) -> Iterator[tuple[str, State]]:
        if state.pool.life == "gone":
            return
        yield from self._late_reading(state)
        yield from self._own(state)
        yield from time_passes(state, self._world.assumed)
        yield from crash(state)
        yield from losses(state)
        only = self._world.only
        yield from (each for each in edits(state) if not only or each[0] in only)

    def _own(self, state: State) -> Iterator[tuple[str, State]]:
        action = pending(state)
        if action is not None:
            yield from outcomes(state, action, self._world.party, self._world.assumed)
            return
        decision, seen = self._decided(state)
        asked = _action(decision)
        if asked is not None:
            yield f"decide {type(asked).__name__}", _with_action(seen, asked)
        elif seen != state:
            yield "observe", seen

    def _late_reading(self, state: State) -> Iterator[tuple[str, State]]:
        """A decision made on the pool as it was before the last write."""
        if state.previous is None or not state.budget.errors or pending(state) is not None:
            return
        late = state._replace(pool=state.previous, budget=state.budget._replace(errors=state.budget.errors - 1))
        asked = _action(self._decided(late)[0])
        if state.copy == NO_COPY:
            asked = _renewed(asked)
        if asked is not None:
            yield (
                f"decide {type(asked).__name__} on a late reading",
                _with_action(late, asked)._replace(pool=state.pool),
            )

    def _decided(self, state: State) -> tuple[SagaDecision, State]:
        """The decision at a visit, and the state with what was learned by looking."""
        memory = MEMORIES.value(state.memory)
        learned = after_observation(
            memory, pool=observed(state.pool), drifts=state.pool.network != "good", now=CLOCK[state.clock]
        )
        seen = state if learned is memory else state._replace(memory=MEMORIES.number(learned))
        key = seen._replace(previous=None, budget=NOTHING, legit=frozenset(), changed=False, restored=False, drains=0)
        decision = self._decisions.get(key)
        if decision is None:
            decision = self._decisions[key] = self._world.party.decide(seen)
            self._note(seen, decision)
        self._check_decision(seen, decision)
        return decision, seen

    def _note(self, state: State, decision: SagaDecision) -> None:
        self.found.decisions[_described(decision)] += 1
        copy = COPIES.value(state.copy)
        if isinstance(decision, Remediate | Underway) and copy is not None:
            self.found.leads.add(lead_of(copy.step, decision))

    def _check_decision(self, state: State, decision: SagaDecision) -> None:
        action = _action(decision)
        stopped = state.policy in ("suspended", "gone")
        draining = isinstance(action, Resize) and not action.is_restore
        changes = isinstance(action, PatchNetwork | DisableAutoscale) or draining
        require(not (stopped and changes), "4: a policy that is suspended or gone changes nothing any more")

    def check(self, state: State) -> None:
        """Whatever happened, left alone the world comes to rest, in order or telling why not."""
        way: list[State] = []
        calm = state._replace(budget=NOTHING, previous=None)
        while calm not in self._converges:
            way.append(calm)
            require(len(way) < LONGEST_RUN, "5: left alone, the operator comes to rest")
            following = self._fair(calm)
            if following is None:
                self._check_rest(calm)
                break
            calm = self.settled(following)
        self._converges.update(way)

    def _fair(self, calm: State) -> State | None:
        """What happens next if nothing goes wrong any more; None at rest."""
        if calm.pool.life == "gone":
            return None
        for _, following in self._own(calm):
            return following
        for _, following in time_passes(calm, self._world.assumed, latest=len(CLOCK) - 1):
            return following
        return None

    def _check_rest(self, state: State) -> None:
        if state.pool.life != "active":
            return
        decision, _ = self._decided(state)
        require(is_idle(state) and _action(decision) is None, "5: in steady state nothing is written")
        if not is_closed(state):
            pending_restore = isinstance(decision, Underway) and decision.reason is RemediatingReason.RESTORE_PENDING
            require(pending_restore, f"1: a saga that cannot end raises RestorePending, not {_described(decision)}")


def _with_action(state: State, action: SagaAction) -> State:
    """The action without its eTag, which is kept beside it."""
    etag = state.pool.etag
    if isinstance(action, WriteKubernetesJournal):
        copy, mark = without_etags(action.copy)
        kept = None if action.copy.etag is None else etag
        bare: SagaAction = changed(action, copy=copy)
        return state._replace(action=ACTIONS.number(ActionBox(bare)), action_etag=kept, action_mark=mark)
    if not isinstance(action, ClearKubernetesJournal):
        return state._replace(
            action=ACTIONS.number(ActionBox(changed(action, etag=""))), action_etag=etag, action_mark=None
        )
    return state._replace(action=ACTIONS.number(ActionBox(action)), action_etag=None, action_mark=None)


def _renewed(action: SagaAction | None) -> SagaAction | None:
    """A saga begun on a late reading has an id of its own, though an earlier one may be open."""
    if isinstance(action, WriteKubernetesJournal) and action.copy.step is Step.PREPARING:
        journal = changed(action.copy.journal, saga_id="bbbbbbbbbbbb")
        return changed(action, copy=changed(action.copy, journal=journal))
    return action


def _action(decision: SagaDecision) -> SagaAction | None:
    match decision:
        case Remediate(action=action):
            return action
        case PatchNetwork():
            return decision
        case _:
            return None


def _described(decision: SagaDecision) -> str:
    match decision:
        case Remediate(rule=rule) | Underway(rule=rule):
            return f"{type(decision).__name__}: {rule}"
        case _:
            return f"{type(decision).__name__}: {getattr(decision, 'reason', getattr(decision, 'outcome', ''))}"
