"""The states that are still to be visited, and the ways that lead to them."""

from collections import deque

from tests.exploration.world import NOTHING, Budget, State


class Frontier:
    """Hands out each state once, those to which the least has happened first.

    Of two states that differ in nothing but what may still happen, the one with the larger budget leads to everything
    that the other leads to, and to the same invariants; so the other is not visited. The same holds for a state that a
    late reading may still show, beside one that it may not.
    """

    def __init__(self, start: State) -> None:
        self._parents: dict[State, tuple[State, str] | None] = {start: None}
        self._layers: list[deque[State]] = [deque() for _ in range(sum(start.budget) + 1)]
        self._visited: dict[State, tuple[Budget, ...]] = {}
        self._layers[-1].append(start)

    def add(self, state: State, parent: State, label: str) -> None:
        """One more state, reached from another."""
        if state not in self._parents:
            self._parents[state] = (parent, label)
            self._layers[sum(state.budget)].append(state)

    def take(self) -> State | None:
        """The next state, None if all were visited."""
        while self._layers:
            layer = self._layers[-1]
            while layer:
                state = layer.popleft()
                if not self._is_covered(state):
                    return state
            # A budget never grows, so nothing is added to this layer any more.
            self._layers.pop()
        return None

    def way(self, state: State) -> tuple[str, ...]:
        """What led to a state, in order."""
        steps: list[str] = []
        while (parent := self._parents[state]) is not None:
            state, label = parent
            steps.append(label)
        return tuple(reversed(steps))

    def _is_covered(self, state: State) -> bool:
        bare = state._replace(budget=NOTHING)
        budgets = self._visited.get(bare, ())
        if any(budget.covers(state.budget) for budget in budgets):
            return True
        self._visited[bare] = (*budgets, state.budget)
        if state.previous is not None:
            bare = bare._replace(previous=None)
            self._visited[bare] = (*self._visited.get(bare, ()), state.budget)
        return False
