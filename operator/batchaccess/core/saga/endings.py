"""Why a saga stops correcting: asked at every visit before the network is changed, at none after."""

from dataclasses import dataclass
from typing import Final

from batchaccess.core.decision import Nothing, Stall, Wait
from batchaccess.core.reasons import CompliantReason, PoolOutcome
from batchaccess.core.saga.gates import BREAKER_MESSAGE
from batchaccess.core.saga.situation import AzureCopy, Visit
from batchaccess.core.saga.steps import Ending, Step

_STOOD_STILL: Final = "The correction stood still for too long before anything was drained; it begins anew."
_NOT_TAKEN: Final = (
    "The pool was empty, and the service did not take its correction within spec.remediation.drainTimeoutSeconds. Find "
    "out why, then annotate with batchaccess.dev/requested-at to try again."
)
_OF_REASON: Final = {ending.value: ending for ending in Ending}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the correcting part ends, with a stable text for people."""

    ending: Ending
    message: str


def why_ended(visit: Visit) -> Ended | None:
    """Why this saga goes on to its restore now; None if it goes on correcting."""
    return (
        _declared_otherwise(visit)
        or _corrected(visit)
        or _impossible(visit)
        or _held_back(visit)
        or _refused(visit)
        or _too_late(visit)
    )


def _declared_otherwise(visit: Visit) -> Ended | None:
    started_under, policy = visit.copy.journal.policy, visit.policy
    connection = visit.situation.connection
    if connection.deleting:
        return Ended(
            ending=Ending.CONNECTION_DELETING,
            message=f"Connection {connection.name} is being deleted, or the operator uninstalled.",
        )
    if policy is None or policy.uid != started_under.uid:
        return Ended(
            ending=Ending.POLICY_GONE, message=f"Policy {started_under.key} does not govern the pool any more."
        )
    if connection.suspend or policy.suspend:
        return Ended(ending=Ending.SUSPENDED, message=f"{_suspended_name(visit)} was suspended.")
    if policy.generation != started_under.generation:
        return Ended(ending=Ending.POLICY_CHANGED, message=f"Policy {policy.key} was edited.")
    return None


def _suspended_name(visit: Visit) -> str:
    connection = visit.situation.connection
    return f"Connection {connection.name}" if connection.suspend else f"Policy {visit.copy.journal.policy.key}"


def _corrected(visit: Visit) -> Ended | None:
    """The drift is gone, by our doing or not; an implicit mapping is nothing that a PATCH could close."""
    match visit.base:
        case Nothing(outcome=PoolOutcome.COMPLIANT) | Stall(reason=CompliantReason.IMPLICIT_MAPPING):
            if visit.copy.step is Step.CORRECTING:
                return Ended(ending=Ending.CORRECTED, message="The network was found as declared.")
            return Ended(ending=Ending.NOT_NEEDED, message="The network did not differ any more.")
        case Nothing():
            return Ended(ending=Ending.POLICY_CHANGED, message="The policy corrects nothing any more.")
        case _:
            return None


def _impossible(visit: Visit) -> Ended | None:
    """What would be refused, or was: limits, a latch, contention."""
    match visit.base:
        case Stall(reason=reason, message=message):
            return Ended(ending=_OF_REASON.get(reason.value, Ending.REJECTED), message=message)
        case Wait(reason=CompliantReason.CONTENDED, message=message):
            return Ended(ending=Ending.CONTENDED, message=message)
        case _:
            return None


def _held_back(visit: Visit) -> Ended | None:
    if visit.azure is AzureCopy.UNREADABLE:
        return Ended(ending=Ending.UNREADABLE_JOURNAL, message="The journal in the pool's metadata was damaged.")
    if visit.situation.breaker_open:
        return Ended(ending=Ending.BREAKER_OPEN, message=BREAKER_MESSAGE)
    return None


def _refused(visit: Visit) -> Ended | None:
    refusal = visit.memory.refusal
    return None if refusal is None else Ended(ending=refusal.ending, message=refusal.message)


def _too_late(visit: Visit) -> Ended | None:
    """The time for the drain is over. A pool that is empty gets its PATCH all the same, unless that keeps failing."""
    if visit.now < visit.deadline:
        return None
    if visit.copy.step is Step.PREPARING:
        return Ended(ending=Ending.NOT_NEEDED, message=_STOOD_STILL)
    if visit.pool.is_empty and visit.copy.step in (Step.DRAINING, Step.CORRECTING, Step.PAUSING_AUTOSCALE):
        return Ended(ending=Ending.DRAIN_TIMED_OUT, message=_NOT_TAKEN) if _keeps_failing(visit) else None
    return Ended(
        ending=Ending.DRAIN_TIMED_OUT,
        message="The pool was not empty within spec.remediation.drainTimeoutSeconds. Raise it or choose another "
        "nodeDeallocation, or annotate with batchaccess.dev/requested-at to try again.",
    )


def _keeps_failing(visit: Visit) -> bool:
    """Whether the last write to an empty pool did not succeed: it failed, lost a race, or was put off."""
    written, patched = visit.memory, visit.situation.memory
    return any(memory.failures > 0 or memory.back_off_until is not None for memory in (written, patched))
