"""An embedded Kubernetes API in its own process, and what tests do to it."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeemulator.launch import KubeEmulator, emulator

ROOT = Path(__file__).parents[2]
CRDS = sorted((ROOT / "crds").glob("*.yaml"))
OPERATOR_AGENTS = ("batchaccess/", "kopf/")


@dataclass(frozen=True)
class Cluster:
    """A running emulator with our CRDs, over plain http unless told otherwise."""

    running: KubeEmulator

    @property
    def kubeconfig(self) -> Path:
        return self.running.kubeconfig

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run the real kubectl as administrator; its standard output, and its standard error where it may fail."""
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 or not check, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Apply objects with the real kubectl."""
        self.kubectl("apply", "-f", "-", stdin="\n".join(json.dumps(manifest) for manifest in manifests))

    def install_crds(self) -> None:
        """Install our three kinds."""
        self.kubectl("apply", *(f"--filename={path}" for path in CRDS))

    def call(self, method: str, path: str, body: object | None = None, *, patch: bool = False) -> dict[str, Any]:
        """Make one request; plain http only."""
        content = "application/merge-patch+json" if patch else "application/json"
        request = urllib.request.Request(  # noqa: S310 a loopback address of ours
            self.running.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content, "User-Agent": "tests"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 a loopback address of ours
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
            return answer

    def status_of(self, path: str) -> dict[str, Any]:
        """The stored status of the object at `path`."""
        status: dict[str, Any] = self.call("GET", path).get("status", {})
        return status

    def fault(self, **fault: Any) -> None:  # noqa: ANN401 the emulator checks it
        """Inject a fault, see `kubeemulator.control.Fault`."""
        self.call("POST", "/emulator/faults", fault)

    def heal(self) -> None:
        """No faults any more."""
        self.call("DELETE", "/emulator/faults")

    def cut_watches(self) -> None:
        """Drop the connection of every open watch."""
        self.call("DELETE", "/emulator/watches")

    def requests(self, *, of_operator: bool = True) -> list[dict[str, Any]]:
        """The requests so far; only those of an operator, or all."""
        logged: list[dict[str, Any]] = self.call("GET", "/emulator/requests")["requests"]
        return [each for each in logged if not of_operator or each["user_agent"].startswith(OPERATOR_AGENTS)]

    def forget_requests(self) -> None:
        """Empty the log of requests."""
        self.call("DELETE", "/emulator/requests")


@contextmanager
def cluster(directory: Path, *, crds: bool = True) -> Iterator[Cluster]:
    """A fresh cluster; its kubeconfig lies in `directory`."""
    with emulator(directory / "kubeconfig") as running:
        made = Cluster(running)
        if crds:
            made.install_crds()
        yield made


def connection_manifest(name: str = "prod-weu", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 any field of a spec
    """A connection that grants everything to everyone."""
    grant = {
        "namespaces": {"all": True},
        "maxPriority": 1000,
        "modes": ["Audit", "Enforce"],
        "strategies": ["WhenEmpty", "Drain"],
    }
    default = {
        "endpoint": f"https://{name}.westeurope.batch.azure.com",
        "auth": {"type": "WorkloadIdentity"},
        "grants": [grant],
    }
    return {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchAccountConnection",
        "metadata": {"name": name},
        "spec": default | spec,
    }


def policy_manifest(
    name: str = "ssh",
    *,
    namespace: str = "default",
    **spec: Any,  # noqa: ANN401 any field of a spec
) -> dict[str, Any]:
    """A policy that closes SSH on every pool of `prod-weu`."""
    item = {"name": "SSH", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4100}, "allowFrom": []}
    default = {"connections": {"names": ["prod-weu"]}, "mode": "Enforce", "access": {"endpoints": {"items": [item]}}}
    return {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchPoolAccessPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": default | spec,
    }


CONNECTION_PATH = "/apis/batchaccess.dev/v1alpha1/batchaccountconnections"
POOL_ACCESS_PATH = "/apis/batchaccess.dev/v1alpha1/batchpoolaccesses"


def policy_path(name: str, namespace: str = "default") -> str:
    """The path of one policy."""
    return f"/apis/batchaccess.dev/v1alpha1/namespaces/{namespace}/batchpoolaccesspolicies/{name}"
