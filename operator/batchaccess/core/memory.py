"""What the sweep remembers of one pool between visits, and how each outcome changes it.

Nothing here is needed for safety: a restarted operator starts with `NOTHING_REMEMBERED` and at worst tries once more.
What it prevents is trying the same thing for ever, and two writers overwriting each other without end.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, assert_never

from batchaccess.core.declared import AccessPolicy
from batchaccess.core.model import ObservedPool
from batchaccess.core.precondition import Precondition
from batchaccess.core.reasons import CompliantReason, ErrorKind
from batchaccess.core.status import Difference

FIRST_BACK_OFF: Final = timedelta(seconds=30)
LONGEST_BACK_OFF: Final = timedelta(hours=1)
DENIED_RETRY: Final = timedelta(hours=1)
"""Access is granted outside of Kubernetes, so a denial is tried again, but very slowly."""

LONGEST_DENIED_PAUSE: Final = DENIED_RETRY * 1.5

CONTENTION_WINDOW: Final = timedelta(hours=1)
CONTENTION_LIMIT: Final = 3
CONTENTION_PAUSE: Final = timedelta(hours=1)
RACE_LIMIT: Final = 2
"""Refusals of one just-read eTag after which it is sent once more, without quotes."""

_RACED: Final = "Somebody else wrote to the pool between our reading and our writing."
_NOTHING_FURTHER: Final = (
    "Nothing further is tried until the policy or the pool's network changes, or batchaccess.dev/requested-at is set."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """A refusal that would come again: no further attempt until the policy or the network changes or one is asked for.

    `retry_at` is when a further attempt is due all the same, None for never.
    """

    policy_uid: str
    policy_generation: int
    network_digest: str
    reason: CompliantReason
    code: str
    message: str
    retry_at: datetime | None = None

    @property
    def is_unexpected_result(self) -> bool:
        """Whether a change of ours did something else, which stays so even where the declared part is in order."""
        return self.reason is CompliantReason.UNEXPECTED_RESULT

    def holds(self, policy: AccessPolicy, pool: ObservedPool, now: datetime) -> bool:
        """Whether the refusal still stands for this policy and this network."""
        return (
            (self.retry_at is None or now < self.retry_at)
            and self.policy_uid == policy.uid
            and self.policy_generation == policy.generation
            and self.network_digest == network_digest(pool)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A network we wrote and saw there afterwards."""

    time: datetime
    etag: str
    network_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMemory:
    """What is remembered of one pool.

    `overwrites` are the times at which a write of ours was found overwritten within an hour of it, in a row.
    `raced_etag` is the eTag that the service refused though it was just read, `races` how often in a row.
    With `bare_trial` the next PATCH sends its eTag without quotes.
    """

    latch: Latch | None = None
    failures: int = 0
    back_off_until: datetime | None = None
    back_off_message: str = ""
    last_write: Write | None = None
    overwrites: tuple[datetime, ...] = ()
    contended_until: datetime | None = None
    raced_etag: str | None = None
    races: int = 0
    bare_trial: bool = False


NOTHING_REMEMBERED: Final = PoolMemory()


