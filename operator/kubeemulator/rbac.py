"""Role-based access control over the stored roles and bindings.

Reference: Kubernetes documentation "Using RBAC Authorization". Aggregated roles and the guard against privilege
escalation are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeemulator.builtin import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from kubeemulator.jsontypes import JsonObject, list_at, object_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeemulator.authn import User
    from kubeemulator.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What somebody wants to do."""

    verb: str
    group: str = ""
    resource: str = ""
    """The plural, with its subresource after a slash."""

    namespace: str = ""
    name: str = ""
    path: str = ""
    """For what is no resource, such as `/version`."""


def is_allowed(store: Store, user: User, access: Access) -> bool:
    """Whether some role bound to the user permits the access."""
    if user.is_administrator:
        return True
    return any(_permits(rule, access) for rule in rules_for(store, user, access.namespace))


def rules_for(store: Store, user: User, namespace: str) -> Iterator[JsonObject]:
    """Every rule bound to the user, cluster-wide or in the namespace."""
    for entry in store.bucket(CLUSTER_ROLE_BINDINGS.storage).entries.values():
        if _is_bound(user, entry.obj):
            yield from _rules(store, entry.obj, "")
    if not namespace:
        return
    for (bound_in, _), entry in store.bucket(ROLE_BINDINGS.storage).entries.items():
        if bound_in == namespace and _is_bound(user, entry.obj):
            yield from _rules(store, entry.obj, namespace)


def denial(user: User, access: Access) -> str:
    """Why the access is refused, in the real server's words."""
    start = f'User "{user.name}" cannot {access.verb}'
    if access.path:
        return f'{start} path "{access.path}"'
    where = f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope"
    return f'{start} resource "{access.resource}" in API group "{access.group}" {where}'


def _is_bound(user: User, binding: JsonObject) -> bool:
    return any(_is_subject(user, subject, binding) for subject in list_at(binding, "subjects"))


def _is_subject(user: User, subject: JsonObject, binding: JsonObject) -> bool:
    name = str(subject.get("name", ""))
    match subject.get("kind"):
        case "User":
            return name == user.name
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            namespace = subject.get("namespace") or object_at(binding, "metadata").get("namespace", "")
            return user.name == f"system:serviceaccount:{namespace}:{name}"
        case _:
            return False


def _rules(store: Store, binding: JsonObject, namespace: str) -> Iterator[JsonObject]:
    role = object_at(binding, "roleRef")
    of_cluster = role.get("kind") == "ClusterRole"
    bucket, key = (CLUSTER_ROLES, ("", role["name"])) if of_cluster else (ROLES, (namespace, role["name"]))
    entry = store.get(bucket.storage, key)
    if entry is not None:
        yield from list_at(entry.obj, "rules")


def _permits(rule: JsonObject, access: Access) -> bool:
    if not _covers(list_at(rule, "verbs"), access.verb):
        return False
    if access.path:
        return any(_covers_path(str(pattern), access.path) for pattern in list_at(rule, "nonResourceURLs"))
    names = list_at(rule, "resourceNames")
    return (
        _covers(list_at(rule, "apiGroups"), access.group)
        and _covers_resource(list_at(rule, "resources"), access.resource)
        and (not names or access.name in names)
    )


def _covers(listed: list[str], wanted: str) -> bool:
    return "*" in listed or wanted in listed


def _covers_resource(listed: list[str], wanted: str) -> bool:
    subresource = wanted.partition("/")[2]
    return _covers(listed, wanted) or bool(subresource and f"*/{subresource}" in listed)


def _covers_path(pattern: str, path: str) -> bool:
    return path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1]))
