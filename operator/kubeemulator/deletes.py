"""Deleting objects: finalizers, preconditions, collections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kubeemulator import errors
from kubeemulator.builtin import DEFINITIONS, NAMESPACES
from kubeemulator.clock import now_text
from kubeemulator.cluster import in_version
from kubeemulator.jsontypes import JsonObject, list_at, object_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.cluster import Call, Cluster
    from kubeemulator.store import Entry

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"


def delete(cluster: Cluster, call: Call, options: JsonObject) -> JsonObject:
    """Delete an object, or mark it while finalizers hold it.

    Returns:
        The marked object, or a Status when it is gone.

    Raises:
        ApiError: 404, or 409 for a precondition that does not hold.
    """
    entry = cluster.find(call.resource, call.key)
    if entry is None:
        raise errors.not_found(call.resource, call.name)
    _check_preconditions(call, entry.obj, object_at(options, "preconditions"))
    if call.options.dry_run or options.get("dryRun"):
        return entry.obj
    marked = mark_deleted(cluster, call, str(options.get("propagationPolicy", "Background")))
    return marked.obj if marked is not None else _success(call, entry.obj)


def mark_deleted(cluster: Cluster, call: Call, propagation: str = "Background") -> Entry | None:
    """Remove an object, or mark it as being deleted.

    Returns:
        The marked object; None when it is gone.
    """
    stored = cluster.store.get(call.resource.storage, call.key)
    if stored is None:
        return None
    metadata = stored.obj["metadata"]
    holds = _holds(cluster, call, stored.obj, propagation)
    if metadata.get("deletionTimestamp"):
        return in_version(call.resource, stored)
    if not holds and call.resource is not NAMESPACES:
        cluster.store.remove(call.resource.storage, call.key)
        return None
    marked = {**metadata, "deletionTimestamp": now_text(), "deletionGracePeriodSeconds": 0}
    if holds:
        marked["finalizers"] = holds
    if "generation" in metadata:
        marked["generation"] = metadata["generation"] + 1
    obj = {**stored.obj, "metadata": marked}
    if call.resource is NAMESPACES:
        obj["status"] = {"phase": "Terminating"}
    return in_version(call.resource, cluster.store.put(call.resource.storage, call.key, obj))


def _holds(cluster: Cluster, call: Call, obj: JsonObject, propagation: str) -> list[str]:
    """The finalizers that keep the object for now, the server's own ones included."""
    holds = list(list_at(obj["metadata"], "finalizers"))
    waits = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(propagation)
    if waits and cluster.store.dependents_of(obj["metadata"]["uid"]):
        holds.append(waits)
        cluster.waiting.add((call.resource.storage, call.key))
    if call.resource is DEFINITIONS:
        holds.append(CLEANUP)
    return list(dict.fromkeys(holds))


def delete_collection(cluster: Cluster, call: Call, selected: Callable[[JsonObject], bool]) -> list[Entry]:
    """Delete every selected object of a resource, in one namespace or in all.

    Returns:
        The objects as they were.
    """
    found = [
        (key, in_version(call.resource, entry))
        for key, entry in sorted(cluster.store.bucket(call.resource.storage).entries.items())
        if call.namespace in {"", key[0]}
    ]
    chosen = [(key, entry) for key, entry in found if selected(entry.obj)]
    if not call.options.dry_run:
        for namespace, name in [key for key, _ in chosen]:
            mark_deleted(cluster, replace(call, namespace=namespace, name=name))
    return [entry for _, entry in chosen]


def release(cluster: Cluster, call: Call, finalizer: str) -> None:
    """Take one finalizer of the server's own off an object that is being deleted; the last one removes it."""
    stored = cluster.store.get(call.resource.storage, call.key)
    if stored is None:
        return
    metadata = stored.obj["metadata"]
    left = [name for name in list_at(metadata, "finalizers") if name != finalizer]
    if left:
        obj = {**stored.obj, "metadata": {**metadata, "finalizers": left}}
        cluster.store.put(call.resource.storage, call.key, obj)
        return
    if call.resource is DEFINITIONS:
        cluster.registry.unregister(call.name)
    cluster.store.remove(call.resource.storage, call.key)


def _check_preconditions(call: Call, obj: JsonObject, wanted: JsonObject) -> None:
    observed = obj["metadata"]
    for key, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(key) and wanted[key] != observed[key]:
            why = f"{label} in precondition: {wanted[key]}, {label} in object meta: {observed[key]}"
            raise errors.conflict(call.resource, call.name, f"Precondition failed: {why}")


def _success(call: Call, obj: JsonObject) -> JsonObject:
    details = {
        "name": call.name,
        "group": call.resource.group,
        "kind": call.resource.plural,
        "uid": obj["metadata"]["uid"],
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
