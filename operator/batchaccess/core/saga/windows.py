"""Whether the windows of a policy let a saga start now, and when they next may; spans come from `api.windows`.

Any Allow window means: denied outside them. Deny always wins. A saga that has started finishes whatever they say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from batchaccess.core.declared import WindowKind


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """From `start` up to but not including `end`, both aware."""

    start: datetime
    end: datetime

    def contains(self, instant: datetime) -> bool:
        """Whether the instant is inside."""
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpans:
    """One window of a policy with its occurrences from somewhat before now up to some horizon."""

    kind: WindowKind
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowVerdict:
    """Whether a start is permitted now; if not, `until` is when it is next, None if not within the horizon."""

    permitted: bool
    until: datetime | None = None


def window_verdict(windows: Sequence[WindowSpans], now: datetime) -> WindowVerdict:
    """What these windows say now. No windows at all permit every moment."""
    if _permits(windows, now):
        return WindowVerdict(permitted=True)
    changes = sorted({instant for instant in _changes(windows) if instant > now})
    return WindowVerdict(permitted=False, until=next((each for each in changes if _permits(windows, each)), None))


def _permits(windows: Sequence[WindowSpans], instant: datetime) -> bool:
    if _inside(windows, WindowKind.DENY, instant):
        return False
    allows = any(window.kind is WindowKind.ALLOW for window in windows)
    return not allows or _inside(windows, WindowKind.ALLOW, instant)


def _inside(windows: Iterable[WindowSpans], kind: WindowKind, instant: datetime) -> bool:
    return any(span.contains(instant) for window in windows if window.kind is kind for span in window.spans)


def _changes(windows: Iterable[WindowSpans]) -> Iterable[datetime]:
    """Instants at which permission can begin: an Allow span starts, a Deny span ends."""
    for window in windows:
        for span in window.spans:
            yield span.start if window.kind is WindowKind.ALLOW else span.end
