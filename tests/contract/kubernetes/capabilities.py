"""What an API server may lack without breaking the contract, and how that is found out.

Expected differences of the real servers that the contract was first checked against:

| server | lacks |
|---|---|
| kube-apiserver 1.20 | CEL, STRICT_FIELDS, SEND_INITIAL_EVENTS, OPENAPI_V3 |
| CRD server of 1.36 alone (apiextensions) | CORE_KINDS, NAMESPACE_CHECK, ROLES, OPENAPI_V2, OPENAPI_V3 |
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.kubernetes.apiclient import ApiClient


class Capability(StrEnum):
    """Something that only some API servers have."""

    CEL = "CEL rules in definitions (1.25)"
    STRICT_FIELDS = "field validation on the server (1.25)"
    SEND_INITIAL_EVENTS = "watches that send the state first (1.27)"
    OPENAPI_V2 = "the OpenAPI v2 document of definitions"
    OPENAPI_V3 = "the OpenAPI v3 documents (1.24)"
    CORE_KINDS = "the built-in kinds"
    NAMESPACE_CHECK = "refusal of objects in missing namespaces"
    ROLES = "role-based access control"


_SINCE_MINOR = {
    Capability.CEL: 25,
    Capability.STRICT_FIELDS: 25,
    Capability.SEND_INITIAL_EVENTS: 27,
    Capability.OPENAPI_V3: 24,
}


async def capabilities_of(api: ApiClient) -> frozenset[Capability]:
    """What the server has, by its version and by what it serves."""
    minor = int("".join(filter(str.isdigit, (await api.get("/version")).body["minor"])))
    found = {capability for capability, since in _SINCE_MINOR.items() if minor >= since}
    if (await api.get("/api/v1/namespaces")).code == 200:
        found |= {Capability.CORE_KINDS, Capability.NAMESPACE_CHECK, Capability.OPENAPI_V2}
    else:
        found.discard(Capability.OPENAPI_V3)
    if (await api.get("/apis/rbac.authorization.k8s.io/v1")).code == 200:
        found.add(Capability.ROLES)
    return frozenset(found)
