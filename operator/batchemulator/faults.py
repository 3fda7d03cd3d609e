"""Injected trouble: which requests fail, how, and whether their effect happens all the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from batchemulator.wire.errors import ErrorCode, ServiceError
from batchemulator.wire.messages import Delivery

ANY = "*"


class FaultKind(StrEnum):
    """What goes wrong. `-after` kinds let the effect happen first: the client cannot know."""

    THROTTLED = "throttled"
    SERVER_BUSY = "server-busy"
    INTERNAL_ERROR = "internal-error"
    TIMED_OUT_BEFORE = "timed-out-before"
    TIMED_OUT_AFTER = "timed-out-after"
    SILENT_BEFORE = "silent-before"
    SILENT_AFTER = "silent-after"
    DROPPED_BEFORE = "dropped-before"
    DROPPED_AFTER = "dropped-after"
    CONDITION_NOT_MET = "condition-not-met"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    STALE_READ = "stale-read"
    """A GET or a list shows pools as they were before their last write, old ETags included."""


_ERRORS = {
    FaultKind.THROTTLED: ErrorCode.TOO_MANY_REQUESTS,
    FaultKind.SERVER_BUSY: ErrorCode.SERVER_BUSY,
    FaultKind.INTERNAL_ERROR: ErrorCode.INTERNAL_ERROR,
    FaultKind.TIMED_OUT_BEFORE: ErrorCode.OPERATION_TIMED_OUT,
    FaultKind.TIMED_OUT_AFTER: ErrorCode.OPERATION_TIMED_OUT,
    FaultKind.CONDITION_NOT_MET: ErrorCode.CONDITION_NOT_MET,
    FaultKind.UNAUTHORIZED: ErrorCode.AUTHENTICATION_FAILED,
    FaultKind.FORBIDDEN: ErrorCode.INSUFFICIENT_PERMISSIONS,
}
_DELIVERIES = {
    FaultKind.SILENT_BEFORE: Delivery.WITHHELD,
    FaultKind.SILENT_AFTER: Delivery.WITHHELD,
    FaultKind.DROPPED_BEFORE: Delivery.DROPPED,
    FaultKind.DROPPED_AFTER: Delivery.DROPPED,
}
_AFTER = frozenset({FaultKind.TIMED_OUT_AFTER, FaultKind.SILENT_AFTER, FaultKind.DROPPED_AFTER})
UNAUTHORIZED_STATUS = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One injected fault: the next `count` matching requests fail, after `skip` more have passed."""

    kind: FaultKind
    operation: str = ANY
    """An operation's name, as in the request log, or `*`."""
    pool: str = ANY
    account: str = ANY
    count: int = 1
    """How many requests it hits; 0 for every one until it is cleared."""
    skip: int = 0
    retry_after: int | None = None
    """Seconds for a Retry-After header."""

    def matches(self, *, operation: str, account: str, pool: str | None) -> bool:
        """Whether a request is one the fault is meant for."""
        return (
            self.operation in {ANY, operation}
            and self.account in {ANY, account}
            and (self.pool == ANY or (pool is not None and self.pool.lower() == pool.lower()))
        )

    @property
    def after_effect(self) -> bool:
        """Whether the request takes effect before it fails."""
        return self.kind in _AFTER

    @property
    def is_stale_read(self) -> bool:
        """Whether what is read is old, and nothing fails."""
        return self.kind is FaultKind.STALE_READ

    @property
    def delivery(self) -> Delivery:
        """What becomes of the answer."""
        return _DELIVERIES.get(self.kind, Delivery.ANSWERED)

    def error(self) -> ServiceError:
        """The error answered, where one is."""
        headers = () if self.retry_after is None else (("retry-after", str(self.retry_after)),)
        status = UNAUTHORIZED_STATUS if self.kind is FaultKind.UNAUTHORIZED else None
        code = _ERRORS.get(self.kind, ErrorCode.INTERNAL_ERROR)
        return ServiceError(code=code, status_override=status, headers=headers)


@dataclass(slots=True)
class Faults:
    """The faults in force, oldest first."""

    pending: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self.pending.append(fault)

    def clear(self) -> None:
        """Take all faults away."""
        self.pending.clear()

    def take(self, *, operation: str, account: str, pool: str | None) -> Fault | None:
        """The fault that hits this request, if one does; it counts as used once."""
        for position, fault in enumerate(self.pending):
            if not fault.matches(operation=operation, account=account, pool=pool):
                continue
            if fault.skip > 0:
                self.pending[position] = replace(fault, skip=fault.skip - 1)
                continue
            if fault.count == 1:
                del self.pending[position]
            elif fault.count > 1:
                self.pending[position] = replace(fault, count=fault.count - 1)
            return fault
        return None
