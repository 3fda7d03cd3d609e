"""The state machine of a saga as a table: for each step its rules in order; the first that holds decides.

docs/remediation.md is drawn from this table. Wherever the exploration has a rule decide, it checks that it leads where
the table says; tests/core/saga/test_table.py checks that for the rules which the bounded exploration never sees.
"""

from collections.abc import Mapping
from typing import Final

from batchaccess.core.saga import moves, questions
from batchaccess.core.saga.rules import (
    DELETING,
    EMPTY,
    ENDED,
    FOREIGN_FORGET,
    FOREIGN_WAIT,
    GONE,
    NEWER,
    REPLACED,
    RESIZING,
    REWRITE,
    TAKEN_OVER,
    Rule,
    waits,
)
from batchaccess.core.saga.situation import AzureCopy
from batchaccess.core.saga.steps import Step

_PREPARING: Final = (
    DELETING,
    REPLACED,
    TAKEN_OVER,
    NEWER,
    FOREIGN_FORGET,
    Rule(
        when="there is a reason to stop correcting",
        does="note how it ended; nothing was changed",
        holds=questions.has_ended,
        then=moves.begin_clearing_unchanged,
        leads_to=Step.CLEARING,
    ),
    Rule(
        when="the scale is not the recorded one any more",
        does="record it anew",
        holds=lambda v: not v.is_as_recorded,
        then=moves.record_anew,
    ),
    REWRITE,
    RESIZING,
    EMPTY,
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
    DELETING,
    REPLACED,
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
    DELETING,
    REPLACED,
    TAKEN_OVER,
    NEWER,
    FOREIGN_WAIT,
    ENDED,
    Rule(
        when="autoscale is on with another formula",
        does="record that one; a scale without a formula is never recorded from here on",
        holds=lambda v: v.pool.scale.autoscale and not v.is_as_recorded,
        then=moves.record_formula_anew,
    ),
    REWRITE,
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
    RESIZING,
    EMPTY,
    Rule(
        when="somebody else set a scale since autoscale was paused",
        does="note that their wish stands",
        holds=questions.is_resized_while_paused,
        then=moves.give_way,
        leads_to=Step.RESTORING,
    ),
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
    DELETING,
    REPLACED,
    TAKEN_OVER,
    NEWER,
    FOREIGN_WAIT,
    EMPTY,
    ENDED,
    Rule(
        when="nobody wrote to the pool since the step began and it is steady",
        does="resize to no nodes",
        holds=lambda v: v.is_unwritten and v.is_steady,
        then=moves.drain,
    ),
    waits(
        "nobody wrote to the pool since the step began and it resizes",
        "wait, never stop it",
        lambda v: v.is_unwritten,
        moves.wait_for_steady,
    ),
    Rule(
        when="somebody wrote to the pool before our resize, which certainly had no effect",
        does="record the scale anew, or take the new eTag where a formula was paused",
        holds=questions.was_unsent,
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
    REWRITE,
    Rule(
        when="the pool is steady and nodes are left",
        does="note that the drain is incomplete",
        holds=lambda v: v.has_leftovers,
        then=moves.leave_incomplete,
        leads_to=Step.RESTORING,
    ),
    waits("nodes are leaving", "wait", lambda _: True, moves.wait_for_nodes_to_leave),
)

_CORRECTING: Final = (
    DELETING,
    REPLACED,
    TAKEN_OVER,
    NEWER,
    FOREIGN_WAIT,
    ENDED,
    waits(
        "the pool is empty but for a resize that ends at no nodes",
        "wait, never stop it",
        lambda v: not v.pool.is_empty and v.is_drained and not v.is_steady,
        moves.wait_for_steady,
    ),
    waits("the reading is from before our resize", "read again", questions.is_outdated, moves.wait_for_a_newer_reading),
    Rule(
        when="the pool is not empty any more",
        does="note that somebody else's wish stands",
        holds=lambda v: not v.pool.is_empty,
        then=moves.give_way,
        leads_to=Step.RESTORING,
    ),
    REWRITE,
    Rule(
        when="the pool is empty and the network differs",
        does="PATCH the network with If-Match, read again, verify",
        holds=questions.wants_patch,
        then=moves.patch,
    ),
    waits("the last attempt failed", "back off", lambda _: True, moves.wait_for_patch),
)

_RESTORING: Final = (
    DELETING,
    REPLACED,
    TAKEN_OVER,
    NEWER,
    FOREIGN_WAIT,
    waits(
        "the scale is as recorded and the pool resizes",
        "wait for its nodes",
        lambda v: v.is_as_recorded and not v.recorded.autoscale and not v.is_steady,
        moves.wait_for_nodes_to_come,
    ),
    Rule(
        when="the scale is as recorded, the pool is steady and drained nodes did not come back",
        does="resize to the recorded targets again; RestorePending",
        holds=questions.lacks_capacity,
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
        holds=questions.lacks_write_ahead,
        then=moves.write_restore_ahead,
    ),
    Rule(
        when="the Azure copy is missing or outdated, and was not refused meanwhile",
        does="write it; if that fails, the restore goes on without it",
        holds=questions.may_mend_azure,
        then=moves.mend_azure,
    ),
    waits(
        "a restore was refused and it is not time to try again",
        "RestorePending",
        questions.is_refused,
        moves.wait_for_restore,
    ),
    Rule(
        when="our own resize to no nodes is still running",
        does="stop it",
        holds=lambda v: v.copy.shrunk and v.copy.restore is None and v.is_drained and questions.is_resizing(v),
        then=moves.stop_resize,
    ),
    RESIZING,
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
    DELETING,
    REPLACED,
    NEWER,
    Rule(
        when="the scale that seemed to be back is not",
        does="bring it back; the reading was older than our last change",
        holds=questions.was_misread,
        then=moves.restore_after_all,
        leads_to=Step.RESTORING,
    ),
    waits(
        "the removal of the Azure copy was refused and it is not time to try again",
        "wait",
        lambda v: questions.is_refused(v) and v.azure in (AzureCopy.AGREES, AzureCopy.OUTDATED),
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
