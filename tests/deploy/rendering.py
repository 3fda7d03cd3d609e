"""What Helm and kustomize make of deploy/, and the tools for it; absent tools skip, or fail in CI."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.support.kube import ROOT

CHART = ROOT / "deploy" / "helm" / "batchaccess"
KUSTOMIZE = ROOT / "deploy" / "kustomize"
NAMESPACE = "batchaccess"

Manifest: TypeAlias = dict[str, Any]

EVERYTHING = (
    "highAvailability.enabled=true",
    "workloadIdentity.enabled=true",
    "workloadIdentity.clientId=11111111-1111-1111-1111-111111111111",
    "managedIdentity.enabled=true",
    "statusPage.enabled=true",
    "operator.caBundle.configMap=authorities",
    "operator.allowEndpointSuffixes={batch.example.com}",
    "monitoring.serviceMonitor=true",
    "monitoring.prometheusRule=true",
    "monitoring.dashboards=true",
)
"""Values that make the chart render every template, and every branch that adds something."""


@cache
def _cached_tools() -> Path | None:
    """Where scripts/install-deploy-tools.sh put them, if it was run."""
    done = subprocess.run(
        [ROOT / "scripts" / "install-deploy-tools.sh", "--cached"], capture_output=True, text=True, check=False
    )
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def deploy_tool(name: str) -> str:
    """The path of `helm` or `kubeconform`."""
    cached = _cached_tools()
    path = str(cached / "bin" / name) if cached else shutil.which(name)
    return path or _missing(name)


def schemas() -> Path:
    """Kubernetes' own schemas: one directory per version."""
    cached = _cached_tools()
    return cached / "schemas" if cached else Path(_missing("the schemas of Kubernetes"))


def _missing(what: str) -> str:
    missing = f"{what} not found: run scripts/install-deploy-tools.sh"
    if os.environ.get("BATCHACCESS_REQUIRE_TOOLS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def run_helm(
    *arguments: str | Path, kubeconfig: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run helm with no configuration of the user's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    environment["HELM_DRIVER"] = "secret"
    options = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    done = subprocess.run(
        [deploy_tool("helm"), *options, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment,
    )
    assert done.returncode == 0 or not check, f"helm {' '.join(map(str, arguments))}: {done.stderr}"
    return done


def chart(*values: str, release: str = "batchaccess", of: Path = CHART) -> list[Manifest]:
    """The manifests of a release with these `--set` values."""
    settings = [part for value in values for part in ("--set", value)]
    return parsed(run_helm("template", release, of, "--namespace", NAMESPACE, *settings).stdout)


def kustomized(directory: Path) -> list[Manifest]:
    """The manifests of an overlay."""
    done = subprocess.run(["kubectl", "kustomize", directory], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return parsed(done.stdout)


def composed(directory: Path, *components: str) -> list[Manifest]:
    """The base with components, in an overlay made in this empty directory as docs/install.md shows it."""
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [os.path.relpath(KUSTOMIZE / "base", directory)],
        "components": [os.path.relpath(KUSTOMIZE / "components" / name, directory) for name in components],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return kustomized(directory)


def parsed(text: str) -> list[Manifest]:
    """Every document of a YAML stream that is not empty."""
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def of_kind(manifests: Iterable[Manifest], kind: str) -> list[Manifest]:
    """Those of one kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def the(manifests: Sequence[Manifest], kind: str) -> Manifest:
    """The only one of its kind."""
    (found,) = of_kind(manifests, kind)
    return found


def by_identity(manifests: Iterable[Manifest]) -> dict[tuple[str, str], Manifest]:
    """By kind and name."""
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests}


def is_hook(manifest: Manifest) -> bool:
    """Whether Helm makes it for a moment only."""
    return "helm.sh/hook" in manifest["metadata"].get("annotations", {})
