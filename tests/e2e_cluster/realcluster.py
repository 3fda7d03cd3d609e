"""A real API server as its administrator sees and changes it, and its audit log."""

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.contract.kubernetes.apiclient import Server, server_of
from tests.controlplane.server import ControlPlane
from tests.support.kube import CRDS, ROOT

BASE: Final = ROOT / "deploy" / "kustomize" / "base"
NAMESPACE: Final = "batchaccess"
OPERATOR: Final = f"system:serviceaccount:{NAMESPACE}:batchaccess"
GROUP: Final = "/apis/batchaccess.dev/v1alpha1"
PATIENCE_SECONDS: Final = 90
"""How long tests wait for what takes seconds on an idle machine: machines that build and test are rarely idle."""

KINDS: Final = ("bpap", "bac", "bpa")
WRITES: Final = ("create", "update", "patch", "delete", "deletecollection")
_PLURALS: Final = {
    "bac": "batchaccountconnections",
    "bpap": "batchpoolaccesspolicies",
    "bpa": "batchpoolaccesses",
}
_OK: Final = 200
_ABSENT: Final = 404
_TOO_MANY_REQUESTS: Final = 429
"""For moments after a definition was made anew its objects cannot be read."""

_INITIALIZING_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One finished request, in the words of roles."""

    user: str
    agent: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    code: int
    stage: str

    @property
    def use(self) -> tuple[str, str, str]:
        """Group, resource with its subresource, and verb, as a role would grant them."""
        return self.group, self.resource, self.verb


class RealCluster:
    """One API server; `plane` is what runs it, None for an existing cluster, which nobody breaks."""

    def __init__(self, kubeconfig: Path, *, kubectl: Path, plane: ControlPlane | None) -> None:
        self.kubeconfig = kubeconfig
        self.plane = plane
        self._kubectl = kubectl
        self._server: Server = server_of(kubeconfig)

    @property
    def program(self) -> Path:
        """The kubectl of this release."""
        return self._kubectl

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def context(self) -> ssl.SSLContext | None:
        """TLS as the administrator."""
        return self._server.context

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._server.token}"} if self._server.token else {}

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl as administrator; its standard output, and its standard error where it may fail."""
        done = subprocess.run(
            [str(self._kubectl), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0 or not check, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return (done.stdout if check else done.stdout + done.stderr).strip()

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin="\n".join(json.dumps(manifest) for manifest in manifests))

    def call(
        self, method: str, path: str, body: object = None, *, content: str = "application/json"
    ) -> tuple[int, dict[str, Any]]:
        """One request: status code and the decoded body."""
        request = urllib.request.Request(  # noqa: S310 the API server under test
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content, "User-Agent": "tests", **self.headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.context) as response:  # noqa: S310 the same
                return response.status, _decoded(response.read())
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read())

    def text(self, path: str) -> str:
        """What is no JSON, as metrics."""
        request = urllib.request.Request(self.url + path, headers=self.headers)  # noqa: S310 the API server under test
        with urllib.request.urlopen(request, timeout=60, context=self.context) as response:  # noqa: S310 the same
            shown: str = response.read().decode()
            return shown

    def get(self, path: str) -> dict[str, Any]:
        """One object or list; an empty one if it does not exist."""
        deadline = time.monotonic() + _INITIALIZING_SECONDS
        code, body = self.call("GET", path)
        while code == _TOO_MANY_REQUESTS and time.monotonic() < deadline:
            time.sleep(0.2)
            code, body = self.call("GET", path)
        assert code in (200, _ABSENT), (code, body)
        return body if code != _ABSENT else {}

    def condition(self, kind: str, name: str, type: str, *, namespace: str = "default") -> str:
        """Status and reason of a condition, as in `True/Enforced`; what the API server said instead if it has none."""
        try:
            code, body = self.call("GET", path_of(kind, name, namespace=namespace))
        except OSError as error:
            return str(error)
        if code != _OK:
            return str(body.get("message"))
        for each in body.get("status", {}).get("conditions", []):
            if each["type"] == type:
                return f"{each['status']}/{each['reason']}"
        return "/"

    def is_absent(self, kind: str, name: str) -> bool:
        """Whether a cluster-wide object of ours does not exist."""
        code, _ = self.call("GET", path_of(kind, name))
        return code == _ABSENT

    def install(self) -> None:
        """What a user installs."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(BASE))
        for path in CRDS:
            self.kubectl("wait", "--for=condition=Established", "--timeout=100s", "-f", str(path))

    def forget_everything(self) -> None:
        """Delete every object of ours, and wait until it is so; nothing may be left that waits for an operator."""
        for kind in KINDS:
            self.kubectl("delete", kind, "--all", "--all-namespaces", "--wait", "--timeout=100s", check=False)

    def abandon_everything(self) -> None:
        """The same once the operator was ended in the middle of something: finalizers are taken off for it."""
        for kind in ("bpap", "bac"):
            for each in self.get(f"{GROUP}/{_PLURALS[kind]}").get("items", []):
                metadata = each["metadata"]
                path = path_of(kind, metadata["name"], namespace=metadata.get("namespace", ""))
                self.call("PATCH", path, {"metadata": {"finalizers": None}}, content="application/merge-patch+json")
        self.forget_everything()

    def make_token(self, *arguments: str) -> str:
        """A fresh token of the operator's ServiceAccount."""
        return self.kubectl("create", "token", "batchaccess", f"--namespace={NAMESPACE}", *arguments)

    def audit_position(self) -> int:
        """How much of the audit log there is now."""
        assert self.plane is not None
        return self.plane.audit_log.stat().st_size

    def audited(self, *, since: int = 0, user: str = OPERATOR) -> list[Audited]:
        """The finished requests of somebody, from the API server's audit log."""
        assert self.plane is not None
        with self.plane.audit_log.open("rb") as log:
            log.seek(since)
            return [
                each for line in log if line.endswith(b"\n") for each in _audited(json.loads(line)) if each.user == user
            ]

    def writes(self, *, since: int) -> list[Audited]:
        """What the operator wrote."""
        return [each for each in self.audited(since=since) if each.verb in WRITES]


