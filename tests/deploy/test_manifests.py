"""What `kubectl apply -k deploy/kustomize/base` brings into a cluster, checked without one."""

import subprocess
from typing import Any

import pytest
import yaml

from batchaccess.settings import DEFAULT_NAMESPACE
from tests.support.kube import CRDS, ROOT

BASE = ROOT / "deploy" / "kustomize" / "base"


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    done = subprocess.run(["kubectl", "kustomize", str(BASE)], capture_output=True, text=True, check=True, timeout=60)
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def of_kind(rendered: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in rendered if manifest["kind"] == kind]


def rules(rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for kind in ("ClusterRole", "Role") for role in of_kind(rendered, kind) for rule in role["rules"]]


def test_the_crds_are_those_of_the_checkout(rendered: list[dict[str, Any]]) -> None:
    checkout = {yaml.safe_load(path.read_text())["metadata"]["name"] for path in CRDS}
    assert {crd["metadata"]["name"] for crd in of_kind(rendered, "CustomResourceDefinition")} == checkout


def test_no_rule_has_a_wildcard(rendered: list[dict[str, Any]]) -> None:
    for rule in rules(rendered):
        for words in rule.values():
            assert not [word for word in words if "*" in word]


def test_secrets_are_read_by_name_in_the_operators_namespace_only(rendered: list[dict[str, Any]]) -> None:
    assert [rule["verbs"] for rule in rules(rendered) if "secrets" in rule["resources"]] == [["get"]]
    for role in of_kind(rendered, "ClusterRole"):
        assert all("secrets" not in rule["resources"] for rule in role["rules"])
    (role,) = of_kind(rendered, "Role")
    assert role["metadata"]["namespace"] == DEFAULT_NAMESPACE


def test_of_what_people_declare_only_the_finalizer_is_patched(rendered: list[dict[str, Any]]) -> None:
    for rule in rules(rendered):
        if {"batchaccountconnections", "batchpoolaccesspolicies"} & set(rule["resources"]):
            # Kubernetes knows no narrower permission; tests/deploy/test_least_privilege shows what is patched.
            assert set(rule["verbs"]) <= {"get", "list", "watch", "patch"}


def test_roles_are_bound_to_the_account_the_pod_runs_as(rendered: list[dict[str, Any]]) -> None:
    (deployment,), (account,) = of_kind(rendered, "Deployment"), of_kind(rendered, "ServiceAccount")
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == account["metadata"]["name"]
    subject = {"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": DEFAULT_NAMESPACE}
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        (binding,) = of_kind(rendered, kind)
        assert binding["subjects"] == [subject]
        assert binding["roleRef"]["name"] in {role["metadata"]["name"] for role in of_kind(rendered, "ClusterRole")} | {
            role["metadata"]["name"] for role in of_kind(rendered, "Role")
        }


def test_two_operators_never_run_at_once(rendered: list[dict[str, Any]]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_pod_is_restricted(rendered: list[dict[str, Any]]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    (namespace,) = of_kind(rendered, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_probes_ask_what_the_operator_answers(rendered: list[dict[str, Any]]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "telemetry"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "telemetry"}
    assert container["ports"] == [{"name": "telemetry", "containerPort": 8080}]


def test_a_write_in_flight_has_time_to_finish(rendered: list[dict[str, Any]]) -> None:
    (deployment,) = of_kind(rendered, "Deployment")
    # 20 s for the sweeps, 5 s for their statuses, the rest for the watches.
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 40
