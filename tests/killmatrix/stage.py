"""Service and cluster, each a process of its own, and operators that are started and killed before them."""

import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from batchemulator import Assumptions
from tests.killmatrix.runner import SPEED, Surroundings, run_operator
from tests.killmatrix.tap import Point
from tests.support.kube import (
    CONNECTION_PATH,
    POOL_ACCESS_PATH,
    Cluster,
    cluster,
    connection_manifest,
    policy_manifest,
    policy_path,
)

CONNECTION, POLICY = "prod-weu", "ssh"
_KEY = "YmF0Y2hhY2Nlc3MtZW11bGF0b3ItZGV2ZWxvcG1lbnQta2V5LW5vdC1hLXNlY3JldC0wMQ=="
"""The emulator's documented key."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.killmatrix.runner"])
"""Operators are forked from a process that has everything imported, which costs more than the whole saga."""


class Batch:
    """The emulated service in its own process, through its control endpoint."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: object | None = None) -> Any:  # noqa: ANN401 JSON
        """Make one request of the control endpoint."""
        request = urllib.request.Request(  # noqa: S310 a loopback address of ours
            f"{self.url}/emulator/{path}", method=method, data=None if body is None else json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 the same
            return json.loads(response.read() or b"{}")

    def pool(self, pool_id: str) -> dict[str, Any]:
        """A pool as the service shows it."""
        pools: list[dict[str, Any]] = self.call("GET", "accounts/devaccount/pools")
        return next(pool for pool in pools if pool["id"] == pool_id)

    def assume(self, setting: tuple[str, str] | None) -> None:
        """Make one assumption the service's, and all others the defaults."""
        self.call("PATCH", "assumptions", Assumptions().as_settings() | dict([setting] if setting else []))


@contextmanager
def batch(directory: Path) -> Iterator[Batch]:
    """The service, `SPEED` times as fast as the real one."""
    log = directory / "batch.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "batchemulator", "--port=0", f"--time-scale={SPEED}"],
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"listening on (\S+)", log.read_text())):
            if time.monotonic() > deadline:
                raise TimeoutError(log.read_text())
            time.sleep(0.05)
        yield Batch(found[1])
    finally:
        process.terminate()
        process.wait()


@dataclass(slots=True)
class Stage:
    """Everything but the operator."""

    kube: Cluster
    batch: Batch
    directory: Path

    def start(self, name: str, point: Point | None = None) -> BaseProcess:
        """An operator process; what it calls goes to `trace(name)`, what it says to `log(name)`."""
        self.trace(name).touch()
        around = Surroundings(
            kubeconfig=self.kube.kubeconfig,
            kubernetes=self.kube.running.url,
            batch=self.batch.url,
            log=self.log(name),
            trace=self.trace(name),
            point=point,
        )
        process = _FORKS.Process(target=run_operator, args=(around,), daemon=True)
        process.start()
        return process

    def trace(self, name: str) -> Path:
        """The file with the calls of an operator."""
        return self.directory / f"{name}.calls.txt"

    def log(self, name: str) -> Path:
        """The file with the words of an operator."""
        return self.directory / f"{name}.log"

    def calls(self, name: str) -> list[str]:
        """The external calls of an operator so far."""
        return self.trace(name).read_text().splitlines()

    def report(self, pool_id: str) -> dict[str, Any] | None:
        """The Kubernetes object of a pool, if there is one."""
        objects: list[dict[str, Any]] = self.kube.call("GET", POOL_ACCESS_PATH)["items"]
        return next((each for each in objects if each["metadata"]["name"] == report_name(pool_id)), None)

    def forget_report(self, pool_id: str) -> None:
        """Remove that object, if it is there."""
        if self.report(pool_id) is not None:
            self.kube.call("DELETE", f"{POOL_ACCESS_PATH}/{report_name(pool_id)}")

    def reset(self, pool_id: str) -> None:
        """Leave nothing of a pool behind, so that the next trial begins as the first one did."""
        self.batch.call("DELETE", "faults")
        self.batch.call("DELETE", "requests")
        self.batch.call("DELETE", f"accounts/devaccount/pools/{pool_id}")
        self.kube.heal()
        self.forget_report(pool_id)
        for path in (f"{CONNECTION_PATH}/{CONNECTION}", policy_path(POLICY)):
            self.kube.call("PATCH", path, {"metadata": {"finalizers": None}}, patch=True)


def report_name(pool_id: str) -> str:
    """What the Kubernetes object of a pool is called."""
    return f"{CONNECTION}.{pool_id}"


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Cluster and service, with an account and a policy declared."""
    directory.mkdir(parents=True, exist_ok=True)
    with cluster(directory) as kube, batch(directory) as service:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "batchaccess"}}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "weu", "namespace": "batchaccess"}}
        kube.apply(namespace)
        kube.apply(
            secret | {"stringData": {"key": f"devaccount:{_KEY}"}},
            connection_manifest(
                CONNECTION,
                endpoint=service.url,
                auth={"type": "SharedKey", "secretRef": {"name": "weu", "key": "key"}},
                syncPeriodSeconds=10,
                requestBudget={"perSecond": 100, "burst": 100},
            ),
            policy_manifest(POLICY, remediation={"strategy": "Drain"}),
        )
        yield Stage(kube=kube, batch=service, directory=directory)
