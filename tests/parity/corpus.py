"""The corpus: named objects of each kind, each accepted or refused for one stated field."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeemulator.jsontypes import JsonValue

_FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    name: str
    obj: dict[str, Any]
    refused: str | None
    says: str


def overlay(base: JsonValue, patch: JsonValue) -> JsonValue:
    """`base` with the maps of `patch` laid over it; anything else, null too, replaces what was there."""
    if not (isinstance(base, dict) and isinstance(patch, dict)):
        return copy.deepcopy(patch)
    merged = {key: overlay(child, patch[key]) if key in patch else copy.deepcopy(child) for key, child in base.items()}
    return merged | {key: copy.deepcopy(child) for key, child in patch.items() if key not in base}


def without_nulls(value: JsonValue) -> JsonValue:
    """The same with every null field of a map left out."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    return [without_nulls(child) for child in value] if isinstance(value, list) else value


def _patch(content: dict[str, Any], case: dict[str, Any]) -> JsonValue:
    """What a case lays over its base, its shorthands for a single endpoint and a single rule written out."""
    if "rule" in case:
        rules = [overlay(content["rule"], case["rule"])]
        return _patch(content, {"endpoint": {"allowFrom": None, "rules": rules}})
    if "endpoint" in case:
        item = overlay(content["endpoint"], case["endpoint"])
        return {"spec": {"access": {"endpoints": {"items": [item]}}}}
    return case["with"]


def cases() -> tuple[Case, ...]:
    """Every case of every kind."""
    found: list[Case] = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        found += [
            Case(
                name=f"{path.stem}: {case['name']}",
                obj=overlay(content["base"], _patch(content, case)),
                refused=case.get("refused"),
                says=case.get("says", ""),
            )
            for case in content["cases"]
        ]
    return tuple(found)