def path_of(kind: str, name: str, *, namespace: str = "default") -> str:
    """Where an object of ours is, by its short name."""
    where = f"namespaces/{namespace}/" if kind == "bpap" else ""
    return f"{GROUP}/{where}{_PLURALS[kind]}/{name}"


def _decoded(body: bytes) -> dict[str, Any]:
    """An object, or text as its message: paths of a kind that does not exist are answered in plain words."""
    try:
        decoded: dict[str, Any] = json.loads(body or b"{}")
    except json.JSONDecodeError:
        return {"message": body.decode(errors="replace")}
    return decoded


def _audited(entry: dict[str, Any]) -> Iterator[Audited]:
    about = entry.get("objectRef")
    # A watch is told twice, when it starts and when it ends.
    if about is None or entry["stage"] not in ("ResponseComplete", "ResponseStarted"):
        return
    subresource = about.get("subresource")
    yield Audited(
        user=entry["user"].get("username", ""),
        agent=entry.get("userAgent", ""),
        verb=entry["verb"],
        group=about.get("apiGroup", ""),
        resource=f"{about['resource']}/{subresource}" if subresource else about["resource"],
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=entry.get("responseStatus", {}).get("code", 0),
        stage=entry["stage"],
    )


def until(condition: Callable[[], object], what: str, *, within: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition, for a bounded time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {within} s"
        time.sleep(0.1)


def until_is(seen: Callable[[], str], expected: str | Collection[str], *, within: float = PATIENCE_SECONDS) -> None:
    """Wait until `seen` is as expected; the failure shows what it was instead."""
    wanted = {expected} if isinstance(expected, str) else set(expected)
    deadline = time.monotonic() + within
    while (found := seen()) not in wanted:
        assert time.monotonic() < deadline, f"after {within} s it still is {found}, not {' or '.join(sorted(wanted))}"
        time.sleep(0.1)
