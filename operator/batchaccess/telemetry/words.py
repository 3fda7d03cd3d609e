"""Closed sets of label values that only telemetry needs; those of conditions and events are in `core.reasons`."""

from enum import StrEnum
from typing import assert_never

from batchaccess.core.model import LOGIN_PORTS
from batchaccess.core.reasons import ErrorKind


class SweepResult(StrEnum):
    """How a sweep of one account ended."""

    COMPLETE = "Complete"
    """Every pool was read and concluded."""
    INCOMPLETE = "Incomplete"
    """The account was listed, but some pool could not be read, corrected or reported."""
    FAILED = "Failed"
    """The account could not be listed."""


class CorrectionOutcome(StrEnum):
    """How one attempt to correct a pool's network ended."""

    VERIFIED = "Verified"
    """Written, and the re-read pool is as declared."""
    UNEXPECTED_RESULT = "UnexpectedResult"
    """Written, but the re-read pool is not as declared."""
    RACED = "Raced"
    """Somebody changed the pool meanwhile; nothing was written."""
    DENIED = "Denied"
    """The service refused the operator's identity."""
    REJECTED = "Rejected"
    """The service will never accept this network."""
    FAILED = "Failed"
    """No answer, or one that says to try later."""

    @classmethod
    def of_error(cls, kind: ErrorKind) -> "CorrectionOutcome":
        """The outcome that an error of the PATCH stands for."""
        match kind:
            case ErrorKind.RACE:
                return cls.RACED
            case ErrorKind.DENIED:
                return cls.DENIED
            case ErrorKind.TERMINAL | ErrorKind.INVALID:
                return cls.REJECTED
            case ErrorKind.WAITING | ErrorKind.TRANSIENT:
                return cls.FAILED
            case _:
                assert_never(kind)


class SagaOutcome(StrEnum):
    """How the correction of a pool with nodes ended: the endings of a saga, and two that are none of its own."""

    CORRECTED = "Corrected"
    NOT_NEEDED = "NotNeeded"
    POLICY_GONE = "PolicyGone"
    POLICY_CHANGED = "PolicyChanged"
    SUSPENDED = "Suspended"
    CONNECTION_DELETING = "ConnectionDeleting"
    RESUMED = "Resumed"
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
    ABANDONED = "Abandoned"
    """A person, or the bound on a deletion, gave it up without bringing the scale back."""
    FORGOTTEN = "Forgotten"
    """The pool is gone or somebody else's."""


class ObjectKind(StrEnum):
    """The kinds whose status the operator writes and whose changes it watches."""

    CONNECTION = "BatchAccountConnection"
    POLICY = "BatchPoolAccessPolicy"
    POOL = "BatchPoolAccess"


class WatchedKind(StrEnum):
    """The kinds that the operator watches: its own, and the namespaces that grants select by their labels."""

    CONNECTION = ObjectKind.CONNECTION.value
    POLICY = ObjectKind.POLICY.value
    POOL = ObjectKind.POOL.value
    NAMESPACE = "Namespace"


class WriteResult(StrEnum):
    """How a write to the Kubernetes API ended."""

    WRITTEN = "Written"
    CONFLICT = "Conflict"
    GONE = "Gone"
    FAILED = "Failed"


class WatchEvent(StrEnum):
    """What a watch delivered; `Listed` means that the watch was opened anew and read everything again."""

    LISTED = "Listed"
    ADDED = "Added"
    MODIFIED = "Modified"
    DELETED = "Deleted"


class PortClass(StrEnum):
    """Backend ports by what answers on them."""

    LOGIN = "login"
    """SSH and RDP: 22 and 3389."""
    OTHER = "other"

    @classmethod
    def of(cls, port: int) -> "PortClass":
        """The class of one backend port."""
        return cls.LOGIN if port in LOGIN_PORTS else cls.OTHER


class ExposureVerdict(StrEnum):
    """Whether anyone forbids that the Internet reaches a port."""

    ALLOWED = "Allowed"
    FORBIDDEN = "Forbidden"
    """The governing policy, an assertion or a guardrail closes it."""
