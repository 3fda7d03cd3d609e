"""Server-side apply: merging what a manager applies, conflicts with others, and the book-keeping of `managedFields`.

Reference: Kubernetes documentation "Server-Side Apply".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kubeemulator.errors import ApiError
from kubeemulator.fieldsets import (
    FieldSet,
    Path,
    child_schema,
    entry_element,
    from_fields_v1,
    merge_keys,
    owned_fields,
    shown_path,
    to_fields_v1,
    value_at,
    without,
)
from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, list_at, object_at, same_json
from kubeemulator.structural import LIST_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

APPLY: Final = "Apply"
UPDATE: Final = "Update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes, and how."""

    manager: str
    api_version: str
    time: str
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """One entry of `managedFields`."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    fields: FieldSet

    def is_of(self, writer: Writer, operation: str) -> bool:
        return (self.manager, self.operation, self.subresource) == (writer.manager, operation, writer.subresource)


def apply(
    schema: JsonObject, live: JsonObject | None, applied: JsonObject, writer: Writer, *, force: bool
) -> JsonObject:
    """The object after a manager applied its intent.

    Args:
        schema: The kind's structural schema, empty for built-in kinds.
        live: The stored object; None when the apply creates it.
        applied: All that the manager wants to have an opinion on.
        writer: The manager.
        force: Whether fields of other managers are taken over.

    Raises:
        ApiError: 409, another manager owns a field that would change.
    """
    base: JsonObject = live or {}
    wanted = owned_fields(schema, applied)
    claims = _claims(base)
    mine = next((claim for claim in claims if claim.is_of(writer, APPLY)), None)
    others = [claim for claim in claims if claim is not mine]
    merged: JsonObject = _merged(schema, base, applied, ())
    contested = _contested(base, merged, wanted, others)
    if contested and not force:
        raise _conflict(contested)
    taken = frozenset(path for _, path in contested)
    others = [_less(claim, taken) for claim in others]
    if mine is not None:
        left = _dropped(merged, mine.fields - wanted, [wanted, *(claim.fields for claim in others)])
        merged = _merged(schema, left, applied, ())  # dropping the last field of an object dropped the object
    unchanged = mine is not None and mine.fields == wanted
    claim = mine if mine is not None and unchanged else _claim(writer, APPLY, wanted)
    return _with_claims(merged, [*others, claim])


def after_update(schema: JsonObject, old: JsonObject | None, new: JsonObject, writer: Writer) -> JsonObject:
    """The object of an ordinary write, with what it changed now owned by the writer."""
    claims = _claims(new)
    before: JsonObject = old or {}
    had, has = owned_fields(schema, before), owned_fields(schema, new)
    changed = frozenset(
        path for path in has if path not in had or not same_json(value_at(before, path), value_at(new, path))
    )
    lost = had - has
    if not changed and not lost:
        return _with_claims(new, claims)
    mine = next((claim for claim in claims if claim.is_of(writer, UPDATE)), None)
    others = [_less(claim, changed | lost) for claim in claims if claim is not mine]
    fields = ((mine.fields if mine else frozenset()) - lost) | changed
    unchanged = mine is not None and mine.fields == fields
    claim = mine if mine is not None and unchanged else _claim(writer, UPDATE, fields)
    return _with_claims(new, [*others, claim])


def _merged(schema: JsonObject, live: JsonValue, applied: JsonValue, path: Path) -> JsonValue:
    if isinstance(applied, dict) and isinstance(live, dict) and schema.get("x-kubernetes-map-type") != "atomic":
        merged = dict(live)
        for key, value in applied.items():
            merged[key] = _merged(child_schema(schema, key), live.get(key, MISSING), value, (*path, f"f:{key}"))
        return merged
    keys = merge_keys(schema, path)
    if isinstance(applied, list) and isinstance(live, list) and keys:
        entries = {entry_element(keys, item): item for item in live}
        for item in applied:
            element = entry_element(keys, item)
            entries[element] = _merged(
                object_at(schema, "items"), entries.get(element, MISSING), item, (*path, element)
            )
        return list(entries.values())
    if isinstance(applied, list) and isinstance(live, list) and schema.get(LIST_TYPE) == "set":
        return live + [item for item in applied if item not in live]
    return applied


def _contested(
    live: JsonObject, merged: JsonObject, wanted: FieldSet, others: Sequence[_Claim]
) -> list[tuple[_Claim, Path]]:
    return [
        (claim, path)
        for claim in others
        for path in sorted(claim.fields & wanted)
        if not path[-1].startswith("k:") and not same_json(value_at(live, path), value_at(merged, path))
    ]


def _dropped(merged: JsonObject, given_up: FieldSet, kept: list[FieldSet]) -> JsonObject:
    """The object without the fields that its manager gave up, but those that are still held, if only in part."""
    held = [path for fields in kept for path in fields]
    result: JsonValue = merged
    for path in sorted(given_up, key=len):
        if not any(other[: len(path)] == path for other in held):
            left = without(result, path)
            result = {} if left is MISSING else left
    return dict(result)


def _conflict(contested: list[tuple[_Claim, Path]]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{claim.manager}"{_manner(claim)}',
            "field": shown_path(path),
        }
        for claim, path in contested
    ]
    count = len(causes)
    if count == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines: dict[str, list[str]] = {}
        for cause in causes:
            lines.setdefault(cause["message"].replace("conflict with", "conflicts with", 1), []).append(cause["field"])
        listed = "\n".join(f"{head}:\n" + "\n".join(f"- {path}" for path in paths) for head, paths in lines.items())
        text = f"Apply failed with {count} conflicts: {listed}"
    return ApiError(409, "Conflict", text, {"causes": causes})


def _manner(claim: _Claim) -> str:
    if claim.operation == APPLY:
        return ""
    where = f' with subresource "{claim.subresource}"' if claim.subresource else ""
    return f"{where} using {claim.api_version}"


def _claims(obj: JsonObject) -> list[_Claim]:
    return [
        _Claim(
            manager=str(entry.get("manager", "")),
            operation=str(entry.get("operation", UPDATE)),
            api_version=str(entry.get("apiVersion", "")),
            subresource=str(entry.get("subresource", "")),
            time=str(entry.get("time", "")),
            fields=from_fields_v1(object_at(entry, "fieldsV1")),
        )
        for entry in list_at(object_at(obj, "metadata"), "managedFields")
        if entry
    ]


def _claim(writer: Writer, operation: str, fields: FieldSet) -> _Claim:
    return _Claim(
        manager=writer.manager,
        operation=operation,
        api_version=writer.api_version,
        subresource=writer.subresource,
        time=writer.time,
        fields=fields,
    )


def _less(claim: _Claim, fields: FieldSet) -> _Claim:
    return _Claim(
        manager=claim.manager,
        operation=claim.operation,
        api_version=claim.api_version,
        subresource=claim.subresource,
        time=claim.time,
        fields=claim.fields - fields,
    )


def _with_claims(obj: JsonObject, claims: list[_Claim]) -> JsonObject:
    entries = [_entry(claim) for claim in claims if claim.fields]
    metadata = {key: value for key, value in object_at(obj, "metadata").items() if key != "managedFields"}
    if entries:
        metadata["managedFields"] = entries
    return {**obj, "metadata": metadata}


def _entry(claim: _Claim) -> JsonObject:
    entry: JsonObject = {
        "manager": claim.manager,
        "operation": claim.operation,
        "apiVersion": claim.api_version,
        "time": claim.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields_v1(claim.fields),
    }
    return {**entry, "subresource": claim.subresource} if claim.subresource else entry
