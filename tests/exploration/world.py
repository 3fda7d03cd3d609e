"""One state of the whole world, small and hashable: the pool, what the operator wrote down and remembers, and ghosts.

Ghosts are what no real party knows: which scales may stand in the end, and how often this drift was drained for.
"""

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from batchaccess.core.memory import NOTHING_REMEMBERED, PoolMemory
from batchaccess.core.saga.actions import SagaAction
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY, SagaMemory
from batchaccess.core.saga.steps import DrainHistory, KubernetesJournal
from tests.exploration.servicemodel import Pool

T = TypeVar("T", bound=Hashable)


class Interned(Generic[T]):
    """Numbers for values, equal ones for equal values; hashing a state stays cheap."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._values: list[T] = []

    def number(self, value: T) -> int:
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = len(self._values)
            self._values.append(value)
        return found

    def value(self, number: int) -> T:
        return self._values[number]


COPIES: Interned[KubernetesJournal | None] = Interned()
HISTORIES: Interned[DrainHistory | None] = Interned()
MEMORIES: Interned[PoolMemory] = Interned()
SAGA_MEMORIES: Interned[SagaMemory] = Interned()
NO_COPY, NO_HISTORY = COPIES.number(None), HISTORIES.number(None)
NO_MEMORY, NO_SAGA = MEMORIES.number(NOTHING_REMEMBERED), SAGA_MEMORIES.number(NO_SAGA_MEMORY)


class ActionBox:
    """An action as part of a state; a PATCH holds dictionaries, so it is told apart by its text."""

    def __init__(self, action: SagaAction) -> None:
        self.action = action
        self._text = repr(action)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActionBox) and self._text == other._text


ACTIONS: Interned[ActionBox | None] = Interned()
NO_ACTION = ACTIONS.number(None)


class Budget(NamedTuple):
    """What may still happen."""

    edits: int = 0
    crashes: int = 0
    errors: int = 0
    losses: int = 0

    def covers(self, other: "Budget") -> bool:
        """Whether everything that may happen with the other budget may happen with this one."""
        return (
            self.edits >= other.edits
            and self.crashes >= other.crashes
            and self.errors >= other.errors
            and self.losses >= other.losses
        )


NOTHING = Budget()


class Mark(NamedTuple):
    """The write-ahead of a restore: the pool's eTag, and since when it was steady."""

    etag: int
    since: int


class State(NamedTuple):
    """Everything. Numbers without a comment are places in the tables above; `*_etag` are eTags kept beside them."""

    pool: Pool
    budget: Budget
    copy: int = NO_COPY
    copy_etag: int | None = None
    mark: Mark | None = None
    """Of the Kubernetes copy, kept beside it."""
    history: int = NO_HISTORY
    memory: int = NO_MEMORY
    memory_etag: int | None = None
    saga: int = NO_SAGA
    sent_etag: int | None = None
    unsent_etag: int | None = None
    raced_etag: int | None = None
    action: int = NO_ACTION
    action_etag: int | None = None
    action_mark: Mark | None = None
    """Of the Kubernetes copy that the action writes."""
    previous: Pool | None = None
    """The pool before it was last written to, which a late reading may still show; None if none can come."""
    proven: bool = False
    policy: str = "enforced"
    breaker: bool = False
    requested: str | None = None
    adopt: bool = False
    clock: int = 0
    legit: frozenset[tuple[object, ...]] = frozenset()
    changed: bool = False
    restored: bool = False
    """Whether a restore of this saga had its effect."""
    drains: int = 0


def renamed(state: State) -> State:
    """The same with eTags and times numbered by first mention: only which of them are equal can matter.

    Times matter to the mark of a restore only.
    """
    names: dict[int, int] = {}
    times: dict[int, int] = {}
    dated = state.mark is not None or state.action_mark is not None
    if not state.budget.errors and state.previous is not None:
        state = state._replace(previous=None)

    def name(etag: int | None) -> int | None:
        return None if etag is None else names.setdefault(etag, len(names))

    def time(since: int) -> int:
        return times.setdefault(since, len(times)) if dated else 0

    def named(pool: Pool) -> Pool:
        return pool._replace(etag=name(pool.etag) or 0, since=time(pool.since))

    def marked(mark: Mark | None) -> Mark | None:
        return None if mark is None else Mark(name(mark.etag) or 0, time(mark.since))

    new = state._replace(
        pool=named(state.pool),
        copy_etag=name(state.copy_etag),
        memory_etag=name(state.memory_etag),
        sent_etag=name(state.sent_etag),
        unsent_etag=name(state.unsent_etag),
        raced_etag=name(state.raced_etag),
        action_etag=name(state.action_etag),
        mark=marked(state.mark),
        action_mark=marked(state.action_mark),
        previous=None if state.previous is None else named(state.previous),
    )
    return state if new == state else new
