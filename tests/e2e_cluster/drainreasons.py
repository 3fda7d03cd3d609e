"""Why each pool was drained again, from what was sent to it and what people did, in the order in which it happened.

docs/remediation.md, "One drain for one drift": a drain that has corrected its pool is not repeated unless the policy
declares something else, or somebody changed the pool's network after the correction. One that has not corrected it,
because the policy was suspended or edited under way, may be repeated under a later generation: resuming makes one too.
A new `requested-at` would be a reason as well; nobody sets one here.

What one request saw of the pool is told by its If-Match: the emulator's eTags only grow, so they order what clients
sent and what others did to a pool without any clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from batchaccess.core.model import MetadataItem
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import journal_in
from batchemulator.request_log import LoggedRequest

_ERRORS = 400


class Reason(StrEnum):
    """What permits a drain."""

    FIRST = "first drains"
    DECLARED = "policy changed"
    OPENED = "opened from outside"
    STOPPED = "stopped under way"


Declared = Mapping[int, tuple[str, ...]]
"""What each generation of the policy lets in, whether it was suspended or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Somebody changed the network of a pool, which had this eTag from then on."""

    pool_id: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One accepted resize to no nodes. `reason` is None if there was none to drain the pool again."""

    pool_id: str
    saga_id: str
    generation: int
    reason: Reason | None


@dataclass(slots=True, kw_only=True)
class _Story:
    """What is known of one pool so far.

    Attributes:
        journal: the one that was written to its metadata last.
        drained_under: the generation of the policy for which it was drained last; None before the first drain.
        seen: the eTag that the last drain went by, or the last correction since.
        corrected: whether its network was written since the last drain.
    """

    opened: Sequence[int]
    declared: Declared
    journal: Journal | None = None
    drained_under: int | None = None
    seen: int = 0
    corrected: bool = False

    def reason(self, drained_on: int, generation: int) -> Reason | None:
        if self.drained_under is None:
            return Reason.FIRST
        if self.declared[generation] != self.declared[self.drained_under]:
            return Reason.DECLARED
        if any(self.seen < etag <= drained_on for etag in self.opened):
            return Reason.OPENED
        if not self.corrected and generation > self.drained_under:
            return Reason.STOPPED
        return None

    def drain(self, drained_on: int, pool_id: str) -> Drain:
        assert self.journal is not None, f"{pool_id} was drained without a journal"
        generation = self.journal.policy.generation
        found = Drain(
            pool_id=pool_id,
            saga_id=self.journal.saga_id,
            generation=generation,
            reason=self.reason(drained_on, generation),
        )
        self.drained_under, self.seen, self.corrected = generation, drained_on, False
        return found


@dataclass(kw_only=True)
class Actors:
    """What people did: the other half of the story."""

    declared: dict[int, tuple[str, ...]] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)


def drains(requests: Iterable[LoggedRequest], actors: Actors) -> Iterator[Drain]:
    """Every drain of every pool with its reason, in the order of the log, which has to be whole."""
    stories: dict[str, _Story] = {}
    for request in requests:
        if request.pool_id is None or request.status >= _ERRORS:
            continue
        opened = [tick(each.etag) for each in actors.opened if each.pool_id == request.pool_id]
        story = stories.setdefault(request.pool_id, _Story(opened=opened, declared=actors.declared))
        if request.operation == "resize_pool" and request.json().get("targetDedicatedNodes") == 0:
            yield story.drain(tick(request.if_match), request.pool_id)
        elif request.operation == "update_pool" and "networkConfiguration" in request.json():
            story.seen, story.corrected = tick(request.if_match), True
        elif request.operation == "update_pool":
            items = [MetadataItem(name=each["name"], value=each["value"]) for each in request.json()["metadata"]]
            found = journal_in(items)
            story.journal = found if isinstance(found, Journal) else None


def tick(etag: str | None) -> int:
    """Where an eTag of the emulator stands among all others."""
    assert etag is not None, "a write without If-Match"
    return int(etag.strip('"'), 16)
