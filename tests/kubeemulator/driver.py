"""Driving a running emulator from tests: the real kubectl, and plain requests over loopback http."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kubeemulator.launch import KubeEmulator

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """The real kubectl with one kubeconfig."""

    kubeconfig: Path

    def __call__(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """What a command prints: its output, or its complaint when it has to fail."""
        done = subprocess.run(
            ["kubectl", *arguments],
            input=stdin,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return (done.stderr if fails else done.stdout).strip()

    def apply(self, *manifests: Json) -> str:
        listed = {"apiVersion": "v1", "kind": "List", "items": manifests}
        return self("apply", "-f", "-", stdin=json.dumps(listed))

    def environment(self) -> dict[str, str]:
        """What kubectl needs to know; its caches go beside the kubeconfig."""
        home = str(self.kubeconfig.parent)
        return {"KUBECONFIG": str(self.kubeconfig), "HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin"}


def require_kubectl() -> None:
    """Skip where there is no kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Plain requests to an emulator in its open mode."""

    emulator: KubeEmulator

    def __call__(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Json:
        """The decoded answer, errors included."""
        request = urllib.request.Request(  # noqa: S310 -- loopback http
            self.emulator.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content_type, "User-Agent": "driver/1"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 -- loopback http
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                content = error.read()
        decoded: Json = json.loads(content)
        return decoded

    def merge(self, path: str, patch: object) -> Json:
        return self("PATCH", path, patch, "application/merge-patch+json")

    def requests(self) -> list[Json]:
        """The emulator's log of requests."""
        logged: list[Json] = self("GET", "/emulator/requests")["requests"]
        return logged


def wait_for(condition: Callable[[], object], *, what: str | Callable[[], str], seconds: float = 20.0) -> None:
    """Wait until a condition holds, for a bounded time."""
    deadline = time.monotonic() + seconds
    while not condition():
        waited_for = what if isinstance(what, str) else what()
        assert time.monotonic() < deadline, f"not within {seconds} s: {waited_for}"
        time.sleep(0.03)
