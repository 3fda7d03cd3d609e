"""Runs the Jobs of one namespace as processes here, as there are no nodes: their arguments under their account's roles.

What it does not show: that a node can pull the image, mount a token, and start the container.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from tests.e2e_cluster.realcluster import NAMESPACE, RealCluster

_LOOK_SECONDS: Final = 0.2
_RUN_SECONDS: Final = 120
_JOBS: Final = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


@dataclass(slots=True, kw_only=True)
class Ran:
    """One Job that was run: the command, and what it printed."""

    name: str
    account: str
    arguments: list[str]
    status: int
    output: str


@dataclass(slots=True, kw_only=True)
class StandInKubelet:
    """Looks for Jobs and runs each once; `ran` tells which."""

    cluster: RealCluster
    folder: Path
    ran: list[Ran] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def look(self) -> None:
        """Run whatever Job there is that did not run yet."""
        for job in self.cluster.get(_JOBS).get("items", []):
            if not job.get("status", {}).get("conditions"):
                started = _now()
                self.ran.append(self._run(job))
                self._report(job, started, succeeded=self.ran[-1].status == 0)

    def _run(self, job: dict[str, Any]) -> Ran:
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        account = pod["serviceAccountName"]
        done = subprocess.run(
            [sys.executable, "-m", "batchaccess", *container["args"]],
            env={**os.environ, "BATCHACCESS_KUBECONFIG": str(self._kubeconfig(account))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        return Ran(
            name=job["metadata"]["name"],
            account=account,
            arguments=container["args"],
            status=done.returncode,
            output=done.stdout,
        )

    def _kubeconfig(self, account: str) -> Path:
        config = yaml.safe_load(self.cluster.kubeconfig.read_text())
        token = self.cluster.kubectl("create", "token", account, f"--namespace={NAMESPACE}")
        config["users"][0]["user"] = {"token": token}
        path = self.folder / "job-kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    def _report(self, job: dict[str, Any], started: str, *, succeeded: bool) -> None:
        """What the Job controller would write; the API server insists on the order of the two conditions."""
        kinds = ("SuccessCriteriaMet", "Complete") if succeeded else ("FailureTarget", "Failed")
        conditions = [{"type": kind, "status": "True", "reason": "Ran", "lastTransitionTime": _now()} for kind in kinds]
        status: dict[str, Any] = {"startTime": started, "conditions": conditions}
        status |= {"succeeded": 1, "completionTime": _now()} if succeeded else {"failed": 1}
        code, body = self.cluster.call(
            "PATCH",
            f"{_JOBS}/{job['metadata']['name']}/status",
            {"status": status},
            content="application/merge-patch+json",
        )
        assert code == 200, body


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def stand_in_kubelet(cluster: RealCluster, folder: Path) -> Iterator[StandInKubelet]:
    """Look from a thread of its own; a failure of it fails whoever waits."""
    kubelet = StandInKubelet(cluster=cluster, folder=folder)
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(_LOOK_SECONDS):
                kubelet.look()
        except BaseException as error:  # noqa: BLE001 told to the thread that waits
            kubelet.failures.append(error)

    thread = threading.Thread(target=work, name="stand-in kubelet")
    thread.start()
    try:
        yield kubelet
    finally:
        stop.set()
        thread.join(_RUN_SECONDS)
    assert kubelet.failures == []
