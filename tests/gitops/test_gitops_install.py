"""The health checks reach argocd-cm by the commands of deploy/gitops/README.md, and leave its other keys alone."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from batchaccess.api import GROUP, Kind
from tests.gitops.places import GITOPS, health_script
from tests.support.kube import ROOT, Cluster, cluster

KEYS: Final = {f"resource.customizations.health.{GROUP}_{kind}": health_script(kind) for kind in Kind}
_PATCH: Final = "kubectl patch configmap argocd-cm -n argocd --type merge"
INSTALL: Final = f'{_PATCH} --patch "$(kubectl kustomize deploy/gitops/argocd-patch)"'
REMOVE: Final = f"{_PATCH} --patch-file deploy/gitops/argocd-patch/remove.yaml"
OTHERS: Final = {"url": "https://argocd.example.com", "resource.customizations.health.apps_Deployment": "return {}\n"}


def argocd_cm(**more: Any) -> dict[str, Any]:  # noqa: ANN401 of its metadata
    """As Argo CD's own manifests have it: without a namespace."""
    labels = {"app.kubernetes.io/part-of": "argocd"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "labels": labels, **more},
        "data": OTHERS,
    }


def test_the_component_adds_its_keys_to_the_argocd_cm_of_a_kustomization(tmp_path: Path) -> None:
    (tmp_path / "argocd-cm.yaml").write_text(yaml.safe_dump(argocd_cm()))
    component = Path("/".join([".."] * (len(tmp_path.parts) - 1))) / (GITOPS / "argocd").relative_to("/")
    own = {"namespace": "argocd", "resources": ["argocd-cm.yaml"], "components": [str(component)]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(own))
    done = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = yaml.safe_load_all(done.stdout)
    assert made == argocd_cm(namespace="argocd") | {"data": OTHERS | KEYS}


@pytest.fixture(scope="module")
def argo_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("gitops"), crds=False) as made:
        made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
        made.apply(argocd_cm(namespace="argocd"))
        yield made


def test_the_command_of_the_readme_adds_its_keys_and_the_other_takes_them_away(argo_cluster: Cluster) -> None:
    readme = (GITOPS / "README.md").read_text(encoding="utf-8")
    assert {INSTALL, REMOVE} <= set(readme.splitlines())
    path = "/api/v1/namespaces/argocd/configmaps/argocd-cm"

    _in_a_shell(INSTALL, argo_cluster.kubeconfig)
    installed = argo_cluster.call("GET", path)
    assert installed["data"] == OTHERS | KEYS
    assert installed["metadata"]["labels"] == {"app.kubernetes.io/part-of": "argocd"}

    _in_a_shell(REMOVE, argo_cluster.kubeconfig)
    assert argo_cluster.call("GET", path)["data"] == OTHERS


def _in_a_shell(command: str, kubeconfig: Path) -> None:
    """Run a line of the README as a reader would, from the repository's root."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
