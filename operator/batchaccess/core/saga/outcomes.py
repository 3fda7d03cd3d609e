"""What the answer to an action teaches, kept between visits and lost with the process.

Nothing here is needed for safety: after a restart each action is at worst tried once more, and what must never be done
twice is in the Kubernetes copy.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from batchaccess.core.memory import DENIED_RETRY, LONGEST_BACK_OFF, RACE_LIMIT, back_off
from batchaccess.core.precondition import Precondition
from batchaccess.core.reasons import ErrorKind
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    EnableAutoscale,
    RemoveAzureJournal,
    Resize,
    SagaAction,
    StopResize,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.steps import Ending, KubernetesJournal, Step

ENABLE_SPACING: Final = timedelta(seconds=30)
"""The least time between two requests to enable autoscale (REST document "Pool - Enable Auto Scale")."""


_QUOTA_REACHED: Final = "PoolQuotaReached"
"""It waits for somebody to raise the quota, which nobody does who is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The service refused an action of the present step for good; `retry_at` is when a restore tries again."""

    ending: Ending
    message: str
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaMemory:
    """What is remembered of one pool's saga.

    Attributes:
        refusal: of an action of the present step.
        failures: failed tries in a row, which decide the back-off.
        back_off_until: when the service is next asked to change this pool.
        back_off_message: why it is not before.
        sent_etag: on this eTag a drain was accepted, or may have been.
        unsent_etag: no drain on this eTag can have had an effect: it was written down as the one to be sent with, and
            what was sent since, if anything, was certainly refused.
        raced_etag: the eTag of the last conditional write that was refused with 412.
        races: how often in a row on that eTag.
        bare_trial: the next conditional write sends its eTag without quotes.
        removals: how often the service accepted the removal of the Azure copy.
        is_copy_refused: a lost Azure copy could not be written again, so the scale is brought back without it.
    """

    refusal: Refusal | None = None
    failures: int = 0
    back_off_until: datetime | None = None
    back_off_message: str = ""
    sent_etag: str | None = None
    unsent_etag: str | None = None
    raced_etag: str | None = None
    races: int = 0
    bare_trial: bool = False
    removals: int = 0
    is_copy_refused: bool = False

    def backs_off(self, now: datetime) -> bool:
        """Whether the service is to be left alone."""
        return self.back_off_until is not None and now < self.back_off_until


NO_SAGA_MEMORY: Final = SagaMemory()


def after_action(memory: SagaMemory, action: SagaAction, *, now: datetime, jitter: float) -> SagaMemory:
    """After an action was accepted."""
    match action:
        case ClearKubernetesJournal():
            return NO_SAGA_MEMORY
        case RemoveAzureJournal():
            return SagaMemory(removals=memory.removals + 1)
        case Resize(again=True):
            failures = memory.failures + 1
            return SagaMemory(
                failures=failures,
                back_off_until=now + back_off(failures, jitter=jitter),
                back_off_message="The service has not brought all nodes back yet.",
            )
        case Resize(is_restore=False, etag=etag):
            return SagaMemory(sent_etag=etag)
        case EnableAutoscale():
            return SagaMemory(
                back_off_until=now + ENABLE_SPACING, back_off_message="Autoscale was enabled a moment ago."
            )
        case _:
            return SagaMemory(sent_etag=memory.sent_etag, unsent_etag=_unsent_etag(memory, action))


def _unsent_etag(memory: SagaMemory, action: SagaAction) -> str | None:
    """A drain is sent on no other eTag than the one that was written down ahead of it, and not before that."""
    match action:
        case WriteKubernetesJournal(copy=KubernetesJournal(step=Step.DRAINING, etag=etag)) if memory.sent_etag != etag:
            return etag
        case _:
            return memory.unsent_etag


def while_sending(memory: SagaMemory, action: SagaAction) -> SagaMemory:
    """Until there is an answer, which may never come: a drain that is being sent may have its effect."""
    if isinstance(action, Resize) and not action.is_restore:
        return replace(memory, sent_etag=action.etag, unsent_etag=None)
    return memory


def after_refused_action(
    memory: SagaMemory,
    action: SagaAction,
    *,
    kind: ErrorKind,
    message: str,
    code: str = "",
    precondition: Precondition,
    now: datetime,
    jitter: float,
    retry_after: float | None = None,
    outcome_unknown: bool = False,
) -> SagaMemory:
    """After an action was refused, failed or got no answer; the next visit reads the pool before anything else.

    Args:
        memory: what was remembered.
        action: what was asked for. A PATCH of the network is not among them: see `core.memory.after_error`.
        kind: how the error is answered.
        message: stable text of the service.
        code: the service's own for the error.
        precondition: what is known of If-Match on this connection.
        now: the time of day.
        jitter: in [0, 1).
        retry_after: seconds the service asked for.
        outcome_unknown: it may have taken effect all the same.
    """
    if isinstance(action, WriteAzureJournal) and not action.is_ahead:
        return replace(memory, is_copy_refused=True)
    if outcome_unknown:
        memory = while_sending(memory, action)
    match kind:
        case ErrorKind.INVALID | ErrorKind.TERMINAL | ErrorKind.DENIED:
            ending, text = _refusal(action, kind, message)
            return _refused(memory, ending, text, now, jitter)
        case ErrorKind.RACE:
            return _raced(memory, action, precondition, now=now, jitter=jitter)
        case ErrorKind.WAITING if code == _QUOTA_REACHED and _brings_back(action):
            return _refused(memory, Ending.REJECTED, f"The account has no room for the nodes: {message}", now, jitter)
        case ErrorKind.WAITING:
            failures = memory.failures + _brings_back(action)
            delay = back_off(max(1, failures), jitter=jitter, retry_after=retry_after)
            return replace(
                memory,
                failures=failures,
                back_off_until=now + delay,
                back_off_message=f"The service is not ready: {message}",
            )
        case ErrorKind.TRANSIENT:
            failures = memory.failures + 1
            least = ENABLE_SPACING.total_seconds() if isinstance(action, EnableAutoscale) else 0
            delay = back_off(failures, jitter=jitter, retry_after=max(retry_after or 0, least))
            return replace(
                memory, failures=failures, back_off_until=now + delay, back_off_message=f"The service failed: {message}"
            )
        case _:
            assert_never(kind)


def after_saga_request(memory: SagaMemory) -> SagaMemory:
    """After somebody asked by `batchaccess.dev/requested-at`: what was refused or failed is tried again now.

    The spacing that follows a success stays, and so does what tells what was sent.
    """
    if memory.refusal is None and memory.failures == 0:
        return memory
    return replace(memory, refusal=None, failures=0, back_off_until=None, back_off_message="")


def _brings_back(action: SagaAction) -> bool:
    """Whether a scale stays away for as long as this is not done, so that even a wait that lasts has to be told."""
    match action:
        case Resize(is_restore=is_restore):
            return is_restore
        case _:
            return isinstance(action, StopResize | EnableAutoscale)


def _refusal(action: SagaAction, kind: ErrorKind, message: str) -> tuple[Ending, str]:
    if kind is ErrorKind.DENIED:
        return Ending.ACCESS_DENIED, f"The service denied the change: {message}"
    if isinstance(action, WriteAzureJournal):
        return Ending.JOURNAL_REFUSED, (
            f"The pool's metadata does not take the journal, so the pool is not drained: {message} Make room in its "
            "metadata and annotate with batchaccess.dev/requested-at."
        )
    return Ending.REJECTED, f"The service rejected a step of the correction: {message}"


def _refused(memory: SagaMemory, ending: Ending, message: str, now: datetime, jitter: float) -> SagaMemory:
    failures = memory.failures + 1
    delay = DENIED_RETRY * (1 - jitter / 3) if ending is Ending.ACCESS_DENIED else back_off(failures, jitter=jitter)
    refusal = Refusal(ending=ending, message=message, retry_at=now + min(delay, LONGEST_BACK_OFF))
    return replace(memory, refusal=refusal, failures=failures)


def _raced(
    memory: SagaMemory, action: SagaAction, precondition: Precondition, *, now: datetime, jitter: float
) -> SagaMemory:
    etag = getattr(action, "etag", None)
    known = isinstance(action, Resize) and not action.is_restore and memory.sent_etag != etag
    unsent = etag if known else memory.unsent_etag
    races = memory.races + 1 if memory.raced_etag == etag else 1
    failures = memory.failures + _brings_back(action)
    raced = replace(memory, failures=failures, raced_etag=etag, races=races, unsent_etag=unsent, bare_trial=False)
    if precondition.proven or races < RACE_LIMIT:
        delay = back_off(1, jitter=jitter)
        return replace(
            raced, back_off_until=now + delay, back_off_message="Somebody else wrote to the pool at the same time."
        )
    if races == RACE_LIMIT:
        return replace(raced, bare_trial=True, back_off_until=None, back_off_message="")
    message = (
        "The service refused the eTag that it had just returned, with quotes and without. An unconditional write is "
        "never made."
    )
    return _refused(replace(raced, raced_etag=None, races=0), Ending.PRECONDITION_UNSUPPORTED, message, now, jitter)
