"""Which accounts are observed. Of the others Kubernetes holds what was seen last, which may be days old."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchaccess.web.parts import lasting
from batchaccess.web.readings import ConnectionReading
from batchaccess.web.storedjson import condition_in
from batchaccess.web.words import Said, Tone, spelled

_OBSERVED_BY_ANOTHER: Final = "DuplicateEndpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """Why an account is not observed. `since` is when that began, None if nobody knows.

    `counts` is False for a connection whose account another connection observes.
    """

    reason: str
    message: str
    since: datetime | None
    counts: bool = True


def blindness(connection: ConnectionReading | None) -> Blindness | None:
    """Why the account of a connection is not observed; None if it is. No connection observes nothing."""
    if connection is None:
        return Blindness(reason="Its connection is gone", message="", since=None)
    ready = condition_in(connection.status, "Ready")
    if ready.status == "True":
        return None
    return Blindness(
        reason=spelled(ready.reason) or "Not looked at yet",
        message=ready.message,
        since=ready.since,
        counts=ready.reason != _OBSERVED_BY_ANOTHER,
    )


def unobserved(connections: Iterable[ConnectionReading]) -> Mapping[str, Blindness]:
    """The connections that observe nothing, by name."""
    return {each.name: blind for each in connections if (blind := blindness(each)) is not None}


def last_seen(blind: Blindness, now: datetime) -> str:
    """How old what is shown may be: `last seen 3 days ago`."""
    return f"last seen {lasting(blind.since, now)} ago" if blind.since is not None else "as last seen"


def dimmed(said: Said, blind: Blindness | None) -> Said:
    """Words that were true when the account was last observed: what was good then is not known to be so now."""
    if blind is None or said.tone is not Tone.GOOD:
        return said
    return Said(Tone.WARNING, said.words)
