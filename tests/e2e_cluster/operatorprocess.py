"""The operator as a process of its own, under the token of its ServiceAccount."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from tests.e2e_cluster.realcluster import NAMESPACE, PATIENCE_SECONDS, RealCluster, until

_METRICS_AT: Final = re.compile(r"shows metrics at (http://[^\s\"]+)/metrics")
_STOP_SECONDS: Final = 60


class OperatorProcess:
    """One operator process; everything it printed is in `log`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self._url = ""

    @property
    def name(self) -> str:
        """What its requests to Batch say who it is."""
        return self._log.stem

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def url(self) -> str:
        """Where it shows metrics and probes."""
        if not self._url:
            until(self._showed_or_ended, "a metrics address", within=PATIENCE_SECONDS)
            assert self._url, self.log
        return self._url

    def _showed_or_ended(self) -> bool:
        found = _METRICS_AT.search(self.log)
        self._url = found[1] if found else ""
        return bool(self._url) or self.process.poll() is not None

    def probe(self, path: str) -> tuple[int, str]:
        """Status and text of `/healthz`, `/readyz` or `/metrics`."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:  # noqa: S310 a loopback address of ours
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, series: str) -> float:
        """The sum of all series that begin so, as in `batchaccess_watch_events_total{kind="Policy"`."""
        _, text = self.probe("/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(series))

    def stop(self) -> int:
        """End it as Kubernetes would; its exit status."""
        self.process.terminate()
        return self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


def write_kubeconfig(cluster: RealCluster, folder: Path, *, server: str | None = None) -> Path:
    """A kubeconfig that names a token file, which may be rotated as a kubelet does.

    Args:
        cluster: whose ServiceAccount it is.
        folder: where both files are written.
        server: what to speak to instead of the API server itself, under a certificate of the same authority.
    """
    token = folder / "token"
    replace_text(token, cluster.make_token("--duration=1h"))
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    if server is not None:
        config["clusters"][0]["cluster"]["server"] = server
    config["users"][0]["user"] = {"tokenFile": str(token)}
    path = folder / "operator-kubeconfig"
    replace_text(path, yaml.safe_dump(config))
    return path


def replace_text(path: Path, text: str) -> None:
    """At once, as a kubelet does it: whoever reads meanwhile gets the old text or the new one."""
    written = path.with_name(f"{path.name}.new")
    written.write_text(text)
    written.replace(path)


def start(kubeconfig: Path, log: Path, flags: Sequence[str] = ()) -> OperatorProcess:
    """Start an operator; wait for nothing. Its requests to Batch carry the name of its log."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BATCHACCESS_", "AZURE_"))}
    environment |= {
        "BATCHACCESS_KUBECONFIG": str(kubeconfig),
        "BATCHACCESS_NAMESPACE": NAMESPACE,
        "BATCHACCESS_TELEMETRY_PORT": "0",
        "BATCHACCESS_ALLOW_ENDPOINT_SUFFIX": "127.0.0.1",
        "BATCHACCESS_LOG_LEVEL": "debug",
        "AZURE_HTTP_USER_AGENT": log.stem,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "batchaccess", "run", *flags], env=environment, stdout=output, stderr=output
        )
    return OperatorProcess(process, log)


@contextmanager
def running(kubeconfig: Path, log: Path, flags: Sequence[str] = ()) -> Iterator[OperatorProcess]:
    """An operator, ended afterwards; what it printed is shown if the test fails."""
    operator = start(kubeconfig, log, flags)
    try:
        yield operator
    finally:
        if operator.process.poll() is None:
            operator.process.terminate()
            try:
                operator.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                operator.kill()
        sys.stdout.write(_without_debug(operator.log))


def _without_debug(log: str) -> str:
    return "\n".join(line for line in log.splitlines() if '"debug"' not in line.lower())[-8000:]


def settled(operator: OperatorProcess, *, within: float = PATIENCE_SECONDS) -> None:
    """Wait until it has read everything declared."""
    deadline = time.monotonic() + within
    while operator.probe("/readyz")[0] != 200:
        assert time.monotonic() < deadline, operator.probe("/readyz")[1]
        time.sleep(0.1)
