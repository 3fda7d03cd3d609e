"""What the words of statuses mean to a person: a tone, which becomes a colour and a sign, and words beside it.

Reasons without an entry, say of a newer version, are shown as words too: `PoolNotEmpty` as "Pool not empty".
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """How much a person should care. Shown as a colour and as a sign, never alone."""

    DANGER = "danger"
    WARNING = "warning"
    BUSY = "busy"
    GOOD = "good"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Said:
    """A word of a status as shown."""

    tone: Tone
    words: str


_EXPOSED: Final = {
    "InternetReachable": Said(Tone.DANGER, "Reachable from the Internet"),
    "Undetermined": Said(Tone.WARNING, "Undetermined"),
    "None": Said(Tone.GOOD, "Closed to the Internet"),
}
_DRIFTED: Final = {
    "Widening": Said(Tone.DANGER, "More open than declared"),
    "Mixed": Said(Tone.DANGER, "More open and more closed than declared"),
    "Narrowing": Said(Tone.WARNING, "More closed than declared"),
    "Configuration": Said(Tone.WARNING, "Configured differently, same reach"),
    "Neutral": Said(Tone.QUIET, "Differs in spelling only"),
    "ImplicitMapping": Said(Tone.WARNING, "Mapped by the service itself"),
    "None": Said(Tone.GOOD, "No drift"),
}
_REACH: Final = {
    "Open": Said(Tone.DANGER, "Open"),
    "Undetermined": Said(Tone.WARNING, "Undetermined"),
    "Closed": Said(Tone.GOOD, "Closed"),
    "NotApplicable": Said(Tone.QUIET, "Not applicable"),
}
_ACCESS: Final = {
    "Allow": Said(Tone.BUSY, "Allow"),
    "Deny": Said(Tone.QUIET, "Deny"),
}
_HOLDS: Final = {
    "True": Said(Tone.GOOD, "Holds"),
    "False": Said(Tone.DANGER, "Violated"),
    "Unknown": Said(Tone.WARNING, "Undetermined"),
}

_EVENTS: Final = {
    "InternetReachable": "Reachable from the Internet",
    "NoLongerInternetReachable": "No longer reachable from the Internet",
}
_GOOD_WHEN_TRUE: Final = frozenset({"Ready", "Accepted", "Enforced", "Compliant"})
_BAD_WHEN_TRUE: Final = frozenset({"Stalled"})
_BUSY_WHEN_TRUE: Final = frozenset({"Reconciling", "Remediating"})
_NOTHING_WRONG: Final = frozenset({"AuditOnly", "NotManaged", "NothingSelected", "Suspended", "Overridden"})
_ONLY_REPORTED: Final = frozenset({"AuditOnly", "Suspended"})
_TAKES_TIME: Final = frozenset(
    {
        "Pending",
        "PoolNotEmpty",
        "Correcting",
        "PoolDeleting",
        "BackingOff",
        "Waiting",
        "OutsideWindow",
        "DrainLimit",
        "Deleting",
        "Leaving",
    }
)
_NEEDS_SOMEBODY: Final = frozenset({"RestorePending", "Stalled"})

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def spelled(word: str) -> str:
    """A word of the API as people write it: `PoolNotEmpty` becomes "Pool not empty"."""
    parts = _HUMP.split(word)
    return " ".join([parts[0], *(part if part.isupper() else part.lower() for part in parts[1:])])


def said_of_exposure(reason: str) -> Said:
    """A reason of `Exposed`; what is not known counts as undetermined."""
    return _EXPOSED.get(reason, Said(Tone.WARNING, spelled(reason) or "Not known yet"))


def said_of_drift(reason: str) -> Said:
    """A reason of `Drifted`, and the class of one difference."""
    return _DRIFTED.get(reason, Said(Tone.QUIET, spelled(reason) or "Not known yet"))


def said_of_reach(verdict: str) -> Said:
    """A verdict about the Internet or the virtual network."""
    return _REACH.get(verdict, Said(Tone.WARNING, spelled(verdict) or "Not known"))


def said_of_access(access: str) -> Said:
    """The effect of a rule."""
    return _ACCESS.get(access, Said(Tone.WARNING, spelled(access) or "Not known"))


def said_of_event(reason: str) -> str:
    """What an event tells of."""
    return _EVENTS.get(reason, spelled(reason))


def said_of_assertion(holds: str) -> Said:
    """Whether an assertion holds."""
    return _HOLDS.get(holds, _HOLDS["Unknown"])


def said_of_condition(type: str, status: str, reason: str) -> Said:
    """A condition of any kind, by its reason; its type tells whether True is good."""
    if type == "Exposed":
        return said_of_exposure(reason)
    if type == "Drifted":
        return said_of_drift(reason)
    return Said(_tone_of(type, status, reason), spelled(reason))


def _tone_of(type: str, status: str, reason: str) -> Tone:
    if type == "Compliant" and reason in _ONLY_REPORTED:
        return Tone.WARNING
    if type in _GOOD_WHEN_TRUE:
        return _tone_of_wish(status, reason)
    if type == "Remediating" and reason in _NEEDS_SOMEBODY:
        return Tone.DANGER
    if status == "True":
        return Tone.DANGER if type in _BAD_WHEN_TRUE else Tone.BUSY if type in _BUSY_WHEN_TRUE else Tone.QUIET
    if type == "Remediating" and reason == "Waiting":
        return Tone.BUSY
    return Tone.QUIET if status == "False" else Tone.WARNING


def _tone_of_wish(status: str, reason: str) -> Tone:
    if reason in _NOTHING_WRONG:
        return Tone.QUIET
    match status:
        case "True":
            return Tone.GOOD
        case "False":
            return Tone.BUSY if reason in _TAKES_TIME else Tone.DANGER
        case _:
            return Tone.BUSY if reason in _TAKES_TIME else Tone.WARNING
