"""The chart renders what kustomize renders, and what its values say beside that."""

import json
import subprocess
import tarfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from batchaccess.cli import main
from batchaccess.settings import DEFAULT_NAMESPACE
from tests.deploy.releases import PAIR
from tests.deploy.rendering import (
    CHART,
    EVERYTHING,
    KUSTOMIZE,
    Manifest,
    by_identity,
    chart,
    is_hook,
    kustomized,
    of_kind,
    run_helm,
    the,
)
from tests.support.kube import CRDS

CHARTS_OWN_LABELS = (
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
)


def comparable(manifest: Manifest) -> Manifest:
    """Without what only one of the two tools writes: labels of releases, and settings at their defaults."""
    made = deepcopy(manifest)
    for labels in _label_maps(made):
        for label in CHARTS_OWN_LABELS:
            labels.pop(label, None)
    metadata = made["metadata"]
    metadata.get("annotations", {}).pop("helm.sh/resource-policy", None)
    for empty in [key for key, value in metadata.items() if not value]:
        del metadata[empty]
    if made["kind"] == "Deployment":
        template = made["spec"]["template"]
        template["metadata"] = {key: value for key, value in template["metadata"].items() if value}
        (container,) = template["spec"]["containers"]
        container.pop("imagePullPolicy", None)
        container["env"].sort(key=lambda variable: variable["name"])
        container["args"] = [each for each in container["args"] if not each.startswith(("--log-", "--resync-"))]
    if made["kind"] == "NetworkPolicy":
        made["spec"]["ingress"] = [
            rule for rule in made["spec"]["ingress"] if rule["from"] != [{"podSelector": {"matchLabels": {}}}]
        ]
    return made


def _label_maps(node: Any) -> list[dict[str, str]]:  # noqa: ANN401 any part of a manifest
    if isinstance(node, list):
        return [labels for each in node for labels in _label_maps(each)]
    if not isinstance(node, dict):
        return []
    found = [node[key] for key in ("labels", "matchLabels") if isinstance(node.get(key), dict)]
    selector = node.get("selector")
    if isinstance(selector, dict) and "matchLabels" not in selector:
        found.append(selector)
    return found + [labels for value in node.values() for labels in _label_maps(value)]


def same(released: list[Manifest], built: list[Manifest]) -> None:
    chart_has = by_identity(map(comparable, (each for each in released if not is_hook(each))))
    kustomize_has = by_identity(map(comparable, (each for each in built if each["kind"] != "Namespace")))
    assert chart_has.keys() == kustomize_has.keys()
    for identity, manifest in kustomize_has.items():
        assert chart_has[identity] == manifest, identity


def test_helm_finds_nothing_to_complain_about() -> None:
    for values in ((), EVERYTHING):
        settings = [part for value in values for part in ("--set", value)]
        assert "0 chart(s) failed" in run_helm("lint", "--strict", CHART, *settings).stdout


def test_with_default_values_it_is_what_kustomize_builds() -> None:
    same(chart(), kustomized(KUSTOMIZE / "base"))


def test_with_high_availability_it_is_what_the_overlay_builds() -> None:
    same(chart("highAvailability.enabled=true"), kustomized(KUSTOMIZE / "overlays" / "ha"))


def test_one_replica_may_hold_the_lease_alone_and_has_no_budget() -> None:
    rendered, pair = chart("highAvailability.enabled=true", "highAvailability.replicas=1"), chart(PAIR)
    assert the(rendered, "Deployment")["spec"]["replicas"] == 1
    assert environment(rendered)["BATCHACCESS_LEADER_ELECT"] == "true"
    assert roles(rendered) == roles(pair)
    assert of_kind(rendered, "RoleBinding") == of_kind(pair, "RoleBinding")
    assert {each["kind"] for each in pair} - {each["kind"] for each in rendered} == {"PodDisruptionBudget"}


def test_with_workload_identity_it_is_what_the_overlay_builds() -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    values = [f"workloadIdentity.{key}={nobody}" for key in ("clientId", "tenantId")]
    same(chart("workloadIdentity.enabled=true", *values), kustomized(KUSTOMIZE / "overlays" / "workload-identity"))


