"""What users do with kubectl: apply beside each other, wait, look, explain."""

from typing import Any

import pytest

from tests.e2e_cluster.realcluster import RealCluster, until, until_is
from tests.e2e_cluster.worlds import CONNECTION, POLICY, World
from tests.support.kube import policy_path

APPLY = "application/apply-patch+yaml"
CONFLICT = 409


def applied(
    cluster: RealCluster, manager: str, spec: dict[str, Any], *, force: bool = False
) -> tuple[int, dict[str, Any]]:
    manifest = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchPoolAccessPolicy",
        "metadata": {"name": "shared", "namespace": "default"},
        "spec": spec,
    }
    query = f"fieldManager={manager}&force={str(force).lower()}"
    return cluster.call("PATCH", f"{policy_path('shared')}?{query}", manifest, content=APPLY)


SSH = {"name": "SSH", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4099}, "allowFrom": []}
RDP = {"name": "RDP", "backendPort": 3389, "frontendPorts": {"start": 60000, "end": 60099}, "allowFrom": []}


def test_two_field_managers_share_a_policy(cluster: RealCluster) -> None:
    team = {"connections": {"names": [CONNECTION]}, "access": {"endpoints": {"items": [SSH]}}}
    try:
        code, _ = applied(cluster, "team", team)
        assert code == 201
        # The endpoints are a map by name: another manager adds its own without taking the first one's.
        security = {"mode": "Audit", "access": {"endpoints": {"items": [RDP]}}}
        code, body = applied(cluster, "security", security)
        assert code == 200, body
        assert {each["name"] for each in body["spec"]["access"]["endpoints"]["items"]} == {"SSH", "RDP"}

        greedy = {"mode": "Audit", "access": {"endpoints": {"items": [SSH | {"backendPort": 2222}]}}}
        code, body = applied(cluster, "security", greedy)
        assert code == CONFLICT
        assert 'conflict with "team"' in body["message"]

        code, body = applied(cluster, "team", {"connections": {"names": [CONNECTION]}})
        assert [each["name"] for each in body["spec"]["access"]["endpoints"]["items"]] == ["RDP"]

        code, body = applied(cluster, "team", {"connections": {"names": [CONNECTION]}, "mode": "Enforce"}, force=True)
        assert (code, body["spec"]["mode"]) == (200, "Enforce")
    finally:
        cluster.kubectl("delete", "bpap", "shared", "--ignore-not-found")


def test_the_operator_owns_statuses_and_nothing_else(living: World) -> None:
    fields = living.cluster.get(policy_path(POLICY))["metadata"]["managedFields"]
    ours = [entry for entry in fields if entry["manager"].startswith("batchaccess")]

    assert ours
    assert {entry["subresource"] for entry in ours} == {"status"}
    assert {key for entry in ours for key in entry["fieldsV1"]} == {"f:status"}


def test_users_wait_look_and_explain(living: World) -> None:
    kubectl = living.cluster.kubectl
    kubectl("wait", "--for=condition=Ready", f"bac/{CONNECTION}", "--timeout=30s")
    kubectl("wait", "--for=condition=Enforced", f"bpap/{POLICY}", "--timeout=30s")
    kubectl("wait", "--for=condition=Compliant", f"bpa/{CONNECTION}.render-1", "--timeout=30s")

    assert POLICY in kubectl("get", "batch", "--all-namespaces")
    assert "READY" in kubectl("get", "bac")
    assert "allowFrom" in kubectl("explain", "bpap.spec.access.endpoints.items")
    assert "maxConcurrentDrains" in kubectl("explain", "bac.spec", "--recursive")


def test_a_sweep_can_be_asked_for(living: World) -> None:
    before = living.sweeps()
    living.cluster.kubectl("annotate", "bac", CONNECTION, "batchaccess.dev/requested-at=now")
    until_is(
        lambda: living.cluster.kubectl("get", "bac", CONNECTION, "-o=jsonpath={.status.lastHandledRequestedAt}"), "now"
    )
    assert living.sweeps() > before


@pytest.mark.usefixtures("plane")
def test_steady_state_writes_nothing(living: World) -> None:
    until_is(lambda: living.cluster.condition("bpa", f"{CONNECTION}.render-1", "Compliant"), "True/Compliant")
    sweeps = living.sweeps()
    until(lambda: living.sweeps() >= sweeps + 1, "one more sweep, to settle")
    position, sweeps = living.cluster.audit_position(), living.sweeps()
    until(lambda: living.sweeps() >= sweeps + 2, "two sweeps")

    assert [each for each in living.cluster.writes(since=position) if each.resource != "leases"] == []
