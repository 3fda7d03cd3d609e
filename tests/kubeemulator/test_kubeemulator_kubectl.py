"""The unmodified kubectl against the emulator: every command that the documentation shows."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.kubeemulator.definitions import DEMO, Json, policy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubeemulator.driver import Http, Kubectl

P1 = policy({"pool": "pool-a", "target": 3, "tiers": [{"name": "gold", "weight": 5}]})
STATUS = "/apis/demo.example.com/v1/namespaces/default/policies/p1/status"
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def _changed(**spec: object) -> Json:
    return {**P1, "spec": {**P1["spec"], **spec}}


def test_apply_creates_then_leaves_unchanged_then_configures(kubectl: Kubectl) -> None:
    assert kubectl.apply(P1) == "policy.demo.example.com/p1 created"
    assert kubectl.apply(P1) == "policy.demo.example.com/p1 unchanged"
    assert kubectl.apply(_changed(target=4)) == "policy.demo.example.com/p1 configured"
    assert kubectl("get", "policy", "p1", "-o", "jsonpath={.spec.target} {.metadata.generation}") == "4 2"


def test_apply_tells_every_broken_field_by_its_path(kubectl: Kubectl) -> None:
    broken = json.dumps(_changed(target=500, mode="Maybe"))
    title, *causes = kubectl("apply", "-f", "-", stdin=broken, fails=True).splitlines()
    assert title == 'The Policy "p1" is invalid: '
    assert {
        "* spec.target: Invalid value: 500: spec.target in body should be less than or equal to 100",
        '* spec.mode: Unsupported value: "Maybe": supported values: "Audit", "Enforce"',
    } <= set(causes)


def test_apply_refuses_misspelled_fields(kubectl: Kubectl) -> None:
    complaint = kubectl("apply", "-f", "-", stdin=json.dumps(_changed(taget=5)), fails=True)
    assert 'unknown field "spec.taget"' in complaint


def test_get_prints_the_columns_of_the_definition(kubectl: Kubectl, http: Http) -> None:
    kubectl.apply(P1)
    http.merge(STATUS, READY)
    header, row = kubectl("get", "pol").splitlines()
    assert header.split() == ["NAME", "POOL", "TARGET", "READY", "AGE"]
    assert re.fullmatch(r"p1 +pool-a +3 +True +\d+s", row)
    assert kubectl("get", "pol", "-o", "wide").splitlines()[0].split()[4] == "MODE"
    assert kubectl("get", "pol", "-o", "name") == "policy.demo.example.com/p1"
    assert json.loads(kubectl("get", "pol", "p1", "-o", "json"))["spec"]["mode"] == "Audit"


def test_get_watches(kubectl: Kubectl, http: Http) -> None:
    kubectl.apply(P1)
    watching = subprocess.Popen(
        ["kubectl", "get", "pol", "-w"], env=kubectl.environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert watching.stdout is not None
        lines = [watching.stdout.readline(), watching.stdout.readline()]
        http.merge(STATUS, READY)
        lines.append(watching.stdout.readline())
    finally:
        watching.kill()
        watching.communicate()
    assert [line.split()[:3] for line in lines] == [["NAME", "POOL", "TARGET"], *([["p1", "pool-a", "3"]] * 2)]
    assert "True" in lines[2]


def test_wait_waits_for_a_condition(kubectl: Kubectl, http: Http) -> None:
    kubectl.apply(P1)
    assert "timed out" in kubectl("wait", "--for=condition=Ready", "pol/p1", "--timeout=1s", fails=True)
    http.merge(STATUS, READY)
    assert kubectl("wait", "--for=condition=Ready", "pol/p1", "--timeout=10s").endswith("condition met")


def test_describe_shows_the_events_about_an_object(kubectl: Kubectl, http: Http) -> None:
    kubectl.apply(P1)
    uid = kubectl("get", "pol", "p1", "-o", "jsonpath={.metadata.uid}")
    involved = {"kind": "Policy", "name": "p1", "namespace": "default", "uid": uid, "apiVersion": "demo.example.com/v1"}
    event = {
        "metadata": {"generateName": "p1-"},
        "involvedObject": involved,
        "type": "Normal",
        "reason": "Corrected",
        "message": "closed SSH",
        "source": {"component": "test"},
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    http("POST", "/api/v1/namespaces/default/events", event)
    described = kubectl("describe", "pol", "p1")
    assert re.search(r"Normal +Corrected +\S+ +test +closed SSH", described)
    assert re.search(r"Normal +Corrected +policy/p1 +closed SSH", kubectl("get", "events"))
    assert "closed SSH" in kubectl("events", "--for", "policy/p1")


def test_edit_patch_label_annotate_replace_and_delete_change_an_object(kubectl: Kubectl) -> None:
    kubectl.apply(P1)
    kubectl("patch", "pol", "p1", "--type=merge", "-p", '{"spec":{"target":7}}')
    kubectl("patch", "pol", "p1", "--type=json", "-p", '[{"op":"replace","path":"/spec/mode","value":"Enforce"}]')
    kubectl("label", "pol", "p1", "team=render")
    kubectl("annotate", "pol", "p1", "why=test")
    fields = "jsonpath={.spec.target} {.spec.mode} {.metadata.labels.team} {.metadata.annotations.why}"
    assert kubectl("get", "pol", "p1", "-o", fields) == "7 Enforce render test"
    replaced = json.loads(kubectl("get", "pol", "p1", "-o", "json"))
    replaced["spec"]["target"] = 9
    assert kubectl("replace", "-f", "-", stdin=json.dumps(replaced)).endswith("replaced")
    assert kubectl("delete", "pol", "p1") == 'policy.demo.example.com "p1" deleted'
    assert kubectl("get", "pol", "-o", "name") == ""


def test_edit_goes_through_an_editor(kubectl: Kubectl) -> None:
    kubectl.apply(P1)
    subprocess.run(
        ["kubectl", "edit", "pol", "p1"],
        env={**kubectl.environment(), "KUBE_EDITOR": "sed -i s/target:.*/target:\\ 6/"},
        check=True,
        capture_output=True,
    )
    assert kubectl("get", "pol", "p1", "-o", "jsonpath={.spec.target}") == "6"


def test_explain_reads_the_descriptions(kubectl: Kubectl) -> None:
    explained = kubectl("explain", "pol.spec")
    assert "What is wanted." in explained
    assert re.search(r"pool\t<string> -required-\s+The pool it is about\.", explained)
    assert "enum: Audit, Enforce" in explained


def test_server_side_apply_conflicts_between_managers(kubectl: Kubectl) -> None:
    first, second = json.dumps(P1), json.dumps(_changed(target=5))
    assert kubectl("apply", "--server-side", "-f", "-", stdin=first).endswith("serverside-applied")
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    assert 'conflict with "kubectl": .spec.target' in kubectl(*other, stdin=second, fails=True)
    kubectl(*other, "--force-conflicts", stdin=second)
    assert kubectl("get", "pol", "p1", "-o", "jsonpath={.spec.target}") == "5"


def test_diff_and_dry_run_change_nothing(kubectl: Kubectl) -> None:
    kubectl.apply(P1)
    differing = subprocess.run(
        ["kubectl", "diff", "-f", "-"],
        input=json.dumps(_changed(target=5)),
        env=kubectl.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert differing.returncode == 1
    assert "+  target: 5" in differing.stdout
    assert "dry run" in kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(_changed(target=8)))
    assert kubectl("get", "pol", "p1", "-o", "jsonpath={.spec.target}") == "3"


def test_a_directory_with_built_in_kinds_is_applied(kubectl: Kubectl, tmp_path: Path) -> None:
    container = {"name": "c", "image": "i", "env": [{"name": "A", "value": "b"}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    manifests: list[Json] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "system"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "metrics"}, "spec": {"ports": [{"port": 80}]}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "robot"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
        },
        DEMO,
    ]
    (tmp_path / "all.yaml").write_text("\n---\n".join(json.dumps(manifest) for manifest in manifests))
    (tmp_path / "kustomization.yaml").write_text("namespace: system\nresources: [all.yaml]\n")
    assert "deployment.apps/robot created" in kubectl("apply", "-k", str(tmp_path))
    again = kubectl("apply", "-k", str(tmp_path)).splitlines()
    assert {line.rpartition(" ")[2] for line in again} == {"unchanged"}
    assert kubectl("-n", "system", "get", "deploy", "robot", "--no-headers").split()[:2] == ["robot", "0/1"]
    kubectl("delete", "namespace", "system")
    assert kubectl("get", "deployments", "-A", "-o", "name") == ""


def test_created_namespaces_configmaps_secrets_and_accounts_arrive(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "team")
    kubectl("create", "configmap", "c1", "--from-literal=a=b", "-n", "team")
    kubectl("create", "secret", "generic", "s1", "--from-literal=p=q", "-n", "team")
    kubectl("create", "serviceaccount", "robot", "-n", "team")
    assert kubectl("get", "configmap", "c1", "-n", "team", "-o", "jsonpath={.data.a}") == "b"
    assert kubectl("get", "secret", "s1", "-n", "team", "-o", "jsonpath={.data.p} {.type}") == "cQ== Opaque"
    assert kubectl("create", "token", "robot", "-n", "team").count(".") == 2
    assert "use `kubectl apply -f`" in kubectl("create", "role", "r", "--verb=get", "--resource=pods", fails=True)
    kubectl("delete", "namespace", "team")
    assert "not found" in kubectl("get", "namespace", "team", fails=True)


@pytest.mark.parametrize("word", ["policies", "configmaps", "leases", "events", "networkpolicies"])
def test_api_resources_lists_what_is_served(kubectl: Kubectl, word: str) -> None:
    assert re.search(rf"^{word}\b", kubectl("api-resources"), re.MULTILINE)


def test_a_caller_is_told_who_it_is_and_what_it_may_do(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "delete", "policies") == "yes"
    assert "kubernetes-admin" in kubectl("auth", "whoami")