def network_digest(pool: ObservedPool) -> str:
    """A short name for the network configuration exactly as received, unknown keys included."""
    canonical = json.dumps(pool.raw_network, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(canonical.encode()).hexdigest()[:16]


def back_off(failures: int, *, jitter: float, retry_after: float | None = None) -> timedelta:
    """How long to leave a pool alone: exponential, spread by `jitter` in [0, 1), at least `retry_after` seconds.

    The result is between half of and the whole of 30 s x 2^(failures-1), at most an hour, whatever the service asks.
    """
    exponent = min(max(failures - 1, 0), 16)
    delay = min(FIRST_BACK_OFF * (1 << exponent), LONGEST_BACK_OFF) * (0.5 + jitter / 2)
    asked = timedelta(seconds=min(retry_after or 0, LONGEST_BACK_OFF.total_seconds()))
    return max(delay, asked)


def after_success(memory: PoolMemory, *, pool: ObservedPool, now: datetime) -> PoolMemory:
    """After a verified PATCH; `pool` is the re-read one."""
    return PoolMemory(
        last_write=Write(time=now, etag=pool.etag, network_digest=network_digest(pool)), overwrites=memory.overwrites
    )


def after_error(
    memory: PoolMemory,
    *,
    kind: ErrorKind,
    code: str,
    message: str,
    policy: AccessPolicy,
    pool: ObservedPool,
    now: datetime,
    jitter: float,
    retry_after: float | None = None,
    precondition: Precondition | None = None,
) -> PoolMemory:
    """After the service refused, failed or did not answer a PATCH of `pool` (as it was read just before).

    `precondition` is what is known of If-Match on this connection; None if its other spelling cannot be tried.
    """
    match kind:
        case ErrorKind.INVALID | ErrorKind.TERMINAL:
            rejected = f"The service rejected the network: {message.rstrip('.')}. {_NOTHING_FURTHER}"
            return replace(memory, latch=_latch(policy, pool, CompliantReason.REJECTED, code, rejected))
        case ErrorKind.DENIED:
            latch = _latch(
                policy, pool, CompliantReason.ACCESS_DENIED, code, f"The service denied the change: {message}"
            )
            return replace(memory, latch=replace(latch, retry_at=now + DENIED_RETRY * (1 + jitter / 2)))
        case ErrorKind.RACE:
            raced = replace(memory, bare_trial=False)
            if precondition is not None and (precondition.proven or not memory.bare_trial):
                return _after_fair_race(raced, precondition, pool=pool, now=now, jitter=jitter)
            return _after_race(raced, code=code, policy=policy, pool=pool, now=now, jitter=jitter)
        case ErrorKind.WAITING:
            delay = back_off(1, jitter=jitter, retry_after=retry_after)
            return replace(memory, back_off_until=now + delay, back_off_message=f"The service is not ready: {message}")
        case ErrorKind.TRANSIENT:
            failures = memory.failures + 1
            delay = back_off(failures, jitter=jitter, retry_after=retry_after)
            return replace(
                memory, failures=failures, back_off_until=now + delay, back_off_message=f"The service failed: {message}"
            )
        case _:
            assert_never(kind)


def _after_fair_race(
    memory: PoolMemory, precondition: Precondition, *, pool: ObservedPool, now: datetime, jitter: float
) -> PoolMemory:
    """A 412 that the spelling of If-Match may or cannot explain."""
    races = memory.races + 1 if memory.raced_etag == pool.etag else 1
    raced = replace(memory, raced_etag=pool.etag, races=races)
    if races >= RACE_LIMIT and not precondition.proven:
        return replace(raced, bare_trial=True, back_off_until=None, back_off_message="")
    return replace(raced, back_off_until=now + back_off(1, jitter=jitter), back_off_message=_RACED)


def _after_race(
    memory: PoolMemory, *, code: str, policy: AccessPolicy, pool: ObservedPool, now: datetime, jitter: float
) -> PoolMemory:
    races = memory.races + 1 if memory.raced_etag == pool.etag else 1
    raced = replace(memory, raced_etag=pool.etag, races=races)
    if races >= RACE_LIMIT:
        message = (
            "The service refused the eTag that it had just returned, more than once. An unconditional write is never "
            f"made. {_NOTHING_FURTHER}"
        )
        return replace(raced, latch=_latch(policy, pool, CompliantReason.PRECONDITION_UNSUPPORTED, code, message))
    return replace(raced, back_off_until=now + back_off(1, jitter=jitter), back_off_message=_RACED)


def after_unexpected_result(
    memory: PoolMemory, *, policy: AccessPolicy, pool: ObservedPool, differences: Sequence[Difference]
) -> PoolMemory:
    """After a PATCH that was answered with success but did something else; `pool` is the re-read one."""
    fields = ", ".join(difference.field for difference in differences)
    message = (
        f"The service accepted the change, but the pool shows something else afterwards in {fields}. {_NOTHING_FURTHER}"
    )
    latch = _latch(policy, pool, CompliantReason.UNEXPECTED_RESULT, "UnexpectedResult", message)
    return replace(memory, latch=latch, back_off_until=None, back_off_message="")


def _latch(policy: AccessPolicy, pool: ObservedPool, reason: CompliantReason, code: str, message: str) -> Latch:
    return Latch(
        policy_uid=policy.uid,
        policy_generation=policy.generation,
        network_digest=network_digest(pool),
        reason=reason,
        code=code,
        message=message,
    )


def after_observation(memory: PoolMemory, *, pool: ObservedPool, drifts: bool, now: datetime) -> PoolMemory:
    """After each reading of the pool, before deciding; the same object while there is nothing to learn.

    Args:
        memory: what was remembered so far.
        pool: the pool as read now.
        drifts: whether its network differs from the desired one in a way that a PATCH would correct.
        now: the time of day.
    """
    if memory is NOTHING_REMEMBERED:
        return memory
    learned = _after_foreign_write(_without_outlived_pauses(memory, now), pool, drifts=drifts, now=now)
    if not drifts:
        learned = _in_order(learned)
    if learned.contended_until is not None and learned.contended_until <= now:
        learned = replace(learned, contended_until=None)
    if learned == NOTHING_REMEMBERED:
        return NOTHING_REMEMBERED
    return memory if learned == memory else learned


def after_request(memory: PoolMemory) -> PoolMemory:
    """After somebody asked for a sweep now: every pause ends, and what was refused is tried anew, as by a restart."""
    return memory if memory is NOTHING_REMEMBERED else PoolMemory(last_write=memory.last_write)


def _without_outlived_pauses(memory: PoolMemory, now: datetime) -> PoolMemory:
    """Without what lies further ahead than any pause is long: the clock was set back meanwhile."""
    latch, write = memory.latch, memory.last_write
    return replace(
        memory,
        latch=None if latch is not None and _too_far(latch.retry_at, now, LONGEST_DENIED_PAUSE) else latch,
        back_off_until=None if _too_far(memory.back_off_until, now, LONGEST_BACK_OFF) else memory.back_off_until,
        contended_until=None if _too_far(memory.contended_until, now, CONTENTION_PAUSE) else memory.contended_until,
        last_write=None if write is not None and write.time > now else write,
    )


def _too_far(until: datetime | None, now: datetime, longest: timedelta) -> bool:
    return until is not None and until - now > longest


def _in_order(memory: PoolMemory) -> PoolMemory:
    """Without what concerned a correction that is not called for any more."""
    lasting = memory.latch if memory.latch is not None and memory.latch.is_unexpected_result else None
    return PoolMemory(
        latch=lasting,
        last_write=memory.last_write,
        overwrites=memory.overwrites,
        contended_until=memory.contended_until,
    )


def _after_foreign_write(memory: PoolMemory, pool: ObservedPool, *, drifts: bool, now: datetime) -> PoolMemory:
    """Count how often our own writes were overwritten soon after; three in a row mean two parties contend."""
    write = memory.last_write
    if write is None:
        return memory
    recent = now - write.time <= CONTENTION_WINDOW
    if pool.etag == write.etag or network_digest(pool) == write.network_digest:
        return memory if recent else replace(memory, last_write=None, overwrites=())
    if not recent or not drifts:
        return replace(memory, last_write=None, overwrites=())
    overwrites = (*memory.overwrites, now)
    if len(overwrites) < CONTENTION_LIMIT:
        return replace(memory, last_write=None, overwrites=overwrites)
    return replace(memory, last_write=None, overwrites=(), contended_until=now + CONTENTION_PAUSE)
