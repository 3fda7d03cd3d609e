"""Where a saga stands: its steps, how it can end, and what its Kubernetes copy says beside the journal."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from batchaccess.core.model import NodeCounts
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.journal import Journal, PolicyVersion
from batchaccess.core.saga.requests import asks_anew, known_by_now

CONTENTION_WINDOW: Final = timedelta(hours=1)
MOST_STARTS: Final = 3
"""Sagas begun for one pool within `CONTENTION_WINDOW`; more means that somebody keeps undoing them."""


class Step(StrEnum):
    """The steps of a saga, in order; written to Kubernetes before the first change that belongs to them."""

    PREPARING = "Preparing"
    """Both copies of the journal are being written; nothing was changed."""
    TAKING_OVER = "TakingOver"
    """Another holder's journal is being made ours, as `batchaccess.dev/adopt` asked."""
    PAUSING_AUTOSCALE = "PausingAutoscale"
    """The formula is being taken out of force."""
    DRAINING = "Draining"
    """The pool is on its way to no nodes."""
    CORRECTING = "Correcting"
    """The pool is empty; its network is being changed."""
    RESTORING = "Restoring"
    """The recorded scale is being brought back."""
    CLEARING = "Clearing"
    """The journal is being removed, in Azure first."""


STEP_MESSAGES: Final = {
    Step.PREPARING: "The scale of the pool is being recorded.",
    Step.TAKING_OVER: "Another holder's saga is being taken over.",
    Step.PAUSING_AUTOSCALE: "Autoscale is being paused.",
    Step.DRAINING: "The pool is being drained.",
    Step.CORRECTING: "The pool is empty; its network is being corrected.",
    Step.RESTORING: "The recorded scale is being brought back.",
    Step.CLEARING: "The journal is being removed.",
}
"""What is done at each step, for people."""


class Ending(StrEnum):
    """How the correcting part of a saga ended; every one is followed by the restore."""

    CORRECTED = "Corrected"
    NOT_NEEDED = "NotNeeded"
    """The drift went away, the pool cannot be paused because nodes are there, or nothing was drained in time."""
    POLICY_GONE = "PolicyGone"
    POLICY_CHANGED = "PolicyChanged"
    SUSPENDED = "Suspended"
    CONNECTION_DELETING = "ConnectionDeleting"
    RESUMED = "Resumed"
    """Only the copy in Azure was left."""
    ADOPTED = "Adopted"
    UNREADABLE_JOURNAL = "UnreadableJournal"
    JOURNAL_REFUSED = "JournalRefused"
    BREAKER_OPEN = "BreakerOpen"
    DRAIN_TIMED_OUT = "DrainTimedOut"
    DRAIN_INCOMPLETE = "DrainIncomplete"
    SCALE_CHANGED = "ScaleChanged"
    LIMIT_EXCEEDED = "LimitExceeded"
    SHARED_KEY_SUBNET = "SharedKeySubnet"
    ACCESS_DENIED = "AccessDenied"
    REJECTED = "Rejected"
    UNEXPECTED_RESULT = "UnexpectedResult"
    PRECONDITION_UNSUPPORTED = "PreconditionUnsupported"
    CONTENDED = "Contended"

    @property
    def latch(self) -> CompliantReason | None:
        """What keeps another drain for the same drift from starting; None where nothing does."""
        return CompliantReason(self.value) if self in _LATCHING else None


