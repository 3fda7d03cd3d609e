"""What the contract suite acts on: a definition with every feature that is checked, and objects of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The definition and the namespace of one run."""

    group: str
    namespace: str

    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    @property
    def policies(self) -> str:
        """The path of the namespace's policies."""
        return f"/apis/{self.group}/v1/namespaces/{self.namespace}/policies"

    def policy(self, name: str = "", /, *, labels: Json | None = None, **spec: object) -> Json:
        """A policy with a fresh name, valid unless the spec given here is not."""
        metadata: Json = {"name": name or fresh_name()}
        if labels:
            metadata["labels"] = labels
        return {
            "apiVersion": f"{self.group}/v1",
            "kind": "Policy",
            "metadata": metadata,
            "spec": {"pool": "pool-a", **spec},
        }

    def path(self, policy: Json) -> str:
        """The path of a policy."""
        return f"{self.policies}/{policy['metadata']['name']}"


def fresh_name() -> str:
    """A name that no other test has."""
    return f"p-{uuid.uuid4().hex[:10]}"


def definition(group: str, plural: str = "policies", kind: str = "Policy") -> Json:
    """A definition of policies in a group."""
    columns = [
        {"name": "Pool", "type": "string", "jsonPath": ".spec.pool"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, "listKind": f"{kind}List", "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": _schema()},
                }
            ],
        },
    }


def _schema() -> Json:
    text, number = {"type": "string"}, {"type": "integer"}
    rules = [
        {
            "rule": "!has(self.minNodes) || !has(self.maxNodes) || self.minNodes <= self.maxNodes",
            "message": "minNodes must not exceed maxNodes",
        },
        {"rule": "self.pool == oldSelf.pool", "message": "pool is immutable"},
    ]
    tier = {"type": "object", "required": ["name"], "properties": {"name": text, "weight": {**number, "default": 10}}}
    condition = {"type": "object", "required": ["type", "status"], "properties": {"type": text, "status": text}}
    spec = {
        "type": "object",
        "required": ["pool"],
        "x-kubernetes-validations": rules,
        "properties": {
            "pool": {**text, "pattern": "^[a-z][a-z0-9-]*$", "maxLength": 63, "description": "The pool."},
            "mode": {**text, "enum": ["Audit", "Enforce"], "default": "Audit"},
            "target": {**number, "minimum": 0, "maximum": 100, "default": 1},
            "minNodes": number,
            "maxNodes": number,
            "tiers": {**_list_map("name", tier), "maxItems": 5},
        },
    }
    status = {
        "type": "object",
        "properties": {
            "state": {**text, "enum": ["Idle", "Busy"]},
            "conditions": _list_map("type", condition),
        },
    }
    return {"type": "object", "required": ["spec"], "properties": {"spec": spec, "status": status}}


def _list_map(key: str, items: Json) -> Json:
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
        "items": items,
    }
