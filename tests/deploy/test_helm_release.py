"""Helm and kustomize through the lives of what they install, on the emulated API server.

`make e2e` does the same on real ones, in tests/e2e_cluster/test_cluster_deploy.py. Hooks are left out here, as nothing
runs their pods: test_helm_chart.py looks at what they would run.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubeemulator.launch import emulator
from tests.deploy.releases import (
    Server,
    assert_gone,
    assert_there,
    live_a_release,
    live_with_kustomize,
    objects,
    older_chart,
)
from tests.deploy.rendering import CHART, EVERYTHING, KUSTOMIZE, NAMESPACE, chart, kustomized
from tests.support.kube import ROOT

UNKNOWN_TO_THE_EMULATOR = ("ServiceMonitor", "PrometheusRule", "Job")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with emulator(tmp_path / "kubeconfig", rbac=True) as running:
        yield Server(running.kubeconfig)


def test_install_upgrade_rollback_uninstall_and_install_again(server: Server, tmp_path: Path) -> None:
    live_a_release(server, older_chart(tmp_path))


def test_kustomize_installs_changes_and_removes_object_by_object(server: Server) -> None:
    live_with_kustomize(server)


def test_definitions_that_kubectl_installed_are_taken_over_when_asked(server: Server) -> None:
    server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    refused = server.helm("install", "batchaccess", CHART, "--create-namespace", check=False)
    assert "invalid ownership metadata" in refused.stderr
    server.helm("install", "batchaccess", CHART, "--create-namespace", "--take-ownership", "--force-conflicts")
    assert_there(server, objects())


def test_a_difference_would_be_seen(server: Server) -> None:
    server.helm("install", "batchaccess", CHART, "--create-namespace")
    patch = '{"spec": {"ingress": []}}'
    server.kubectl("patch", "networkpolicy", "batchaccess", f"--namespace={NAMESPACE}", "--type=merge", f"-p={patch}")
    with pytest.raises(AssertionError, match="NetworkPolicy"):
        assert_there(server, objects())
    server.kubectl("delete", "service", "batchaccess-metrics", f"--namespace={NAMESPACE}")
    with pytest.raises(AssertionError, match="batchaccess-metrics"):
        assert_there(server, [each for each in objects() if each["kind"] == "Service"])


@pytest.mark.parametrize("rendered", ["chart", "overlay"])
def test_a_server_side_dry_run_refuses_nothing(server: Server, rendered: str) -> None:
    server.kubectl("create", "namespace", NAMESPACE)
    manifests = chart(*EVERYTHING) if rendered == "chart" else kustomized(KUSTOMIZE / "overlays" / "ha")
    known = [each for each in manifests if each["kind"] not in UNKNOWN_TO_THE_EMULATOR]
    answered = server.apply(*known, flags=["--dry-run=server"])
    assert answered.count("serverside-applied (server dry run)") == len(known)
    assert_gone(server, [each for each in known if each["kind"] != "Namespace"])
