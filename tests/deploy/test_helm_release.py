"""A release through its life, object by object, on an API server that enforces roles: the emulated one, or a real one.

BATCHACCESS_TEST_KUBECONFIG names an administrator's kubeconfig of a real API server to do the same there.
Hooks are left out, as no kubelet runs their pods here: tests/deploy/test_helm_chart.py looks at what they would run.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeemulator.launch import emulator
from tests.deploy.rendering import (
    CHART,
    EVERYTHING,
    KUSTOMIZE,
    NAMESPACE,
    Manifest,
    chart,
    is_hook,
    kustomized,
    run_helm,
)
from tests.support.kube import ROOT, connection_manifest, policy_manifest

OF_THE_PROMETHEUS_OPERATOR = ("ServiceMonitor", "PrometheusRule")


class Server:
    """An API server and its administrator."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0 or not check, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def helm(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_helm("--namespace", NAMESPACE, *arguments, kubeconfig=self.kubeconfig, check=check)

    def stored(self, manifest: Manifest) -> dict[str, Any] | None:
        """What the server has of an object; None if it has none."""
        group, _, version = manifest["apiVersion"].rpartition("/")
        kind = f"{manifest['kind']}.{version}.{group}" if group else manifest["kind"]
        namespace = manifest["metadata"].get("namespace", NAMESPACE)
        got = self.kubectl("get", kind, manifest["metadata"]["name"], "-n", namespace, "-o=json", "--ignore-not-found")
        found: dict[str, Any] | None = json.loads(got) if got else None
        return found

    def apply(self, *manifests: Manifest) -> None:
        self.kubectl("apply", "--server-side", "-f", "-", stdin="\n".join(map(json.dumps, manifests)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    named = os.environ.get("BATCHACCESS_TEST_KUBECONFIG")
    if named:
        yield Server(Path(named))
        return
    with emulator(tmp_path / "kubeconfig", rbac=True) as running:
        yield Server(running.kubeconfig)


def holds(stored: Any, wanted: Any) -> bool:  # noqa: ANN401 any parts of two manifests
    """Whether everything wanted is stored; a server adds defaults of its own."""
    if isinstance(wanted, dict):
        return isinstance(stored, dict) and all(
            key in stored and holds(stored[key], value) for key, value in wanted.items() if value not in ({}, None)
        )
    if isinstance(wanted, list):
        return (
            isinstance(stored, list)
            and len(stored) == len(wanted)
            and all(holds(one, other) for one, other in zip(_ordered(stored), _ordered(wanted), strict=True))
        )
    return bool(stored == wanted)


def _ordered(items: list[Any]) -> list[Any]:
    """Lists by name, as those of environment variables, may come in any order."""
    return (
        sorted(items, key=lambda item: str(item.get("name", "")))
        if all(isinstance(each, dict) for each in items)
        else items
    )


def objects(*values: str) -> list[Manifest]:
    return [each for each in chart(*values) if not is_hook(each)]


def assert_there(server: Server, manifests: list[Manifest]) -> None:
    for manifest in manifests:
        wanted = {key: manifest[key] for key in manifest if key not in ("metadata", "apiVersion", "kind")}
        stored = server.stored(manifest)
        assert stored is not None, manifest["metadata"]["name"]
        assert holds(stored, wanted), (manifest["kind"], manifest["metadata"]["name"])


def assert_gone(server: Server, manifests: list[Manifest]) -> None:
    for manifest in manifests:
        stored = server.stored(manifest)
        assert stored is None or "deletionTimestamp" in stored["metadata"], manifest["metadata"]["name"]


def without_definitions(manifests: list[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each["kind"] != "CustomResourceDefinition"]


PAIR = "highAvailability.enabled=true"


def test_install_upgrade_rollback_uninstall_and_install_again(server: Server) -> None:
    alone, pair = objects(), objects(PAIR)
    only_of_pair = [each for each in pair if each["metadata"]["name"].endswith("leader-election")]
    only_of_pair += [each for each in pair if each["kind"] == "PodDisruptionBudget"]
    assert len(only_of_pair) == 3

    server.helm("install", "batchaccess", CHART, "--create-namespace")
    assert_there(server, alone)
    assert_gone(server, only_of_pair)
    server.apply(connection_manifest(), policy_manifest())

    server.helm("upgrade", "batchaccess", CHART, "--set", PAIR)
    assert_there(server, pair)

    server.helm("rollback", "batchaccess", "1")
    assert_there(server, alone)
    assert_gone(server, only_of_pair)

    server.helm("uninstall", "batchaccess", "--no-hooks")
    assert_gone(server, without_definitions(alone))
    assert_there(server, [connection_manifest(), policy_manifest()])

    server.helm("install", "batchaccess", CHART)
    assert_there(server, [*alone, connection_manifest(), policy_manifest()])

    server.kubectl("delete", "bpap,bac", "--all", "--all-namespaces")
    server.helm("uninstall", "batchaccess", "--no-hooks")
    server.kubectl("delete", "-f", str(ROOT / "crds"), "--ignore-not-found")
    server.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def test_definitions_that_kubectl_installed_are_taken_over_when_asked(server: Server) -> None:
    server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    refused = server.helm("install", "batchaccess", CHART, "--create-namespace", check=False)
    assert "invalid ownership metadata" in refused.stderr
    server.helm("install", "batchaccess", CHART, "--create-namespace", "--take-ownership", "--force-conflicts")
    assert_there(server, objects())


@pytest.mark.parametrize("rendered", ["chart", "overlay"])
def test_a_server_side_dry_run_refuses_nothing(server: Server, rendered: str) -> None:
    server.kubectl("create", "namespace", NAMESPACE)
    manifests = chart(*EVERYTHING) if rendered == "chart" else [*kustomized(KUSTOMIZE / "overlays" / "ha")]
    known = [each for each in manifests if each["kind"] not in OF_THE_PROMETHEUS_OPERATOR]
    if "jobs.batch" not in server.kubectl("api-resources", "--output=name").split():
        known = [each for each in known if each["kind"] != "Job"]  # the emulator has no Jobs
    answered = server.kubectl(
        "apply", "--server-side", "--dry-run=server", "-f", "-", stdin="\n".join(map(json.dumps, known))
    )
    assert answered.count("serverside-applied (server dry run)") == len(known)
    assert_gone(server, [each for each in known if each["kind"] != "Namespace"])


def test_kustomize_installs_changes_and_removes_object_by_object(server: Server) -> None:
    base, pair = KUSTOMIZE / "base", KUSTOMIZE / "overlays" / "ha"
    server.kubectl("apply", "--server-side", "-k", str(base))
    assert_there(server, kustomized(base))
    server.kubectl("apply", "--server-side", "-k", str(pair))
    assert_there(server, kustomized(pair))
    server.kubectl("delete", "-k", str(pair), "--wait=false", "--ignore-not-found")
    assert_gone(server, kustomized(pair))
