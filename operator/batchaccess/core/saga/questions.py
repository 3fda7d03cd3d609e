"""What the rows of the table ask of one visit."""

from batchaccess.core.decision import PatchNetwork
from batchaccess.core.model import AllocationState
from batchaccess.core.saga.endings import why_ended
from batchaccess.core.saga.scale import NO_NODES, capacity_is_back
from batchaccess.core.saga.situation import AzureCopy, Visit, describes


def is_another_pool(visit: Visit) -> bool:
    """Whether the journal is of a pool that was deleted since."""
    return not describes(visit.copy.journal, visit.pool)


def has_ended(visit: Visit) -> bool:
    """Whether there is a reason to stop correcting."""
    return why_ended(visit) is not None


def is_resizing(visit: Visit) -> bool:
    """Whether a resize is on its way; one that is being stopped is not stopped again."""
    return visit.pool.allocation_state is AllocationState.RESIZING


def was_unsent(visit: Visit) -> bool:
    """Whether our drain was certainly not sent yet, or had no effect, and nobody else emptied the pool.

    Targets other than those that a formula left when it was paused are somebody's wish even so: begun anew, the saga
    would not record them.
    """
    memory, scale = visit.memory, visit.pool.scale
    is_wish = visit.recorded.autoscale and not scale.autoscale and scale.target != visit.copy.standing
    unsent = memory.unsent_etag is not None and memory.unsent_etag == visit.copy.etag
    return unsent and not visit.is_drained and not is_wish


def is_outdated(visit: Visit) -> bool:
    """Whether the pool is shown with nodes on the eTag on which we drained it, which it has left since."""
    return not visit.pool.is_empty and visit.memory.sent_etag == visit.pool.etag


def is_resized_while_paused(visit: Visit) -> bool:
    """Whether targets were set since autoscale was paused: they are not those that the formula had left."""
    standing, scale = visit.copy.standing, visit.pool.scale
    return standing is not None and not scale.autoscale and scale.target != standing


def wants_patch(visit: Visit) -> bool:
    """Whether the ordinary decision is to PATCH."""
    return isinstance(visit.base, PatchNetwork)


def is_refused(visit: Visit) -> bool:
    """Whether the service refused the present step and it is not time to try again."""
    refusal = visit.memory.refusal
    return refusal is not None and visit.now < refusal.retry_at


def may_mend_azure(visit: Visit) -> bool:
    """Whether a lost Azure copy is to be written again before the scale is brought back, which waits for one try."""
    is_lost = visit.azure in (AzureCopy.ABSENT, AzureCopy.OUTDATED)
    return is_lost and not visit.memory.is_copy_refused and visit.memory.refusal is None


def lacks_capacity(visit: Visit) -> bool:
    """Whether nodes that we drained are missing though their resize is over."""
    return (
        visit.is_as_recorded
        and visit.copy.shrunk
        and not visit.recorded.autoscale
        and not capacity_is_back(visit.pool.scale, visit.recorded)
    )


def was_misread(visit: Visit) -> bool:
    """Whether the scale that was found to be in order is not there: the reading was older than our drain."""
    return visit.copy.etag is not None and visit.needs_restore


def lacks_write_ahead(visit: Visit) -> bool:
    """Whether a restore could be sent now but for its write-ahead."""
    mark = visit.copy.restore
    is_marked = mark is not None and mark.allocated == visit.restore_mark.allocated
    return visit.is_steady and not is_marked and not _may_be_from_before_the_drain(visit)


def _may_be_from_before_the_drain(visit: Visit) -> bool:
    """Whether a reading older than our drain looks like this one, so that it is no state to tell later ones from.

    It does where paused targets are there still, or were none already, or where nobody knows what they were.
    """
    copy = visit.copy
    if not visit.is_drained:
        return copy.may_be_shrunk
    return visit.recorded.autoscale and (copy.standing == NO_NODES or (copy.may_be_shrunk and not copy.shrunk))
