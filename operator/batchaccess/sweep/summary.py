"""How one pass over an account ended, for those who report the connection and its policies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import ConnectionReason, ErrorKind, ExposedReason, PoolOutcome
from batchaccess.core.reporting import pool_counts
from batchaccess.core.status import PoolCounts
from batchaccess.core.tally import PolicyTally, PoolRecord, tally_policies
from batchaccess.ports import Catalogue, PortError


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSummary:
    """How one pass ended.

    Attributes:
        connection: as declared when the pass began.
        catalogue: the reading the pass went by.
        reason: what to say of the connection.
        message: the same, for people.
        counts: its pools by outcome; None if they could not be listed.
        tallies: what its pools come to per policy; None once nothing is known of them any more.
    """

    connection: AccountConnection
    catalogue: Catalogue
    reason: ConnectionReason
    message: str
    counts: PoolCounts | None
    tallies: Mapping[ObjectKey, PolicyTally] | None


def completed(
    connection: AccountConnection, catalogue: Catalogue, records: Iterable[PoolRecord], *, unreadable: int
) -> SweepSummary:
    """The summary of a pass that listed the pools, `unreadable` of which it could not understand."""
    known = list(records)
    outcomes = [
        *((record.conclusion.outcome, record.assessment.exposed) for record in known),
        *((PoolOutcome.UNKNOWN, ExposedReason.UNDETERMINED),) * unreadable,
    ]
    return SweepSummary(
        connection=connection,
        catalogue=catalogue,
        reason=ConnectionReason.SUSPENDED if connection.suspend else ConnectionReason.CONNECTED,
        message="Pools are observed but not corrected, as spec.suspend asks."
        if connection.suspend
        else "The account's pools are observed.",
        counts=pool_counts(outcomes),
        tallies=tally_policies(connection.name, known),
    )


def failed(
    connection: AccountConnection,
    catalogue: Catalogue,
    error: PortError,
    *,
    tallies: Mapping[ObjectKey, PolicyTally] | None,
) -> SweepSummary:
    """The summary of a pass that could not list the pools; `tallies` is what is still said of them."""
    return SweepSummary(
        connection=connection,
        catalogue=catalogue,
        reason=connection_reason(error),
        message=error.message,
        counts=None,
        tallies=tallies,
    )


_REASONS_BY_CODE: Final = {
    "EndpointNotAllowed": ConnectionReason.ENDPOINT_NOT_ALLOWED,
    "SecretNotFound": ConnectionReason.SECRET_NOT_FOUND,
    "UnreadableAnswer": ConnectionReason.UNREADABLE_ANSWER,
}
_TOO_MANY_REQUESTS: Final = 429


def connection_reason(error: PortError) -> ConnectionReason:
    """What an account that could not be listed says of its connection."""
    if error.code in _REASONS_BY_CODE:
        return _REASONS_BY_CODE[error.code]
    if error.status == _TOO_MANY_REQUESTS:
        return ConnectionReason.THROTTLED
    match error.kind:
        case ErrorKind.DENIED:
            return ConnectionReason.AUTHENTICATION_FAILED
        case ErrorKind.INVALID | ErrorKind.TERMINAL:
            return ConnectionReason.INVALID
        case ErrorKind.WAITING | ErrorKind.RACE | ErrorKind.TRANSIENT:
            return ConnectionReason.UNREACHABLE
