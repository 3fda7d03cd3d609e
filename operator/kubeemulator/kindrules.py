"""The few rules of built-in kinds that something here depends on: what is filled in, and what is refused."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from kubeemulator import fielderrors
from kubeemulator.builtin import DEFINITIONS, NAMESPACES, SECRETS
from kubeemulator.clock import now_text
from kubeemulator.crdchecks import definition_errors
from kubeemulator.crds import completed as completed_definition
from kubeemulator.crds import established
from kubeemulator.jsontypes import JsonObject, object_at, same_json

if TYPE_CHECKING:
    from kubeemulator.fielderrors import FieldError
    from kubeemulator.kinds import Resource


def completed(resource: Resource, obj: JsonObject) -> JsonObject:
    """The object with what the server fills in for its kind."""
    if resource is DEFINITIONS:
        definition = completed_definition(obj)
        return definition if any(definition_errors(definition)) else established(definition, now=now_text())
    if resource is SECRETS:
        return _completed_secret(obj)
    if resource is NAMESPACES:
        return _completed_namespace(obj)
    return obj


def errors_of(resource: Resource, obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """The errors of the object by the rules of its kind."""
    if resource is DEFINITIONS:
        return list(definition_errors(obj))
    if resource.plural in {"rolebindings", "clusterrolebindings"} and not resource.is_custom:
        return _binding_errors(obj, old)
    return []


def _completed_secret(secret: JsonObject) -> JsonObject:
    plain = object_at(secret, "stringData")
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
    kept = {key: value for key, value in secret.items() if key != "stringData"}
    result = {**kept, "type": secret.get("type") or "Opaque"}
    return {**result, "data": {**object_at(secret, "data"), **encoded}} if encoded else result


def _completed_namespace(namespace: JsonObject) -> JsonObject:
    metadata = namespace["metadata"]
    labels = {**object_at(metadata, "labels"), "kubernetes.io/metadata.name": metadata["name"]}
    return {
        **namespace,
        "metadata": {**metadata, "labels": labels},
        "spec": {"finalizers": ["kubernetes"], **object_at(namespace, "spec")},
        "status": {"phase": "Active", **object_at(namespace, "status")},
    }


def _binding_errors(binding: JsonObject, old: JsonObject | None) -> list[FieldError]:
    role = object_at(binding, "roleRef")
    if not role.get("name"):
        return [fielderrors.required("roleRef.name")]
    if old is not None and not same_json(role, object_at(old, "roleRef")):
        return [fielderrors.invalid("roleRef", role, "cannot change roleRef")]
    return []
