"""Small definitions for the tests of the emulator's own parts."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
GROUP = "demo.example.com"


def definition(spec: Json, status: Json | None = None) -> Json:
    """A definition of policies with these schemas of spec and status."""
    properties: Json = {"spec": spec, "status": status or {"type": "object"}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"policies.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": "policies", "kind": "Policy", "singular": "policy", "shortNames": ["pol"]},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
                    "additionalPrinterColumns": [
                        {"name": "Pool", "type": "string", "jsonPath": ".spec.pool"},
                        {"name": "Target", "type": "integer", "jsonPath": ".spec.target"},
                        {
                            "name": "Ready",
                            "type": "string",
                            "jsonPath": '.status.conditions[?(@.type=="Ready")].status',
                        },
                        {"name": "Mode", "type": "string", "jsonPath": ".spec.mode", "priority": 1},
                        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                    ],
                }
            ],
        },
    }


def policy(spec: Json, name: str = "p1") -> Json:
    """A policy with a spec."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "Policy", "metadata": {"name": name}, "spec": spec}


def obj(**properties: Any) -> Json:  # noqa: ANN401 -- schemas are JSON
    """The schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def arr(items: Json, **more: Any) -> Json:  # noqa: ANN401 -- schemas are JSON
    """The schema of a list."""
    return {"type": "array", "items": items, **more}


def list_map(key: str, items: Json, **more: Any) -> Json:  # noqa: ANN401 -- schemas are JSON
    """The schema of a list whose entries have an identity."""
    return arr(items, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}, **more)


def ruled(schema: Json, *rules: str | Json) -> Json:
    """A schema with validation rules."""
    specs = [rule if isinstance(rule, dict) else {"rule": rule} for rule in rules]
    return {**schema, "x-kubernetes-validations": specs}


TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
DEMO_SPEC: Json = ruled(
    {
        **obj(
            pool={**TEXT, "pattern": "^[a-z][a-z0-9-]*$", "description": "The pool it is about."},
            target={**NUMBER, "minimum": 0, "maximum": 100, "default": 1},
            mode={**TEXT, "enum": ["Audit", "Enforce"], "default": "Audit"},
            tiers=list_map("name", {**obj(name=TEXT, weight={**NUMBER, "default": 10}), "required": ["name"]}),
        ),
        "required": ["pool"],
        "description": "What is wanted.",
    },
    {"rule": "self.pool == oldSelf.pool", "message": "pool is immutable", "fieldPath": ".pool"},
)
DEMO_STATUS: Json = {
    **obj(conditions=list_map("type", {**obj(type=TEXT, status=TEXT), "required": ["type", "status"]})),
    "x-kubernetes-preserve-unknown-fields": True,
}
DEMO: Json = definition(DEMO_SPEC, DEMO_STATUS)
