"""Who leads: client-go's rules for a Lease, as functions of what was seen and when; pure.

`kubernetes.aio.leaderelection` (37.0) is not used. It measures with the wall clock, which may jump; a renewal that
hangs is not cut off, so its leader leads on beyond the lease; a refused connection ends the election with an exception;
it never lets the lease go at a graceful stop; and it does not say how much of the lease is left, as a write must know.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import ceil

from batchaccess.kube.lease import LeaseRecord, StoredLease, micro_time


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimings:
    """How fast leaders change.

    Attributes:
        lease_seconds: how long others wait after the last renewal that they saw.
        renew_deadline_seconds: how long a leader goes on without a renewal that succeeded.
        retry_seconds: between two looks at the Lease, and between the beginnings of two renewals of it.
        request_seconds: the longest time for one request; two of them fit into the renew deadline, so that a server
            that answers each just in time is led under.
        margin_seconds: before the lease ends every write has to have ended.
    """

    lease_seconds: float = 10
    renew_deadline_seconds: float = 6
    retry_seconds: float = 1.5
    request_seconds: float = 3
    margin_seconds: float = 2

    def __post_init__(self) -> None:
        """Refuse timings under which two could lead at once, or nobody for long."""
        if not self.lease_seconds >= self.renew_deadline_seconds + self.margin_seconds:
            raise ValueError("a leader must stop before its lease ends: lease >= renew deadline + margin")
        # A renewal counts from when it was sent, and the next is sent when it was answered, or after the pause.
        if not self.renew_deadline_seconds >= max(self.request_seconds, self.retry_seconds) + self.request_seconds:
            raise ValueError("two requests must fit into the renew deadline: >= request + the longer of request, retry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A Lease as last read, and when, on our own monotonic clock, its record was first seen to be like that."""

    lease: StoredLease
    since: float


def sighted(before: Sighting | None, lease: StoredLease, now: float) -> Sighting:
    """Take in a reading. Only a changed record starts the wait anew: anybody may edit labels and annotations."""
    if before is not None and before.lease.record == lease.record:
        return replace(before, lease=lease)
    return Sighting(lease=lease, since=now)


class Claim(StrEnum):
    """What a replica may do about the Lease."""

    CREATE = "Create"
    """There is none."""
    TAKE = "Take"
    """Nobody holds it, or its holder did not renew it for as long as it said."""
    RENEW = "Renew"
    """We hold it."""
    WAIT = "Wait"
    """Somebody else holds it."""


def claim(seen: Sighting | None, *, identity: str, now: float) -> Claim:
    """What may be done after what was seen; the holder's own duration counts, should ours differ."""
    if seen is None:
        return Claim.CREATE
    record = seen.lease.record
    if record.holder == identity:
        return Claim.RENEW
    if not record.holder or now >= seen.since + record.duration_seconds:
        return Claim.TAKE
    return Claim.WAIT


def claimed(former: LeaseRecord | None, *, identity: str, timings: LeaseTimings, now: datetime) -> LeaseRecord:
    """The record that says we lead."""
    renewed = micro_time(now)
    if former is not None and former.holder == identity:
        return replace(former, duration_seconds=ceil(timings.lease_seconds), renewed=renewed)
    return LeaseRecord(
        holder=identity,
        duration_seconds=ceil(timings.lease_seconds),
        acquired=renewed,
        renewed=renewed,
        transitions=0 if former is None else former.transitions + 1,
    )


def released(record: LeaseRecord, *, now: datetime) -> LeaseRecord:
    """The record that says that nobody leads; one second of duration, as client-go writes it, for older readers."""
    return replace(record, holder="", duration_seconds=1, renewed=micro_time(now))
