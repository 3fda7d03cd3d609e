"""What counts as missed by a watch: stories of whole readings and of what the watches told between them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from batchaccess import handlers
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.listing import KubeListing
from batchaccess.kube.missedchanges import GRACE_SECONDS, MissedChanges
from batchaccess.kube.resources import NAMESPACES, POOL_ACCESSES, Resource
from kubeemulator.watching import BOOKMARK_SECONDS
from tests.support.clock import FakeClock

PERIOD = 600


@dataclass
class Story:
    """Namespaces of an API server, and the operator that reads and watches them."""

    clock: FakeClock = field(default_factory=FakeClock)
    counted: Counter[Resource] = field(default_factory=Counter)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        decoders = Decoders(connection=lambda _: pytest.fail("none here"), policy=lambda _: pytest.fail("none here"))
        self.live = LiveCatalogue(decoders)
        self.missed = MissedChanges(self.clock, lambda resource, number: self.counted.update({resource: number}))

    def write(self, name: str) -> dict[str, Any]:
        """Somebody makes the namespace, or changes it."""
        self.version += 1
        metadata = {"name": name, "uid": name, "resourceVersion": str(self.version), "labels": {"v": str(self.version)}}
        self.stored[name] = {"metadata": metadata}
        return self.stored[name]

    def delete(self, name: str) -> dict[str, Any]:
        self.version += 1
        gone = self.stored.pop(name)
        return {"metadata": {**gone["metadata"], "resourceVersion": str(self.version)}}

    def tell(self, raw: dict[str, Any], event_type: str | None = "MODIFIED") -> None:
        """The watch delivers something."""
        self.missed.told(NAMESPACES, raw, event_type=event_type)
        self.live.observe(NAMESPACES, raw, deleted=event_type == "DELETED")

    def read(self, *, after: float = PERIOD) -> int:
        """Everything is read anew, later; how many missed changes were counted by then."""
        self.clock.advance(after)
        listing = KubeListing(items=list(self.stored.values()), resource_version=str(self.version))
        self.missed.read(self.live.replace(NAMESPACES, listing))
        return self.counted[NAMESPACES]


@pytest.fixture
def story() -> Story:
    made = Story()
    for name in ("a", "b"):
        made.tell(made.write(name), "ADDED")
    assert made.read() == 0
    return made


def test_what_the_watch_told_first_is_never_missed(story: Story) -> None:
    story.tell(story.write("a"))
    assert [story.read(), story.read()] == [0, 0]


def test_what_the_watch_tells_a_moment_after_it_was_read_is_not_missed(story: Story) -> None:
    raw = story.write("a")
    story.read()
    story.tell(raw)
    assert story.read() == 0


def test_what_the_watch_never_tells_is_missed_once(story: Story) -> None:
    story.write("a")
    story.write("c")
    story.delete("b")
    assert [story.read(), story.read(), story.read()] == [0, 3, 3]


def test_a_change_is_awaited_for_half_a_minute_however_often_everything_is_read(story: Story) -> None:
    story.write("a")
    counted = [story.read(), *(story.read(after=5) for _ in range(7))]
    assert counted == [0, 0, 0, 0, 0, 0, 1, 1]


def test_an_object_that_changes_all_the_time_is_missed_all_the_same(story: Story) -> None:
    for _ in range(20):
        story.write("a")
        story.read(after=5)
    assert story.counted[NAMESPACES] == 3


def test_an_older_change_that_is_told_does_not_excuse_the_newer_one(story: Story) -> None:
    older = dict(story.write("a"))
    story.write("a")
    story.read()
    story.tell(older)
    assert story.read() == 1


def test_a_newer_change_or_the_deletion_tells_of_the_older_ones(story: Story) -> None:
    for name in ("a", "b"):
        story.write(name)
    story.read()
    story.tell(story.write("a"))
    story.tell(story.delete("b"), "DELETED")
    assert story.read() == 0


def test_what_is_told_of_one_object_does_not_excuse_another(story: Story) -> None:
    story.write("a")
    story.read()
    story.tell(story.write("b"))
    assert story.read() == 1


def test_a_deletion_that_is_told_late_is_not_missed(story: Story) -> None:
    raw = story.delete("a")
    story.read()
    story.tell(raw, "DELETED")
    assert story.read() == 0


@pytest.mark.parametrize("listed_first", [True, False])
def test_a_watch_that_was_opened_anew_tells_of_deletions_by_what_it_does_not_list(
    story: Story, *, listed_first: bool
) -> None:
    story.delete("a")
    if listed_first:
        story.tell(story.stored["b"], None)
    story.read()
    if not listed_first:
        story.tell(story.stored["b"], None)
    assert story.read() == 0
    story.delete("b")
    assert [story.read(), story.read()] == [0, 1]


def test_what_came_and_went_while_a_watch_was_opened_anew_is_not_missed(story: Story) -> None:
    story.write("c")
    story.read(after=5)
    story.delete("c")
    story.tell(story.stored["a"], None)
    assert [story.read(after=5), story.read()] == [0, 0]


def test_a_store_that_lost_its_history_is_read_without_misses(story: Story) -> None:
    for _ in range(50):
        story.tell(story.write("a"))
    story.write("a")
    story.read()
    story.version = 3
    for name in ("a", "b"):
        story.write(name)
    listing = KubeListing(items=list(story.stored.values()), resource_version="5")
    story.missed.read(story.live.replace(NAMESPACES, listing, began_after=story.live.newest_version(NAMESPACES)))
    for name in ("a", "b"):
        story.tell(story.stored[name], None)
    assert story.read() == 0


def silent_round(story: Story) -> list[str]:
    story.write("a")
    story.read()
    return story.missed.problems()


def test_a_watch_that_missed_changes_three_times_running_is_taken_for_dead(story: Story) -> None:
    assert [len(silent_round(story)) for _ in range(4)] == [0, 0, 0, 1]
    story.read()
    assert story.missed.problems() == [
        "the watch of Namespace is silent: 3 times running it did not tell what was changed"
    ]


def test_a_watch_that_tells_anything_is_alive(story: Story) -> None:
    for _ in range(3):
        silent_round(story)
    story.tell(story.write("b"))
    assert [len(silent_round(story)) for _ in range(2)] == [0, 0]


def test_what_other_watches_tell_does_not_show_that_this_one_is_alive(story: Story) -> None:
    for _ in range(4):
        silent_round(story)
        story.missed.told(POOL_ACCESSES, {"metadata": {"uid": "p", "resourceVersion": "1"}}, event_type="ADDED")
    assert len(story.missed.problems()) == 1


def test_it_takes_longer_than_kopf_needs_to_open_a_silent_watch_anew(story: Story) -> None:
    seconds = 0
    while not story.missed.problems():
        story.write("a")
        story.write(f"n{seconds}")
        story.read(after=5)
        seconds += 5
    assert 3 * GRACE_SECONDS <= seconds <= 4 * GRACE_SECONDS


def test_silence_is_taken_for_death_only_after_a_bookmark_is_overdue() -> None:
    assert handlers.settings().watching.inactivity_timeout > BOOKMARK_SECONDS
