"""The state of one emulated cluster, and what a request is about. No HTTP in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kubeemulator.builtin import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, DEFINITIONS, NAMESPACES
from kubeemulator.clock import now_text
from kubeemulator.events import converted
from kubeemulator.identity import new_uid
from kubeemulator.registry import Registry
from kubeemulator.store import Entry, Key, Store

if TYPE_CHECKING:
    from kubeemulator.authn import User
    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource
    from kubeemulator.options import WriteOptions

_PROBES: Final = ("/healthz", "/livez", "/readyz")
_NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
_SYSTEM_ROLES: Final[dict[str, list[JsonObject]]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "system:discovery": [
        {
            "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", "/version", *_PROBES],
            "verbs": ["get"],
        }
    ],
    "system:basic-user": [
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ],
}
_SYSTEM_SUBJECTS: Final = {
    "cluster-admin": "system:masters",
    "system:discovery": "system:authenticated",
    "system:basic-user": "system:authenticated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a write is about, and who asks."""

    resource: Resource
    namespace: str
    name: str
    subresource: str
    user: User
    options: WriteOptions
    warnings: list[str] = field(default_factory=list)
    """Collected for the `Warning` headers of the answer."""

    @property
    def key(self) -> Key:
        """Where the object is stored."""
        return (self.namespace, self.name)


class Cluster:
    """The store and what is served from it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.registry = Registry()
        self.waiting: set[tuple[str, Key]] = set()
        """Objects being deleted that wait for their dependents (foreground and orphaning deletion)."""

        for entry in store.bucket(DEFINITIONS.storage).entries.values():
            self.registry.register(entry.obj)
        self._seed()

    def find(self, resource: Resource, key: Key) -> Entry | None:
        """The stored object in the version asked for, or None."""
        entry = self.store.get(resource.storage, key)
        return None if entry is None else in_version(resource, entry)

    def _seed(self) -> None:
        for name in _NAMESPACES:
            self._plant(NAMESPACES, name, {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
        for name, rules in _SYSTEM_ROLES.items():
            self._plant(CLUSTER_ROLES, name, {"rules": rules})
            subject = {"kind": "Group", "apiGroup": CLUSTER_ROLES.group, "name": _SYSTEM_SUBJECTS[name]}
            role = {"apiGroup": CLUSTER_ROLES.group, "kind": "ClusterRole", "name": name}
            self._plant(CLUSTER_ROLE_BINDINGS, name, {"subjects": [subject], "roleRef": role})

    def _plant(self, resource: Resource, name: str, body: JsonObject) -> None:
        if self.store.get(resource.storage, ("", name)) is not None:
            return
        metadata: JsonObject = {"name": name, "uid": new_uid(), "creationTimestamp": now_text()}
        if resource is NAMESPACES:
            metadata["labels"] = {"kubernetes.io/metadata.name": name}
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **body}
        self.store.put(resource.storage, ("", name), obj)


def in_version(resource: Resource, entry: Entry) -> Entry:
    """An entry as one version of its resource shows it (conversion strategy None, but for the two event kinds)."""
    if entry.obj.get("apiVersion") == resource.api_version:
        return entry
    return Entry(converted(resource, entry.obj))
