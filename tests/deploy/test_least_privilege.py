"""The operator as a process of its own, under exactly the roles that we ship, on an API that enforces them.

It lives through a whole story: accounts and policies declared, a pool corrected, objects deleted. Nothing may be
refused to it, and nothing it was granted may stay unused.
"""

import base64
import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from batchemulator.accounts import DEV_ACCOUNT
from batchemulator.server import Emulator, make_service, serving_in_thread
from batchemulator.timings import Timings
from kubeemulator.launch import KubeEmulator, emulator
from tests.support.kube import ROOT, connection_manifest, policy_manifest

BASE = ROOT / "deploy" / "kustomize" / "base"
NAMESPACE = "batchaccess"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:batchaccess"


@dataclass(frozen=True)
class Story:
    """A finished story: what the API logged, and what the operator printed."""

    api: KubeEmulator
    requests: list[dict[str, Any]]
    output: str
    exit_status: int

    def kubectl(self, *arguments: str) -> str:
        return kubectl(self.api, *arguments)


def kubectl(api: KubeEmulator, *arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        ["kubectl", f"--kubeconfig={api.kubeconfig}", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).strip()


def apply(api: KubeEmulator, *manifests: dict[str, Any]) -> None:
    output = kubectl(api, "apply", "-f", "-", stdin="\n".join(json.dumps(each) for each in manifests))
    assert "rror" not in output, output


def kubeconfig_of_operator(api: KubeEmulator, directory: Path) -> Path:
    """The administrator's kubeconfig with the token of the operator's ServiceAccount."""
    config = yaml.safe_load(api.kubeconfig.read_text())
    token = kubectl(api, "create", "token", "batchaccess", "--namespace", NAMESPACE)
    config["users"][0]["user"] = {"token": token}
    path = directory / "operator-kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def requests_of_operator(api: KubeEmulator) -> list[dict[str, Any]]:
    config = yaml.safe_load(api.kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    trusted = ssl.create_default_context(
        cafile=cluster.get("certificate-authority"),
        cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        if "certificate-authority-data" in cluster
        else None,
    )
    request = urllib.request.Request(  # noqa: S310 a loopback address of ours
        f"{api.url}/emulator/requests", headers={"Authorization": f"Bearer {user['token']}"}
    )
    with urllib.request.urlopen(request, timeout=30, context=trusted) as response:  # noqa: S310 the same
        logged: list[dict[str, Any]] = json.loads(response.read())["requests"]
    return [each for each in logged if each["user"] == ACCOUNT]


def until(condition: Callable[[], object], what: str, *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {within} s"
        time.sleep(0.1)


def open_pool(pool_id: str = "render-1", *, nodes: int = 0) -> dict[str, Any]:
    nat_pool = {
        "name": "SSH",
        "protocol": "tcp",
        "backendPort": 22,
        "frontendPortRangeStart": 4000,
        "frontendPortRangeEnd": 4100,
    }
    image = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}
    return {
        "id": pool_id,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": image, "nodeAgentSKUId": "batch.node.ubuntu 22.04"},
        "targetDedicatedNodes": nodes,
        "currentDedicatedNodes": nodes,
        "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": [nat_pool]}},
    }


def declare(api: KubeEmulator, batch: Emulator) -> None:
    key = base64.b64encode(f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}".encode()).decode()
    secret = {"name": "weu", "namespace": NAMESPACE}
    apply(
        api,
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "data": {"key": key}},
        connection_manifest(
            endpoint=batch.url(),
            auth={"type": "SharedKey", "secretRef": {"name": "weu", "key": "key"}},
            syncPeriodSeconds=10,
        ),
        policy_manifest(remediation={"strategy": "Drain"}),
    )


def condition(api: KubeEmulator, kind: str, name: str, type: str) -> str:
    return kubectl(api, "get", kind, name, f"-o=jsonpath={{.status.conditions[?(@.type=='{type}')].status}}")


