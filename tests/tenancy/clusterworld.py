"""The operator as a process with its ServiceAccount's token and roles, an emulated account, and what tests look at."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from batchemulator.accounts import DEV_ACCOUNT, Account
from batchemulator.server import Emulator, make_service, serving_in_thread
from kubeemulator.launch import KubeEmulator, emulator
from tests.support.kube import ROOT, connection_manifest

NAMESPACE = "batchaccess"
GROUP = "/apis/batchaccess.dev/v1alpha1"
BASE = ROOT / "deploy" / "kustomize" / "base"


@dataclass
class World:
    """All of it, running."""

    api: KubeEmulator
    batch: Emulator
    log_file: Path
    process: subprocess.Popen[bytes]
    token: str

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.api.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin="\n".join(json.dumps(each) for each in manifests))

    def condition(self, kind: str, name: str, type: str, *, namespace: str = "default") -> tuple[str, str]:
        """Status and reason."""
        stored = json.loads(self.kubectl("get", kind, name, "--namespace", namespace, "-o=json"))
        found = [each for each in stored.get("status", {}).get("conditions", []) if each["type"] == type]
        return (found[0]["status"], found[0]["reason"]) if found else ("", "")

    def everything_in_kubernetes(self) -> str:
        """All our objects and all events, as the administrator sees them; no Secrets."""
        kinds = "bac,bpap,bpa,events,namespaces,deployments"
        return self.kubectl("get", kinds, "--all-namespaces", "-o=json", "--show-managed-fields")

    def pages(self) -> str:
        """Metrics, probes and the status page."""
        url = self.log.partition("shows metrics at ")[2].partition("/metrics")[0]
        paths = ["/metrics", "/healthz", "/readyz", "/", "/policies", "/events", "/connections/prod-weu"]
        return "\n".join(_page(url + path) for path in paths)

    def requests_of_operator(self) -> list[str]:
        """Method and path of whatever it asked the API server."""
        logged = json.loads(self.kubectl("get", "--raw", "/emulator/requests"))["requests"]
        return [f"{each['method']} {each['path']}" for each in logged if each["user"].endswith(":batchaccess")]

    def until(self, condition: Callable[[], object], what: str, *, within: float = 90) -> None:
        deadline = time.monotonic() + within
        while not condition():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, f"{what} did not come true within {within} s"
            time.sleep(0.1)

    def ask_for_sweep(self, mark: str, connection: str = "prod-weu") -> None:
        self.kubectl("annotate", "--overwrite", "bac", connection, f"batchaccess.dev/requested-at={mark}")


def _page(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 a loopback address of ours
            text: str = response.read().decode()
            return text
    except urllib.error.HTTPError as error:
        return error.read().decode()


def secret(name: str, value: str, *, namespace: str = NAMESPACE) -> dict[str, Any]:
    """A Secret with one key, `key`."""
    encoded = base64.b64encode(value.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"key": encoded},
    }


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def connection_to(endpoint: str, name: str = "prod-weu", *, reads: str = "weu", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 any field
    """A connection by shared key, from the Secret that it reads."""
    auth = {"type": "SharedKey", "secretRef": {"name": reads, "key": "key"}}
    return connection_manifest(name, endpoint=endpoint, auth=auth, syncPeriodSeconds=10, **spec)


def shared_key(account: Account = DEV_ACCOUNT) -> str:
    """The content of the Secret of an account."""
    return f"{account.name}:{account.key}"


def open_pool(pool_id: str) -> dict[str, Any]:
    """A pool that stands at no nodes and lets everyone in."""
    nat_pool = {
        "name": "SSH",
        "protocol": "tcp",
        "backendPort": 22,
        "frontendPortRangeStart": 4000,
        "frontendPortRangeEnd": 4100,
    }
    return {
        "id": pool_id,
        "targetDedicatedNodes": 0,
        "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": [nat_pool]}},
    }


@contextmanager
def clusterworld(directory: Path, *pool_ids: str, overlay: Path = BASE, flags: tuple[str, ...] = ()) -> Iterator[World]:
    """The operator at debug level with its status page on, under the roles of an overlay of deploy/kustomize."""
    service = make_service(pools={DEV_ACCOUNT.name: [open_pool(pool_id) for pool_id in pool_ids]})
    with emulator(directory / "kubeconfig", rbac=True) as api, serving_in_thread(service) as batch:
        administrator = ["kubectl", f"--kubeconfig={api.kubeconfig}"]
        subprocess.run([*administrator, "apply", "--server-side", "-k", str(overlay)], check=True, capture_output=True)
        created = [*administrator, "create", "token", "batchaccess", "--namespace", NAMESPACE]
        token = subprocess.run(created, check=True, capture_output=True, text=True).stdout.strip()
        config = yaml.safe_load(api.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        kubeconfig, log_file = directory / "operator-kubeconfig", directory / "log"
        kubeconfig.write_text(yaml.safe_dump(config))
        with log_file.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "batchaccess", "run", "--log-level=debug", "--status-page", *flags],
                env={
                    **os.environ,
                    "BATCHACCESS_KUBECONFIG": str(kubeconfig),
                    "BATCHACCESS_NAMESPACE": NAMESPACE,
                    "BATCHACCESS_TELEMETRY_PORT": "0",
                    "BATCHACCESS_ALLOW_ENDPOINT_SUFFIX": str(urlsplit(batch.url()).hostname),
                },
                stdout=output,
                stderr=output,
            )
        try:
            made = World(api=api, batch=batch, log_file=log_file, process=process, token=token)
            made.until(lambda: "shows metrics at " in made.log, "the operator to start", within=60)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=60)
            sys.stdout.write(log_file.read_text()[-6000:])
