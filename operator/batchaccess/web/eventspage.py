"""What the operator told of late, newest first."""

from collections.abc import Sequence
from typing import Final

from batchaccess.core.model import ObjectKey
from batchaccess.web.addresses import Addresses
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.parts import exact, moment, plural, table, toned
from batchaccess.web.readings import RecentEvent
from batchaccess.web.words import Tone, said_of_event

_MOST_SHOWN: Final = 200
_BAD_NEWS: Final = frozenset(
    {"InternetReachable", "CorrectionFailed", "PolicyRefused", "ConnectionFailed", "RestorePending"}
)
_UNDER_WAY: Final = frozenset({"Remediating"})
_NEITHER_GOOD_NOR_BAD: Final = frozenset({"NoLongerManaged"})


def events_page(events: Sequence[RecentEvent], *, shell: Shell) -> str:
    """The page of all recent events."""
    shown = events[:_MOST_SHOWN]
    note = f"The newest {_MOST_SHOWN} of {len(events):,}" if len(events) > _MOST_SHOWN else plural(len(events), "event")
    return page(
        "Recent events",
        el("h1", "Recent events"),
        el(
            "p",
            f"{note} since this replica started, newest first. What happened more than once is told once, "
            "with its first and its last time.",
            class_="note",
        ),
        events_table(shown, shell, general=True),
        shell=shell,
    )


def events_table(events: Sequence[RecentEvent], shell: Shell, *, general: bool = False) -> Element:
    """Events, newest first; a `general` table says what each is about."""
    if not events:
        words = (
            "Events are told by the replica that leads; this one stands by."
            if shell.standby
            else "The operator told of nothing since this replica started."
        )
        return el("p", words, class_="empty")
    rows = [
        (
            _when(event, shell),
            toned(_tone_of(event), said_of_event(event.reason)),
            *([_about(event, shell.addresses)] if general else []),
            event.message,
        )
        for event in events[:_MOST_SHOWN]
    ]
    if general:
        return table("Events", ("When", "What", "About", "Message"), rows, class_="events general")
    return table("Events", ("When", "What", "Message"), rows, class_="events")


def _when(event: RecentEvent, shell: Shell) -> Content:
    last = moment(event.last, shell.now)
    if event.count == 1:
        return last
    return last, el("span", f"{event.count:,} times, first ", exact(event.first), class_="dim below")


def _tone_of(event: RecentEvent) -> Tone:
    if event.reason in _BAD_NEWS:
        return Tone.DANGER
    if event.warning:
        return Tone.WARNING
    if event.reason in _NEITHER_GOOD_NOR_BAD:
        return Tone.QUIET
    return Tone.BUSY if event.reason in _UNDER_WAY else Tone.GOOD


def _about(event: RecentEvent, to: Addresses) -> Content:
    match event.kind:
        case "BatchPoolAccess":
            return el("a", event.name, href=to.pool(event.name))
        case "BatchPoolAccessPolicy" if event.namespace:
            key = ObjectKey(namespace=event.namespace, name=event.name)
            return el("a", str(key), href=to.policy(key))
        case "BatchAccountConnection":
            return el("a", event.name, href=to.connection(event.name))
        case _:
            return event.name
