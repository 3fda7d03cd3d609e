"""Creating and changing objects: metadata, generation, status subresource, validation, conflicts.

The order of steps is that of the real server's generic registry (`k8s.io/apiserver/pkg/registry/rest`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator import errors, fielderrors, preparation, serverside
from kubeemulator.builtin import DEFINITIONS, NAMESPACES
from kubeemulator.cluster import Call, Cluster, in_version
from kubeemulator.events import as_stored
from kubeemulator.jsontypes import JsonObject, JsonValue, list_at, object_at
from kubeemulator.patches import json_patch, merge_patch, strategic_merge_patch
from kubeemulator.store import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.kinds import Resource

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"


def create(cluster: Cluster, call: Call, body: JsonObject) -> Entry:
    """Create an object from what was sent.

    Raises:
        ApiError: It cannot be created.
    """
    resource = call.resource
    body = preparation.typed(resource, body)
    metadata = preparation.new_metadata(call, object_at(body, "metadata"))
    _check_namespace(cluster, call)
    obj = {**body, "metadata": metadata}
    if resource.has_status and "status" in obj:
        del obj["status"]
    obj = preparation.admitted(call, obj, None)
    obj = preparation.claimed(call, obj, None)
    key = (call.namespace, metadata["name"])
    if cluster.store.get(resource.storage, key) is not None:
        raise errors.already_exists(resource, metadata["name"])
    if call.options.dry_run:
        return Entry(obj)
    return _stored(cluster, resource, key, obj)


def replace(cluster: Cluster, call: Call, body: JsonObject) -> Entry:
    """Replace an object by what was sent (PUT).

    Raises:
        ApiError: It cannot be replaced.
    """
    body = preparation.typed(call.resource, body)
    stored = _existing(cluster, call)
    sent = object_at(body, "metadata")
    preparation.check_sent_names(call, sent)
    if call.resource.is_custom and not sent.get("resourceVersion"):
        required = fielderrors.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise errors.invalid(call.resource, call.name, [required])
    return _changed(cluster, call, stored, body)


def patch(cluster: Cluster, call: Call, content_type: str, change: JsonValue) -> tuple[Entry, bool]:
    """Patch an object; an apply creates it when it is absent.

    Returns:
        The object, and whether it was created.

    Raises:
        ApiError: The patch does not apply, or its result is refused.
    """
    if content_type == APPLY_PATCH:
        return _apply(cluster, call, change)
    apply = _PATCHES.get(content_type)
    accepted = [*_PATCHES, APPLY_PATCH]
    if call.resource.is_custom or call.resource is DEFINITIONS:
        accepted.remove(STRATEGIC_PATCH)
    if apply is None or content_type not in accepted:
        raise errors.unsupported_media_type(content_type, accepted)
    stored = _existing(cluster, call)
    patched = apply(stored.obj, change)
    if not isinstance(patched, dict):
        raise errors.bad_request("the patch is no object")
    preparation.check_type(call.resource, patched)
    preparation.check_sent_names(call, object_at(patched, "metadata"))
    return _changed(cluster, call, stored, patched), False


_PATCHES: Final[dict[str, Callable[[JsonObject, JsonValue], JsonValue]]] = {
    JSON_PATCH: json_patch,
    MERGE_PATCH: merge_patch,
    STRATEGIC_PATCH: strategic_merge_patch,
}


def _apply(cluster: Cluster, call: Call, applied: JsonValue) -> tuple[Entry, bool]:
    if not isinstance(applied, dict):
        raise errors.bad_request("an apply needs an object")
    preparation.check_type(call.resource, applied)
    sent = object_at(applied, "metadata")
    preparation.check_sent_names(call, sent)
    if sent.get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    stored = cluster.find(call.resource, call.key)
    if stored is None and call.subresource:
        raise errors.not_found(call.resource, call.name)
    schema = call.resource.schema.source if call.resource.schema is not None else {}
    live = stored.obj if stored is not None else None
    merged = serverside.apply(schema, live, applied, preparation.writer(call), force=call.options.force)
    if stored is not None:
        return _changed(cluster, call, stored, merged, claims_ready=True), False
    return _created_by_apply(cluster, call, merged), True


def _created_by_apply(cluster: Cluster, call: Call, merged: JsonObject) -> Entry:
    metadata = {**preparation.new_metadata(call, object_at(merged, "metadata"))}
    metadata["managedFields"] = list_at(object_at(merged, "metadata"), "managedFields")
    _check_namespace(cluster, call)
    obj = {**merged, "metadata": metadata}
    if call.resource.has_status:
        obj.pop("status", None)
    obj = preparation.admitted(call, obj, None)
    return Entry(obj) if call.options.dry_run else _stored(cluster, call.resource, call.key, obj)


def _changed(cluster: Cluster, call: Call, stored: Entry, new: JsonObject, *, claims_ready: bool = False) -> Entry:
    old, resource = stored.obj, call.resource
    sent = object_at(new, "metadata")
    _check_preconditions(call, old, sent)
    obj = preparation.merged_with_old(call, old, new)
    obj = preparation.admitted(call, obj, old)
    obj = preparation.with_generation(resource, old, obj)
    if not claims_ready:
        obj = preparation.claimed(call, obj, old)
    if preparation.same_but_times(old, obj):
        return stored
    if call.options.dry_run:
        return Entry(obj)
    if obj["metadata"].get("deletionTimestamp") and not obj["metadata"].get("finalizers"):
        removed = _removed(cluster, call, obj)
        if removed is not None:
            return removed
    return _stored(cluster, resource, call.key, obj)


def _removed(cluster: Cluster, call: Call, obj: JsonObject) -> Entry | None:
    """The last finalizer went: the object goes too (a namespace only once its own spec.finalizers are empty)."""
    if call.resource is NAMESPACES and list_at(object_at(obj, "spec"), "finalizers"):
        return None
    if call.resource is DEFINITIONS:
        cluster.registry.unregister(call.name)
    entry = cluster.store.remove(call.resource.storage, call.key, last=as_stored(call.resource, obj))
    return None if entry is None else in_version(call.resource, entry)


def _stored(cluster: Cluster, resource: Resource, key: tuple[str, str], obj: JsonObject) -> Entry:
    entry = cluster.store.put(resource.storage, key, as_stored(resource, obj))
    if resource is DEFINITIONS:
        cluster.registry.register(entry.obj)
    return in_version(resource, entry)


def _existing(cluster: Cluster, call: Call) -> Entry:
    entry = cluster.find(call.resource, call.key)
    if entry is None:
        raise errors.not_found(call.resource, call.name)
    return entry


def _check_namespace(cluster: Cluster, call: Call) -> None:
    if not call.namespace:
        return
    found = cluster.store.get(NAMESPACES.storage, ("", call.namespace))
    if found is None:
        raise errors.not_found(NAMESPACES, call.namespace)
    if found.obj["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
        raise errors.forbidden(call.resource, call.name, why)


def _check_preconditions(call: Call, old: JsonObject, sent: JsonObject) -> None:
    observed = old["metadata"]
    version, uid = sent.get("resourceVersion"), sent.get("uid")
    if uid and uid != observed["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {observed['uid']}"
        raise errors.conflict(call.resource, call.name, why)
    if version and version != observed["resourceVersion"]:
        raise errors.modified(call.resource, call.name)
