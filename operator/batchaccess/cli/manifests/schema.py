"""Fields that a kind does not have, by the schemas of the CustomResourceDefinitions, with the nearest name there is."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

import yaml

from batchaccess.cli.crds import crd_files
from batchaccess.core.texts import listed

_METADATA_FIELDS: Final = (
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Of every object (Kubernetes API reference "ObjectMeta")."""


def unknown_fields(kind: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and message of every field of an object that its kind does not have; nothing in its status is looked at."""
    top = {key: value for key, value in content.items() if key != "status"}
    yield from _unknown(top, _schema(kind), "")
    metadata = content.get("metadata")
    if isinstance(metadata, Mapping):
        yield from _unknown_names(metadata, _METADATA_FIELDS, "metadata")


def nearest(name: str, names: tuple[str, ...]) -> str | None:
    """The known name that is most like a mistyped one."""
    by_folded = {each.lower(): each for each in names}
    found = get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _unknown(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 any JSON
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unknown(each, schema.get("items", {}), f"{path}[{index}]")
    properties = schema.get("properties")
    if not isinstance(value, Mapping) or properties is None:
        return
    yield from _unknown_names(value, tuple(properties), path)
    for name, child in value.items():
        yield from _unknown(child, properties.get(name, {}), f"{path}.{name}" if path else name)


def _unknown_names(value: Mapping[str, Any], known: tuple[str, ...], path: str) -> Iterator[tuple[str, str]]:
    for name in value:
        if name not in known:
            near = nearest(name, known)
            meant = f"did you mean {near}?" if near else f"there are {listed(sorted(known))}"
            yield f"{path}.{name}" if path else name, f"is no field of {path or 'the object'}; {meant}"


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    for file in crd_files():
        definition = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        spec = definition["spec"]
        if spec["names"]["kind"] == kind:
            schema: dict[str, Any] = spec["versions"][0]["schema"]["openAPIV3Schema"]
            standard: dict[str, Any] = {"apiVersion": {}, "kind": {}, "metadata": {}}
            return {**schema, "properties": {**schema["properties"], **standard}}
    raise KeyError(kind)
