"""Remembers the events that the operator emitted, for the status page; Kubernetes keeps them for an hour only."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from batchaccess.core.reasons import EventReason, EventType
from batchaccess.ports import Clock, Recorder
from batchaccess.web.readings import RecentEvent

REMEMBERED: Final = 1000
"""Different events. The oldest is forgotten first."""


class RecentEvents:
    """Implements `ports.Recorder`: hands every event on, and remembers it. A repeat counts and becomes the newest."""

    def __init__(self, recorder: Recorder, clock: Clock, *, remembered: int = REMEMBERED) -> None:
        self._recorder = recorder
        self._clock = clock
        self._remembered = remembered
        self._events: OrderedDict[tuple[str, str, str], RecentEvent] = OrderedDict()

    def newest_first(self) -> Sequence[RecentEvent]:
        """What is remembered."""
        return list(reversed(self._events.values()))

    async def record(
        self,
        *,
        kind: str,
        name: str,
        namespace: str | None,
        uid: str,
        event_type: EventType,
        reason: EventReason,
        message: str,
    ) -> None:
        """Remember one event and hand it on."""
        key = (uid, reason.value, message)
        now = self._clock.now()
        event = RecentEvent(
            kind=kind,
            name=name,
            namespace=namespace,
            warning=event_type is EventType.WARNING,
            reason=reason.value,
            message=message,
            count=1,
            first=now,
            last=now,
        )
        known = self._events.pop(key, None)
        self._events[key] = event if known is None else replace(event, count=known.count + 1, first=known.first)
        while len(self._events) > self._remembered:
            self._events.popitem(last=False)
        await self._recorder.record(
            kind=kind,
            name=name,
            namespace=namespace,
            uid=uid,
            event_type=event_type,
            reason=reason,
            message=message,
        )
