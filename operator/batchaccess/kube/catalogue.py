"""The live reading of everything declared: what the sweeps take a `Catalogue` from and the statuses are compared with.

Fed by watch events, by whole lists and by the answers to our own writes. Decides nothing; it only tells what changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from batchaccess.api import ABANDON, ADOPT, REQUESTED_AT
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.model import JsonObject
from batchaccess.kube.cache import CachedObject, Change, Key, KindCache
from batchaccess.kube.listing import KubeListing
from batchaccess.kube.resources import CONNECTIONS, KUBE_SYSTEM, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.ports import Catalogue, InvalidObject, StoredStatus

Connection: TypeAlias = AccountConnection | InvalidObject
Policy: TypeAlias = AccessPolicy | InvalidObject
Labels: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolIdentity:
    """Which live pool a BatchPoolAccess stands for, which connection owns it, and what people ask of it."""

    connection: str
    pool_id: str
    owner_uid: str | None
    requested_at: str | None
    adopt: str | None = None
    abandon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A change of one object of one kind."""

    resource: Resource
    change: Change[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoders:
    """How the two kinds that people write become values; they report problems as `InvalidObject`, never raise."""

    connection: Callable[[JsonObject], Connection]
    policy: Callable[[JsonObject], Policy]


class LiveCatalogue:
    """What is in Kubernetes now, as far as we read it. Implements `ports.PolicyStore`."""

    def __init__(self, decoders: Decoders) -> None:
        self._connections: KindCache[Connection] = KindCache(decoders.connection)
        self._policies: KindCache[Policy] = KindCache(decoders.policy)
        self._pool_accesses: KindCache[PoolIdentity] = KindCache(_pool_identity)
        self._namespaces: KindCache[Labels] = KindCache(_labels)
        self._caches: dict[Resource, KindCache[Any]] = {
            CONNECTIONS: self._connections,
            POLICIES: self._policies,
            POOL_ACCESSES: self._pool_accesses,
            NAMESPACES: self._namespaces,
        }
        self._pool_names: dict[str, set[str]] = {}
        self._listeners: list[Callable[[Reading], None]] = []
        self._version = 0
        self._catalogue: Catalogue | None = None

    def subscribe(self, listener: Callable[[Reading], None]) -> None:
        """Have `listener` called after each change; it must not block or raise."""
        self._listeners.append(listener)

    def observe(self, resource: Resource, raw: JsonObject, *, deleted: bool = False) -> None:
        """Take in one object, from a watch event or from the answer to a write."""
        cache = self._cache(resource)
        change = cache.drop(raw) if deleted else cache.put(raw)
        if change is not None:
            self._note(Reading(resource=resource, change=change))

    def newest_version(self, resource: Resource) -> int:
        """The highest version of anything that was ever read of a kind."""
        return self._cache(resource).newest

    def is_outdated(self, resource: Resource, raw: JsonObject) -> bool:
        """Whether something newer was read of an object, or its deletion."""
        return self._cache(resource).is_outdated(raw)

    def replace(self, resource: Resource, listing: KubeListing, *, began_after: int = 0) -> Sequence[Reading]:
        """Take in a whole list; what it told that was new.

        `began_after` is the `newest_version` from before the list was asked for.
        """
        changes = self._cache(resource).replace(listing, began_after=began_after)
        readings = [Reading(resource=resource, change=change) for change in changes]
        for reading in readings:
            self._note(reading)
        return readings

    def catalogue(self) -> Catalogue:
        """The latest reading of what is valid; the same object while nothing changed."""
        if self._catalogue is None:
            self._catalogue = self._take_catalogue()
        return self._catalogue

    def connections(self) -> Sequence[CachedObject[Connection]]:
        """Every connection, the invalid ones too, by name."""
        return sorted(self._connections, key=_by_key)

    def policies(self) -> Sequence[CachedObject[Policy]]:
        """Every policy, the invalid ones too, by namespace and name."""
        return sorted(self._policies, key=_by_key)

    def connection(self, name: str) -> CachedObject[Connection] | None:
        """One connection, valid or not."""
        return self._connections.get((None, name))

    def handled_request(self, name: str) -> str | None:
        """The `batchaccess.dev/requested-at` that the status of a connection says was answered last."""
        found = self.connection(name)
        handled = None if found is None else found.stored.status.get("lastHandledRequestedAt")
        return handled if isinstance(handled, str) else None

    def policy(self, key: Key) -> CachedObject[Policy] | None:
        """One policy, valid or not."""
        return self._policies.get(key)

    def pool_access(self, name: str) -> CachedObject[PoolIdentity] | None:
        """One BatchPoolAccess."""
        return self._pool_accesses.get((None, name))

    def pool_accesses(self, connection: str) -> Mapping[str, CachedObject[PoolIdentity]]:
        """The BatchPoolAccess objects of one connection, by name."""
        names = self._pool_names.get(connection, ())
        found = ((name, self._pool_accesses.get((None, name))) for name in names)
        return {name: entry for name, entry in found if entry is not None}

    def stored(self, resource: Resource, *, namespace: str | None, name: str) -> StoredStatus | None:
        """The status stored for one object; the same value while it did not change."""
        entry = self._cache(resource).get((namespace, name))
        return None if entry is None else entry.stored

    def cluster_uid(self) -> str | None:
        """The UID of the namespace kube-system, which is unique to a cluster and never changes."""
        entry = self._namespaces.get((None, KUBE_SYSTEM))
        return None if entry is None else entry.uid

    def labels_around(self, reading: Reading) -> Mapping[str, Labels]:
        """The labels of the namespace that a changed object is or was in, by its name; nothing if there are none.

        Unlike `Catalogue.namespace_labels` it also knows the namespace of a policy that was the last one there.
        """
        entry = reading.change.after or reading.change.before
        namespace = None if entry is None else entry.stored.namespace
        found = None if namespace is None else self._namespaces.get((None, namespace))
        return {} if namespace is None or found is None else {namespace: found.value}

    def resource_version(self, resource: Resource, key: Key) -> int | None:
        """The version of the reading we have of one object."""
        entry = self._cache(resource).get(key)
        return None if entry is None else entry.resource_version

    def _cache(self, resource: Resource) -> KindCache[Any]:
        return self._caches[resource]

    def _note(self, reading: Reading) -> None:
        if reading.resource == POOL_ACCESSES:
            self._index_pool(reading.change)
        elif reading.change.is_of_value and self._concerns_catalogue(reading):
            self._version += 1
            self._catalogue = None
        for listener in self._listeners:
            listener(reading)

    def _concerns_catalogue(self, reading: Reading) -> bool:
        """Namespaces without policies come and go without anybody looking."""
        if reading.resource != NAMESPACES:
            return True
        entry = reading.change.after or reading.change.before
        return entry is not None and any(policy.stored.namespace == entry.stored.name for policy in self._policies)

    def _index_pool(self, change: Change[PoolIdentity]) -> None:
        if change.before is not None:
            self._pool_names.get(change.before.value.connection, set()).discard(change.before.stored.name)
        if change.after is not None:
            self._pool_names.setdefault(change.after.value.connection, set()).add(change.after.stored.name)

    def _take_catalogue(self) -> Catalogue:
        policies = [entry.value for entry in self.policies() if isinstance(entry.value, AccessPolicy)]
        namespaces = sorted({policy.key.namespace for policy in policies})
        labels = {name: self._namespaces.get((None, name)) for name in namespaces}
        return Catalogue(
            version=self._version,
            connections=[entry.value for entry in self.connections() if isinstance(entry.value, AccountConnection)],
            policies=policies,
            namespace_labels={name: entry.value for name, entry in labels.items() if entry is not None},
        )


def _by_key(entry: CachedObject[Any]) -> tuple[str, str]:
    namespace, name = entry.key
    return namespace or "", name


def _labels(raw: JsonObject) -> Labels:
    return dict(raw["metadata"].get("labels") or {})


def _pool_identity(raw: JsonObject) -> PoolIdentity:
    spec, metadata = raw.get("spec") or {}, raw["metadata"]
    annotations = metadata.get("annotations") or {}
    owners = [owner for owner in metadata.get("ownerReferences") or () if owner.get("kind") == CONNECTIONS.kind]
    return PoolIdentity(
        connection=str(spec.get("connection") or ""),
        pool_id=str(spec.get("poolId") or ""),
        owner_uid=str(owners[0].get("uid")) if owners else None,
        requested_at=annotations.get(REQUESTED_AT),
        adopt=annotations.get(ADOPT),
        abandon=annotations.get(ABANDON) == "true",
    )
