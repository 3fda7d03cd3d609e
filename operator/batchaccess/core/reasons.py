"""The closed sets of words that users, alerts and scripts match on: conditions, their reasons, outcomes, events."""

from enum import StrEnum


class ConditionType(StrEnum):
    """Types of the conditions of all kinds; which kind carries which is listed in `core.status`."""

    READY = "Ready"
    ACCEPTED = "Accepted"
    ENFORCED = "Enforced"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    COMPLIANT = "Compliant"
    DRIFTED = "Drifted"
    EXPOSED = "Exposed"
    REMEDIATING = "Remediating"


class ConditionStatus(StrEnum):
    """Status of a condition, as in the Kubernetes API conventions."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConnectionReason(StrEnum):
    """Why a connection is Ready or not."""

    CONNECTED = "Connected"
    SUSPENDED = "Suspended"
    DUPLICATE_ENDPOINT = "DuplicateEndpoint"
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    UNREACHABLE = "Unreachable"
    THROTTLED = "Throttled"
    ENDPOINT_NOT_ALLOWED = "EndpointNotAllowed"
    INVALID = "Invalid"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 a reason, not a secret
    UNREADABLE_ANSWER = "UnreadableAnswer"
    LEAVING = "Leaving"
    """The operator was told to leave: pools are observed, and nothing is begun."""
    DELETING = "Deleting"


class AcceptedReason(StrEnum):
    """Why a policy is Accepted or not, as a whole or for one connection."""

    ACCEPTED = "Accepted"
    INVALID = "Invalid"
    TARGET_NOT_FOUND = "TargetNotFound"
    NOT_PERMITTED = "NotPermitted"
    GUARDRAIL_VIOLATION = "GuardrailViolation"


class EnforcedReason(StrEnum):
    """Whether what a policy declares is so on the pools it governs."""

    ENFORCED = "Enforced"
    AUDIT_ONLY = "AuditOnly"
    NOTHING_SELECTED = "NothingSelected"
    PENDING = "Pending"
    SUSPENDED = "Suspended"
    OVERRIDDEN = "Overridden"
    ACCESS_DENIED = "AccessDenied"
    REJECTED = "Rejected"
    CONTENDED = "Contended"
    LIMIT_EXCEEDED = "LimitExceeded"
    SHARED_KEY_SUBNET = "SharedKeySubnet"
    PRECONDITION_UNSUPPORTED = "PreconditionUnsupported"
    UNEXPECTED_RESULT = "UnexpectedResult"
    IMPLICIT_MAPPING = "ImplicitMapping"
    FOREIGN_JOURNAL = "ForeignJournal"
    UNREADABLE_JOURNAL = "UnreadableJournal"
    JOURNAL_REFUSED = "JournalRefused"
    DRAIN_TIMED_OUT = "DrainTimedOut"
    DRAIN_INCOMPLETE = "DrainIncomplete"
    SCALE_CHANGED = "ScaleChanged"
    BREAKER_OPEN = "BreakerOpen"
    ASSERTION_VIOLATED = "AssertionViolated"
    BACKING_OFF = "BackingOff"
    NOT_OBSERVED = "NotObserved"
    NOT_ACCEPTED = "NotAccepted"
    DELETING = "Deleting"
    """The policy governs nothing any more, and goes once the scale of its pools is back."""


class CompliantReason(StrEnum):
    """Whether a pool is as its governing policy declares, and if not what stands in the way."""

    COMPLIANT = "Compliant"
    NOT_MANAGED = "NotManaged"
    AUDIT_ONLY = "AuditOnly"
    SUSPENDED = "Suspended"
    CORRECTING = "Correcting"
    POOL_NOT_EMPTY = "PoolNotEmpty"
    POOL_DELETING = "PoolDeleting"
    LIMIT_EXCEEDED = "LimitExceeded"
    SHARED_KEY_SUBNET = "SharedKeySubnet"
    ACCESS_DENIED = "AccessDenied"
    REJECTED = "Rejected"
    UNEXPECTED_RESULT = "UnexpectedResult"
    CONTENDED = "Contended"
    BACKING_OFF = "BackingOff"
    PRECONDITION_UNSUPPORTED = "PreconditionUnsupported"
    IMPLICIT_MAPPING = "ImplicitMapping"
    ASSERTION_VIOLATED = "AssertionViolated"
    GUARDRAIL_VIOLATED = "GuardrailViolated"
    FOREIGN_JOURNAL = "ForeignJournal"
    """Somebody else is correcting this pool."""
    UNREADABLE_JOURNAL = "UnreadableJournal"
    JOURNAL_REFUSED = "JournalRefused"
    """The pool's metadata does not take the journal, so it is not drained."""
    OUTSIDE_WINDOW = "OutsideWindow"
    DRAIN_LIMIT = "DrainLimit"
    """As many pools are being corrected as the policy or the connection permits at once."""
    BREAKER_OPEN = "BreakerOpen"
    DRAIN_TIMED_OUT = "DrainTimedOut"
    DRAIN_INCOMPLETE = "DrainIncomplete"
    SCALE_CHANGED = "ScaleChanged"
    """Somebody resized the pool while it was drained; their wish stands."""
    UNREADABLE = "Unreadable"
    NOT_OBSERVED = "NotObserved"


