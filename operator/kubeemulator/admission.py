"""Admission of an object against a CustomResourceDefinition, without any server: prune, default, validate, CEL.

    admitted, errors = admit(crd, obj)

The metadata's own rules (names, labels) are the server's business, not the schema's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeemulator.fielderrors import FieldError
from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, list_at, object_at
from kubeemulator.rules import RuleTree
from kubeemulator.structural import default, prune
from kubeemulator.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FieldError", "Schema", "admit", "schema_of"]

_RULES_SKIPPED = FieldError(
    field="<nil>",
    message=(
        'Invalid value: "null": some validation rules were not checked because the object was invalid; '
        "correct the existing errors to complete validation"
    ),
)


class Schema:
    """A resource's structural schema, made ready to admit many objects."""

    def __init__(self, schema: JsonObject) -> None:
        self.source = schema
        self._rules = RuleTree(schema, is_resource=True)

    def shape(self, obj: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
        """The object pruned and defaulted, and the paths of the fields that were dropped."""
        pruned, dropped = prune(self.source, obj)
        shaped: JsonObject = default(self.source, pruned)
        return shaped, dropped

    def errors(self, obj: JsonObject, old: JsonObject | None = None) -> tuple[FieldError, ...]:
        """Every error of a pruned and defaulted object; CEL rules only count once its shape is right."""
        before: JsonValue = MISSING if old is None else old
        return tuple(self._all_errors(obj, before))

    def _all_errors(self, obj: JsonObject, old: JsonValue) -> Iterator[FieldError]:
        shape_errors = list(validate(self.source, obj, old))
        yield from shape_errors
        if any(error.blocks_rules for error in shape_errors):
            if self._rules.has_rules:
                yield _RULES_SKIPPED
            return
        yield from self._rules.check(obj, old)


def admit(
    crd: JsonObject, obj: JsonObject, *, old: JsonObject | None = None, version: str | None = None
) -> tuple[JsonObject, tuple[FieldError, ...]]:
    """Admit an object as the API server would, status and all.

    Args:
        crd: The CustomResourceDefinition.
        obj: The object as sent.
        old: The stored object that it replaces, for transition rules and ratcheting; None for a creation.
        version: The version whose schema counts; that of the object's `apiVersion` when None.

    Returns:
        The object pruned and defaulted, and all its errors (none: it is accepted).

    Raises:
        ValueError: The definition has no such version.
        kubeemulator.cel.CelError: A rule of the definition does not compile.
    """
    name = version or str(obj.get("apiVersion", "")).rpartition("/")[2]
    schema = schema_of(crd, name)
    shaped, _ = schema.shape(obj)
    return shaped, schema.errors(shaped, old)


def schema_of(crd: JsonObject, version: str) -> Schema:
    """The schema of one version of a definition.

    Raises:
        ValueError: The definition has no such version.
    """
    versions = list_at(object_at(crd, "spec"), "versions")
    for entry in versions:
        if entry.get("name") == version:
            return _ready(object_at(object_at(entry, "schema"), "openAPIV3Schema"))
    known = ", ".join(str(entry.get("name")) for entry in versions)
    raise ValueError(
        f"the definition {object_at(crd, 'metadata').get('name')!r} has no version {version!r}, but {known}"
    )


_READY: dict[int, Schema] = {}


def _ready(source: JsonObject) -> Schema:
    """The schema, compiled once per source object (held by the value, so its identity stays its own)."""
    found = _READY.get(id(source))
    if found is None or found.source is not source:
        found = _READY[id(source)] = Schema(source)
    return found
