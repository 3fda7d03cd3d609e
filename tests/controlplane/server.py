"""A control plane that runs: etcd, kube-apiserver with RBAC and an audit log, and two of the controllers.

Controllers: the garbage collector follows owner references, the namespace controller empties deleted namespaces.
Nothing schedules or runs pods.
"""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tests.controlplane.assets import Assets
from tests.controlplane.certificates import Keys, make_keys
from tests.controlplane.programs import RunningProgram
from tests.support.listening import reserved_port

_AUDIT_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
_CONTROLLERS: Final = "garbage-collector-controller,namespace-controller"
_ANSWER_SECONDS: Final = 5


class ControlPlane:
    """One running control plane. Its objects outlive its processes: etcd keeps them in a folder of its own."""

    def __init__(self, assets: Assets, folder: Path) -> None:
        self.assets = assets
        self.folder = folder
        self.keys: Keys = make_keys(folder)
        self.port = reserved_port()
        self.audit_log = folder / "audit.log"
        self.kubeconfig = folder / "kubeconfig"
        self._etcd_port = reserved_port()
        self._write_configuration()
        self.etcd = RunningProgram(self._etcd_command(), log=folder / "etcd.log", ready=self._etcd_is_ready)
        self.api_server = RunningProgram(
            self._api_server_command(), log=folder / "kube-apiserver.log", ready=self.api_server_answers
        )
        self.controllers = self._make_controllers()

    @property
    def url(self) -> str:
        """Where the API server is."""
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start what does not run yet, in the order in which one needs the other."""
        self.etcd.start()
        self.api_server.start()
        if self.controllers is not None:
            self.controllers.start()

    def stop(self) -> None:
        """End everything."""
        for program in (self.controllers, self.api_server, self.etcd):
            if program is not None:
                program.stop()

    def api_server_answers(self) -> bool:
        """Whether the API server is ready, etcd included."""
        return _answers(f"{self.url}/readyz", self.administrator_context())

    def compact_history(self) -> None:
        """Make etcd forget every revision but the current one: watches that begin before it get 410 Gone."""
        revision = self._etcd_call("kv/range", {"key": base64.b64encode(b"/").decode()})["header"]["revision"]
        try:
            self._etcd_call("kv/compaction", {"revision": revision, "physical": True})
        except urllib.error.HTTPError as error:
            if b"compacted" not in error.read():  # nothing was written since the last time, which is as well
                raise

    def _write_configuration(self) -> None:
        (self.folder / "audit-policy.yaml").write_text(yaml.safe_dump(_AUDIT_POLICY))
        user = {
            "client-certificate-data": _encoded(self.keys.administrator.certificate),
            "client-key-data": _encoded(self.keys.administrator.key),
        }
        self.kubeconfig.write_text(yaml.safe_dump(kubeconfig_for(self.url, self.keys.authority, user)))

    def _etcd_command(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{reserved_port()}"
        return [
            str(self.assets.etcd),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            # A test's objects are not worth a disk's patience.
            "--unsafe-no-fsync",
        ]

    def _api_server_command(self) -> list[str]:
        keys = self.keys
        return [
            str(self.assets.api_server),
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={keys.serving.certificate}",
            f"--tls-private-key-file={keys.serving.key}",
            f"--client-ca-file={keys.authority}",
            f"--service-account-issuer={self.url}",
            f"--service-account-key-file={keys.token_key}",
            f"--service-account-signing-key-file={keys.token_key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--audit-policy-file={self.folder / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-mode=blocking",
            "--endpoint-reconciler-type=none",
        ]

    def _make_controllers(self) -> RunningProgram | None:
        if self.assets.controllers is None:
            return None
        port = reserved_port()
        command = [
            str(self.assets.controllers),
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={_CONTROLLERS}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
        ]
        return RunningProgram(
            command,
            log=self.folder / "kube-controller-manager.log",
            ready=lambda: _answers(f"https://127.0.0.1:{port}/healthz", _unverified()),
        )

    def _etcd_is_ready(self) -> bool:
        return _answers(f"http://127.0.0.1:{self._etcd_port}/health", None)

    def administrator_context(self) -> ssl.SSLContext:
        """TLS as the administrator, a member of system:masters."""
        context = ssl.create_default_context(cafile=str(self.keys.authority))
        pair = self.keys.administrator
        context.load_cert_chain(pair.certificate, pair.key)
        return context

    def _etcd_call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._etcd_port}/v3/{path}", data=json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 a loopback address of ours
            answer: dict[str, Any] = json.loads(response.read())
            return answer


@contextmanager
def running(assets: Assets, folder: Path) -> Iterator[ControlPlane]:
    """A fresh control plane, ended afterwards."""
    made = ControlPlane(assets, folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def kubeconfig_for(url: str, authority: Path, user: dict[str, str]) -> dict[str, Any]:
    """A kubeconfig for one server and one user."""
    cluster = {"server": url, "certificate-authority-data": _encoded(authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "user"}}],
        "current-context": "tests",
    }


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _unverified() -> ssl.SSLContext:
    """For the health of the controllers, which make a certificate of their own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _answers(url: str, context: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS, context=context) as response:  # noqa: S310 ours
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
