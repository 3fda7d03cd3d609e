"""Changes that only a whole reading found: a watch that does not tell them is dead, open though it may be.

The ordinary race is no miss. A change that was made a moment before the reading is told by its watch a moment later;
one that was made while a watch was opened anew, within the backoff of kopf (21 s at the longest). So a change counts
only if its watch has still not told it at the next whole reading, half a minute later at the earliest.

kopf opens a watch anew on which nothing arrived for 70 s, bookmarks included, which come every 60 s. That heals a
connection that died silently. It does not help where new watches are silent too, or where kopf itself stands still.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchaccess.core.model import JsonObject
from batchaccess.kube.cache import version_of
from batchaccess.kube.catalogue import Reading
from batchaccess.kube.resources import Resource
from batchaccess.ports import Clock

GRACE_SECONDS: Final = 30.0
"""For a watch to tell what a whole reading has found."""

SILENT_ROUNDS: Final = 3
"""So many times, one after the other, a watch has to miss what was found before it is taken for dead."""

_DELETED: Final = "DELETED"

CountMissed: TypeAlias = Callable[[Resource, int], None]
"""Called with the number of changes of one kind that their watch has missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaited:
    """A change that its watch has not told yet; `version` is None if the object was deleted."""

    version: int | None
    found_at: float


@dataclass(slots=True, kw_only=True)
class _Silence:
    """How often a watch missed something since it told anything at all."""

    rounds: int = 0
    last: float = float("-inf")


class MissedChanges:
    """Compares what whole readings find with what the watches tell."""

    def __init__(self, clock: Clock, count: CountMissed) -> None:
        self._clock = clock
        self._count = count
        self._awaited: dict[tuple[Resource, str], _Awaited] = {}
        self._listed_anew: set[Resource] = set()
        self._silences: dict[Resource, _Silence] = defaultdict(_Silence)

    def told(self, resource: Resource, raw: JsonObject, *, event_type: str | None) -> None:
        """A watch told of an object; `event_type` is None where it was opened anew and lists what there is."""
        self._silences.pop(resource, None)
        metadata = raw["metadata"]
        key = (resource, str(metadata["uid"]))
        awaited = self._awaited.get(key)
        if awaited is not None and _tells(awaited, event_type, version_of(metadata.get("resourceVersion"))):
            del self._awaited[key]
        if event_type is None:
            self._forgive_deletions(resource)

    def read(self, news: Iterable[Reading]) -> None:
        """Everything was read anew, and `news` is what nobody had told of."""
        self._settle()
        now = self._clock.monotonic()
        for reading in news:
            self._await(reading, now)
        self._listed_anew.clear()

    def problems(self) -> list[str]:
        """One sentence for each watch that is taken for dead, for `/healthz`."""
        return [
            f"the watch of {resource.kind} is silent: {SILENT_ROUNDS} times running it did not tell what was changed"
            for resource, silence in self._silences.items()
            if silence.rounds >= SILENT_ROUNDS
        ]

    def _await(self, reading: Reading, now: float) -> None:
        """Wait for the first untold change of an object: one that changes all the time is no excuse for its watch."""
        before, after = reading.change.before, reading.change.after
        entry = after or before
        if entry is None:
            return
        key = (reading.resource, entry.uid)
        earlier = self._awaited.pop(key, None)
        found_at = now if earlier is None else earlier.found_at
        if after is not None:
            # The lower one: a store that lost its history counts anew.
            known = after.resource_version if earlier is None or earlier.version is None else earlier.version
            self._awaited[key] = _Awaited(version=min(known, after.resource_version), found_at=found_at)
        elif reading.resource not in self._listed_anew:
            self._awaited[key] = _Awaited(version=None, found_at=found_at)

    def _settle(self) -> None:
        """Count what was not told within the grace period."""
        now = self._clock.monotonic()
        overdue = [(key, each) for key, each in self._awaited.items() if now - each.found_at >= GRACE_SECONDS]
        missed: dict[Resource, list[float]] = defaultdict(list)
        for key, each in overdue:
            del self._awaited[key]
            missed[key[0]].append(each.found_at)
        for resource, found in missed.items():
            self._count(resource, len(found))
            silence = self._silences[resource]
            if max(found) >= silence.last:
                # Found after the last miss was counted: so the rounds together are longer than kopf's inactivity.
                silence.rounds, silence.last = silence.rounds + 1, now

    def _forgive_deletions(self, resource: Resource) -> None:
        """A list tells of deletions by what it lacks, those of the time before it: kopf leaves it at that."""
        self._listed_anew.add(resource)
        gone = [key for key, each in self._awaited.items() if key[0] == resource and each.version is None]
        for key in gone:
            del self._awaited[key]


def _tells(awaited: _Awaited, event_type: str | None, version: int) -> bool:
    if event_type == _DELETED:
        return True
    return awaited.version is not None and version >= awaited.version
