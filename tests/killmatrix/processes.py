"""Service, cluster and operator, each a process of its own; the operator dies at a point and is started again."""

import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchemulator import Assumptions
from tests.killmatrix.runner import SPEED
from tests.killmatrix.scenario import IMPOSSIBLE, variants
from tests.killmatrix.tap import Phase
from tests.support.drains import busy_pool
from tests.support.kube import POOL_ACCESS_PATH, ROOT, Cluster, cluster, connection_manifest, policy_manifest

NODES = 3
PATIENCE_SECONDS = 45
_KEY = "YmF0Y2hhY2Nlc3MtZW11bGF0b3ItZGV2ZWxvcG1lbnQta2V5LW5vdC1hLXNlY3JldC0wMQ=="
"""The emulator's documented key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run on real processes: where it dies, what is lost meanwhile, what the service does."""

    kill_at: tuple[int, Phase] | None = None
    lost: str = "nothing"
    fault: tuple[str, str, int] | None = None
    """Kind, operation, and how many requests of that operation pass before."""
    setting: tuple[str, str] | None = None

    def __str__(self) -> str:
        where = "no kill" if self.kill_at is None else f"SIGKILL {self.kill_at[1]} call {self.kill_at[0]}"
        return f"{where}, {self.lost} lost, fault {self.fault}, {self.setting or 'defaults'}"


@dataclass(slots=True)
class Trials:
    """What the trials came to."""

    runs: int = 0
    killed: int = 0
    gave_way: int = 0
    """Trials in which the metadata was edited between our write-ahead and our resize: safe, said, and not drained."""
    failures: list[str] = field(default_factory=list)


class Batch:
    """The emulated service in its own process, through its control endpoint."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: object | None = None) -> Any:  # noqa: ANN401 JSON
        request = urllib.request.Request(  # noqa: S310 a loopback address of ours
            f"{self.url}/emulator/{path}", method=method, data=None if body is None else json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 the same
            return json.loads(response.read() or b"{}")

    def pool(self, pool_id: str) -> dict[str, Any]:
        pools: list[dict[str, Any]] = self.call("GET", "accounts/devaccount/pools")
        return next(pool for pool in pools if pool["id"] == pool_id)


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
        deadline = time.monotonic() + 20
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
    number: int = 0

    def play(self, trial: Trial) -> tuple[list[str], str | None]:
        """One trial; the calls of the first operator, and what is wrong in the end."""
        self.number += 1
        pool_id = f"busy-{self.number}"
        trace = self.directory / f"calls-{self.number}.txt"
        self.batch.call("POST", "accounts/devaccount/pools", busy_pool(pool_id, nodes=NODES, resizeTimeout="PT21M"))
        if trial.setting is not None:
            self.batch.call("PATCH", "assumptions", {trial.setting[0]: trial.setting[1]})
        if trial.fault is not None:
            kind, operation, skip = trial.fault
            retry = {"retry_after": 2} if kind == "throttled" else {}
            fault = {"kind": kind, "operation": operation, "pool": pool_id, "skip": skip, **retry}
            self.batch.call("POST", "faults", fault)
        problem = self._operate(trial, pool_id, trace)
        self.batch.call("DELETE", "faults")
        if trial.setting is not None:
            self.batch.call("PATCH", "assumptions", {trial.setting[0]: Assumptions().as_settings()[trial.setting[0]]})
        self.batch.call("DELETE", f"accounts/devaccount/pools/{pool_id}")
        calls = trace.read_text().splitlines()
        return calls, None if problem is None else f"{trial}: {problem}"

    def _operate(self, trial: Trial, pool_id: str, trace: Path) -> str | None:
        if trial.kill_at is not None:
            number, phase = trial.kill_at
            first = self._start(trace, KILL_AT=f"{number}:{phase}")
            try:
                first.wait(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                first.kill()
                first.wait()
                return "it did not come to the point of its death"
            self._lose(trial.lost, pool_id)
        second = self._start(trace.with_suffix(".second.txt") if trial.kill_at else trace)
        try:
            return self._settled(pool_id, second)
        finally:
            second.kill()
            second.wait()

    def _start(self, trace: Path, **environment: str) -> subprocess.Popen[bytes]:
        trace.touch()
        with (self.directory / "operator.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.killmatrix.runner", str(self.kube.kubeconfig)],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                env={**os.environ, "TRACE": str(trace), **environment},
            )

    def _lose(self, lost: str, pool_id: str) -> None:
        match lost:
            case "Kubernetes status":
                path = f"{POOL_ACCESS_PATH}/prod-weu.{pool_id}"
                if self._object(pool_id):
                    self.kube.call("DELETE", path)
            case "Azure metadata":
                self.batch.call("PATCH", f"accounts/devaccount/pools/{pool_id}", {"metadata": []})
            case _:
                return

    def _settled(self, pool_id: str, operator: subprocess.Popen[bytes]) -> str | None:
        deadline, problem = time.monotonic() + PATIENCE_SECONDS, "nothing was looked at"
        while time.monotonic() < deadline:
            if operator.poll() is not None:
                return f"the second operator ended with {operator.returncode}"
            problem = self._problem(pool_id)
            if problem == "":
                return None
            time.sleep(0.2)
        return problem

    def _problem(self, pool_id: str) -> str:
        """What is not yet as it should be; nothing once all is."""
        pool, found = self.batch.pool(pool_id), self._object(pool_id)
        status = found.get("status", {}) if found else {}
        (nat_pool,) = pool["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
        rules = [rule["access"] for rule in nat_pool.get("networkSecurityGroupRules", ())]
        compliant = [each["reason"] for each in status.get("conditions", ()) if each["type"] == "Compliant"]
        if pool["targetDedicatedNodes"] != NODES or pool["resizeTimeout"] != "PT21M":
            return f"the scale is {pool['targetDedicatedNodes']} nodes with {pool['resizeTimeout']} ({compliant})"
        if rules != ["deny"]:
            return f"the network is not corrected: {rules} ({compliant})"
        if (
            "journal" in status
            or not status
            or any(item["value"].startswith("v1 ") for item in pool.get("metadata", ()))
        ):
            return f"a journal is left ({compliant})"
        return ""

    def _object(self, pool_id: str) -> dict[str, Any] | None:
        objects: list[dict[str, Any]] = self.kube.call("GET", POOL_ACCESS_PATH)["items"]
        return next((each for each in objects if each["metadata"]["name"] == f"prod-weu.{pool_id}"), None)


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Cluster and service, with an account and a policy declared."""
    with cluster(directory) as kube, batch(directory) as service:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "batchaccess"}}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "weu", "namespace": "batchaccess"}}
        kube.apply(namespace)
        kube.apply(
            secret | {"stringData": {"key": f"devaccount:{_KEY}"}},
            connection_manifest(
                endpoint=service.url,
                auth={"type": "SharedKey", "secretRef": {"name": "weu", "key": "key"}},
                syncPeriodSeconds=10,
                requestBudget={"perSecond": 100, "burst": 100},
            ),
            policy_manifest(remediation={"strategy": "Drain"}),
        )
        yield Stage(kube=kube, batch=service, directory=directory)


