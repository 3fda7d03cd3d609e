"""The journal of a correction that drains its pool: the steps as a timeline, and whatever else is recorded.

Shown generically where it can be: facts and steps that this page does not know are shown in the words of the API.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from batchaccess.core.model import JsonObject
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.parts import badge, facts, moment, section
from batchaccess.web.storedjson import list_in, part_in, text_in, time_of
from batchaccess.web.words import Said, Tone, spelled

STEPS: Final = {
    "Preparing": "Write down what has to be brought back",
    "PausingAutoscale": "Turn autoscale off",
    "Draining": "Resize to no nodes and wait until they are gone",
    "Correcting": "Change the network",
    "Restoring": "Bring the scale back",
    "Clearing": "Put the journal away",
}
"""The steps of a correction in their order. Others, such as RestorePending, are shown beside them."""

_TARGETS: Final = {
    "targetDedicatedNodes": "Dedicated nodes to bring back",
    "targetLowPriorityNodes": "Spot or low-priority nodes to bring back",
}

_AUTOSCALE: Final = "PausingAutoscale"
_TROUBLE: Final = frozenset({"RestorePending"})
_SHOWN_OTHERWISE: Final = frozenset({"version", "step", "since", "started", "policy", "poolId", "ending", "message"})


def journal_section(status: JsonObject, now: datetime) -> Content:
    """The section of the journal, if there is one."""
    journal = part_in(status, "journal")
    if not journal:
        return None
    step, ending = text_in(journal, "step"), text_in(journal, "ending")
    tone = Tone.DANGER if step in _TROUBLE else Tone.BUSY
    message = text_in(journal, "message")
    others = {name: value for name, value in journal.items() if name not in _SHOWN_OTHERWISE}
    return section(
        "Correction under way",
        el("p", badge(Said(tone, spelled(step))) if step else None, class_="badges"),
        el("p", el("strong", f"{spelled(ending)}. ") if ending else None, message, class_="lead") if message else None,
        _timeline(journal, step, now),
        facts(_brought_back(part_in(journal, "scale"))),
        el("details", el("summary", "Everything that is recorded"), facts(_facts(others, now)), id="recorded"),
        id="journal",
        note="What is recorded here survives a crash of the operator: the pool gets its scale back from it.",
    )


def _timeline(journal: JsonObject, step: str, now: datetime) -> Element:
    names = _steps(journal, step)
    reached = names.index(step)
    return el(
        "ol",
        *(_step(name, position - reached, journal, now) for position, name in enumerate(names) if name),
        class_="timeline",
        aria_label="Steps of the correction",
    )


def _steps(journal: JsonObject, step: str) -> list[str]:
    """The steps that this correction takes: pools without autoscale have none to turn off."""
    autoscaled = list_in(part_in(journal, "scale"), "autoscaleFormula") or step == _AUTOSCALE
    names = [name for name in STEPS if name != _AUTOSCALE or autoscaled]
    return names if step in STEPS else [*names, step]


def _step(name: str, offset: int, journal: JsonObject, now: datetime) -> Element:
    begun = text_in(journal, "since") if offset == 0 else text_in(journal, "started") if name == "Preparing" else ""
    state = "done" if offset < 0 else "under way" if offset == 0 else "to come"
    return el(
        "li",
        el("strong", spelled(name)),
        el("span", f" {state}", class_="dim"),
        el("span", STEPS[name], class_="below") if name in STEPS else None,
        el("span", "begun ", moment(time_of(begun), now), class_="below") if begun else None,
        class_=state.replace(" ", "-"),
        aria_current="step" if offset == 0 else None,
    )


def _brought_back(scale: JsonObject) -> Iterator[tuple[str, Content]]:
    """What somebody who waits for their nodes wants to know."""
    formula = "".join(str(each) for each in list_in(scale, "autoscaleFormula"))
    if formula:
        yield "Autoscale formula to bring back", formula
        return
    for name, label in _TARGETS.items():
        if isinstance(scale.get(name), int):
            yield label, str(scale[name])


def _facts(source: JsonObject, now: datetime, prefix: str = "") -> Iterator[tuple[str, Content]]:
    for name in source:
        label = f"{prefix}{_label(name)}"
        match source[name]:
            case Mapping() as inner:
                yield from _facts(inner, now, prefix=f"{label}: ")
            case bool() as flag:
                yield label, "yes" if flag else "no"
            case int() | float() as number:
                yield label, str(number)
            case str() as text:
                time = time_of(text) if "T" in text and text[:1].isdigit() else None
                yield label, text if time is None else moment(time, now)
            case list():
                yield label, "".join(str(each) for each in list_in(source, name))
            case _:
                continue


def _label(name: str) -> str:
    words = spelled(name)
    return words[:1].upper() + words[1:]
