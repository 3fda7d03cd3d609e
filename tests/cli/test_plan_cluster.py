"""Planning what a cluster holds, by the kubeconfig and as a plugin of the real kubectl."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchaccess.api import render_part
from batchaccess.cli.crds import crd_text
from batchaccess.cli.inputs.files import NamedFile, read_pool_file
from batchaccess.core.memory import network_digest
from batchaccess.core.model import ObjectKey, ObservedPool
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.copies import drains_status, journal_status
from batchaccess.core.saga.journal import Holder, Journal, PolicyVersion
from batchaccess.core.saga.scale import recorded_scale
from batchaccess.core.saga.steps import DrainHistory, DrainLatch, KubernetesJournal
from batchaccess.core.saga.steps import Step as SagaStep
from kubeemulator.launch import KubeEmulator, emulator
from tests.cli.demoaccounts import KEYS, run
from tests.cli.test_plan import RENDER_POOLS, connection_text, policy_text

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: render, labels: {team: render}}\n"
READER = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: render}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- {apiGroups: [batchaccess.dev], resources: [batchaccountconnections, batchpoolaccesspolicies], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: render}]
---
"""
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
    terminal("kubectl", "delete", "bpap,bac,bpa", "--all", "-A")


def planned(terminal: Terminal, *words: str, stdin: str = "") -> dict[str, Any]:
    done = terminal(
        *("kubectl", "batchaccess", "plan", "--from-cluster", "--pools", "pools.json", "-o", "json"),
        *words,
        stdin=stdin,
    )
    assert done.returncode == 1, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def step_of(report: dict[str, Any], pool_id: str) -> tuple[str, str]:
    """The step of a pool, and what is said of it."""
    pool = next(pool for account in report["accounts"] for pool in account["pools"] if pool["id"] == pool_id)
    return pool["step"], pool["message"]


def uid_of(terminal: Terminal, *what: str) -> str:
    return terminal("kubectl", "get", *what, "-o", "jsonpath={.metadata.uid}").stdout


def version_in(terminal: Terminal) -> PolicyVersion:
    policy = json.loads(terminal("kubectl", "get", "bpap", "ssh", "-n", "render", "-o", "json").stdout)["metadata"]
    return PolicyVersion(
        key=ObjectKey(namespace="render", name="ssh"), uid=policy["uid"], generation=policy["generation"]
    )


def gpu_pool(terminal: Terminal) -> ObservedPool:
    """The pool that is drained, as the plan reads it."""
    (account,) = read_pool_file(NamedFile.parse(str(terminal.directory / "pools.json")), {}).accounts
    return next(each.pool for each in account.pools if each.pool.id == "render-gpu")


def given_up(terminal: Terminal) -> DrainHistory:
    """What is left of a drain that took too long."""
    version = version_in(terminal)
    return DrainHistory(
        policy_uid=version.uid,
        policy_generation=version.generation,
        latch=DrainLatch(
            network_digest=network_digest(gpu_pool(terminal)),
            reason=CompliantReason.DRAIN_TIMED_OUT,
            message="Not empty in time.",
        ),
    )


def opened(terminal: Terminal) -> KubernetesJournal:
    """A drain that began just now."""
    pool = gpu_pool(terminal)
    recorded = recorded_scale(pool)
    assert recorded is not None
    now = datetime.now(UTC).replace(microsecond=0)
    made = Journal(
        saga_id="0123456789ab",
        holder=Holder(
            cluster_uid=uid_of(terminal, "ns", "kube-system"), connection_uid=uid_of(terminal, "bac", "prod")
        ),
        pool_id=pool.id,
        pool_created=pool.creation_time,
        policy=version_in(terminal),
        started=now,
        recorded=recorded,
    )
    return KubernetesJournal(
        journal=made, step=SagaStep.DRAINING, since=now, etag=pool.etag, standing=pool.scale.target
    )


def write_status(terminal: Terminal, **parts: object) -> None:
    """Write a status as the operator does."""
    owner = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchAccountConnection",
        "name": "prod",
        "uid": uid_of(terminal, "bac", "prod"),
    }
    made = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchPoolAccess",
        "metadata": {"name": "prod.render-gpu", "ownerReferences": [owner]},
        "spec": {"connection": "prod", "poolId": "render-gpu"},
    }
    assert terminal("kubectl", "apply", "-f", "-", stdin=json.dumps(made)).returncode == 0
    patch = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": parts}, default=str))
    done = terminal("kubectl", "patch", "bpa", "prod.render-gpu", *patch)
    assert done.returncode == 0, done.stderr


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


def test_a_plan_reads_what_the_operator_wrote_about_a_pool(applied: Terminal) -> None:
    """A drain that was given up is not promised again, and one that is open is the operator's own."""
    draining = policy_text(ids="render-*", more="  remediation: {strategy: Drain}\n")
    applied("kubectl", "apply", "-f", "-", stdin=draining)
    assert step_of(planned(applied), "render-gpu")[0] == "Drain"

    write_status(applied, drains=render_part(drains_status(given_up(applied))))
    assert step_of(planned(applied), "render-gpu") == ("Refuse", "Not empty in time.")
    edited = draining.replace("mode: Enforce", "mode: Enforce\n  priority: 0\n  suspend: false")
    assert step_of(planned(applied, "-f", "-", stdin=edited), "render-gpu")[0] == "Refuse"
    edited = draining.replace("strategy: Drain", "strategy: Drain, drainTimeoutSeconds: 9000")
    assert step_of(planned(applied, "-f", "-", stdin=edited), "render-gpu")[0] == "Drain"

    write_status(applied, journal=render_part(journal_status(opened(applied))))
    step, message = step_of(planned(applied), "render-gpu")
    assert (step, message) == ("Wait", "A correction of this pool is open. The pool is being drained.")


def test_who_may_not_read_what_the_operator_wrote_is_told_so(tmp_path: Path, saved_files: Path) -> None:
    """Policies and connections alone make a plan that is neutral about corrections, and ends 2."""
    with emulator(tmp_path / "kubeconfig", rbac=True) as cluster:
        administrator = Terminal(cluster, tmp_path)
        for manifest in (crd_text(), NAMESPACE + "---\n" + READER + connection_text() + policy_text(ids="render-gpu")):
            done = administrator("kubectl", "apply", "-f", "-", stdin=manifest)
            assert done.returncode == 0, done.stderr
        token = administrator("kubectl", "create", "token", "reader", "-n", "render").stdout.strip()
        config = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
        config["users"][0]["user"] = {"token": token}
        (tmp_path / "reader").write_text(yaml.safe_dump(config), encoding="utf-8")
        told = run(
            *("plan", "--from-cluster", "--kubeconfig", str(tmp_path / "reader")),
            *("--pools", str(saved_files / "pools.json"), "-o", "json"),
        )
    assert told.exit_code == 2
    assert [line.split(":")[1] for line in told.stderr.splitlines()] == [" batchpoolaccesses", " namespaces"]
    assert step_of(json.loads(told.stdout), "render-gpu")[0] == "Wait"


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
