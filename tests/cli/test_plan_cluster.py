"""Planning what a cluster holds, by the kubeconfig and as a plugin of the real kubectl."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchaccess.cli.crds import crd_text
from kubeemulator.launch import KubeEmulator, emulator
from tests.cli.demoaccounts import KEYS, run
from tests.cli.test_plan import RENDER_POOLS, connection_text, policy_text

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: render, labels: {team: render}}\n"
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal with kubectl and the plugin on its PATH, and the kubeconfig of an emulated cluster."""

    cluster: KubeEmulator
    directory: Path

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            **{key: value for key, value in os.environ.items() if "COLOR" not in key},
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            "BATCHACCESS_SHARED_KEY": KEYS,
        }
        return subprocess.run(
            words,
            input=stdin,
            env=environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    directory = tmp_path_factory.mktemp("cluster")
    with emulator(directory / "kubeconfig") as cluster:
        yield Terminal(cluster, directory)


@pytest.fixture
def applied(terminal: Terminal, saved_files: Path) -> Iterator[Terminal]:
    """With the kinds, a connection, a policy and the pools of the demo beside."""
    shutil.copy(saved_files / "pools.json", terminal.directory)
    for manifest in (crd_text(), NAMESPACE + connection_text() + policy_text(ids="render-linux")):
        done = terminal("kubectl", "apply", "-f", "-", stdin=manifest)
        assert done.returncode == 0, done.stderr
    yield terminal
    terminal("kubectl", "delete", "bpap,bac", "--all", "-A")


def planned(terminal: Terminal, *words: str, stdin: str = "") -> dict[str, Any]:
    done = terminal(
        *("kubectl", "batchaccess", "plan", "--from-cluster", "--pools", "pools.json", "-o", "json"),
        *words,
        stdin=stdin,
    )
    assert done.returncode == 1, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_the_plugin_plans_what_the_cluster_holds(applied: Terminal) -> None:
    report = planned(applied)
    assert [(each["policy"], each["governedPools"]) for each in report["policies"]] == [("render/ssh", 1)]
    (account,) = report["accounts"]
    assert (account["connection"], account["connectionAssumed"]) == ("prod", False)


def test_files_show_what_a_change_would_do(applied: Terminal) -> None:
    """A policy of the same name replaces that of the cluster and stays as old; another one is younger and loses."""
    change = policy_text(ids="render-*") + policy_text("aa", ids="render-*")
    report = planned(applied, "-f", "-", stdin=change)
    assert [(each["policy"], each["governedPools"]) for each in report["policies"]] == [
        ("render/ssh", RENDER_POOLS),
        ("render/aa", 0),
    ]


def test_a_policy_that_became_invalid_is_an_error(applied: Terminal) -> None:
    window = "  remediation: {windows: [{kind: Allow, schedule: 61 2 * * *, durationSeconds: 60}]}\n"
    assert applied("kubectl", "apply", "-f", "-", stdin=policy_text("odd", more=window)).returncode == 0
    done = applied("kubectl-batchaccess", "plan", "--from-cluster", "--pools", "pools.json")
    assert done.returncode == 2
    assert "cluster: BatchPoolAccessPolicy render/odd: spec.remediation.windows[0].schedule" in done.stderr


def test_help_speaks_of_kubectl(terminal: Terminal) -> None:
    for words, usage in (
        (("kubectl", "batchaccess", "--help"), "Usage: kubectl batchaccess [OPTIONS] COMMAND"),
        (("kubectl", "batchaccess", "plan", "--help"), "Usage: kubectl batchaccess plan [OPTIONS]"),
        (("batchaccess", "plan", "--help"), "Usage: batchaccess plan [OPTIONS]"),
    ):
        done = terminal(*words)
        assert (done.returncode, done.stdout.splitlines()[0].startswith(usage)) == (0, True), done.stdout
    assert "batchaccess" in terminal("kubectl", "plugin", "list").stdout


def test_statuses_come_through_kubectl(applied: Terminal) -> None:
    (applied.directory / "bad.yaml").write_text("a: [", encoding="utf-8")
    assert applied("kubectl", "batchaccess", "validate", "-f", "bad.yaml").returncode == 2
    applied("kubectl", "batchaccess", "import", "render-linux", "--as", "prod", "--pools", "pools.json")
    exported = applied("kubectl", "get", "bpap,bac", "-A", "-o", "yaml").stdout
    assert run("validate", "-f", "-", stdin=exported).exit_code == 0


def test_a_cluster_without_the_kinds_is_told_in_a_line(tmp_path: Path) -> None:
    with emulator(tmp_path / "kubeconfig") as bare:
        result = run(
            "plan", "--from-cluster", "--kubeconfig", str(bare.kubeconfig), "--endpoint", "https://example.com"
        )
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stderr.count("\n") == 1
