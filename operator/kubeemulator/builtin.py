"""The built-in kinds: stored as they are sent, neither pruned nor validated, and run by nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kubeemulator.columns import (
    AGE,
    NAME,
    binding_columns,
    count_column,
    created_column,
    deployment_columns,
    event_columns,
    text_column,
)
from kubeemulator.kinds import Column, Resource

_EVENT_FIELDS: Final = (
    *(
        f"involvedObject.{key}"
        for key in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    ),
    "reason",
    "type",
    "source",
    "reportingComponent",
)
_RBAC: Final = "rbac.authorization.k8s.io"
_EXTENSIONS: Final = "apiextensions.k8s.io"


def _stored(
    group: str,
    kind: str,
    plural: str,
    *short_names: str,
    namespaced: bool = True,
    has_status: bool = False,
    has_generation: bool = False,
    columns: tuple[Column, ...] = (NAME, AGE),
    selectable: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
) -> Resource:
    return Resource(
        group=group,
        version="v1",
        plural=plural,
        kind=kind,
        namespaced=namespaced,
        short_names=short_names,
        has_status=has_status,
        has_generation=has_generation,
        columns=columns,
        selectable_fields=selectable,
        categories=categories,
    )


def _question(group: str, kind: str, plural: str, *, namespaced: bool = False) -> Resource:
    return Resource(group=group, version="v1", plural=plural, kind=kind, namespaced=namespaced, write_only=True)


NAMESPACES: Final = _stored(
    "",
    "Namespace",
    "namespaces",
    "ns",
    namespaced=False,
    has_status=True,
    columns=(NAME, text_column("Status", "status.phase"), AGE),
    selectable=("status.phase",),
)
EVENTS: Final = _stored("", "Event", "events", "ev", columns=event_columns(), selectable=_EVENT_FIELDS)
SERVICE_ACCOUNTS: Final = _stored(
    "", "ServiceAccount", "serviceaccounts", "sa", columns=(NAME, count_column("Secrets", "secrets"), AGE)
)
DEFINITIONS: Final = _stored(
    _EXTENSIONS,
    "CustomResourceDefinition",
    "customresourcedefinitions",
    "crd",
    "crds",
    namespaced=False,
    has_status=True,
    has_generation=True,
    columns=(NAME, created_column()),
    categories=("api-extensions",),
)
SECRETS: Final = _stored(
    "",
    "Secret",
    "secrets",
    columns=(NAME, text_column("Type", "type"), count_column("Data", "data"), AGE),
    selectable=("type",),
)
ROLES: Final = _stored(_RBAC, "Role", "roles", columns=(NAME, created_column()))
CLUSTER_ROLES: Final = _stored(_RBAC, "ClusterRole", "clusterroles", namespaced=False, columns=(NAME, created_column()))
ROLE_BINDINGS: Final = _stored(_RBAC, "RoleBinding", "rolebindings", columns=binding_columns())
CLUSTER_ROLE_BINDINGS: Final = _stored(
    _RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False, columns=binding_columns()
)

BUILTIN: Final[tuple[Resource, ...]] = (
    NAMESPACES,
    EVENTS,
    replace(
        EVENTS, group="events.k8s.io", bucket="events", selectable_fields=("regarding.name", "regarding.kind", "reason")
    ),
    SERVICE_ACCOUNTS,
    SECRETS,
    _stored("", "ConfigMap", "configmaps", "cm", columns=(NAME, count_column("Data", "data", "binaryData"), AGE)),
    _stored(
        "",
        "Service",
        "services",
        "svc",
        has_status=True,
        columns=(NAME, text_column("Type", "spec.type", absent="ClusterIP"), AGE),
        categories=("all",),
    ),
    _stored(
        "", "Pod", "pods", "po", has_status=True, selectable=("spec.nodeName", "status.phase"), categories=("all",)
    ),
    _stored("", "Node", "nodes", "no", namespaced=False, has_status=True),
    _stored(
        "apps",
        "Deployment",
        "deployments",
        "deploy",
        has_status=True,
        has_generation=True,
        columns=deployment_columns(),
        categories=("all",),
    ),
    _stored(
        "networking.k8s.io",
        "NetworkPolicy",
        "networkpolicies",
        "netpol",
        has_generation=True,
    ),
    _stored(
        "policy",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "pdb",
        has_status=True,
        has_generation=True,
        columns=(
            NAME,
            text_column("Min Available", "spec.minAvailable", absent="N/A"),
            text_column("Max Unavailable", "spec.maxUnavailable", absent="N/A"),
            AGE,
        ),
    ),
    _stored(
        "coordination.k8s.io", "Lease", "leases", columns=(NAME, text_column("Holder", "spec.holderIdentity"), AGE)
    ),
    DEFINITIONS,
    ROLES,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLE_BINDINGS,
    _question("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews"),
    _question("authentication.k8s.io", "TokenReview", "tokenreviews"),
    _question("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    _question("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    _question("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews"),
)
