"""Where each kind lives in the Kubernetes API."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

GROUP: Final = "batchaccess.dev"
VERSION: Final = "v1alpha1"

FINALIZER: Final = f"{GROUP}/saga"
"""On connections and policies while a saga of theirs is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of object and the path it is served under; `group` is empty for the core API."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """As in the `apiVersion` of a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, *, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of one object, of all objects of a namespace, or of all objects."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part is not None]
        return "/" + "/".join(quote(part, safe="") for part in parts)


def _own(plural: str, kind: str, *, namespaced: bool) -> Resource:
    return Resource(group=GROUP, version=VERSION, plural=plural, kind=kind, namespaced=namespaced)


CONNECTIONS: Final = _own("batchaccountconnections", "BatchAccountConnection", namespaced=False)
POLICIES: Final = _own("batchpoolaccesspolicies", "BatchPoolAccessPolicy", namespaced=True)
POOL_ACCESSES: Final = _own("batchpoolaccesses", "BatchPoolAccess", namespaced=False)
NAMESPACES: Final = Resource(group="", version="v1", plural="namespaces", kind="Namespace", namespaced=False)
SECRETS: Final = Resource(group="", version="v1", plural="secrets", kind="Secret", namespaced=True)
EVENTS: Final = Resource(group="", version="v1", plural="events", kind="Event", namespaced=True)

KUBE_SYSTEM: Final = "kube-system"
"""The namespace whose UID is that of the cluster."""

WATCHED: Final = (CONNECTIONS, POLICIES, POOL_ACCESSES, NAMESPACES)
"""Everything the operator keeps a reading of."""