def tell(api: KubeEmulator, batch: Emulator) -> None:
    """What happens while the operator runs."""
    declare(api, batch)
    until(lambda: condition(api, "bac", "prod-weu", "Ready") == "True", "the connection to be ready")
    until(lambda: condition(api, "bpa", "prod-weu.render-1", "Compliant") == "True", "the pool to be corrected")
    until(lambda: condition(api, "bpap", "ssh", "Ready") == "True", "the policy to be enforced")
    until(lambda: condition(api, "bpa", "prod-weu.busy-1", "Remediating") == "False", "the busy pool to be restored")
    assert condition(api, "bpa", "prod-weu.busy-1", "Compliant") == "True"
    assert batch.pool("busy-1").targets.dedicated == 2
    until(lambda: "finalizers" not in kubectl(api, "get", "bac,bpap", "-o=json"), "the finalizers to go")
    # A write of somebody else in between makes a status conflict, which is answered by reading the object again.
    for kind, name in (("bac", "prod-weu"), ("bpap", "ssh"), ("bpa", "prod-weu.render-1")):
        kubectl(api, "annotate", kind, name, "batchaccess.dev/requested-at=later")
    batch.state().pools.remove("render-1")
    until(lambda: "NotFound" in kubectl(api, "get", "bpa", "prod-weu.render-1"), "the pool's object to go")
    kubectl(api, "delete", "bpap", "ssh")
    kubectl(api, "delete", "bac", "prod-weu")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    directory = tmp_path_factory.mktemp("least-privilege")
    timings = Timings(settle=0.2, allocation=0.5, creating=0.1, starting=0.1, removal=0.5)
    service = make_service(pools={DEV_ACCOUNT.name: [open_pool(), open_pool("busy-1", nodes=2)]}, timings=timings)
    with emulator(directory / "kubeconfig", rbac=True) as api, serving_in_thread(service) as batch:
        applied = kubectl(api, "apply", "--server-side", "-k", str(BASE))
        assert "rror" not in applied, applied
        log = directory / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "batchaccess", "run", "--log-level=debug"],
                env={
                    **os.environ,
                    "BATCHACCESS_KUBECONFIG": str(kubeconfig_of_operator(api, directory)),
                    "BATCHACCESS_NAMESPACE": NAMESPACE,
                    "BATCHACCESS_TELEMETRY_PORT": "0",
                    "BATCHACCESS_ALLOW_ENDPOINT_SUFFIX": str(urlsplit(batch.url()).hostname),
                },
                stdout=output,
                stderr=output,
            )
            try:
                tell(api, batch)
            finally:
                process.terminate()
                status = process.wait(timeout=60)
                sys.stdout.write(log.read_text())
        yield Story(api=api, requests=requests_of_operator(api), output=log.read_text(), exit_status=status)


def test_it_ended_well_when_asked(story: Story) -> None:
    assert story.exit_status == 0
    assert "Traceback" not in story.output


def test_nothing_was_refused_to_it(story: Story) -> None:
    assert story.requests
    assert [request for request in story.requests if request["status"] == 403] == []


def test_of_what_people_declare_it_patches_only_the_finalizer(story: Story) -> None:
    patched = [
        request
        for request in story.requests
        if request["method"] == "PATCH"
        and re.search(r"/(batchaccountconnections|batchpoolaccesspolicies)/[^/]+$", request["path"])
    ]
    assert len(patched) >= 4
    assert "batchaccess.dev/saga" not in story.kubectl("get", "bac,bpap", "--all-namespaces", "-o=json")


def test_it_may_do_nothing_else(story: Story) -> None:
    for words in (
        ("get", "secrets", "--namespace=default"),
        ("list", "secrets", f"--namespace={NAMESPACE}"),
        ("update", "batchpoolaccesspolicies.batchaccess.dev", "--namespace=default"),
        ("delete", "batchaccountconnections.batchaccess.dev"),
        ("list", "pods", "--all-namespaces"),
        ("list", "customresourcedefinitions.apiextensions.k8s.io"),
    ):
        assert story.kubectl("auth", "can-i", f"--as={ACCOUNT}", *words).startswith("no"), words
    for words in (("get", "secrets", f"--namespace={NAMESPACE}"), ("list", "batchpoolaccesses.batchaccess.dev")):
        assert story.kubectl("auth", "can-i", f"--as={ACCOUNT}", *words).startswith("yes"), words


def test_no_secret_was_printed(story: Story) -> None:
    assert DEV_ACCOUNT.key not in story.output


PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/v[^/]+(?:/namespaces/(?P<namespace>[^/?]+))?"
    r"/(?P<resource>[a-z]+)(?:/(?P<name>[^/?]+))?(?:/(?P<subresource>[a-z]+))?(?:\?(?P<query>.*))?$"
)


def granted_use(request: dict[str, Any]) -> tuple[str, str, str] | None:
    """Group, resource and verb as a role would name them; None for discovery."""
    found = PATH.match(request["path"])
    if found is None:
        return None
    resource = "/".join(part for part in (found["resource"], found["subresource"]) if part)
    verb = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}.get(request["method"])
    if verb is None:
        verb = "get" if found["name"] else "watch" if "watch=true" in (found["query"] or "") else "list"
    return found["group"] or "", resource, verb


def test_every_grant_is_used(story: Story) -> None:
    used = {use for request in story.requests if (use := granted_use(request)) is not None}
    granted = set()
    for name in ("clusterrole.yaml", "role.yaml"):
        for rule in yaml.safe_load((BASE / name).read_text())["rules"]:
            granted |= {
                (group, resource, verb)
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for verb in rule["verbs"]
            }
    assert used - granted == set()
    # Reading one object again answers a conflict, and counting an event needs a repeat after seconds: this story has
    # neither. On real API servers tests/e2e_cluster/test_cluster_permissions.py brings about both, and leaves none out.
    rare = {("batchaccess.dev", kind, "get") for kind in ("batchaccountconnections", "batchpoolaccesspolicies")}
    rare |= {("batchaccess.dev", "batchpoolaccesses", "get"), ("", "events", "patch")}
    assert granted - used - rare == set()