_LATCHING: Final = frozenset(
    {
        Ending.JOURNAL_REFUSED,
        Ending.BREAKER_OPEN,
        Ending.DRAIN_TIMED_OUT,
        Ending.DRAIN_INCOMPLETE,
        Ending.SCALE_CHANGED,
        Ending.LIMIT_EXCEEDED,
        Ending.SHARED_KEY_SUBNET,
        Ending.ACCESS_DENIED,
        Ending.REJECTED,
        Ending.UNEXPECTED_RESULT,
        Ending.PRECONDITION_UNSUPPORTED,
    }
)
"""Endings after which the drift is still there under an unchanged policy: one drain for one drift is enough.

Contention is not among them: what somebody wrote over our network is another drift, which is left alone for an hour.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMark:
    """The pool right before its scale is brought back: what is found under another eTag is somebody's wish.

    Attributes:
        etag: the pool's.
        allocated: since when it was steady, as the service said. Whatever else was written to a pool that has been
            steady since then, no scale was.
    """

    etag: str
    allocated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesJournal:
    """The Kubernetes copy: the journal and where the saga stands.

    Attributes:
        journal: what the Azure copy says too.
        step: the step that was begun last.
        since: when it was begun, in whole seconds.
        etag: the pool's when it was begun, where the step's change depends on it.
        standing: the targets right before a resize to no nodes was to be sent; None if none can have been. Where a
            formula was paused they stay known if the saga has to pause it again.
        emptied: whether the pool was found empty, which no formula and no paused targets are from then on.
        restore: the write-ahead of the restore; None before.
        ending: how the correcting part ended, None before.
        message: the same for people, in stable text.
    """

    journal: Journal
    step: Step
    since: datetime
    etag: str | None = None
    standing: NodeCounts | None = None
    emptied: bool = False
    restore: RestoreMark | None = None
    ending: Ending | None = None
    message: str = ""

    @property
    def shrunk(self) -> bool:
        """Whether a resize to no nodes may have been sent."""
        return self.standing is not None

    @property
    def may_be_shrunk(self) -> bool:
        """The same where it is not known, because nothing but a copy in Azure was left of what was done."""
        return self.shrunk or self.ending in (Ending.RESUMED, Ending.ADOPTED)

    @property
    def step_message(self) -> str:
        """What is done at its step, and how the correcting part ended."""
        return self.with_ending(STEP_MESSAGES[self.step])

    def with_ending(self, text: str) -> str:
        """A text about this saga, and how the correcting part ended: people wait longest after that is known."""
        return f"{text} {self.message}" if self.message else text


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainLatch:
    """A saga ended without correcting this network: no further one for it."""

    network_digest: str
    reason: CompliantReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainHistory:
    """What earlier sagas of a pool teach.

    Attributes:
        policy_uid: of the policy of the last one.
        policy_generation: of the same.
        pool_created: when the pool was; None if that is not known. Another pool of the same name is not taught by it.
        requested: the mark of what people had asked for when the last saga began or, with a latch, ended.
        started: when the last ones began.
        latch: what the last one could not correct.
    """

    policy_uid: str
    policy_generation: int
    pool_created: datetime | None = None
    requested: str | None = None
    started: tuple[datetime, ...] = ()
    latch: DrainLatch | None = None

    def applies_to(self, policy: PolicyVersion, requested: str | None) -> bool:
        """Whether nothing was declared or asked for anew since, so that its latch holds."""
        return self.policy_uid == policy.uid and self.counts_for(policy, requested)

    def counts_for(self, policy: PolicyVersion, requested: str | None) -> bool:
        """Whether its starts count: nobody edited this policy or asked for another try since.

        They count under another policy as well. Which one governs can hang on the pool's metadata, which anybody who
        uses the account can edit.
        """
        same_policy = self.policy_uid == policy.uid
        is_edited = same_policy and self.policy_generation != policy.generation
        return not is_edited and not asks_anew(requested, self.requested, same_policy=same_policy)

    def is_of(self, created: datetime | None) -> bool:
        """Whether it is of the pool that was created then."""
        return created is None or self.pool_created is None or self.pool_created == created

    def recent(self, now: datetime) -> tuple[datetime, ...]:
        """The starts within the last `CONTENTION_WINDOW`."""
        return tuple(start for start in self.started if now - start < CONTENTION_WINDOW)


def new_history(
    history: DrainHistory | None,
    policy: PolicyVersion,
    requested: str | None,
    *,
    pool_created: datetime | None,
    now: datetime,
) -> DrainHistory:
    """The history with one more start in it, anew if what is declared or asked for is new."""
    earlier = history.recent(now) if history is not None and history.counts_for(policy, requested) else ()
    return DrainHistory(
        policy_uid=policy.uid,
        policy_generation=policy.generation,
        pool_created=pool_created,
        requested=known_by_now(None if history is None else history.requested, requested),
        started=(*earlier, now.replace(microsecond=0))[-MOST_STARTS:],
    )
