"""Discovery: which groups, versions and resources there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource
    from kubeemulator.registry import Registry

_VERBS: Final = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
VERSION: Final[JsonObject] = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+kubeemulator",
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2025-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "cpython",
    "platform": "any/any",
}
"""The emulated server's version; kubectl only warns about servers far from its own."""


def core_versions() -> JsonObject:
    """The answer to `/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list(registry: Registry) -> JsonObject:
    """The answer to `/apis`."""
    groups = [_group(registry, name) for name in registry.groups()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> JsonObject | None:
    """The answer to `/apis/<group>`, or None when the group is not served."""
    if name not in registry.groups():
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(registry, name)}


def _group(registry: Registry, name: str) -> JsonObject:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in registry.versions(name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(registry: Registry, group_name: str, version: str) -> JsonObject | None:
    """The answer to `/api/v1` and `/apis/<group>/<version>`, or None when it is not served."""
    found = [item for item in registry.all() if (item.group, item.version) == (group_name, version)]
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group_name}/{version}" if group_name else version,
        "resources": [entry for resource in found for entry in _entries(resource)],
    }


def _entries(resource: Resource) -> list[JsonObject]:
    main: JsonObject = {
        "name": resource.plural,
        "singularName": resource.singular_name,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["create"] if resource.write_only else _VERBS,
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    entries = [main]
    if resource.has_status:
        entries.append(_subresource(resource, "status", ["get", "patch", "update"]))
    if resource.plural == "serviceaccounts" and not resource.group:
        token = _subresource(resource, "token", ["create"])
        entries.append({**token, "group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"})
    return entries


def _subresource(resource: Resource, name: str, verbs: list[str]) -> JsonObject:
    return {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": verbs,
    }
