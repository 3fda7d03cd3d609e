"""Everything one decision about a saga depends on, and the questions the table of transitions asks of it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from batchaccess.core.assessment import Assessment
from batchaccess.core.decision import Decision
from batchaccess.core.declared import AccessPolicy, AccountConnection, Strategy
from batchaccess.core.memory import NOTHING_REMEMBERED, PoolMemory, network_digest
from batchaccess.core.model import AllocationState, ObservedPool, PoolState
from batchaccess.core.saga.gates import Blocked
from batchaccess.core.saga.journal import Holder, Journal, UnreadableJournal, same_journal
from batchaccess.core.saga.metadata import journal_in
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY, SagaMemory
from batchaccess.core.saga.requests import known_by_now
from batchaccess.core.saga.scale import RecordedScale, is_as_recorded, is_drained
from batchaccess.core.saga.steps import DrainHistory, DrainLatch, Ending, KubernetesJournal, RestoreMark, Step

LEFTOVER_GRACE: Final = timedelta(minutes=2)
"""How long a steady pool may still show nodes before the drain counts as incomplete; counts may lag behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a visit knows.

    Attributes:
        assessment: of the pool as it was read right now, not as it was listed.
        connection: the account it belongs to.
        holder: who we are.
        kubernetes: the Kubernetes copy as last written or read, None if there is none.
        history: what earlier sagas of the pool teach.
        requested: the mark of `batchaccess.dev/requested-at` on pool, policy and connection (see `requests`); another
            value is a person's word that a drain may be tried again.
        adopt: the annotation `batchaccess.dev/adopt` of the pool's object.
        blocked: why no saga may start now; asked for only if one would.
        breaker_open: whether the account's breaker is open.
        memory: what earlier corrections taught.
        saga_memory: what earlier actions of this saga taught.
        new_saga_id: the id of a saga that starts now; 12 hexadecimal digits nobody else has.
        now: the time of day.
    """

    assessment: Assessment
    connection: AccountConnection
    holder: Holder
    new_saga_id: str
    now: datetime
    kubernetes: KubernetesJournal | UnreadableJournal | None = None
    history: DrainHistory | None = None
    requested: str | None = None
    adopt: str | None = None
    blocked: Blocked | None = None
    breaker_open: bool = False
    memory: PoolMemory = field(default=NOTHING_REMEMBERED)
    saga_memory: SagaMemory = field(default=NO_SAGA_MEMORY)

    @property
    def pool(self) -> ObservedPool:
        """The pool as it was read."""
        return self.assessment.pool

    @property
    def azure(self) -> Journal | UnreadableJournal | None:
        """The Azure copy; one that describes another pool was copied here and is none of ours."""
        found = journal_in(self.pool.metadata)
        if isinstance(found, Journal) and not describes(found, self.pool):
            return UnreadableJournal(problem="it belongs to another pool, or to an earlier one of this name")
        return found


def describes(journal: Journal, pool: ObservedPool) -> bool:
    """Whether a journal is of this very pool."""
    same_name = journal.pool_id.casefold() == pool.id.casefold()
    unknown = journal.pool_created is None or pool.creation_time is None
    return same_name and (unknown or journal.pool_created == pool.creation_time)


class AzureCopy(StrEnum):
    """How the Azure copy relates to the Kubernetes copy."""

    ABSENT = "absent"
    AGREES = "agrees"
    OUTDATED = "outdated"
    """Ours, of this saga, or of an earlier one; the Kubernetes copy is newer, being written first."""
    NEWER = "newer"
    """Ours, of another saga that is to be believed: the Kubernetes copy came back from a backup, or only prepares."""
    TAKEN_OVER = "taken over"
    """Of this saga, by another holder."""
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Visit:
    """A situation with a saga open, and what the table of transitions asks about it."""

    situation: Situation
    copy: KubernetesJournal
    base: Decision
    """What would be done about the pool if there were no saga."""

    @property
    def pool(self) -> ObservedPool:
        """The pool as it was read."""
        return self.situation.pool

    @property
    def now(self) -> datetime:
        """The time of day."""
        return self.situation.now

    @property
    def memory(self) -> SagaMemory:
        """What earlier actions taught."""
        return self.situation.saga_memory

    @property
    def recorded(self) -> RecordedScale:
        """The scale to bring back."""
        return self.copy.journal.recorded

    @property
    def policy(self) -> AccessPolicy | None:
        """The policy that governs the pool now."""
        return self.situation.assessment.policy

    @cached_property
    def azure(self) -> AzureCopy:
        """How the Azure copy relates to the Kubernetes copy."""
        found = self.situation.azure
        if found is None:
            return AzureCopy.ABSENT
        if isinstance(found, UnreadableJournal):
            return AzureCopy.UNREADABLE
        return self._relation(found, self.copy.journal)

    def _relation(self, found: Journal, journal: Journal) -> AzureCopy:
        if same_journal(found, journal):
            return AzureCopy.AGREES if found == journal else AzureCopy.OUTDATED
        if found.saga_id == journal.saga_id:
            return AzureCopy.TAKEN_OVER
        if found.holder != self.situation.holder:
            return AzureCopy.FOREIGN
        # A saga that only prepares began on a reading too old to show this one, and may have recorded a drained scale.
        is_newer = found.started >= journal.started or self.copy.step is Step.PREPARING
        return AzureCopy.NEWER if is_newer else AzureCopy.OUTDATED

    @property
    def is_deleting(self) -> bool:
        """Whether the pool goes away."""
        return self.pool.state is PoolState.DELETING

    @property
    def is_steady(self) -> bool:
        """Whether nothing resizes."""
        return self.pool.allocation_state is AllocationState.STEADY

    @property
    def drains(self) -> bool:
        """Whether the policy lets the pool be drained, rather than only its autoscale be paused."""
        return self.policy is not None and self.policy.remediation.strategy is Strategy.DRAIN

    @property
    def is_unwritten(self) -> bool:
        """Whether nobody wrote to the pool since the step was begun, we included."""
        return self.copy.etag is not None and self.pool.etag == self.copy.etag

    @property
    def is_drained(self) -> bool:
        """Whether no node is wanted and autoscale is off."""
        return is_drained(self.pool.scale)

    @property
    def is_as_recorded(self) -> bool:
        """Whether the scale is the recorded one; nodes may still be on their way."""
        return is_as_recorded(self.pool.scale, self.recorded)

    @property
    def needs_restore(self) -> bool:
        """Whether the scale is what we may have made of it: nobody wished for it."""
        if self.is_as_recorded or self._was_set_since_the_restore:
            return False
        return self.is_drained or self._is_paused

    @property
    def restore_mark(self) -> RestoreMark:
        """The pool as it is now, as the write-ahead of its restore says it."""
        return RestoreMark(etag=self.pool.etag, allocated=self.pool.allocation_state_transition_time)

    @property
    def _was_set_since_the_restore(self) -> bool:
        """Whether a scale was set after the restore was written down: the restore, or somebody's wish.

        An eTag may have moved for other reasons, but none that leave the pool steady since the same moment set a scale.
        """
        mark = self.copy.restore
        if mark is None or self.pool.etag == mark.etag:
            return False
        return not self.is_steady or self.pool.allocation_state_transition_time != mark.allocated

    @property
    def _is_paused(self) -> bool:
        """Whether autoscale is off as we may have left it; once the pool was empty, other targets are a wish."""
        scale, standing = self.pool.scale, self.copy.standing
        is_off = self.recorded.autoscale and not scale.autoscale
        return is_off and not self.copy.emptied and (standing is None or scale.target == standing)

    @property
    def deadline(self) -> datetime:
        """When the drain has taken as long as the policy lets it."""
        seconds = self.policy.remediation.drain_timeout_seconds if self.policy is not None else 0
        return self.copy.journal.started + timedelta(seconds=seconds)

    @property
    def has_leftovers(self) -> bool:
        """Whether the pool is steady at no target and shows nodes all the same, for longer than counts may lag."""
        return (
            self.is_drained
            and self.is_steady
            and self.pool.scale.current.total > 0
            and self.now >= min(self._steady_since + LEFTOVER_GRACE, self.deadline)
        )

    @property
    def _steady_since(self) -> datetime:
        """Since when the pool is steady, of all that can be the drain's doing: not from before this step."""
        try:
            told = datetime.fromisoformat(self.pool.allocation_state_transition_time)
        except ValueError:
            return self.copy.since
        return max(self.copy.since, told if told.tzinfo is not None else told.replace(tzinfo=UTC))

    def latch(self, ending: Ending, message: str) -> DrainHistory | None:
        """The history, keeping a further drain for this drift from starting where the ending asks for it.

        A request that came while the saga was open is answered by how it ended; only a later one permits another drain.
        An open breaker asks for it only once something was changed: until then it is a gate like at the start.
        """
        history, reason = self.situation.history, ending.latch
        only_held_back = ending is Ending.BREAKER_OPEN and self.copy.step is Step.PREPARING
        if history is None or reason is None or only_held_back:
            return history
        latch = DrainLatch(network_digest=network_digest(self.pool), reason=reason, message=message)
        requested = known_by_now(history.requested, self.situation.requested)
        return replace(history, requested=requested, latch=latch)