OPERATIONS = {
    "patch_metadata": "update_pool",
    "patch_network": "update_pool",
    "resize": "resize_pool",
    "get_pool": "get_pool",
}
FAULTS = ("condition-not-met", "throttled", "internal-error", "timed-out-after", "silent-after", "dropped-after")
LOSSES = ("Kubernetes status", "Azure metadata")


def trials_of(calls: Sequence[str]) -> list[Trial]:
    """Death before and after every call, with every loss; every fault at every request of the saga."""
    last = min(max(number for number, call in enumerate(calls) if call == "write_journal") + 2, len(calls))
    found = [Trial(kill_at=(number, phase)) for number in range(last) for phase in Phase]
    found += [Trial(kill_at=(number, Phase.AFTER), lost=lost) for number in range(last) for lost in LOSSES]
    found += [
        Trial(kill_at=(number, Phase.AFTER), setting=setting)
        for setting in variants()
        if setting not in IMPOSSIBLE
        for number in (6, 10)
    ]
    seen: dict[str, int] = {}
    for call in calls[:last]:
        operation = OPERATIONS.get(call)
        if operation is None:
            continue
        skip = seen.get(operation, 0)
        seen[operation] = skip + 1
        found += [Trial(fault=(kind, operation, skip)) for kind in FAULTS if call != "get_pool" or kind != FAULTS[0]]
    return found


def run_trials(directory: Path, *, sample: int | None = None, seed: int = 0) -> Trials:
    """All trials on one stage, or a seeded sample of them."""
    counts = Trials()
    with stage(directory) as here:
        calls, problem = here.play(Trial())
        counts.runs, counts.failures = 1, [] if problem is None else [problem]
        chosen = trials_of(calls)
        if sample is not None:
            chosen = random.Random(seed).sample(chosen, sample)  # noqa: S311 no secret
        for trial in chosen:
            _, problem = here.play(trial)
            counts.runs += 1
            counts.killed += trial.kill_at is not None
            if problem is not None and trial.lost == "Azure metadata" and "ScaleChanged" in problem:
                counts.gave_way += 1
            elif problem is not None:
                counts.failures.append(problem)
    return counts
