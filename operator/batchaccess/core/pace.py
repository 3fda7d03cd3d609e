"""How often something is done that many may ask for: a few times at once, then at a steady pace; nothing is forgotten.

Times are seconds of any clock that never goes back; the caller brings them.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Urgency(StrEnum):
    """How soon what is asked for is done."""

    AT_ONCE = "AtOnce"
    PACED = "Paced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """So many at once after a rest, then one each so many seconds."""

    burst: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """A token bucket that remembers when it is full again, not how much is in it: nothing is rounded by waiting.

    This is the generic cell rate algorithm. With one token in each `pace.seconds`, a bucket that is full again at
    `full_at` holds a token as soon as no more than `burst - 1` are missing.
    """

    pace: Pace
    full_at: float

    @classmethod
    def full(cls, pace: Pace, *, now: float) -> "TokenBucket":
        """A bucket that nobody took anything from."""
        return cls(pace=pace, full_at=now)

    def free_at(self, now: float) -> float:
        """When a token is there: `now` or later."""
        return max(now, self.full_at - (self.pace.burst - 1) * self.pace.seconds)

    def taken(self, now: float) -> "TokenBucket":
        """The bucket after a token was taken; taken before its time, the next one comes as much later."""
        return replace(self, full_at=max(now, self.full_at) + self.pace.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for and not done yet. However many ask meanwhile, it is done once for all of them."""

    bucket: TokenBucket
    at_once: bool = False
    paced: bool = False

    def by(self, urgency: Urgency) -> "Asked":
        """Somebody asks."""
        match urgency:
            case Urgency.AT_ONCE:
                return replace(self, at_once=True)
            case Urgency.PACED:
                return replace(self, paced=True)

    def due_at(self, now: float) -> float | None:
        """When it is to be done, `now` or later; None if nobody asked."""
        if self.at_once:
            return now
        return self.bucket.free_at(now) if self.paced else None

    def answered(self, now: float, *, anyway: bool) -> "Asked":
        """It is done now, `anyway` if it was its time without anybody asking: then it counts against nobody."""
        counts = self.paced and not self.at_once and not anyway
        return Asked(bucket=self.bucket.taken(now) if counts else self.bucket)
