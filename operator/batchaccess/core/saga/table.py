"""The state machine of a saga as a table: for each step its rules in order; the first that holds decides.

docs/remediation.md is drawn from this table, and the exploration checks that each rule leads where it says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga import moves
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


def _waits(when: str, does: str, holds: Callable[[Visit], bool], then: Callable[[Visit], Underway]) -> Rule:
    return Rule(when=when, does=does, holds=holds, then=then)


_DELETING: Final = _waits(
    "the pool is being deleted", "wait until it is gone", lambda v: v.is_deleting, moves.wait_for_deletion
)
_REPLACED: Final = Rule(
    when="the pool is another one of the same name",
    does="forget the Kubernetes copy",
    holds=moves.is_another_pool,
    then=moves.forget,
    leads_to=GONE,
)
_TAKEN_OVER: Final = Rule(
    when="another holder took the saga over",
    does="forget the Kubernetes copy",
    holds=lambda v: v.azure is AzureCopy.TAKEN_OVER,
    then=moves.forget,
    leads_to=GONE,
)
_NEWER: Final = Rule(
    when="the Azure copy is of another saga of ours, which is to be believed",
    does="resume that one at its restore",
    holds=lambda v: v.azure is AzureCopy.NEWER,
    then=moves.resume_from_azure,
    leads_to=Step.RESTORING,
)
_FOREIGN_WAIT: Final = _waits(
    "another holder's journal is in the metadata",
    "wait until it is gone, keeping the recorded scale",
    lambda v: v.azure is AzureCopy.FOREIGN,
    moves.wait_for_foreign,
)
_FOREIGN_FORGET: Final = Rule(
    when="another holder's journal is in the metadata",
    does="forget the Kubernetes copy, nothing was changed",
    holds=lambda v: v.azure is AzureCopy.FOREIGN,
    then=moves.forget,
    leads_to=GONE,
)
_REWRITE: Final = Rule(
    when="the Azure copy is missing or outdated",
    does="write it",
    holds=lambda v: v.azure in (AzureCopy.ABSENT, AzureCopy.OUTDATED),
    then=moves.write_azure,
)
_ENDED: Final = Rule(
    when="there is a reason to stop correcting",
    does="note how it ended",
    holds=moves.has_ended,
    then=moves.begin_restoring,
    leads_to=Step.RESTORING,
)
_EMPTY: Final = Rule(
    when="the pool is empty",
    does="note that it is corrected now",
    holds=lambda v: v.pool.is_empty,
    then=moves.begin_correcting,
    leads_to=Step.CORRECTING,
)
_RESIZING: Final = _waits(
    "the pool resizes, by somebody else's doing or by its formula",
    "wait, never stop it",
    lambda v: not v.is_steady,
    moves.wait_for_steady,
)

_PREPARING: Final = (
    _DELETING,
    _REPLACED,
    _TAKEN_OVER,
    _NEWER,
    _FOREIGN_FORGET,
    Rule(
        when="there is a reason to stop correcting",
        does="note how it ended; nothing was changed",
        holds=moves.has_ended,
        then=moves.begin_clearing_unchanged,
        leads_to=Step.CLEARING,
    ),
    Rule(
        when="the scale is not the recorded one any more",
        does="record it anew",
        holds=lambda v: not v.is_as_recorded,
        then=moves.record_anew,
    ),
    _REWRITE,
    _RESIZING,
    _EMPTY,
    Rule(
        when="both copies are written and autoscale is on",
        does="note the eTag and that autoscale is paused now",
        holds=lambda v: v.recorded.autoscale,
        then=moves.begin_pausing,
        leads_to=Step.PAUSING_AUTOSCALE,
    ),
    Rule(
        when="both copies are written and autoscale is off",
        does="note the eTag and that the pool is drained now",
        holds=lambda _: True,
        then=moves.begin_draining,
        leads_to=Step.DRAINING,
    ),
)

_TAKING_OVER: Final = (
    _DELETING,
    _REPLACED,
    Rule(
        when="the metadata names another holder for this saga",
        does="write the Azure copy in our name",
        holds=lambda v: v.azure in (AzureCopy.TAKEN_OVER, AzureCopy.OUTDATED),
        then=moves.write_azure,
    ),
    Rule(
        when="the Azure copy is in our name",
        does="note that the scale is brought back now",
        holds=lambda v: v.azure is AzureCopy.AGREES,
        then=moves.begin_restoring_adopted,
        leads_to=Step.RESTORING,
    ),
    Rule(
        when="the journal to be taken over is gone",
        does="forget the Kubernetes copy",
        holds=lambda _: True,
        then=moves.forget,
        leads_to=GONE,
    ),
)

_PAUSING: Final = (
    _DELETING,
    _REPLACED,
    _TAKEN_OVER,
    _NEWER,
    _FOREIGN_WAIT,
    _ENDED,
    Rule(
        when="autoscale is on with another formula",
        does="record that one; a scale without a formula is never recorded from here on",
        holds=lambda v: v.pool.scale.autoscale and not v.is_as_recorded,
        then=moves.record_formula_anew,
    ),
    _REWRITE,
    Rule(
        when="autoscale is on, and eTag and formula are still those of the journal",
        does="disable autoscale",
        holds=lambda v: v.pool.scale.autoscale and v.is_unwritten,
        then=moves.disable_autoscale,
    ),
    Rule(
        when="autoscale is on and the pool was written to",
        does="note its new eTag",
        holds=lambda v: v.pool.scale.autoscale,
        then=moves.begin_pausing,
    ),
    _RESIZING,
    _EMPTY,
    Rule(
        when="autoscale is off and nodes are there",
        does="note the eTag and that the pool is drained now",
        holds=lambda v: v.drains,
        then=moves.begin_draining,
        leads_to=Step.DRAINING,
    ),
    Rule(
        when="the pool does not stand at zero, and the policy does not drain",
        does="note that there was nothing to do",
        holds=lambda _: True,
        then=moves.give_up_pausing,
        leads_to=Step.RESTORING,
    ),
)

_DRAINING: Final = (
    _DELETING,
    _REPLACED,
    _TAKEN_OVER,
    _NEWER,
    _FOREIGN_WAIT,
    _EMPTY,
    _ENDED,
    Rule(
        when="nobody wrote to the pool since the step began and it is steady",
        does="resize to no nodes",
        holds=lambda v: v.is_unwritten and v.is_steady,
        then=moves.drain,
    ),
    _waits(
        "nobody wrote to the pool since the step began and it resizes",
        "wait, never stop it",
        lambda v: v.is_unwritten,
        moves.wait_for_steady,
    ),
    Rule(
        when="somebody wrote to the pool before our resize, which certainly had no effect",
        does="record the scale anew, or take the new eTag where a formula was paused",
        holds=moves.was_unsent,
        then=moves.prepare_again,
        leads_to="Preparing or PausingAutoscale",
    ),
    Rule(
        when="somebody else set a scale",
        does="note that their wish stands",
        holds=lambda v: not v.is_drained,
        then=moves.give_way,
        leads_to=Step.RESTORING,
    ),
    _REWRITE,
    Rule(
        when="the pool is steady and nodes are left",
        does="note that the drain is incomplete",
        holds=lambda v: v.has_leftovers,
        then=moves.leave_incomplete,
        leads_to=Step.RESTORING,
    ),
    _waits("nodes are leaving", "wait", lambda _: True, moves.wait_for_nodes_to_leave),
)

_CORRECTING: Final = (
    _DELETING,
    _REPLACED,
    _TAKEN_OVER,
    _NEWER,
    _FOREIGN_WAIT,
    _ENDED,
    _waits(
        "the pool is empty but for a resize that ends at no nodes",
        "wait, never stop it",
        lambda v: not v.pool.is_empty and v.is_drained and not v.is_steady,
        moves.wait_for_steady,
    ),
    _waits("the reading is from before our resize", "read again", moves.is_outdated, moves.wait_for_a_newer_reading),
    Rule(
        when="the pool is not empty any more",
        does="note that somebody else's wish stands",
        holds=lambda v: not v.pool.is_empty,
        then=moves.give_way,
        leads_to=Step.RESTORING,
    ),
    _REWRITE,
    Rule(
        when="the pool is empty and the network differs",
        does="PATCH the network with If-Match, read again, verify",
        holds=moves.wants_patch,
        then=moves.patch,
    ),
    _waits("the last attempt failed", "back off", lambda _: True, moves.wait_for_patch),
)

_RESTORING: Final = (
    _DELETING,
    _REPLACED,
    _TAKEN_OVER,
    _NEWER,
    _FOREIGN_WAIT,
    _waits(
        "the scale is as recorded and the pool resizes",
        "wait for its nodes",
        lambda v: v.is_as_recorded and not v.recorded.autoscale and not v.is_steady,
        moves.wait_for_nodes_to_come,
    ),
    Rule(
        when="the scale is as recorded, the pool is steady and drained nodes did not come back",
        does="resize to the recorded targets again; RestorePending",
        holds=moves.lacks_capacity,
        then=moves.restore_again,
    ),
    Rule(
        when="the scale is as recorded",
        does="note that the journal is removed now",
        holds=lambda v: v.is_as_recorded,
        then=moves.begin_clearing,
        leads_to=Step.CLEARING,
    ),
    Rule(
        when="somebody else set a scale",
        does="note that their wish stands",
        holds=lambda v: not v.needs_restore,
        then=moves.begin_clearing_superseded,
        leads_to=Step.CLEARING,
    ),
    Rule(
        when="the pool is steady and its restore is not written down",
        does="note its eTag and since when it is steady: a scale set later is somebody's, no nodes included",
        holds=moves.lacks_write_ahead,
        then=moves.write_restore_ahead,
    ),
    Rule(
        when="the Azure copy is missing or outdated",
        does="write it",
        holds=lambda v: v.azure in (AzureCopy.ABSENT, AzureCopy.OUTDATED) and v.memory.refusal is None,
        then=moves.write_azure,
    ),
    _waits(
        "a restore was refused and it is not time to try again",
        "RestorePending",
        moves.is_refused,
        moves.wait_for_restore,
    ),
    Rule(
        when="our own resize to no nodes is still running",
        does="stop it",
        holds=lambda v: v.copy.shrunk and v.copy.restore is None and v.is_drained and moves.is_resizing(v),
        then=moves.stop_resize,
    ),
    _RESIZING,
    Rule(
        when="a formula was recorded",
        does="enable autoscale with it",
        holds=lambda v: v.recorded.autoscale,
        then=moves.enable_autoscale,
    ),
    Rule(
        when="targets were recorded",
        does="resize to them with the recorded resizeTimeout",
        holds=lambda _: True,
        then=moves.restore,
    ),
)

_CLEARING: Final = (
    _DELETING,
    _REPLACED,
    _NEWER,
    Rule(
        when="the scale that seemed to be back is not",
        does="bring it back; the reading was older than our last change",
        holds=moves.was_misread,
        then=moves.restore_after_all,
        leads_to=Step.RESTORING,
    ),
    _waits(
        "the removal of the Azure copy was refused and it is not time to try again",
        "wait",
        lambda v: moves.is_refused(v) and v.azure in (AzureCopy.AGREES, AzureCopy.OUTDATED),
        moves.wait_for_clearing,
    ),
    Rule(
        when="the Azure copy is there",
        does="remove it",
        holds=lambda v: v.azure in (AzureCopy.AGREES, AzureCopy.OUTDATED),
        then=moves.remove_azure,
    ),
    Rule(
        when="no Azure copy of ours is there",
        does="clear the Kubernetes copy",
        holds=lambda _: True,
        then=moves.forget,
        leads_to=GONE,
    ),
)

TABLE: Final[Mapping[Step, tuple[Rule, ...]]] = {
    Step.PREPARING: _PREPARING,
    Step.TAKING_OVER: _TAKING_OVER,
    Step.PAUSING_AUTOSCALE: _PAUSING,
    Step.DRAINING: _DRAINING,
    Step.CORRECTING: _CORRECTING,
    Step.RESTORING: _RESTORING,
    Step.CLEARING: _CLEARING,
}

REASONS: Final[Mapping[Step, RemediatingReason]] = {step: RemediatingReason(step.value) for step in Step}
"""What `Remediating` says at each step."""
