"""What the rows of the table do; each is a small function of one visit."""

from dataclasses import replace
from typing import Final

from batchaccess.core.decision import PatchNetwork, Wait
from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    DisableAutoscale,
    EnableAutoscale,
    RemoveAzureJournal,
    Resize,
    SagaAction,
    StopResize,
    Underway,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.durations import duration_text
from batchaccess.core.saga.endings import Ended, why_ended
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import metadata_with, metadata_without
from batchaccess.core.saga.questions import is_refused, lacks_capacity
from batchaccess.core.saga.scale import NO_NODES, recorded_scale
from batchaccess.core.saga.situation import Visit
from batchaccess.core.saga.steps import Ending, Step

SHORTEST_DRAIN: Final = 300
"""Seconds of the shortest resizeTimeout the service takes (REST document "Pool - Resize": five minutes)."""

PENDING_AFTER: Final = 3
"""Failed tries of a restore in a row after which somebody is told."""

_FOREIGN: Final = (
    "The pool's metadata has another holder's journal. The recorded scale is kept here and brought back once that "
    "journal is gone: let the other operator end its saga or, if it is no more, remove the items "
    "batchaccess.dev/journal-* from the pool's metadata."
)

_THEIR_SCALE_STANDS: Final = "Somebody else set another scale than the recorded one meanwhile; it stands."


# Writing down


def _write(visit: Visit, step: Step, *, etag: str | None = None, ended: Ended | None = None) -> WriteKubernetesJournal:
    copy = replace(visit.copy, step=step, since=visit.now.replace(microsecond=0), etag=etag)
    if ended is None:
        return WriteKubernetesJournal(copy=copy, history=visit.situation.history)
    copy = replace(copy, ending=ended.ending, message=ended.message)
    return WriteKubernetesJournal(copy=copy, history=visit.latch(ended.ending, ended.message))


def record_anew(visit: Visit) -> SagaAction | Underway:
    """Record the scale as it is now: we have changed nothing of it."""
    recorded = recorded_scale(visit.pool)
    if recorded is None:
        return _wait(visit, "The service does not say by which formula the pool scales.")
    journal = replace(visit.copy.journal, recorded=recorded)
    copy = replace(visit.copy, journal=journal, standing=None)
    return _write(replace(visit, copy=copy), Step.PREPARING)


def record_formula_anew(visit: Visit) -> SagaAction | Underway:
    """Record a formula that somebody set while the old one was to be paused; the step stays."""
    written = record_anew(visit)
    if not isinstance(written, WriteKubernetesJournal):
        return written
    return replace(written, copy=replace(written.copy, step=Step.PAUSING_AUTOSCALE))


def prepare_again(visit: Visit) -> SagaAction | Underway:
    """After an edit that was not our resize: a formula that was paused stays recorded, targets are recorded anew.

    A reading may be older than our pausing or newer: neither may put the paused targets in the place of the formula.
    Nor may what they were be forgotten, or else targets that somebody sets now would be taken for them.
    """
    if visit.recorded.autoscale:
        return _write(visit, Step.PAUSING_AUTOSCALE)
    return record_anew(visit)


def begin_pausing(visit: Visit) -> SagaAction:
    """The write ahead of disabling autoscale. Until then the formula may set other targets."""
    return _write(replace(visit, copy=replace(visit.copy, standing=None)), Step.PAUSING_AUTOSCALE, etag=visit.pool.etag)


def begin_draining(visit: Visit) -> SagaAction:
    """The write ahead of the resize to no nodes."""
    copy = replace(visit.copy, standing=visit.pool.scale.target)
    return _write(replace(visit, copy=copy), Step.DRAINING, etag=visit.pool.etag)


def begin_correcting(visit: Visit) -> SagaAction:
    """The write ahead of the PATCH."""
    return _write(replace(visit, copy=replace(visit.copy, emptied=True)), Step.CORRECTING)


def begin_restoring(visit: Visit) -> SagaAction:
    """The correcting part is over."""
    return _write(visit, Step.RESTORING, ended=why_ended(visit))


def begin_restoring_adopted(visit: Visit) -> SagaAction:
    """Another holder's saga is ours now."""
    return _write(visit, Step.RESTORING, ended=Ended(ending=Ending.ADOPTED, message="The saga was taken over."))


def begin_clearing_unchanged(visit: Visit) -> SagaAction:
    """The saga ends before it changed anything."""
    return _write(visit, Step.CLEARING, ended=why_ended(visit))


