"""The clean-up that a cluster's controllers do: dependents of removed owners, contents of namespaces and definitions.

It runs to rest after every write, so that a test sees its effects in the next request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator.authn import ADMINISTRATOR
from kubeemulator.builtin import DEFINITIONS, NAMESPACES
from kubeemulator.cluster import Call, Cluster
from kubeemulator.deletes import CLEANUP, FOREGROUND, ORPHAN, mark_deleted, release
from kubeemulator.jsontypes import JsonObject, list_at, object_at
from kubeemulator.options import WriteOptions
from kubeemulator.store import Key, owner_uids

if TYPE_CHECKING:
    from kubeemulator.kinds import Resource

_OPTIONS: Final = WriteOptions(dry_run=False, field_validation="Ignore", field_manager="kubeemulator", force=False)


def settle(cluster: Cluster) -> None:
    """Clean up until nothing is left to clean; each round removes or marks something, so it ends."""
    revision = -1
    while revision != cluster.store.revision:
        revision = cluster.store.revision
        _collect_dependents(cluster)
        for bucket, key in sorted(cluster.waiting):
            _follow_propagation(cluster, bucket, key)
        for key in _terminating(cluster, NAMESPACES):
            _empty_namespace(cluster, key)
        for key in _terminating(cluster, DEFINITIONS):
            _empty_definition(cluster, key)


def note_dangling_owners(cluster: Cluster, obj: JsonObject) -> None:
    """Have an object collected whose owners do not exist (any more)."""
    cluster.store.vanished.extend(uid for uid in owner_uids(obj) if cluster.store.with_uid(uid) is None)


def _follow_propagation(cluster: Cluster, bucket: str, key: Key) -> None:
    """Do what a foreground or orphaning deletion asks for the dependents of an object."""
    resource, stored = cluster.registry.of_storage(bucket), cluster.store.get(bucket, key)
    if resource is None or stored is None:
        cluster.waiting.discard((bucket, key))
        return
    uid, finalizers = stored.obj["metadata"]["uid"], list_at(stored.obj["metadata"], "finalizers")
    if ORPHAN in finalizers:
        for place in cluster.store.dependents_of(uid):
            _drop_owner(cluster, place, uid)
        release(cluster, _call(resource, key), ORPHAN)
        cluster.waiting.discard((bucket, key))
    elif FOREGROUND in finalizers:
        for holder, dependent in cluster.store.dependents_of(uid):
            _delete(cluster, holder, dependent)
        if not cluster.store.dependents_of(uid):
            release(cluster, _call(resource, key), FOREGROUND)
            cluster.waiting.discard((bucket, key))


def _collect_dependents(cluster: Cluster) -> None:
    store = cluster.store
    while store.vanished:
        uid = store.vanished.pop()
        for bucket, key in store.dependents_of(uid):
            entry = store.get(bucket, key)
            if entry is None:
                continue
            owners = owner_uids(entry.obj)
            if any(store.with_uid(owner) for owner in owners):
                _drop_owner(cluster, (bucket, key), uid)
            else:
                _delete(cluster, bucket, key)


def _delete(cluster: Cluster, bucket: str, key: Key) -> None:
    resource = cluster.registry.of_storage(bucket)
    if resource is not None:
        mark_deleted(cluster, _call(resource, key))


def _drop_owner(cluster: Cluster, place: tuple[str, Key], uid: str) -> None:
    bucket, key = place
    entry = cluster.store.get(bucket, key)
    if entry is None:
        return
    metadata = entry.obj["metadata"]
    left = [owner for owner in list_at(metadata, "ownerReferences") if owner.get("uid") != uid]
    kept = {name: value for name, value in metadata.items() if name != "ownerReferences"}
    changed = {**kept, "ownerReferences": left} if left else kept
    cluster.store.put(bucket, key, {**entry.obj, "metadata": changed})


def _terminating(cluster: Cluster, resource: Resource) -> list[Key]:
    entries = cluster.store.bucket(resource.storage).entries
    return [key for key, entry in entries.items() if entry.obj["metadata"].get("deletionTimestamp")]


def _empty_namespace(cluster: Cluster, key: Key) -> None:
    name = key[1]
    remaining = 0
    for bucket, content in cluster.store.buckets():
        for inside in [found for found in content.entries if found[0] == name]:
            _delete(cluster, bucket, inside)
            remaining += inside in content.entries
    stored = cluster.store.get(NAMESPACES.storage, key)
    if not remaining and stored is not None and not list_at(stored.obj["metadata"], "finalizers"):
        cluster.store.remove(NAMESPACES.storage, key)


def _empty_definition(cluster: Cluster, key: Key) -> None:
    stored = cluster.store.get(DEFINITIONS.storage, key)
    if stored is None:
        return
    spec = object_at(stored.obj, "spec")
    bucket = f"{object_at(spec, 'names').get('plural')}.{spec.get('group')}"
    content = cluster.store.bucket(bucket)
    for inside in list(content.entries):
        _delete(cluster, bucket, inside)
    if not content.entries:
        release(cluster, _call(DEFINITIONS, key), CLEANUP)


def _call(resource: Resource, key: Key) -> Call:
    namespace, name = key
    return Call(resource=resource, namespace=namespace, name=name, subresource="", user=ADMINISTRATOR, options=_OPTIONS)
