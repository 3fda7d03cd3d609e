"""What the shipped roles grant, verb by verb, and how one verb is taken away."""

import copy
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.e2e_cluster.realcluster import BASE, NAMESPACE, RealCluster

_ROLES: Final = {"ClusterRole": "clusterrole.yaml", "Role": "role.yaml"}
_PATHS: Final = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles",
}


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One verb on one resource."""

    role: str
    group: str
    resource: str
    verb: str

    @property
    def use(self) -> tuple[str, str, str]:
        return self.group, self.resource, self.verb

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def _roles() -> list[dict[str, Any]]:
    return [role for file in _ROLES.values() for role in yaml.safe_load_all((BASE / file).read_text()) if role]


def shipped() -> list[Grant]:
    """Every grant of the roles in deploy/kustomize/base."""
    return sorted(
        Grant(role["kind"], group, resource, verb)
        for role in _roles()
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )


def take_away(cluster: RealCluster, grant: Grant) -> None:
    """Leave every role as shipped, but for one verb on one resource."""
    for role in _roles():
        if role["kind"] != grant.role:
            continue
        rules = [
            {
                **{key: listed for key, listed in rule.items() if key not in ("apiGroups", "resources", "verbs")},
                "apiGroups": [group],
                "resources": [resource],
                "verbs": verbs,
            }
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            if (verbs := [verb for verb in rule["verbs"] if (group, resource, verb) != grant.use])
        ]
        _put(cluster, role, rules)


def give_back(cluster: RealCluster) -> None:
    """Every role as shipped."""
    for role in _roles():
        _put(cluster, role, copy.deepcopy(role["rules"]))


def _put(cluster: RealCluster, role: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    path = f"{_PATHS[role['kind']]}/{role['metadata']['name']}"
    code, body = cluster.call("PATCH", path, {"rules": rules}, content="application/merge-patch+json")
    assert code == 200, body
