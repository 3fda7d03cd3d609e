"""Events are handed on, remembered and counted."""

from datetime import timedelta
from typing import Any

from batchaccess.core.reasons import EventReason, EventType
from batchaccess.web.recentevents import RecentEvents
from tests.support.clock import FakeClock


class Told:
    """Implements `ports.Recorder`."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def record(self, **event: Any) -> None:  # noqa: ANN401 whatever is told
        self.events.append(event)


async def tell(events: RecentEvents, message: str, *, uid: str = "1") -> None:
    await events.record(
        kind="BatchPoolAccess",
        name="prod.a",
        namespace=None,
        uid=uid,
        event_type=EventType.WARNING,
        reason=EventReason.DRIFT_DETECTED,
        message=message,
    )


async def test_every_event_is_handed_on() -> None:
    told = Told()
    events = RecentEvents(told, FakeClock())
    await tell(events, "a")
    await tell(events, "a")
    assert [each["message"] for each in told.events] == ["a", "a"]
    assert told.events[0]["reason"] is EventReason.DRIFT_DETECTED


async def test_a_repeat_counts_and_becomes_the_newest() -> None:
    clock = FakeClock()
    events = RecentEvents(Told(), clock)
    await tell(events, "a")
    await tell(events, "b")
    clock.advance(60)
    await tell(events, "a")
    began, ended = clock.now() - timedelta(seconds=60), clock.now()
    assert [(each.message, each.count, each.first, each.last) for each in events.newest_first()] == [
        ("a", 2, began, ended),
        ("b", 1, began, began),
    ]


async def test_the_same_words_about_another_object_are_another_event() -> None:
    events = RecentEvents(Told(), FakeClock())
    await tell(events, "a", uid="1")
    await tell(events, "a", uid="2")
    assert [each.count for each in events.newest_first()] == [1, 1]


async def test_the_oldest_is_forgotten() -> None:
    events = RecentEvents(Told(), FakeClock(), remembered=3)
    for message in "abcde":
        await tell(events, message)
    assert [each.message for each in events.newest_first()] == ["e", "d", "c"]
