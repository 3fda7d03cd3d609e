"""The turns that the sagas of one pool take, so that each can be told once: one begins, comes to another step, ends.

A visit writes several copies of the journal, and the last of them is removed in the end, so they are followed while
that is done.
"""

from dataclasses import dataclass, replace
from typing import Final

from batchaccess.core.saga.scale import scale_line
from batchaccess.core.saga.steps import Ending, KubernetesJournal, Step

_AS_WISHED: Final = frozenset({Ending.CORRECTED, Ending.NOT_NEEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The Kubernetes copy before and after; `abandoned` says that a person gave the saga up."""

    before: KubernetesJournal | None
    after: KubernetesJournal | None
    abandoned: bool = False

    @property
    def over(self) -> KubernetesJournal | None:
        """The last copy of the saga that is over with this; None if none is."""
        goes_on = self.before is not None and self.after is not None and _saga_of(self.before) == _saga_of(self.after)
        return None if goes_on else self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What one process saw of the sagas of one pool.

    Attributes:
        copy: the Kubernetes copy as it was seen last.
        is_known: whether it was seen at all.
        turns: those that are still to be told.
        is_told: whether all before those were told by this process.
    """

    copy: KubernetesJournal | None = None
    is_known: bool = False
    turns: tuple[Turn, ...] = ()
    is_told: bool = False

    def seen(self, copy: KubernetesJournal | None, *, abandoned: bool = False) -> "Course":
        """After a look at the copy; the first one tells where a saga stands and not how it came there."""
        if not self.is_known:
            return replace(self, copy=copy, is_known=True)
        turned = (_saga_of(self.copy), _step_of(self.copy)) != (_saga_of(copy), _step_of(copy))
        turn = Turn(before=self.copy, after=copy, abandoned=abandoned)
        return replace(self, copy=copy, turns=(*self.turns, turn) if turned else self.turns)

    def told(self) -> "Course":
        """After everything was told."""
        return self if self.is_told and not self.turns else replace(self, turns=(), is_told=True)


UNKNOWN_COURSE: Final = Course()


def is_as_wished(turn: Turn) -> bool:
    """Whether a saga that is over ended with the network as declared and the scale somebody wants."""
    over = turn.over
    return over is not None and _is_complete(turn, over) and over.ending in _AS_WISHED


def over_line(turn: Turn, over: KubernetesJournal) -> str:
    """How a saga ended, and what it recorded where nobody brought that back."""
    if over.ending is not None and _is_complete(turn, over):
        return f"{over.ending}: {over.message}"
    recorded = over.journal.recorded
    had = scale_line(recorded)
    if recorded.autoscale:
        had = f"{had}: {recorded.autoscale_formula}"
    if turn.abandoned:
        return f"Abandoned: The pool stays as it is. If its scale is to be as before, set it by hand: {had}"
    return f"Forgotten: The correction does not go on here. The scale that it had recorded: {had}"


def _is_complete(turn: Turn, over: KubernetesJournal) -> bool:
    """Whether nothing was left to be done but to remove the journal."""
    return over.step is Step.CLEARING and not turn.abandoned


def _saga_of(copy: KubernetesJournal | None) -> str | None:
    return None if copy is None else copy.journal.saga_id


def _step_of(copy: KubernetesJournal | None) -> Step | None:
    return None if copy is None else copy.step
