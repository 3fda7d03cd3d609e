"""What a row of the state machine is, and the rows that several steps share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from batchaccess.core.saga import moves, questions
from batchaccess.core.saga.actions import SagaAction, Underway
from batchaccess.core.saga.situation import AzureCopy, Visit
from batchaccess.core.saga.steps import Step

GONE: Final = "no saga"
"""Where the last rule of a saga leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: when it holds, what is done, and the step it leads to (None: the same).

    `when` and `does` are read by people; `when` is unique within its step.
    """

    when: str
    does: str
    holds: Callable[[Visit], bool]
    then: Callable[[Visit], SagaAction | Underway]
    leads_to: Step | str | None = None


def waits(when: str, does: str, holds: Callable[[Visit], bool], then: Callable[[Visit], Underway]) -> Rule:
    """A row that does nothing but wait."""
    return Rule(when=when, does=does, holds=holds, then=then)


DELETING: Final = waits(
    "the pool is being deleted", "wait until it is gone", lambda v: v.is_deleting, moves.wait_for_deletion
)
REPLACED: Final = Rule(
    when="the pool is another one of the same name",
    does="forget the Kubernetes copy",
    holds=questions.is_another_pool,
    then=moves.forget,
    leads_to=GONE,
)
TAKEN_OVER: Final = Rule(
    when="another holder took the saga over",
    does="forget the Kubernetes copy",
    holds=lambda v: v.azure is AzureCopy.TAKEN_OVER,
    then=moves.forget,
    leads_to=GONE,
)
NEWER: Final = Rule(
    when="the Azure copy is of another saga of ours, which is to be believed",
    does="resume that one at its restore",
    holds=lambda v: v.azure is AzureCopy.NEWER,
    then=moves.resume_from_azure,
    leads_to=Step.RESTORING,
)
FOREIGN_WAIT: Final = waits(
    "another holder's journal is in the metadata",
    "wait until it is gone, keeping the recorded scale",
    lambda v: v.azure is AzureCopy.FOREIGN,
    moves.wait_for_foreign,
)
FOREIGN_FORGET: Final = Rule(
    when="another holder's journal is in the metadata",
    does="forget the Kubernetes copy, nothing was changed",
    holds=lambda v: v.azure is AzureCopy.FOREIGN,
    then=moves.forget,
    leads_to=GONE,
)
REWRITE: Final = Rule(
    when="the Azure copy is missing or outdated",
    does="write it",
    holds=lambda v: v.azure in (AzureCopy.ABSENT, AzureCopy.OUTDATED),
    then=moves.write_azure,
)
ENDED: Final = Rule(
    when="there is a reason to stop correcting",
    does="note how it ended",
    holds=questions.has_ended,
    then=moves.begin_restoring,
    leads_to=Step.RESTORING,
)
EMPTY: Final = Rule(
    when="the pool is empty",
    does="note that it is corrected now",
    holds=lambda v: v.pool.is_empty,
    then=moves.begin_correcting,
    leads_to=Step.CORRECTING,
)
RESIZING: Final = waits(
    "the pool resizes, by somebody else's doing or by its formula",
    "wait, never stop it",
    lambda v: not v.is_steady,
    moves.wait_for_steady,
)
