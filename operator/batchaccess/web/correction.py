"""How a policy corrects, and what holds its corrections back: settings, and windows as they are now."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from batchaccess.api.windows import window_spans, windows_of
from batchaccess.core.declared import AccessPolicy, Mode, NodeDeallocation, Remediation, Strategy, Window, WindowKind
from batchaccess.core.saga.windows import Span
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.parts import badge, facts, lasting, moment_to_come, plural, section, table
from batchaccess.web.words import Said, Tone

_STRATEGIES: Final = {
    Strategy.WHEN_EMPTY: "a pool is corrected once it stands empty",
    Strategy.DRAIN: "a busy pool is drained, corrected and brought back to its scale",
}
_TASKS: Final = {
    NodeDeallocation.TASK_COMPLETION: "may run to their end",
    NodeDeallocation.REQUEUE: "are stopped and queued again",
    NodeDeallocation.TERMINATE: "are stopped for good",
}
_KINDS: Final = {
    WindowKind.ALLOW: Said(Tone.BUSY, "Only then"),
    WindowKind.DENY: Said(Tone.QUIET, "Not then"),
}
_SIGNS: Final = {WindowKind.ALLOW: "allow", WindowKind.DENY: "deny"}
_UNITS: Final = ((86_400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes"))


def correction_section(policy: AccessPolicy, now: datetime) -> Element:
    """How the policy corrects, and whether it may begin to now."""
    return section(
        "Correction",
        facts(_settings(policy.remediation)),
        _windows(policy, now) if policy.remediation.windows else None,
        id="correction",
        note=_note(policy),
    )


def _note(policy: AccessPolicy) -> str:
    if policy.mode is Mode.AUDIT:
        return "The policy is in mode Audit and corrects nothing; this would hold if it did."
    return "The policy is suspended: no correction begins." if policy.suspend else ""


def _settings(remediation: Remediation) -> Iterator[tuple[str, Content]]:
    drains = remediation.strategy is Strategy.DRAIN
    yield "Strategy", f"{remediation.strategy}: {_STRATEGIES[remediation.strategy]}"
    if drains:
        yield "Running tasks", _TASKS[remediation.node_deallocation]
    else:
        paused = "paused for a correction, if the pool stands at zero" if remediation.pause_autoscale else "left alone"
        yield "Autoscale", paused
    if _is_held_back(remediation):
        yield "Given up after", told_seconds(remediation.drain_timeout_seconds)
        yield "At the same time", f"{plural(remediation.max_concurrent, 'pool')} at most"
        yield "Windows", "" if remediation.windows else "none, it may begin at any time"


def _is_held_back(remediation: Remediation) -> bool:
    """A pool that stands empty by itself is corrected at once; whatever takes scale away has to wait for its time."""
    return remediation.strategy is Strategy.DRAIN or remediation.pause_autoscale


def _windows(policy: AccessPolicy, now: datetime) -> Sequence[Content]:
    windows = policy.remediation.windows
    spans = window_spans(windows, now)
    rows = [_window(window, each.spans, now) for window, each in zip(windows, spans, strict=True)]
    return (
        el("p", badge(_verdict(policy, now)), class_="badges"),
        el("p", "Windows decide when a correction may begin; one that has begun is finished.", class_="note"),
        table("Windows", ("Begins", "Effect", "Lasts", "Now"), rows, class_="windows"),
    )


def _verdict(policy: AccessPolicy, now: datetime) -> Said:
    if not _is_held_back(policy.remediation):
        return Said(Tone.QUIET, "Windows hold nothing back here: a pool that stands empty is corrected at once")
    verdict = windows_of(policy, now)
    if verdict.permitted:
        return Said(Tone.GOOD, "A correction may begin now")
    if verdict.until is None:
        return Said(Tone.WARNING, "No correction may begin for as far as was looked ahead")
    begins = f"{verdict.until:%Y-%m-%d %H:%M} UTC, in {lasting(now, verdict.until)}"
    return Said(Tone.BUSY, f"No correction begins before {begins}")


def _window(window: Window, spans: Sequence[Span], now: datetime) -> Sequence[Content]:
    return (
        (el("code", window.schedule), el("span", window.time_zone, class_="dim below")),
        badge(_KINDS[window.kind], _SIGNS[window.kind]),
        told_seconds(window.duration_seconds),
        _now(spans, now),
    )


def _now(spans: Sequence[Span], now: datetime) -> Content:
    current = [span.end for span in spans if span.contains(now)]
    if current:
        return "open until ", moment_to_come(max(current), now)
    coming = next((span.start for span in spans if span.start > now), None)
    return "does not come again" if coming is None else ("next from ", moment_to_come(coming, now))


def told_seconds(seconds: int) -> str:
    """An exact duration in the largest unit that divides it: `2 hours`, `90 minutes`, `301 s`."""
    for unit, one, many in _UNITS:
        if seconds >= unit and seconds % unit == 0:
            return plural(seconds // unit, one, many)
    return f"{seconds:,} s"
