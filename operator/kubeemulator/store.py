"""The stored objects and what happened to them: buckets of objects, each with a bounded log of events.

One resource version counts over all buckets, as etcd's revision does. It starts well above 1, so that "too old" exists.
Stored objects are never changed in place: readers share them, and their bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import orjson

from kubeemulator.errors import gone
from kubeemulator.jsontypes import list_at, object_at

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from kubeemulator.jsontypes import JsonObject

FIRST_REVISION: Final = 1000
Key: TypeAlias = tuple[str, str]
"""Namespace (empty for what is cluster-wide) and name."""


class EventType(StrEnum):
    """What a watch tells of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Entry:
    """One version of one object, with its JSON made at most once."""

    __slots__ = ("_wire", "obj")

    def __init__(self, obj: JsonObject) -> None:
        self.obj = obj
        self._wire: bytes | None = None

    @property
    def wire(self) -> bytes:
        """The object as JSON."""
        if self._wire is None:
            self._wire = orjson.dumps(self.obj)
        return self._wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of one object."""

    revision: int
    type: EventType
    entry: Entry
    previous: JsonObject | None
    """What the object was before, to tell watchers with selectors what left their view."""


@dataclass(slots=True, kw_only=True)
class Bucket:
    """The objects of one resource, and their recent history."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    floor: int = FIRST_REVISION
    """The oldest revision from which a watch can be resumed."""

    wakers: set[asyncio.Event] = field(default_factory=set)

    def since(self, revision: int) -> list[Event]:
        """The events after a revision.

        Raises:
            ApiError: 410, the history no longer reaches back so far.
        """
        if revision < self.floor:
            raise gone(revision, self.floor)
        return self.log[bisect_right(self.log, revision, key=_revision_of) :]

    def record(self, event: Event, *, history: int) -> None:
        """Append an event, forget what is beyond twice the history, and wake the watchers."""
        self.log.append(event)
        if len(self.log) >= 2 * history:
            self.floor = self.log[-history - 1].revision
            del self.log[:-history]
        for waker in self.wakers:
            waker.set()


def _revision_of(event: Event) -> int:
    return event.revision


class Journal(Protocol):
    """Where changes are kept beyond the process."""

    def write(self, bucket: str, key: Key, revision: int, entry: Entry | None) -> None:
        """Remember an object's new version, or with None its end."""

    def close(self) -> None:
        """Let go of the file."""


class Store:
    """All buckets, the revision, and who depends on whom."""

    def __init__(self, *, history: int = 1000, journal: Journal | None = None) -> None:
        self.revision = FIRST_REVISION
        self.history = history
        self._journal = journal
        self._buckets: dict[str, Bucket] = {}
        self._dependents: dict[str, set[tuple[str, Key]]] = {}
        self._uids: dict[str, tuple[str, Key]] = {}
        self.vanished: list[str] = []
        """The uids of removed objects whose dependents nobody has looked after yet."""

    def bucket(self, name: str) -> Bucket:
        """The bucket of a resource, made when first asked for."""
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = Bucket()
        return found

    def buckets(self) -> Iterator[tuple[str, Bucket]]:
        """All buckets with their names."""
        yield from list(self._buckets.items())

    def get(self, bucket: str, key: Key) -> Entry | None:
        """The stored object, or None."""
        return self.bucket(bucket).entries.get(key)

    def put(self, bucket: str, key: Key, obj: JsonObject) -> Entry:
        """Store a new version of an object; it gets the next resource version."""
        self.revision += 1
        entry = Entry({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.revision)}})
        target = self.bucket(bucket)
        before = target.entries.get(key)
        target.entries[key] = entry
        self._reindex(bucket, key, before, entry)
        kind = EventType.ADDED if before is None else EventType.MODIFIED
        self._record(bucket, key, entry, kind, before, kept=entry)
        return entry

    def remove(self, bucket: str, key: Key, *, last: JsonObject | None = None) -> Entry | None:
        """Forget an object; watchers see its last state (or the one given) under a new resource version."""
        target = self.bucket(bucket)
        before = target.entries.pop(key, None)
        if before is None:
            return None
        self.revision += 1
        obj = last or before.obj
        entry = Entry({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.revision)}})
        self._reindex(bucket, key, before, None)
        self._record(bucket, key, entry, EventType.DELETED, before, kept=None)
        return entry

    def restore(self, bucket: str, key: Key, obj: JsonObject) -> None:
        """Take over an object from a journal, without an event."""
        entry = Entry(obj)
        self.bucket(bucket).entries[key] = entry
        self._reindex(bucket, key, None, entry)

    def dependents_of(self, uid: str) -> list[tuple[str, Key]]:
        """The objects that name the uid in their owner references."""
        return sorted(self._dependents.get(uid, ()))

    def with_uid(self, uid: str) -> tuple[str, Key] | None:
        """Where the object of a uid is, or None when there is none."""
        return self._uids.get(uid)

    def compact(self) -> None:
        """Forget all history: watches from older versions are told to list again."""
        self.revision += 1
        for bucket in self._buckets.values():
            bucket.log.clear()
            bucket.floor = self.revision
            for waker in bucket.wakers:
                waker.set()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def _record(
        self, bucket: str, key: Key, entry: Entry, kind: EventType, before: Entry | None, *, kept: Entry | None
    ) -> None:
        previous = before.obj if before is not None else None
        event = Event(revision=self.revision, type=kind, entry=entry, previous=previous)
        self.bucket(bucket).record(event, history=self.history)
        if self._journal is not None:
            self._journal.write(bucket, key, self.revision, kept)

    def _reindex(self, bucket: str, key: Key, before: Entry | None, after: Entry | None) -> None:
        place = (bucket, key)
        if before is not None:
            for uid in owner_uids(before.obj):
                self._dependents.get(uid, set()).discard(place)
            if after is None:
                uid = str(before.obj["metadata"].get("uid", ""))
                self._uids.pop(uid, None)
                self.vanished.append(uid)
        if after is not None:
            for uid in owner_uids(after.obj):
                self._dependents.setdefault(uid, set()).add(place)
            self._uids[after.obj["metadata"].get("uid", "")] = place


def owner_uids(obj: JsonObject) -> list[str]:
    """The uids in an object's owner references."""
    return [str(reference.get("uid")) for reference in list_at(object_at(obj, "metadata"), "ownerReferences")]
