"""Listing objects: selection, order, pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeemulator.cluster import Cluster, in_version
from kubeemulator.errors import ApiError
from kubeemulator.options import ListOptions, continue_token
from kubeemulator.selectors import field_selector, label_selector, named_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource
    from kubeemulator.store import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list."""

    entries: list[Entry]
    metadata: JsonObject


def selection(resource: Resource, namespace: str, options: ListOptions) -> Callable[[JsonObject], bool]:
    """Whether an object is one that a list or watch asks for.

    Raises:
        ApiError: 400, a selector cannot be understood.
    """
    by_label = label_selector(options.label_selector)
    by_field = field_selector(options.field_selector, resource)

    def selected(obj: JsonObject) -> bool:
        return (
            (not namespace or obj["metadata"].get("namespace") == namespace)
            and (by_label is None or by_label(obj))
            and (by_field is None or by_field(obj))
        )

    return selected


def list_page(cluster: Cluster, resource: Resource, namespace: str, options: ListOptions) -> Page:
    """The objects asked for, in the order of their keys.

    Later pages continue after the last key of the one before, over the present objects.

    Raises:
        ApiError: 400 for a bad selector, 410 for a page whose history is gone, 504 for a version of the future.
    """
    selected = selection(resource, namespace, options)
    bucket = cluster.store.bucket(resource.storage)
    revision = cluster.store.revision
    if options.page_revision is not None and options.page_revision < bucket.floor:
        raise ApiError(
            410, "Expired", "The provided continue parameter is too old to display a consistent list result."
        )
    if options.resource_version is not None and options.resource_version > revision:
        raise ApiError(504, "Timeout", f"Too large resource version: {options.resource_version}, current: {revision}")
    name = named_only(options.field_selector)
    narrow = {(namespace, name)} if name and (namespace or not resource.namespaced) else None
    keys = sorted(bucket.entries.keys() & narrow if narrow is not None else bucket.entries)
    chosen: list[Entry] = []
    shown_revision = options.page_revision or revision
    for position, key in enumerate(keys):
        if options.after is not None and key <= options.after:
            continue
        entry = in_version(resource, bucket.entries[key])
        if not selected(entry.obj):
            continue
        if options.limit and len(chosen) == options.limit:
            last = chosen[-1].obj["metadata"]
            token = continue_token((last.get("namespace", ""), last["name"]), shown_revision)
            metadata: JsonObject = {"resourceVersion": str(shown_revision), "continue": token}
            if not options.label_selector and not options.field_selector and not namespace:
                metadata["remainingItemCount"] = len(keys) - position
            return Page(entries=chosen, metadata=metadata)
        chosen.append(entry)
    return Page(entries=chosen, metadata={"resourceVersion": str(shown_revision)})
