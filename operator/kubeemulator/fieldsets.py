"""Which fields an object has, as sets of paths, in the way server-side apply thinks of them (`fieldsV1`).

A path element is `f:<field>`, `k:<keys of a list-map entry as JSON>` or `v:<value of a set as JSON>`; see
`sigs.k8s.io/structured-merge-diff`. Lists and maps that a schema declares atomic are owned as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from kubeemulator.jsontypes import MISSING, JsonObject, JsonValue, list_at, object_at
from kubeemulator.patches import MERGE_KEYS
from kubeemulator.structural import LIST_MAP_KEYS, LIST_TYPE, property_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path: TypeAlias = tuple[str, ...]
FieldSet: TypeAlias = frozenset[Path]

_SERVER_FIELDS: Final = frozenset(
    {"name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "selfLink"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds", "generateName"}
)
_ITSELF: Final = "."


def owned_fields(schema: JsonObject, obj: JsonObject) -> FieldSet:
    """The fields of an object that somebody can own: not its identity, nor what the server itself sets."""
    metadata = {key: value for key, value in object_at(obj, "metadata").items() if key not in _SERVER_FIELDS}
    rest = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind", "metadata"}}
    paths = list(_object_paths(_METADATA_SCHEMA, metadata, ("f:metadata",))) if metadata else []
    return frozenset([*paths, *_object_paths(schema, rest, ())])


_METADATA_SCHEMA: Final[JsonObject] = {
    "properties": {
        "finalizers": {"type": "array", LIST_TYPE: "set"},
        "ownerReferences": {"type": "array", LIST_TYPE: "map", LIST_MAP_KEYS: ["uid"]},
    }
}


def _object_paths(schema: JsonObject, value: JsonObject, path: Path) -> Iterator[Path]:
    for key, child in value.items():
        yield from _paths(child_schema(schema, key), child, (*path, f"f:{key}"))


def _paths(schema: JsonObject, value: JsonValue, path: Path) -> Iterator[Path]:
    if isinstance(value, dict) and value and schema.get("x-kubernetes-map-type") != "atomic":
        yield from _object_paths(schema, value, path)
        return
    keys = merge_keys(schema, path)
    if isinstance(value, list) and value and keys:
        for item in value:
            entry = (*path, entry_element(keys, item))
            yield entry
            yield from _object_paths(object_at(schema, "items"), item, entry)
        return
    if isinstance(value, list) and value and schema.get(LIST_TYPE) == "set":
        yield from ((*path, f"v:{_json(item)}") for item in value)
        return
    yield path


def child_schema(schema: JsonObject, key: str) -> JsonObject:
    """The schema of a property, or an empty one when the schema does not know it."""
    if key == "metadata" and "properties" not in schema:
        return _METADATA_SCHEMA
    return property_schema(schema, key) or {}


def merge_keys(schema: JsonObject, path: Path) -> tuple[str, ...]:
    """The keys that tell a list's entries apart; none when the list is owned and merged as a whole.

    Built-in kinds have no schema here: their lists go by the names that strategic merge patches know.
    """
    if schema.get(LIST_TYPE) == "map":
        return tuple(list_at(schema, LIST_MAP_KEYS))
    return MERGE_KEYS.get(path[-1].removeprefix("f:"), ()) if not schema and path else ()


def entry_element(keys: tuple[str, ...], item: JsonObject) -> str:
    """The path element of a list-map entry."""
    return f"k:{_json({key: item.get(key) for key in sorted(keys)})}"


def value_at(obj: JsonValue, path: Path) -> JsonValue:
    """The value at a path, or MISSING."""
    value = obj
    for element in path:
        value = _step(value, element)
        if value is MISSING:
            return MISSING
    return value


def _step(value: JsonValue, element: str) -> JsonValue:
    kind, text = element[:2], element[2:]
    if kind == "f:":
        return value.get(text, MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list):
        return MISSING
    wanted = orjson.loads(text)
    if kind == "v:":
        return wanted if wanted in value else MISSING
    return next((item for item in value if all(item.get(key) == wanted[key] for key in wanted)), MISSING)


def without(obj: JsonValue, path: Path) -> JsonValue:
    """The value without what is at the path; objects and lists that become empty go too (MISSING at the top)."""
    if not path:
        return MISSING
    below = _step(obj, path[0])
    if below is MISSING:
        return obj
    left = without(below, path[1:])
    if isinstance(obj, dict):
        key = path[0][2:]
        changed = {name: child for name, child in obj.items() if name != key or left is not MISSING}
        if left is not MISSING:
            changed[key] = left
        return changed or MISSING
    items = [item if item is not below and item != below else left for item in obj]
    return [item for item in items if item is not MISSING] or MISSING


def to_fields_v1(paths: Iterable[Path]) -> JsonObject:
    """The nested form that `managedFields` carries."""
    tree: JsonObject = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        if path[-1].startswith("k:"):
            node[_ITSELF] = {}
    return tree


def from_fields_v1(tree: JsonObject) -> FieldSet:
    """The paths of the nested form."""
    return frozenset(_tree_paths(tree, ()))


def _tree_paths(tree: JsonObject, path: Path) -> Iterator[Path]:
    for element, below in tree.items():
        if element == _ITSELF:
            yield path
        elif below:
            yield from _tree_paths(below, (*path, element))
        else:
            yield (*path, element)


def shown_path(path: Path) -> str:
    """A path as conflicts show it, such as `.spec.items[name="SSH"].port`."""
    return "".join(_shown_element(element) for element in path)


def _shown_element(element: str) -> str:
    kind, text = element[:2], element[2:]
    if kind == "f:":
        return f".{text}"
    if kind == "v:":
        return f"[={text}]"
    keys: JsonObject = orjson.loads(text)
    return f"[{','.join(f'{key}={_json(value)}' for key, value in keys.items())}]"


def _json(value: JsonValue) -> str:
    return orjson.dumps(value).decode()
