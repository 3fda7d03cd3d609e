"""The HTTP contract that kubeemulator keeps, replayed on the real API server: where the two differ is listed here."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.realcluster import RealCluster
from tests.support.kube import ROOT

DIFFERENCES: Final = {
    "test_a_watch_can_send_the_state_first": (
        range(34),
        "watches that send the state first are behind the feature gate WatchList, on by default for good since 1.34",
    ),
}
"""Checks of tests/contract/kubernetes that a real API server does not pass: up to which minor, and why."""

_SECONDS: Final = 280


@pytest.mark.usefixtures("plane")
def test_the_contract_holds_but_for_the_listed_differences(
    cluster: RealCluster, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    report = tmp_path / "contract.xml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            f"--junitxml={report}",
            "tests/contract/kubernetes",
        ],
        cwd=ROOT,
        env={**os.environ, "BATCHACCESS_KUBECONFIG": str(cluster.kubeconfig), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    checks = list(ET.parse(report).iter("testcase"))  # noqa: S314 written by our own pytest
    failed = {
        check.attrib["name"] for check in checks if check.find("failure") is not None or check.find("error") is not None
    }
    skipped = {check.attrib["name"] for check in checks if check.find("skipped") is not None}

    _, version = cluster.call("GET", "/version")
    expected = {name for name, (minors, _) in DIFFERENCES.items() if int(version["minor"]) in minors}
    record_property(FIGURES, f"contract: {len(checks)} checks, {len(expected)} known to differ: {sorted(expected)}")
    assert failed == expected, done.stdout[-6000:]
    assert skipped == set()
    assert len(checks) >= 74
