"""deploy/monitoring applies as a whole, and finds the operator that deploy/kustomize/base installs."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.queries import DASHBOARDS, MONITORING
from tests.monitoring.tools import required_tool


def kustomized(directory: Path) -> dict[str, dict[str, Any]]:
    """The objects of a kustomization by kind; of several of a kind the last."""
    kubectl = required_tool("kubectl")
    done = subprocess.run([kubectl, "kustomize", directory], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return {found["kind"]: found for found in yaml.safe_load_all(done.stdout)}


def test_every_dashboard_is_in_the_config_map_that_the_sidecar_looks_for() -> None:
    config_map = kustomized(MONITORING)["ConfigMap"]
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert {name: json.loads(text) for name, text in config_map["data"].items()} == {
        path.name: json.loads(path.read_text("utf-8")) for path in DASHBOARDS
    }


def test_the_service_monitor_selects_the_operators_service() -> None:
    monitor = kustomized(MONITORING)["ServiceMonitor"]["spec"]
    service = kustomized(MONITORING.parent / "kustomize" / "base")["Service"]
    assert monitor["namespaceSelector"]["matchNames"] == [service["metadata"]["namespace"]]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