def begin_clearing(visit: Visit) -> SagaAction:
    """The scale is back. Removing the Azure copy under the eTag of a reading that still shows it proves it."""
    return _write(visit, Step.CLEARING, etag=visit.pool.etag)


def begin_clearing_superseded(visit: Visit) -> SagaAction:
    """The scale is somebody else's, which is said beside how the correction ended."""
    message = f"{visit.copy.message} {_THEIR_SCALE_STANDS}".lstrip()
    return _write(replace(visit, copy=replace(visit.copy, message=message)), Step.CLEARING, etag=visit.pool.etag)


def write_restore_ahead(visit: Visit) -> SagaAction:
    """The write ahead of the restore: from here on it can be told from what somebody sets after it."""
    copy = replace(visit.copy, restore=visit.restore_mark)
    return WriteKubernetesJournal(copy=copy, history=visit.situation.history)


def restore_after_all(visit: Visit) -> SagaAction:
    """Back to the restore; how the correction ended stays said."""
    return _write(visit, Step.RESTORING)


def give_up_pausing(visit: Visit) -> SagaAction:
    """Nodes are there, and this policy only pauses autoscale."""
    message = "The pool did not stand at zero any more when autoscale was paused."
    return _write(visit, Step.RESTORING, ended=Ended(ending=Ending.NOT_NEEDED, message=message))


def give_way(visit: Visit) -> SagaAction:
    """Somebody resized the pool in the middle."""
    message = (
        "Somebody else resized the pool while it was drained; their scale stands. Annotate with "
        "batchaccess.dev/requested-at to drain again."
    )
    return _write(visit, Step.RESTORING, ended=Ended(ending=Ending.SCALE_CHANGED, message=message))


def leave_incomplete(visit: Visit) -> SagaAction:
    """The service calls the pool steady and nodes are left, so it is not empty."""
    message = (
        "The resize to no nodes ended with nodes left, so the network was not changed. Raise drainTimeoutSeconds or "
        "choose another nodeDeallocation, or annotate with batchaccess.dev/requested-at to try again."
    )
    return _write(visit, Step.RESTORING, ended=Ended(ending=Ending.DRAIN_INCOMPLETE, message=message))


def resume_from_azure(visit: Visit) -> SagaAction | Underway:
    """The Azure copy is the one to believe."""
    found = visit.situation.azure
    if not isinstance(found, Journal):
        return _wait(visit, "The journal in the pool's metadata is gone.")
    copy = replace(visit.copy, journal=found, standing=None, emptied=False, restore=None)
    ended = Ended(ending=Ending.RESUMED, message="Only the copy in Azure was left.")
    return _write(replace(visit, copy=copy), Step.RESTORING, ended=ended)


def forget(visit: Visit) -> SagaAction:
    """The end of the saga, for us."""
    return ClearKubernetesJournal(history=visit.situation.history)


def write_azure(visit: Visit) -> WriteAzureJournal:
    """The Azure copy, the whole metadata list re-read, under its eTag."""
    journal = visit.copy.journal
    return WriteAzureJournal(
        pool_id=visit.pool.id,
        etag=visit.pool.etag,
        metadata=metadata_with(visit.pool.metadata, journal),
        journal=journal,
    )


def mend_azure(visit: Visit) -> SagaAction:
    """The same while the scale is brought back, which does not wait for it if it fails."""
    return replace(write_azure(visit), is_ahead=False)


def remove_azure(visit: Visit) -> SagaAction:
    """The Azure copy goes first, the Kubernetes copy after."""
    metadata = metadata_without(visit.pool.metadata, empty_is_ignored=visit.memory.removals > 0)
    return RemoveAzureJournal(pool_id=visit.pool.id, etag=visit.pool.etag, metadata=metadata)


# Changing the pool


def disable_autoscale(visit: Visit) -> SagaAction:
    """Under the eTag and formula of the journal."""
    return DisableAutoscale(pool_id=visit.pool.id, etag=visit.pool.etag, formula=visit.recorded.autoscale_formula or "")


def drain(visit: Visit) -> SagaAction:
    """Resize to no nodes; the service gives up after what is left of the time, or five minutes."""
    left = int((visit.deadline - visit.now).total_seconds())
    policy = visit.policy
    return Resize(
        pool_id=visit.pool.id,
        etag=visit.pool.etag,
        targets=NO_NODES,
        resize_timeout=duration_text(max(SHORTEST_DRAIN, left)),
        deallocation=None if policy is None else policy.remediation.node_deallocation,
        is_restore=False,
    )


