"""The rules of object metadata that hold for every kind: names, labels, annotations, owners, finalizers.

Texts and limits: `k8s.io/apimachinery/pkg/util/validation` and `pkg/api/validation`.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from kubeemulator import fielderrors
from kubeemulator.jsontypes import JsonObject, JsonValue, list_at, object_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeemulator.fielderrors import FieldError
    from kubeemulator.kinds import Resource

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_MAX_LABEL: Final = 63
_MAX_NAME: Final = 253
_MAX_ANNOTATIONS: Final = 256 * 1024
_GENERATED: Final = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_LENGTH: Final = 5

_LABEL_TEXT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_TEXT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_QUALIFIED_TEXT: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_TEXT: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_LABEL_NAMED: Final = frozenset({"namespaces", "services"})
_PATH_NAMED: Final = frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"})


def generated_name(prefix: str) -> str:
    """A name for `metadata.generateName`, with the server's random ending."""
    ending = "".join(secrets.choice(_GENERATED) for _ in range(_GENERATED_LENGTH))
    return prefix[: _MAX_LABEL - _GENERATED_LENGTH] + ending


def metadata_errors(resource: Resource, metadata: JsonObject) -> Iterator[FieldError]:
    """Every error of an object's metadata."""
    yield from _name_errors(resource, str(metadata.get("name", "")))
    for key, value in object_at(metadata, "labels").items():
        yield from _qualified_errors("metadata.labels", key)
        yield from _label_value_errors(key, value)
    yield from _annotation_errors(object_at(metadata, "annotations"))
    for index, owner in enumerate(list_at(metadata, "ownerReferences")):
        path = f"metadata.ownerReferences[{index}]"
        yield from (
            fielderrors.invalid(f"{path}.{key}", "", f"{'version' if key == 'apiVersion' else key} must not be empty")
            for key in ("apiVersion", "kind", "name", "uid")
            if not owner.get(key)
        )
    for finalizer in list_at(metadata, "finalizers"):
        yield from _qualified_errors("metadata.finalizers", finalizer)


def _name_errors(resource: Resource, name: str) -> Iterator[FieldError]:
    path = "metadata.name"
    if not name:
        yield fielderrors.required(path, "name or generateName is required")
    elif resource.plural in _PATH_NAMED:
        if name in {".", ".."} or "/" in name or "%" in name:
            yield fielderrors.invalid(path, name, "may not be '.' or '..' and may not contain '/' or '%'")
    elif resource.plural in _LABEL_NAMED and not resource.is_custom:
        if not re.fullmatch(_LABEL, name):
            yield fielderrors.invalid(path, name, _LABEL_TEXT)
        if len(name) > _MAX_LABEL:
            yield fielderrors.invalid(path, name, f"must be no more than {_MAX_LABEL} bytes")
    else:
        if not re.fullmatch(_SUBDOMAIN, name):
            yield fielderrors.invalid(path, name, _SUBDOMAIN_TEXT)
        if len(name) > _MAX_NAME:
            yield fielderrors.invalid(path, name, f"must be no more than {_MAX_NAME} bytes")


def _qualified_errors(path: str, key: JsonValue) -> Iterator[FieldError]:
    prefix, slash, name = str(key).rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield fielderrors.invalid(path, key, f"prefix part {_SUBDOMAIN_TEXT}")
    if len(name) > _MAX_LABEL:
        yield fielderrors.invalid(path, key, f"name part must be no more than {_MAX_LABEL} bytes")
    if not re.fullmatch(_QUALIFIED, name):
        yield fielderrors.invalid(path, key, _QUALIFIED_TEXT)


def _label_value_errors(key: str, value: JsonValue) -> Iterator[FieldError]:
    path = "metadata.labels"
    if not isinstance(value, str):
        yield fielderrors.wrong_type(f"{path}.{key}", value, "must be a string")
        return
    if len(value) > _MAX_LABEL:
        yield fielderrors.invalid(path, value, f"must be no more than {_MAX_LABEL} bytes")
    if not re.fullmatch(_VALUE, value):
        yield fielderrors.invalid(path, value, _VALUE_TEXT)


def _annotation_errors(annotations: JsonObject) -> Iterator[FieldError]:
    path = "metadata.annotations"
    for key, value in annotations.items():
        yield from _qualified_errors(path, key.lower())
        if not isinstance(value, str):
            yield fielderrors.wrong_type(f"{path}.{key}", value, "must be a string")
    size = sum(len(key) + len(str(value)) for key, value in annotations.items())
    if size > _MAX_ANNOTATIONS:
        yield fielderrors.too_long(path, _MAX_ANNOTATIONS)
