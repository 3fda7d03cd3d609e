"""The emulator as a program: its options, its store, its roles."""

from __future__ import annotations

import base64
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
import yaml

from kubeemulator.launch import LaunchError, emulator, start_in_process
from kubeemulator.server import Settings, running
from tests.kubeemulator.conftest import POLICIES
from tests.kubeemulator.definitions import DEMO, policy
from tests.kubeemulator.driver import Http, Kubectl, require_kubectl

if TYPE_CHECKING:
    from pathlib import Path

ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reader", "namespace": "default"},
    "rules": [{"apiGroups": ["demo.example.com"], "resources": ["policies"], "verbs": ["get", "list"]}],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "reader", "namespace": "default"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
    "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}],
}
ROBOT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default"}}


def test_a_stored_cluster_goes_on_after_a_restart(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    with emulator(tmp_path / "first", store=store) as first:
        http = Http(emulator=first)
        http("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEMO)
        http("POST", POLICIES, policy({"pool": "a"}, "kept"))
        http("POST", POLICIES, policy({"pool": "a"}, "gone"))
        http("DELETE", f"{POLICIES}/gone")
        before = http("GET", POLICIES)
    with emulator(tmp_path / "second", store=store) as second:
        http = Http(emulator=second)
        assert http("GET", POLICIES) == before
        version = before["metadata"]["resourceVersion"]
        changed = http.merge(f"{POLICIES}/kept", {"spec": {"target": 9}})
        assert int(changed["metadata"]["resourceVersion"]) > int(version)
        told = http("GET", f"{POLICIES}?watch=1&resourceVersion={version}&timeoutSeconds=1")
        assert (told["type"], told["object"]) == ("MODIFIED", changed)


def test_roles_decide_what_a_service_account_may_do(tmp_path: Path) -> None:
    require_kubectl()
    with emulator(tmp_path / "admin", rbac=True) as started:
        administrator = Kubectl(kubeconfig=started.kubeconfig)
        administrator.apply(DEMO, ROBOT)
        config = yaml.safe_load(started.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": administrator("create", "token", "robot")}
        (tmp_path / "robot").write_text(yaml.safe_dump(config))
        robot = Kubectl(kubeconfig=tmp_path / "robot")
        assert 'User "system:serviceaccount:default:robot" cannot list resource "policies"' in robot(
            "get", "pol", fails=True
        )
        administrator.apply(ROLE, BINDING)
        assert robot("get", "pol", "-o", "name") == ""
        assert robot("auth", "can-i", "list", "policies") == "yes"
        assert robot("auth", "can-i", "delete", "policies", fails=True) == ""
        assert "forbidden" in robot("delete", "pol", "p1", fails=True)
        as_robot = "--as=system:serviceaccount:default:robot"
        assert administrator("get", "pol", "-o", "name", as_robot) == ""
        assert "impersonate" in robot("get", "pol", "--as=kubernetes-admin", fails=True)
        administrator("delete", "serviceaccount", "robot")
        assert "Unauthorized" in robot("get", "pol", fails=True)


def test_without_a_token_nobody_is_let_in_where_roles_are_enforced(tmp_path: Path) -> None:
    with emulator(tmp_path / "admin", rbac=True) as started:
        config = yaml.safe_load(started.kubeconfig.read_text())
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        for path in ("/version", "/emulator/requests", POLICIES):
            with pytest.raises(urllib.error.HTTPError, match="401") as caught:
                urllib.request.urlopen(started.url + path, context=context, timeout=10)  # noqa: S310 -- loopback
            caught.value.close()


def test_the_kubeconfig_is_private(tmp_path: Path) -> None:
    with emulator(tmp_path / "config", tls=True) as started:
        assert started.url.startswith("https://127.0.0.1:")
        assert started.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with emulator(tmp_path / "config") as started:
        port = int(started.url.rpartition(":")[2])
        with pytest.raises(LaunchError, match="ended with status 1"):
            start_in_process(tmp_path / "other", port=port)


@pytest.mark.parametrize("options", [[], ["--tls"]])
def test_without_roles_it_stays_on_loopback(options: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kubeemulator", "--host", "0.0.0.0", *options],  # noqa: S104 -- must be refused
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "served on loopback only" in done.stderr


def test_roles_without_tls_are_refused() -> None:
    with pytest.raises(ValueError, match="add --tls"):
        Settings(enforces_roles=True)


async def test_a_cluster_runs_inside_a_program() -> None:
    async with running() as cluster:
        assert cluster.url.startswith("http://127.0.0.1:")
        assert cluster.kubeconfig()["current-context"] == "kubeemulator"
