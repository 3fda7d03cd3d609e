"""`batchaccess uninstall` beside a running operator, beside none, and without anything to leave."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batchaccess.control.uninstall import restoring_line
from batchaccess.kube.resources import FINALIZER
from batchemulator import DEV_ACCOUNT, Emulator, Timings, make_service, serving_in_thread
from tests.support.drains import busy_pool
from tests.support.kube import CONNECTION_PATH, Cluster, cluster, connection_manifest, policy_manifest

NAMESPACE = "batchaccess"
NAME = "prod-weu.busy"


def until(condition: Callable[[], object], *, within: float = 40) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def kube(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


@contextmanager
def account(removal: float, *, stopping: float = 0.2) -> Iterator[Emulator]:
    timings = Timings(settle=0.2, allocation=0.5, creating=0.1, starting=0.1, removal=removal, stopping=stopping)
    service = make_service(pools={DEV_ACCOUNT.name: [busy_pool()]}, timings=timings)
    with serving_in_thread(service) as emulator:
        yield emulator


def declare(kube: Cluster, batch: Emulator) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "weu", "namespace": NAMESPACE}}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    kube.apply(namespace)
    kube.apply(
        secret | {"stringData": {"key": f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}"}},
        connection_manifest(
            endpoint=batch.url(),
            auth={"type": "SharedKey", "secretRef": {"name": "weu", "key": "key"}},
            syncPeriodSeconds=10,
        ),
        policy_manifest(remediation={"strategy": "Drain"}),
    )


@contextmanager
def operator(kube: Cluster, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "batchaccess", "run", f"--kubeconfig={kube.kubeconfig}"),
                *(f"--namespace={NAMESPACE}", "--telemetry-port=0", "--allow-endpoint-suffix=127.0.0.1"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def uninstall(kube: Cluster, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchaccess", "uninstall", f"--kubeconfig={kube.kubeconfig}", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def is_draining(kube: Cluster) -> bool:
    found = kube.kubectl("get", "bpa", NAME, "-o=jsonpath={.status.journal.step}", check=False)
    return found.strip() == "Draining"


def finalizers(kube: Cluster) -> str:
    return kube.kubectl("get", "bac,bpap", "--all-namespaces", "-o=jsonpath={.items[*].metadata.finalizers}")


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["prod.a"], "1 pool is being restored: prod.a"),
        (["prod.a", "prod.b"], "2 pools are being restored: prod.a, prod.b"),
        ([*"abcdef"], "6 pools are being restored: a, b, c, d, e and others"),
    ],
)
def test_what_is_said_meanwhile_counts_and_names_the_pools(names: list[str], line: str) -> None:
    assert restoring_line(names) == line


def ready(kube: Cluster, kind: str, name: str) -> str:
    """Status, reason and message of the condition Ready."""
    each = '{.status.conditions[?(@.type=="Ready")]'
    return kube.kubectl("get", kind, name, f"-o=jsonpath={each}.status}} {each}.reason}} {each}.message}}")


def test_a_running_operator_restores_before_it_is_let_go(kube: Cluster, tmp_path: Path) -> None:
    with account(removal=2) as batch, operator(kube, tmp_path / "log"):
        declare(kube, batch)
        until(lambda: is_draining(kube))
        assert FINALIZER in finalizers(kube)
        done = uninstall(kube)
        assert done.returncode == 0, done.stderr
        assert f"1 pool is being restored: {NAME}\n" in done.stdout
        assert batch.pool("busy").targets.dedicated == 3
        assert finalizers(kube).strip() == ""
        assert not is_draining(kube)
        until(lambda: ready(kube, "bac", "prod-weu").startswith("False Leaving The operator was told to leave"))
        until(lambda: ready(kube, "bpap", "ssh").startswith("True Suspended Not every pool is as declared"))
        assert "connections that are being deleted or left: prod-weu" in ready(kube, "bpap", "ssh")
        kube.kubectl("annotate", "bac", "prod-weu", "batchaccess.dev/leaving-since-")
        until(lambda: ready(kube, "bac", "prod-weu").startswith("True Connected"))
        until(lambda: is_draining(kube))


@pytest.mark.parametrize(("kind", "name"), [("bpap", "ssh"), ("bac", "prod-weu")])
def test_what_is_deleted_in_the_middle_of_a_drain_says_what_it_stays_for(
    kube: Cluster, tmp_path: Path, kind: str, name: str
) -> None:
    with account(removal=12, stopping=5) as batch, operator(kube, tmp_path / "log"):
        declare(kube, batch)
        until(lambda: is_draining(kube))
        kube.kubectl("delete", kind, name, "--wait=false")
        expected = f"False Deleting Being deleted; the scale of {NAME} is brought back first."
        until(lambda: ready(kube, kind, name) == expected)
        until(lambda: kube.kubectl("get", kind, "--ignore-not-found", name) == "")
        assert batch.pool("busy").targets.dedicated == 3


def test_without_an_operator_everything_is_let_go_of_after_the_timeout_and_told(kube: Cluster, tmp_path: Path) -> None:
    with account(removal=60) as batch:
        with operator(kube, tmp_path / "log"):
            declare(kube, batch)
            until(lambda: is_draining(kube))
        done = uninstall(kube, "--timeout-seconds=1")
        assert done.returncode == 0
        assert f"{NAME}: the scale is not back: 3 dedicated" in done.stderr
        assert finalizers(kube).strip() == ""
        kube.call("DELETE", f"{CONNECTION_PATH}/prod-weu")
        assert kube.call("GET", CONNECTION_PATH)["items"] == []
        assert any(item["name"].startswith("batchaccess") for item in batch.pool("busy").settings["metadata"])


def test_a_cluster_without_our_kinds_has_nothing_to_be_left(tmp_path: Path) -> None:
    with cluster(tmp_path, crds=False) as bare:
        done = uninstall(bare)
        assert done.returncode == 0, done.stderr
