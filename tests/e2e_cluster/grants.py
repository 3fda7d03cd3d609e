"""What the shipped roles grant, verb by verb, where each verb is used, and how one verb is taken away."""

from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.e2e_cluster.realcluster import NAMESPACE, RealCluster
from tests.support.kube import ROOT

OVERLAY: Final = ROOT / "deploy" / "kustomize" / "overlays" / "ha"
"""What has every role that we ship: those of the base, and the one of the Lease."""

_KUSTOMIZE: Final = ROOT / "deploy" / "kustomize"
_ROLES: Final = ("base/clusterrole.yaml", "base/role.yaml", "components/high-availability/lease-role.yaml")
_PATHS: Final = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles",
}

STARTS: Final = "starts"
DECLARED: Final = "is told of an account and a policy"
DRAINS: Final = "drains a pool"
REPEATS: Final = "corrects a pool again"
FORGETS: Final = "sees a pool go"
LEAVES: Final = "is uninstalled"

USED_WHEN: Final = {
    "list batchaccountconnections": STARTS,
    "list batchpoolaccesspolicies": STARTS,
    "list batchpoolaccesses": STARTS,
    "list namespaces": STARTS,
    "watch batchaccountconnections": STARTS,
    "watch batchpoolaccesspolicies": STARTS,
    "watch batchpoolaccesses": STARTS,
    "watch namespaces": STARTS,
    "get leases": STARTS,
    "create leases": STARTS,
    "patch leases": STARTS,
    "get secrets": DECLARED,
    "create batchpoolaccesses": DECLARED,
    "create events": DECLARED,
    "patch batchaccountconnections/status": DECLARED,
    "patch batchpoolaccesspolicies/status": DECLARED,
    "patch batchpoolaccesses/status": DECLARED,
    "get batchaccountconnections": DECLARED,
    "get batchpoolaccesspolicies": DECLARED,
    "get batchpoolaccesses": DECLARED,
    "patch batchpoolaccesspolicies": DRAINS,
    "patch events": REPEATS,
    "delete batchpoolaccesses": FORGETS,
    "patch batchaccountconnections": LEAVES,
}
"""For each grant the step of test_what_is_granted_is_what_is_used in which the audit log shows that it is used."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Grant:
    """One verb on one resource, or on the one object of it that the role names."""

    kind: str
    role: str
    group: str
    resource: str
    verb: str
    name: str

    @property
    def use(self) -> tuple[str, str, str]:
        """As the audit log has it."""
        return self.group, self.resource, self.verb

    @property
    def question(self) -> list[str]:
        """The same for `kubectl auth can-i`."""
        resource, _, subresource = self.resource.partition("/")
        asked = [self.verb, f"{resource}.{self.group}".rstrip(".") + (f"/{self.name}" if self.name else "")]
        asked += [f"--subresource={subresource}"] if subresource else []
        return [*asked, f"--namespace={NAMESPACE}" if self.kind == "Role" else "--all-namespaces"]

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def _roles() -> list[dict[str, Any]]:
    return [yaml.safe_load((_KUSTOMIZE / file).read_text()) for file in _ROLES]


def _grants(role: dict[str, Any]) -> list[Grant]:
    return [
        Grant(
            kind=role["kind"],
            role=role["metadata"]["name"],
            group=group,
            resource=resource,
            verb=verb,
            name=name,
        )
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    ]


def shipped() -> list[Grant]:
    """Every grant of the roles in deploy/kustomize; the chart has the same rules, which tests/deploy compares."""
    return sorted(grant for role in _roles() for grant in _grants(role))


def take_away(cluster: RealCluster, grant: Grant) -> None:
    """Leave every role as shipped, but for one verb on one resource."""
    for role in _roles():
        _put(cluster, role, [_rule(each) for each in _grants(role) if each != grant])


def _rule(grant: Grant) -> dict[str, Any]:
    names = {"resourceNames": [grant.name]} if grant.name else {}
    return {"apiGroups": [grant.group], "resources": [grant.resource], "verbs": [grant.verb], **names}


def give_back(cluster: RealCluster) -> None:
    """Every role as shipped."""
    for role in _roles():
        _put(cluster, role, role["rules"])


def _put(cluster: RealCluster, role: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    path = f"{_PATHS[role['kind']]}/{role['metadata']['name']}"
    code, body = cluster.call("PATCH", path, {"rules": rules}, content="application/merge-patch+json")
    assert code == 200, body
