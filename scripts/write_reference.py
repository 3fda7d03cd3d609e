"""Writes docs/reference.md, the field reference of the three kinds, from their CRDs.

`python scripts/write_reference.py` after every change in crds/; a test compares.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[1]
TARGET: Final = ROOT / "docs" / "reference.md"

_ORDER: Final = ("batchaccountconnections", "batchpoolaccesspolicies", "batchpoolaccesses")
_HEAD: Final = """# Field reference

Every field of the three kinds of `batchaccess.dev/v1alpha1`, as `kubectl explain` shows it too. Made from `crds/` by
`scripts/write_reference.py`; do not edit.
"""
_BOUNDS: Final = (
    ("at least {}", "minimum"),
    ("at most {}", "maximum"),
    ("at least {} characters", "minLength"),
    ("at most {} characters", "maxLength"),
    ("at least {} entries", "minItems"),
    ("at most {} entries", "maxItems"),
    ("at least {} entries", "minProperties"),
    ("at most {} entries", "maxProperties"),
)


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for name in _ORDER for line in _kind(name))])


def _kind(plural: str) -> Iterator[str]:
    definition = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())["spec"]
    (version,) = definition["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    scope = {"Cluster": "one for the whole cluster", "Namespaced": "in a namespace"}[definition["scope"]]
    yield f"## {definition['names']['kind']}\n"
    yield f"`{definition['names']['shortNames'][0]}`, {scope}. {schema['description']}\n"
    for part in ("spec", "status"):
        yield f"### {part} of {definition['names']['kind']}\n"
        yield "| field | type | default | meaning | limits |"
        yield "|---|---|---|---|---|"
        yield from _rows(schema["properties"][part], "")
        yield ""
    rules = [*_rules(schema, "")]
    if rules:
        yield "Rules over several fields, in the words of the error:\n"
        yield from rules
        yield ""


def _rows(schema: dict[str, Any], above: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        path = f"{above}.{name}" if above else name
        yield from _field(child, path, required=name in required)


def _field(schema: dict[str, Any], path: str, *, required: bool) -> Iterator[str]:
    default = "required" if required else f"`{_written(schema['default'])}`" if "default" in schema else ""
    cells = (f"`{path}`", _type(schema), default, _escaped(schema["description"]), "; ".join(_limits(schema)))
    yield f"| {' | '.join(cells)} |"
    yield from _rows(schema, path)
    if schema["type"] == "array":
        yield from _rows(schema["items"], f"{path}[]")


def _type(schema: dict[str, Any]) -> str:
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map to {_type(schema['additionalProperties'])}"
    return "time" if schema.get("format") == "date-time" else str(schema["type"])


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    entry = schema.get("items", schema.get("additionalProperties", {}))
    words = schema.get("enum") or entry.get("enum")
    if words:
        yield "one of " + ", ".join(f"`{word}`" for word in words)
    yield from (text.format(schema[key]) for text, key in _BOUNDS if key in schema)
    if "x-kubernetes-list-map-keys" in schema:
        yield f"one entry for each {' and '.join(schema['x-kubernetes-list-map-keys'])}"
    if schema.get("x-kubernetes-list-type") == "set":
        yield "no entry twice"
    if "pattern" in schema:
        yield f"form `{schema['pattern']}`"
    yield from (f"each {text.format(entry[key])}" for text, key in _BOUNDS if key in entry)
    if "pattern" in entry:
        yield f"each of form `{entry['pattern']}`"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*").replace("|", "\\|")


def _written(value: Any) -> str:  # noqa: ANN401 a default may be any JSON value
    return str(yaml.safe_dump(value, default_flow_style=True)).removesuffix("\n...\n").strip()


def _rules(schema: dict[str, Any], path: str) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield f"- `{path or 'the object'}`: {_escaped(rule['message'])}"
    for name, child in schema.get("properties", {}).items():
        yield from _rules(child, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from _rules(schema["items"], f"{path}[]")


if __name__ == "__main__":
    TARGET.write_text(reference())