@pytest.mark.parametrize(
    ("value", "component", "variable"),
    [
        pytest.param("statusPage.enabled=true", "status-page", "BATCHACCESS_STATUS_PAGE", id="the status page"),
        pytest.param("highAvailability.enabled=true", "high-availability", "BATCHACCESS_LEADER_ELECT", id="a Lease"),
    ],
)
def test_what_is_off_by_default_is_switched_on_as_the_component_does(value: str, component: str, variable: str) -> None:
    patch = yaml.safe_load((KUSTOMIZE / "components" / component / "deployment.yaml").read_text())
    (patched,) = patch["spec"]["template"]["spec"]["containers"]
    assert {each["name"]: each["value"] for each in patched["env"]} == {variable: "true"}
    assert variable not in environment(chart())
    assert environment(chart(value)) == environment(chart()) | {variable: "true"}


def environment(manifests: list[Manifest]) -> dict[str, str]:
    (container,) = the(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


def test_roles_are_never_written_in_the_chart() -> None:
    for template in CHART.glob("templates/**/*.yaml"):
        assert "verbs:" not in template.read_text(), template


def test_the_roles_are_those_of_kustomize_rule_by_rule() -> None:
    rendered = {(each["kind"], each["metadata"]["name"]): each["rules"] for each in roles(chart(*EVERYTHING))}
    built = {
        (each["kind"], each["metadata"]["name"]): each["rules"]
        for each in roles(kustomized(KUSTOMIZE / "overlays" / "ha"))
    }
    assert rendered == built
    assert len(built) == 3
    (account,) = {subject["name"] for each in chart(*EVERYTHING) for subject in each.get("subjects", [])}
    users = [each for each in chart(*EVERYTHING) if each["kind"] in ("Deployment", "Job")]
    assert [each["spec"]["template"]["spec"]["serviceAccountName"] for each in users] == [account] * 2


def roles(manifests: list[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in ("Role", "ClusterRole")]


def test_the_alerts_and_dashboards_are_those_of_the_repository() -> None:
    rendered = chart(*EVERYTHING)
    built = kustomized(KUSTOMIZE / "overlays" / "prometheus-operator")
    assert the(rendered, "PrometheusRule")["spec"] == the(built, "PrometheusRule")["spec"]
    assert the(rendered, "ConfigMap")["data"] == the(built, "ConfigMap")["data"]
    assert the(rendered, "ServiceMonitor")["spec"]["endpoints"] == the(built, "ServiceMonitor")["spec"]["endpoints"]


def test_a_service_monitor_selects_the_service_of_its_release() -> None:
    rendered = chart("monitoring.serviceMonitor=true", release="other")
    wanted = the(rendered, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    assert wanted <= the(rendered, "Service")["metadata"]["labels"].items()


def test_the_definitions_are_upgraded_with_the_release_and_kept_when_it_goes() -> None:
    definitions = of_kind(chart(), "CustomResourceDefinition")
    declared = [yaml.safe_load(path.read_text()) for path in CRDS]
    assert {each["metadata"]["name"]: each["spec"] for each in definitions} == {
        each["metadata"]["name"]: each["spec"] for each in declared
    }
    for each in definitions:
        assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    for each in of_kind(chart("crds.keep=false"), "CustomResourceDefinition"):
        assert "helm.sh/resource-policy" not in each["metadata"].get("annotations", {})
    assert of_kind(chart("crds.install=false"), "CustomResourceDefinition") == []


def test_every_object_of_a_release_is_its_own() -> None:
    names = {each["metadata"]["name"] for each in chart(*EVERYTHING, release="two")}
    definitions = {yaml.safe_load(path.read_text())["metadata"]["name"] for path in CRDS}
    assert all(name.startswith("two-batchaccess") for name in names - definitions)


def test_pods_selected_by_one_release_are_not_those_of_another() -> None:
    first, second = (the(chart(release=name), "Deployment")["spec"]["selector"] for name in ("first", "second"))
    assert first != second


def test_values_reach_the_command_line() -> None:
    rendered = chart(*EVERYTHING, "operator.logLevel=debug", "operator.extraArgs={--telemetry-port=8080}")
    (container,) = the(rendered, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["args"] == [
        "run",
        "--resync-seconds=600",
        "--log-format=json",
        "--log-level=debug",
        "--allow-endpoint-suffix=batch.example.com",
        "--ca-file=/etc/batchaccess/ca.crt",
        "--telemetry-port=8080",
    ]
    assert {"name": "BATCHACCESS_LEADER_ELECT", "value": "true"} in container["env"]


def test_uninstalling_first_runs_a_command_there_is_as_the_account_that_may() -> None:
    rendered = chart("uninstallHook.timeoutSeconds=100")
    job, account = the(rendered, "Job"), the(rendered, "ServiceAccount")
    pod = job["spec"]["template"]["spec"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    assert job["spec"]["activeDeadlineSeconds"] > 100
    (container,) = pod["containers"]
    assert container["args"] == ["uninstall", "--timeout-seconds=100"]
    parsed = CliRunner().invoke(main, [*container["args"], "--help"])
    assert parsed.exit_code == 0
    assert of_kind(chart("uninstallHook.enabled=false"), "Job") == []


@pytest.mark.parametrize("kind", ["Deployment", "Job", "Pod"])
def test_every_pod_is_restricted(kind: str) -> None:
    manifest = the(chart(*EVERYTHING), kind)
    pod = manifest["spec"] if kind == "Pod" else manifest["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_pods_of_hooks_are_no_replicas_of_the_operator() -> None:
    rendered = chart(*EVERYTHING)
    selector = the(rendered, "Deployment")["spec"]["selector"]["matchLabels"]
    for labels in (
        the(rendered, "Job")["spec"]["template"]["metadata"]["labels"],
        the(rendered, "Pod")["metadata"]["labels"],
    ):
        assert not selector.items() <= labels.items()


def test_a_digest_wins_over_a_tag() -> None:
    digest = "sha256:" + "a" * 64
    rendered = chart("image.repository=example.com/batchaccess", "image.tag=x", f"image.digest={digest}")
    (container,) = the(rendered, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"example.com/batchaccess@{digest}"


def test_nobody_scrapes_when_nobody_may() -> None:
    policy = the(chart("networkPolicy.metricsFrom=null"), "NetworkPolicy")
    (rule,) = policy["spec"]["ingress"]
    assert rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "batchaccess-test"
    assert of_kind(chart("networkPolicy.enabled=false"), "NetworkPolicy") == []


def test_the_namespace_of_the_kustomize_base_is_the_operators_default() -> None:
    assert the(kustomized(KUSTOMIZE / "base"), "Namespace")["metadata"]["name"] == DEFAULT_NAMESPACE


@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param("replicas=3", "replicas", id="a value that does not exist"),
        pytest.param("highAvailability.replicas=0", "/highAvailability/replicas", id="no replica at all"),
        pytest.param("workloadIdentity.clientId=me", "/workloadIdentity/clientId", id="a client id that is none"),
        pytest.param("operator.logLevel=loud", "/operator/logLevel", id="a level that does not exist"),
        pytest.param("image.digest=latest", "/image/digest", id="a digest that is none"),
        pytest.param("operator.resyncSeconds=0", "/operator/resyncSeconds", id="no time between readings"),
        pytest.param("networkPolicy.apiServerPorts={http}", "/networkPolicy/apiServerPorts/0", id="a port by name"),
    ],
)
def test_the_schema_refuses(value: str, named: str) -> None:
    done = run_helm("template", "batchaccess", CHART, "--set", value, check=False)
    assert done.returncode != 0
    assert named in done.stderr


def test_every_value_has_its_place_in_the_schema_and_its_default_fits() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema["properties"]) - {"global"} == set(values)
    for name, part in schema["properties"].items():
        if part.get("additionalProperties") is False:
            assert set(part["properties"]) == set(values[name]), name


def test_a_packed_chart_needs_nothing_of_the_repository(tmp_path: Path) -> None:
    run_helm("package", CHART, "--destination", tmp_path)
    (packed,) = tmp_path.glob("batchaccess-*.tgz")
    with tarfile.open(packed) as archive:
        members = archive.getmembers()
    assert all(member.isfile() for member in members)
    assert {member.name.removeprefix("batchaccess/") for member in members} >= {
        "files/base/clusterrole.yaml",
        "files/crds/batchpoolaccesspolicies.yaml",
        "files/monitoring/prometheusrule.yaml",
    }
    assert chart(*EVERYTHING, of=packed) == chart(*EVERYTHING)


def test_the_links_of_the_chart_are_in_git_as_links() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "files"], cwd=CHART, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    assert {line.split()[0] for line in listed.stdout.splitlines()} == {"120000"}
