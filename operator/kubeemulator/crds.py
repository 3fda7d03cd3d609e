"""CustomResourceDefinitions: what they lack filled in, and the resources that they make the server serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeemulator.admission import Schema
from kubeemulator.columns import declared_columns
from kubeemulator.jsontypes import JsonObject, list_at, object_at
from kubeemulator.kinds import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator


def completed(definition: JsonObject) -> JsonObject:
    """A definition with its names and conversion defaulted."""
    spec = object_at(definition, "spec")
    names = object_at(spec, "names")
    kind = str(names.get("kind", ""))
    defaults = {"singular": kind.lower(), "listKind": f"{kind}List"}
    conversion = spec.get("conversion", {"strategy": "None"})
    return {**definition, "spec": {**spec, "names": {**defaults, **names}, "conversion": conversion}}


def established(definition: JsonObject, *, now: str) -> JsonObject:
    """A definition whose status says that it is served."""
    spec = object_at(definition, "spec")
    storage = [version["name"] for version in list_at(spec, "versions") if version.get("storage")]
    conditions = [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
    ]
    observed = object_at(definition, "status")
    stored = sorted({*list_at(observed, "storedVersions"), *storage})
    status = {
        "acceptedNames": object_at(spec, "names"),
        "conditions": list_at(observed, "conditions") or conditions,
        "storedVersions": stored,
    }
    return {**definition, "status": status}


def _condition(kind: str, reason: str, message: str, now: str) -> JsonObject:
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}


def resources_of(definition: JsonObject) -> Iterator[Resource]:
    """The resources of a definition, one for each served version."""
    spec = object_at(definition, "spec")
    names = object_at(spec, "names")
    for version in list_at(spec, "versions"):
        if not version.get("served"):
            continue
        yield Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            namespaced=spec["scope"] == "Namespaced",
            singular=names.get("singular", ""),
            list_kind=names.get("listKind", ""),
            short_names=tuple(list_at(names, "shortNames")),
            categories=tuple(list_at(names, "categories")),
            has_status="status" in object_at(version, "subresources"),
            has_generation=True,
            schema=Schema(object_at(object_at(version, "schema"), "openAPIV3Schema")),
            columns=declared_columns(version),
            selectable_fields=tuple(
                str(field["jsonPath"]).removeprefix(".") for field in list_at(version, "selectableFields")
            ),
            is_custom=True,
        )


def storage_version(definition: JsonObject) -> str:
    """The name of the version in which objects are stored."""
    versions = list_at(object_at(definition, "spec"), "versions")
    return str(next(version["name"] for version in versions if version.get("storage")))