def patch(visit: Visit) -> SagaAction | Underway:
    """What the ordinary decision asks for: the pool is empty."""
    return visit.base if isinstance(visit.base, PatchNetwork) else wait_for_patch(visit)


def stop_resize(visit: Visit) -> SagaAction:
    """Our own shrinking resize is stopped before the pool may grow again."""
    return StopResize(pool_id=visit.pool.id, etag=visit.pool.etag)


def enable_autoscale(visit: Visit) -> SagaAction:
    """The recorded formula, back in force."""
    return EnableAutoscale(
        pool_id=visit.pool.id,
        etag=visit.pool.etag,
        formula=visit.recorded.autoscale_formula or "",
        interval=visit.recorded.autoscale_interval,
    )


def restore(visit: Visit, *, again: bool = False) -> SagaAction:
    """The recorded targets, with the recorded resizeTimeout."""
    return Resize(
        pool_id=visit.pool.id,
        etag=visit.pool.etag,
        targets=visit.recorded.targets,
        resize_timeout=visit.recorded.resize_timeout,
        deallocation=None,
        is_restore=True,
        again=again,
    )


def restore_again(visit: Visit) -> SagaAction | Underway:
    """The same once more, as often as the back-off permits."""
    return wait_for_restore(visit) if is_refused(visit) else restore(visit, again=True)


# Waiting


def reason_now(visit: Visit) -> RemediatingReason:
    """What `Remediating` says: the step, or that a restore is in trouble."""
    step = visit.copy.step
    in_trouble = visit.memory.refusal is not None or visit.memory.failures >= PENDING_AFTER
    if step is Step.RESTORING and (in_trouble or (lacks_capacity(visit) and visit.is_steady)):
        return RemediatingReason.RESTORE_PENDING
    return RemediatingReason(step.value)


def _wait(visit: Visit, message: str) -> Underway:
    return Underway(reason=reason_now(visit), message=message, rule="")


def wait_for_deletion(visit: Visit) -> Underway:
    """Nothing can be changed any more."""
    return _wait(visit, "The pool is being deleted.")


def wait_for_foreign(visit: Visit) -> Underway:
    """Two writers must not meet; that our pool stays drained meanwhile is worth an alert."""
    return replace(_wait(visit, _FOREIGN), reason=RemediatingReason.RESTORE_PENDING)


def wait_for_steady(visit: Visit) -> Underway:
    """A resize that is not ours to stop."""
    return _wait(visit, "The pool is being resized, which is waited for.")


def wait_for_a_newer_reading(visit: Visit) -> Underway:
    """The service answered with a state that is over."""
    return _wait(visit, "The service still shows the pool as it was before it was drained.")


def wait_for_nodes_to_leave(visit: Visit) -> Underway:
    """Tasks finish as the policy's nodeDeallocation says."""
    return replace(_wait(visit, "Nodes are leaving the pool."), until=visit.deadline)


def wait_for_nodes_to_come(visit: Visit) -> Underway:
    """The restore was accepted and is on its way."""
    return _wait(visit, "The recorded scale is set; its nodes are on their way.")


def wait_for_patch(visit: Visit) -> Underway:
    """The last attempt failed in a way that time may heal."""
    if isinstance(visit.base, Wait):
        return replace(_wait(visit, visit.base.message), until=visit.base.until)
    return _wait(visit, "The network is not changed yet.")


def wait_for_restore(visit: Visit) -> Underway:
    """The service refused to bring the scale back; somebody has to look."""
    refusal = visit.memory.refusal
    if refusal is None:
        return _wait(visit, "The recorded scale is not back yet.")
    return Underway(
        reason=RemediatingReason.RESTORE_PENDING,
        message=f"The recorded scale could not be brought back: {refusal.message}",
        rule="",
        until=refusal.retry_at,
    )


def wait_for_clearing(visit: Visit) -> Underway:
    """The scale is back, the Azure copy is still there."""
    refusal = visit.memory.refusal
    text = "" if refusal is None else f" {refusal.message}"
    waiting = _wait(visit, f"The journal in the pool's metadata could not be removed.{text}")
    return waiting if refusal is None else replace(waiting, until=refusal.retry_at)
