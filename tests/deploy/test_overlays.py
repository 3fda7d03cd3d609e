"""What each overlay adds to the base, and the Lease's role under a running operator."""

import re
import signal
from pathlib import Path

import pytest
import yaml

from batchaccess.kube.lease import LEASE_NAME
from tests.deploy.rendering import KUSTOMIZE, Manifest, by_identity, composed, kustomized, of_kind, the
from tests.tenancy.clusterworld import clusterworld

BASE, OVERLAYS = KUSTOMIZE / "base", KUSTOMIZE / "overlays"


def pod_of(manifests: list[Manifest]) -> Manifest:
    template: Manifest = the(manifests, "Deployment")["spec"]["template"]
    return template


@pytest.mark.parametrize("overlay", sorted(OVERLAYS.iterdir()), ids=lambda path: path.name)
def test_an_overlay_takes_nothing_away(overlay: Path) -> None:
    assert by_identity(kustomized(BASE)).keys() <= by_identity(kustomized(overlay)).keys()


def test_high_availability_means_two_replicas_that_elect_and_one_that_stays() -> None:
    built = kustomized(OVERLAYS / "ha")
    deployment = the(built, "Deployment")["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["type"] == "RollingUpdate"
    (container,) = pod_of(built)["spec"]["containers"]
    assert {"name": "BATCHACCESS_LEADER_ELECT", "value": "true"} in container["env"]
    budget = the(built, "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= pod_of(built)["metadata"]["labels"].items()
    (term,) = pod_of(built)["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert (
        term["podAffinityTerm"]["labelSelector"]["matchLabels"].items() <= pod_of(built)["metadata"]["labels"].items()
    )


def test_all_components_compose(tmp_path: Path) -> None:
    names = sorted(path.name for path in (KUSTOMIZE / "components").iterdir())
    built = composed(tmp_path, *names)
    alone = [composed(_empty(tmp_path / name), name) for name in names]
    assert by_identity(built).keys() == {identity for manifests in alone for identity in by_identity(manifests)}
    (container,) = pod_of(built)["spec"]["containers"]
    variables = {each["name"] for each in container["env"]}
    assert variables == {
        each["name"] for manifests in alone for each in pod_of(manifests)["spec"]["containers"][0]["env"]
    }


def _empty(directory: Path) -> Path:
    directory.mkdir()
    return directory


def test_a_single_replica_has_no_budget_and_no_lease() -> None:
    built = kustomized(BASE)
    assert of_kind(built, "PodDisruptionBudget") == []
    assert not [rule for role in of_kind(built, "Role") for rule in role["rules"] if "leases" in rule["resources"]]


def test_workload_identity_labels_the_pod_and_annotates_the_account() -> None:
    built = kustomized(OVERLAYS / "workload-identity")
    assert pod_of(built)["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    annotations = the(built, "ServiceAccount")["metadata"]["annotations"]
    assert set(annotations) == {"azure.workload.identity/client-id", "azure.workload.identity/tenant-id"}


def test_the_prometheus_operator_finds_the_service() -> None:
    built = kustomized(OVERLAYS / "prometheus-operator")
    wanted = the(built, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    assert wanted <= the(built, "Service")["metadata"]["labels"].items()
    assert of_kind(built, "PrometheusRule")


def test_the_network_policy_covers_the_pod_and_admits_its_own_port_only() -> None:
    built = kustomized(BASE)
    spec = the(built, "NetworkPolicy")["spec"]
    assert spec["podSelector"]["matchLabels"].items() <= pod_of(built)["metadata"]["labels"].items()
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
    (container,) = pod_of(built)["spec"]["containers"]
    names = {port["name"] for port in container["ports"]}
    assert {port["port"] for rule in spec["ingress"] for port in rule["ports"]} == names
    assert all(rule["from"] for rule in spec["ingress"])


def test_components_written_in_the_documentation_exist() -> None:
    text = (KUSTOMIZE.parents[1] / "docs" / "install.md").read_text()
    named = set(re.findall(r"deploy/kustomize/components/([a-z-]+)", text))
    assert named == {path.name for path in (KUSTOMIZE / "components").iterdir()}


def test_the_lease_role_is_used_and_enough(tmp_path: Path) -> None:
    with clusterworld(tmp_path, overlay=OVERLAYS / "ha", flags=("--leader-elect",)) as world:
        world.until(lambda: "batchaccess_leader 1.0" in world.pages(), "the replica to lead")
        lease = yaml.safe_load(world.kubectl("get", "lease", LEASE_NAME, "--namespace=batchaccess", "-o=yaml"))
        assert lease["spec"]["leaseDurationSeconds"] == 10
        world.until(
            lambda: any(each.startswith("PATCH") and "/leases/" in each for each in world.requests_of_operator()),
            "a renewal",
        )
        world.process.send_signal(signal.SIGTERM)
        assert world.process.wait(timeout=60) == 0
        released = yaml.safe_load(world.kubectl("get", "lease", LEASE_NAME, "--namespace=batchaccess", "-o=yaml"))
        assert not released["spec"].get("holderIdentity")
        asked = {each.split()[0] for each in world.requests_of_operator() if "/leases" in each}
    role = yaml.safe_load((KUSTOMIZE / "components" / "high-availability" / "lease-role.yaml").read_text())
    verbs = {"get": "GET", "create": "POST", "patch": "PATCH"}
    assert asked == {verbs[verb] for rule in role["rules"] for verb in rule["verbs"]}
    assert [rule["resourceNames"] for rule in role["rules"] if "resourceNames" in rule] == [[LEASE_NAME]]
