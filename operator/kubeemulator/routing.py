"""From a path to what it names, and to what that means for authorization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kubeemulator.builtin import NAMESPACES
from kubeemulator.rbac import Access

if TYPE_CHECKING:
    from kubeemulator.kinds import Resource
    from kubeemulator.registry import Registry

_GROUP_PREFIX: Final = 3
_CORE_PREFIX: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A resource, or one object of it, as a path names it."""

    resource: Resource
    namespace: str
    name: str
    subresource: str


def target_of(path: str, registry: Registry) -> Target | None:
    """What a path names; None when it is no path of a served resource."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["apis"] and len(parts) > _GROUP_PREFIX:
        group, version, rest = parts[1], parts[2], parts[_GROUP_PREFIX:]
    elif parts[:1] == ["api"] and len(parts) > _CORE_PREFIX:
        group, version, rest = "", parts[1], parts[_CORE_PREFIX:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in _NAMESPACE_SUBRESOURCES:  # noqa: PLR2004 -- namespaces/<name>/<resource>
        namespace, rest = rest[1], rest[2:]
    resource = registry.find(group, version, rest[0])
    padded = [*rest[1:], "", ""]
    if resource is None or len(rest) > 3 or (namespace and not resource.namespaced):  # noqa: PLR2004 -- <resource>/<name>/<subresource>
        return None
    if resource.namespaced and not namespace and padded[0]:
        return None
    return Target(resource=resource, namespace=namespace, name=padded[0], subresource=padded[1])


_NAMESPACE_SUBRESOURCES: Final = ("status", "finalize")

_OBJECT_VERBS: Final = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_COLLECTION_VERBS: Final = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


def access_to(target: Target, method: str, *, watches: bool) -> Access:
    """What a request wants to do, for authorization."""
    verbs = _OBJECT_VERBS if target.name else _COLLECTION_VERBS
    verb = "watch" if watches else verbs.get(method, method.lower())
    plural = target.resource.plural
    return Access(
        verb=verb,
        group=target.resource.group,
        resource=f"{plural}/{target.subresource}" if target.subresource else plural,
        namespace=target.name if target.resource is NAMESPACES and target.name else target.namespace,
        name=target.name,
    )
