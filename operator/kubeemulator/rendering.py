"""The forms in which a client may ask for objects: as they are, as table rows, or their metadata only."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource
    from kubeemulator.store import Entry

_META: Final = "meta.k8s.io/v1"


class Form(StrEnum):
    """The form of an answer, named as the `as=` parameter of the Accept header names it."""

    PLAIN = ""
    TABLE = "Table"
    PARTIAL = "PartialObjectMetadata"
    PARTIAL_LIST = "PartialObjectMetadataList"


def wanted_form(accept: str) -> Form:
    """The first form of the Accept header that is served here."""
    for choice in accept.split(","):
        found = re.search(r"\bas=(\w+)", choice)
        if found and found[1] in set(Form) and ("g=meta.k8s.io" in choice):
            return Form(found[1])
        if choice.split(";")[0].strip() in {"application/json", "*/*"} and not found:
            return Form.PLAIN
    return Form.PLAIN


def rendered_object(resource: Resource, entry: Entry, form: Form, query: Mapping[str, str]) -> bytes:
    """One object in the wanted form."""
    match form:
        case Form.PLAIN:
            return entry.wire
        case Form.TABLE:
            version = entry.obj["metadata"].get("resourceVersion", "")
            return orjson.dumps(_table(resource, [entry.obj], {"resourceVersion": version}, query))
        case Form.PARTIAL | Form.PARTIAL_LIST:
            return orjson.dumps(_partial(entry.obj))


def rendered_list(
    resource: Resource, entries: Iterable[Entry], metadata: JsonObject, form: Form, query: Mapping[str, str]
) -> bytes:
    """A list of objects in the wanted form."""
    match form:
        case Form.PLAIN:
            start = orjson.dumps(
                {"apiVersion": resource.api_version, "kind": resource.kind_of_list, "metadata": metadata}
            )
            items = b",".join(entry.wire for entry in entries)
            return start[:-1] + b',"items":[' + items + b"]}"
        case Form.TABLE:
            return orjson.dumps(_table(resource, [entry.obj for entry in entries], metadata, query))
        case Form.PARTIAL | Form.PARTIAL_LIST:
            partial = [_partial(entry.obj) for entry in entries]
            listed = {"apiVersion": _META, "kind": "PartialObjectMetadataList", "metadata": metadata, "items": partial}
            return orjson.dumps(listed)


def _table(resource: Resource, objects: list[JsonObject], metadata: JsonObject, query: Mapping[str, str]) -> JsonObject:
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description or column.name,
            "priority": column.priority,
        }
        for column in resource.columns
    ]
    whole = query.get("includeObject") == "Object"
    bare = query.get("includeObject") == "None"
    rows = [
        {"cells": [column.cell(obj) for column in resource.columns]}
        | ({} if bare else {"object": obj if whole else _partial(obj)})
        for obj in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _partial(obj: JsonObject) -> JsonObject:
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}