class DriftClass(StrEnum):
    """How the observed network differs in meaning from the desired one; also the reasons of `Drifted`."""

    WIDENING = "Widening"
    NARROWING = "Narrowing"
    MIXED = "Mixed"
    CONFIGURATION = "Configuration"
    NEUTRAL = "Neutral"
    IMPLICIT_MAPPING = "ImplicitMapping"
    NONE = "None"


class ExposedReason(StrEnum):
    """Whether some endpoint of a pool is reachable from the Internet, that is from some public address."""

    INTERNET_REACHABLE = "InternetReachable"
    UNDETERMINED = "Undetermined"
    NONE = "None"


class RemediatingReason(StrEnum):
    """Why a pool is being corrected or not; the steps of a saga come with status True."""

    IDLE = "Idle"
    WAITING = "Waiting"
    STALLED = "Stalled"
    PREPARING = "Preparing"
    TAKING_OVER = "TakingOver"
    PAUSING_AUTOSCALE = "PausingAutoscale"
    DRAINING = "Draining"
    CORRECTING = "Correcting"
    RESTORING = "Restoring"
    CLEARING = "Clearing"
    RESTORE_PENDING = "RestorePending"
    """The recorded scale could not be brought back yet; somebody has to look."""


class ErrorKind(StrEnum):
    """How an error of the outside world is answered; classified by HTTP status and Batch error code."""

    INVALID = "Invalid"
    WAITING = "Waiting"
    RACE = "Race"
    TRANSIENT = "Transient"
    DENIED = "Denied"
    TERMINAL = "Terminal"


class PoolOutcome(StrEnum):
    """What one sweep concluded for one pool; a closed set for counts and metrics."""

    UNMANAGED = "Unmanaged"
    COMPLIANT = "Compliant"
    AUDIT_DRIFT = "AuditDrift"
    PENDING = "Pending"
    CORRECTED = "Corrected"
    STALLED = "Stalled"
    VIOLATING = "Violating"
    """The network is as declared or not managed, but an assertion or a guardrail does not hold."""
    UNKNOWN = "Unknown"


class EventReason(StrEnum):
    """Reasons of the Kubernetes events we emit; their messages are stable text."""

    DRIFT_DETECTED = "DriftDetected"
    DRIFT_CORRECTED = "DriftCorrected"
    DRIFT_CLOSED = "DriftClosed"
    NO_LONGER_MANAGED = "NoLongerManaged"
    """A pool drifted, and no policy governs it any more: nobody closed anything."""
    CORRECTION_FAILED = "CorrectionFailed"
    REMEDIATING = "Remediating"
    """A saga began or came to another step."""
    REMEDIATION_ENDED = "RemediationEnded"
    """A saga ended, and how; a warning unless the network is as declared."""
    RESTORE_PENDING = "RestorePending"
    INTERNET_REACHABLE = "InternetReachable"
    NO_LONGER_REACHABLE = "NoLongerInternetReachable"
    POLICY_ACCEPTED = "PolicyAccepted"
    POLICY_REFUSED = "PolicyRefused"
    CONNECTED = "Connected"
    CONNECTION_FAILED = "ConnectionFailed"
    CONNECTION_LEAVING = "ConnectionLeaving"
    """The connection is being deleted, or the operator uninstalled."""


class EventType(StrEnum):
    """Types of Kubernetes events."""

    NORMAL = "Normal"
    WARNING = "Warning"
