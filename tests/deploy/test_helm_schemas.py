"""Every manifest we ship, against Kubernetes' own schemas: the oldest version we support and a recent one."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.rendering import (
    EVERYTHING,
    KUSTOMIZE,
    Manifest,
    chart,
    composed,
    deploy_tool,
    kustomized,
    schemas,
)

VERSIONS = ("1.31.0", "1.37.0")
OF_THE_PROMETHEUS_OPERATOR = "ServiceMonitor,PrometheusRule"


def complaints(manifests: list[Manifest], version: str) -> str:
    """What kubeconform has against the manifests; empty if nothing."""
    location = schemas() / f"v{version}" / "{{.ResourceKind}}{{.KindSuffix}}.json"
    done = subprocess.run(
        [
            deploy_tool("kubeconform"),
            "-strict",
            f"-kubernetes-version={version}",
            f"-schema-location={location}",
            f"-skip={OF_THE_PROMETHEUS_OPERATOR}",
            "-",
        ],
        input=yaml.safe_dump_all(manifests),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [(), EVERYTHING], ids=["default values", "everything switched on"])
def test_the_chart_fits(values: tuple[str, ...], version: str) -> None:
    assert complaints(chart(*values), version) == ""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "directory", [KUSTOMIZE / "base", *sorted(KUSTOMIZE.glob("overlays/*"))], ids=lambda path: path.name
)
def test_kustomize_fits(directory: Path, version: str) -> None:
    assert complaints(kustomized(directory), version) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_all_components_together_fit(tmp_path: Path, version: str) -> None:
    names = [path.name for path in (KUSTOMIZE / "components").iterdir()]
    assert complaints(composed(tmp_path, *names), version) == ""


def test_an_unknown_field_would_be_seen() -> None:
    (account,) = (each for each in chart() if each["kind"] == "ServiceAccount")
    assert "'labells' not allowed" in complaints([account | {"metadata": {"name": "x", "labells": {}}}], VERSIONS[0])
