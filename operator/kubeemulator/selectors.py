"""Label and field selectors: parsed once, asked of many objects.

Grammar: `k8s.io/apimachinery/pkg/labels` (`a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a`, `a>1`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kubeemulator.errors import bad_request
from kubeemulator.jsontypes import JsonObject, JsonValue, object_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubeemulator.kinds import Resource

    Matcher = Callable[[JsonObject], bool]

_REQUIREMENT: Final = re.compile(
    r"""\s*(?:
        !\s*(?P<absent>[\w./-]+)
      | (?P<key>[\w./-]+)\s*(?:
            (?P<set>\bin|notin)\s*\((?P<values>[^()]*)\)
          | (?P<operator>==|=|!=|>|<)\s*(?P<value>[\w./-]*)
        )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)


def label_selector(text: str) -> Matcher | None:
    """A matcher for a label selector; None when it selects everything.

    Raises:
        ApiError: 400, the selector cannot be parsed.
    """
    if not text.strip():
        return None
    tests, position = [], 0
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if found is None or found.end() == position:
            raise bad_request(f'unable to parse requirement: found an error at "{text[position:]}"')
        tests.append(_label_test(found))
        position = found.end()
    return lambda obj: all(test(object_at(object_at(obj, "metadata"), "labels")) for test in tests)


def _label_test(found: re.Match[str]) -> Callable[[Mapping[str, str]], bool]:
    key = found["key"] or found["absent"]
    if found["absent"]:
        return lambda labels: key not in labels
    if found["set"]:
        values = {value.strip() for value in found["values"].split(",")}
        if found["set"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    return _comparison(key, found["operator"], found["value"])


def _comparison(key: str, operator: str | None, value: str) -> Callable[[Mapping[str, str]], bool]:
    match operator:
        case None:
            return lambda labels: key in labels
        case "!=":
            return lambda labels: labels.get(key) != value
        case ">":
            return lambda labels: _number(labels.get(key)) > _number(value)
        case "<":
            return lambda labels: _number(labels.get(key)) < _number(value)
        case _:
            return lambda labels: labels.get(key) == value


def _number(text: str | None) -> float:
    """The integer of a label; not-a-number compares as false either way."""
    return int(text) if text and text.lstrip("-").isdecimal() else float("nan")


def structured_selector(selector: JsonObject) -> str:
    """A LabelSelector object in the text form."""
    parts = [f"{key}={value}" for key, value in object_at(selector, "matchLabels").items()]
    for item in selector.get("matchExpressions", []):
        values = f"({','.join(item.get('values', []))})"
        match item["operator"]:
            case "In":
                parts.append(f"{item['key']} in {values}")
            case "NotIn":
                parts.append(f"{item['key']} notin {values}")
            case "Exists":
                parts.append(item["key"])
            case _:
                parts.append(f"!{item['key']}")
    return ",".join(parts)


def field_selector(text: str, resource: Resource) -> Matcher | None:
    """A matcher for a field selector; None when it selects everything.

    Raises:
        ApiError: 400, the selector cannot be parsed or names a field that the resource does not offer.
    """
    supported = {"metadata.name", *resource.selectable_fields} | (
        {"metadata.namespace"} if resource.namespaced else set()
    )
    tests: list[tuple[str, bool, str]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
        if found is None:
            raise bad_request(f"invalid field selector: '{part}'; can't understand '{part}'")
        path = found[1].strip()
        if path not in supported:
            raise bad_request(f"field label not supported: {path}")
        tests.append((path, found[2] != "!=", found[3].strip().replace("\\,", ",").replace("\\=", "=")))
    if not tests:
        return None
    return lambda obj: all((_text_at(obj, path) == value) is wanted for path, wanted, value in tests)


def named_only(text: str) -> str:
    """The one object name that a field selector asks for, if it asks for exactly one."""
    found = re.fullmatch(r"metadata\.name==?([^,!=]+)", text.strip())
    return found[1] if found else ""


def _text_at(obj: JsonObject, path: str) -> str:
    value: JsonValue = obj
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
