"""The OpenAPI documents from which kubectl validates, explains and decides how to patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator.jsontypes import JsonObject, JsonValue, object_at
from kubeemulator.structural import PRESERVE

if TYPE_CHECKING:
    from kubeemulator.kinds import Resource
    from kubeemulator.registry import Registry

V2_PROTOBUF: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""How kubectl asks for the v2 document before it validates a `List` by itself; every newer command reads v3."""

EMPTY_V2_PROTOBUF: Final = b"\x0a\x032.0"
"""A protobuf document of the v2 dialect with no definitions, for which kubectl skips its own validation."""

_GVK: Final = "x-kubernetes-group-version-kind"
_WRITE_PARAMETERS: Final = ("dryRun", "fieldManager", "fieldValidation")
_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_METADATA_SCHEMA: Final[JsonObject] = {
    "description": "ObjectMeta is metadata that all persisted resources must have.",
    "type": "object",
    "properties": {
        "annotations": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Unstructured map.",
        },
        "creationTimestamp": {"type": "string", "format": "date-time", "description": "When the object was created."},
        "deletionTimestamp": {"type": "string", "format": "date-time", "description": "When deletion was asked for."},
        "finalizers": {"type": "array", "items": {"type": "string"}, "description": "What holds the deletion."},
        "generation": {"type": "integer", "format": "int64", "description": "Counts changes of the desired state."},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Map for selection."},
        "name": {"type": "string", "description": "Unique within a namespace."},
        "namespace": {"type": "string", "description": "The space within which the name is unique."},
        "ownerReferences": {"type": "array", "items": {"type": "object"}, "description": "Objects depended on."},
        "resourceVersion": {"type": "string", "description": "Opaque internal version of the object."},
        "uid": {"type": "string", "description": "Unique in time and space."},
    },
}


def v3_index(registry: Registry) -> JsonObject:
    """The answer to `/openapi/v3`."""
    places = dict.fromkeys(_place(resource) for resource in registry.all())
    version = registry.generation
    return {"paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}?hash={version}"} for place in places}}


def v3_document(registry: Registry, place: str) -> JsonObject | None:
    """The answer to `/openapi/v3/<place>`, or None when nothing is served there."""
    found = [resource for resource in registry.all() if _place(resource) == place]
    if not found:
        return None
    schemas: JsonObject = {_METADATA: _METADATA_SCHEMA}
    schemas |= {_title(resource): _schema(resource, "#/components/schemas/") for resource in found}
    paths = {path: item for resource in found for path, item in _paths(resource, "v3").items()}
    info = {"title": "Kubernetes", "version": "v1.32.0"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def v2_document(registry: Registry) -> JsonObject:
    """The answer to `/openapi/v2`."""
    resources = registry.all()
    definitions: JsonObject = {_METADATA: _METADATA_SCHEMA}
    definitions |= {_title(resource): _schema(resource, "#/definitions/") for resource in resources}
    paths = {path: item for resource in resources for path, item in _paths(resource, "v2").items()}
    info = {"title": "Kubernetes", "version": "v1.32.0"}
    return {"swagger": "2.0", "info": info, "paths": paths, "definitions": definitions}


def _place(resource: Resource) -> str:
    return f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"


def _title(resource: Resource) -> str:
    reversed_group = ".".join(reversed(resource.group.split("."))) if resource.group else "io.k8s.api.core"
    return f"{reversed_group}.{resource.version}.{resource.kind}"


def _schema(resource: Resource, prefix: str) -> JsonObject:
    source: JsonObject = resource.schema.source if resource.schema is not None else {PRESERVE: True}
    metadata = {
        "allOf": [{"$ref": f"{prefix}{_METADATA}"}],
        "default": {},
        "description": "Standard object's metadata.",
    }
    envelope: JsonObject = {
        "apiVersion": {"type": "string", "description": "The versioned schema of this representation of an object."},
        "kind": {"type": "string", "description": "The REST resource this object represents."},
        "metadata": metadata,
    }
    properties = {**object_at(source, "properties"), **envelope}
    body = {key: value for key, value in source.items() if key not in {"properties", "required"}}
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {"type": "object", **body, "properties": properties, _GVK: [gvk]}


def _paths(resource: Resource, dialect: str) -> JsonObject:
    root = f"/{_place(resource)}"
    within = (
        f"{root}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    )
    named_verbs = ("get", "put", "patch", "delete")
    paths: JsonObject = {
        within: {verb: _operation(resource, verb, dialect) for verb in ("get", "post")},
        f"{within}/{{name}}": {verb: _operation(resource, verb, dialect) for verb in named_verbs},
    }
    if resource.namespaced:
        paths[f"{root}/{resource.plural}"] = {"get": _operation(resource, "get", dialect)}
    return paths


def _operation(resource: Resource, verb: str, dialect: str) -> JsonObject:
    action = {"get": "get", "post": "post", "put": "put", "patch": "patch", "delete": "delete"}[verb]
    text: JsonValue = {"type": "string"}
    typed = {"schema": text} if dialect == "v3" else text
    writes = verb in {"post", "put", "patch"}
    parameters = [{"name": name, "in": "query", **typed} for name in _WRITE_PARAMETERS] if writes else []
    return {
        "operationId": f"{verb}{resource.version}{resource.kind}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        _GVK: {"group": resource.group, "version": resource.version, "kind": resource.kind},
    }
