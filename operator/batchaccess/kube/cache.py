"""What was last read of one kind of object: the newest reading wins, whoever brings it.

Watch events, lists and the answers to our own writes arrive in any order. An older reading never replaces a newer
one, and what was deleted does not come back.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeAlias, TypeVar

from batchaccess.core.model import JsonObject
from batchaccess.kube.listing import KubeListing
from batchaccess.kube.packed import PackedObject
from batchaccess.kube.resources import FINALIZER
from batchaccess.ports import StoredStatus

T = TypeVar("T")

Key: TypeAlias = tuple[str | None, str]
"""Namespace, None for what has none, and name."""

_REMEMBERED_DELETIONS: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedObject(Generic[T]):
    """One object as last read. `value` and `stored` stay the same objects while their content does."""

    uid: str
    resource_version: int
    value: T
    stored: StoredStatus

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.stored.namespace, self.stored.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[T]):
    """What a reading changed: None before an object is there and after it is gone."""

    before: CachedObject[T] | None
    after: CachedObject[T] | None

    @property
    def is_of_value(self) -> bool:
        """Whether anything but the status changed."""
        if self.before is None or self.after is None:
            return True
        return self.before.uid != self.after.uid or self.before.value is not self.after.value


class KindCache(Generic[T]):
    """The objects of one kind. `decode` turns a raw object into the value that is kept; it must not raise."""

    def __init__(self, decode: Callable[[JsonObject], T]) -> None:
        self._decode = decode
        self._objects: dict[Key, CachedObject[T]] = {}
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._newest = 0

    @property
    def newest(self) -> int:
        """The highest version of anything that was ever read of this kind."""
        return self._newest

    def __iter__(self) -> Iterator[CachedObject[T]]:
        return iter(self._objects.values())

    def get(self, key: Key) -> CachedObject[T] | None:
        """The object with that name, if there is one."""
        return self._objects.get(key)

    def put(self, raw: JsonObject) -> Change[T] | None:
        """Take in a reading of an object; None if it told nothing new."""
        metadata = raw["metadata"]
        uid, version = str(metadata["uid"]), version_of(metadata.get("resourceVersion"))
        key: Key = (metadata.get("namespace"), str(metadata["name"]))
        before = self._objects.get(key)
        self._newest = max(self._newest, version)
        if uid in self._deleted or (before is not None and version <= before.resource_version):
            return None
        after = self._read(raw, uid, version, before if before is not None and before.uid == uid else None)
        self._objects[key] = after
        if before is not None and before.uid != uid:
            self._bury(before.uid)
        if before is not None and before.value is after.value and before.stored is after.stored:
            return None
        return Change(before=before, after=after)

    def drop(self, raw: JsonObject) -> Change[T] | None:
        """Take in that an object was deleted; None if that was known."""
        metadata = raw["metadata"]
        uid = str(metadata["uid"])
        self._bury(uid)
        return self._remove((metadata.get("namespace"), str(metadata["name"])), uid)

    def replace(self, listing: KubeListing, *, began_after: int = 0) -> list[Change[T]]:
        """Take in a whole list. What it lacks is gone, unless it is younger than the list.

        `began_after` is the newest version that was known before the list was asked for. A list older than that comes
        from a store that lost its history, such as one restored from a backup: then the list is all there is.
        """
        if 0 < version_of(listing.resource_version) < began_after:
            self._forget_versions()
        changes = [change for raw in listing.items if (change := self.put(raw)) is not None]
        listed = {str(raw["metadata"]["uid"]) for raw in listing.items}
        horizon = version_of(listing.resource_version)
        self._newest = max(self._newest, horizon)
        for entry in list(self._objects.values()):
            if entry.uid not in listed and entry.resource_version <= horizon:
                self._bury(entry.uid)
                change = self._remove(entry.key, entry.uid)
                changes += [] if change is None else [change]
        return changes

    def is_outdated(self, raw: JsonObject) -> bool:
        """Whether something newer was read of the object of that name, or its deletion."""
        metadata = raw["metadata"]
        known = self._objects.get((metadata.get("namespace"), str(metadata["name"])))
        older = known is not None and version_of(metadata.get("resourceVersion")) < known.resource_version
        return older or str(metadata["uid"]) in self._deleted

    def _forget_versions(self) -> None:
        """From now on any reading is newer than what is known."""
        self._deleted.clear()
        self._newest = 0
        self._objects = {key: replace(entry, resource_version=-1) for key, entry in self._objects.items()}

    def _read(self, raw: JsonObject, uid: str, version: int, before: CachedObject[T] | None) -> CachedObject[T]:
        metadata = raw["metadata"]
        value = self._decode(raw)
        stored = StoredStatus(
            name=str(metadata["name"]),
            namespace=metadata.get("namespace"),
            uid=uid,
            generation=int(metadata.get("generation") or 0),
            status=PackedObject(raw.get("status") or {}),
            held=FINALIZER in (metadata.get("finalizers") or ()),
            deleting=metadata.get("deletionTimestamp") is not None,
        )
        if before is not None:
            value = before.value if value == before.value else value
            stored = before.stored if stored == before.stored else stored
        return CachedObject(uid=uid, resource_version=version, value=value, stored=stored)

    def _remove(self, key: Key, uid: str) -> Change[T] | None:
        entry = self._objects.get(key)
        if entry is None or entry.uid != uid:
            return None
        del self._objects[key]
        return Change(before=entry, after=None)

    def _bury(self, uid: str) -> None:
        self._deleted[uid] = None
        while len(self._deleted) > _REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)


def version_of(text: object) -> int:
    """A resource version as a number; 0 for what is none.

    Resource versions grow within a kind and are comparable as integers (Kubernetes 1.35, KEP 5504, says so).
    """
    try:
        return int(str(text))
    except ValueError:
        return 0
