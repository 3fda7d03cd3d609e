"""Finding and comparing recorded traffic: what varies from run to run is masked, all else must be equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
_MASKED = frozenset(
    {
        "affinityId",
        "allocationStateTransitionTime",
        "allocationTime",
        "creationTime",
        "eTag",
        "id",
        "ipAddress",
        "ipv6Address",
        "lastBootTime",
        "lastUpdateTime",
        "lastModified",
        "poolId",
        "publicFQDN",
        "publicIPAddress",
        "remoteLoginIPAddress",
        "stateTransitionTime",
        "timestamp",
        "url",
    },
)
_COMPARED_HEADERS = ("content-type", "dataserviceversion")
_PRESENT_HEADERS = ("dataserviceid", "etag", "last-modified", "location", "request-id", "date")


def load(name: str) -> dict[str, Any]:
    """One recording by file name without `.json`."""
    content: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def names(*prefixes: str) -> list[str]:
    """The recordings there are, by prefix; empty where the folder is absent."""
    found = sorted(path.stem for path in RECORDINGS.glob("*.json"))
    return [name for name in found if name.startswith(prefixes)]


def differences(recorded: dict[str, Any], status: int, headers: dict[str, str], document: object) -> list[str]:
    """Where an answer differs from the recorded one, as short stable lines."""
    sent: dict[str, str] = recorded["headers"]
    found = [f"status {recorded['status']} -> {status}"] if recorded["status"] != status else []
    found += [
        f"header {name}: {sent[name]} -> {headers.get(name)}"
        for name in _COMPARED_HEADERS
        if name in sent and sent[name] != headers.get(name)
    ]
    found += [
        f"header {name}: {'lost' if name in sent else 'added'}"
        for name in _PRESENT_HEADERS
        if (name in sent) != (name in headers)
    ]
    found += _compare("", mask(_ordered(recorded["body"] or {})), mask(_ordered(document)))
    return found


def _ordered(document: object) -> object:
    """A list of nodes in the order of their endpoints: their own order is that of random ids."""
    if isinstance(document, dict) and str(document.get("odata.metadata")).endswith("#nodes"):
        return document | {"value": sorted(document["value"], key=_node_order)}
    return document


def _node_order(node: dict[str, Any]) -> tuple[bool, str]:
    endpoints = node.get("endpointConfiguration", {}).get("inboundEndpoints", [])
    return node["isDedicated"], str([endpoint["name"] for endpoint in endpoints])


def mask(value: object, key: str = "") -> object:
    """The value with what differs between runs replaced by its type, and hosts by nothing."""
    if isinstance(value, dict):
        return {name: mask(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner, key) for inner in value]
    if key in _MASKED:
        return type(value).__name__
    if key in {"odata.metadata", "odata.nextLink"}:
        return _without_host(str(value))
    if key == "value" and isinstance(value, str) and "RequestId:" in value:
        return value.partition("\n")[0]
    return value


def _without_host(url: str) -> str:
    parts = urlsplit(url)
    query = parts.query.partition("$skiptoken=")[0]
    return f"{parts.path}?{query}#{parts.fragment}"


def _compare(path: str, recorded: object, answered: object) -> list[str]:
    if isinstance(recorded, dict) and isinstance(answered, dict):
        found = [f"{path}/{key} lost" for key in recorded.keys() - answered.keys()]
        found += [f"{path}/{key} added" for key in answered.keys() - recorded.keys()]
        for key in recorded.keys() & answered.keys():
            found += _compare(f"{path}/{key}", recorded[key], answered[key])
        return sorted(found)
    if isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            return [f"{path}: {len(recorded)} items -> {len(answered)}"]
        pairs = zip(recorded, answered, strict=True)
        return [line for number, (one, other) in enumerate(pairs) for line in _compare(f"{path}[{number}]", one, other)]
    if type(recorded) is not type(answered) or recorded != answered:
        return [f"{path}: {recorded} -> {answered}"]
    return []
