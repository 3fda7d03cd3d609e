"""The unmodified kopf against the emulator, as a program of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kubeemulator import operator_under_test
from tests.kubeemulator.conftest import POLICIES
from tests.kubeemulator.definitions import policy
from tests.kubeemulator.driver import Http, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeemulator.launch import KubeEmulator

PROGRAM = Path(operator_under_test.__file__)


class Operator:
    """A running operator and what it has said so far."""

    def __init__(self, kubeconfig: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            env={"KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.said: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.strip())

    def wait_to_hear(self, words: str, times: int = 1) -> None:
        wait_for(lambda: self.count(words) >= times, what=lambda: f"{words!r} among {self.said[-20:]}")

    def count(self, words: str) -> int:
        return sum(line.startswith(words) for line in self.said)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextlib.contextmanager
def _operating(running: KubeEmulator) -> Iterator[Operator]:
    started = Operator(running.kubeconfig)
    try:
        started.wait_to_hear("ready")
        yield started
    finally:
        started.stop()


@pytest.fixture
def operator(running: KubeEmulator, http: Http) -> Iterator[Operator]:
    del http  # clears up behind the operator
    with _operating(running) as started:
        yield started


def _all_handled(http: Http) -> bool:
    return all(item.get("status", {}).get("conditions") for item in http("GET", POLICIES)["items"])


def _target(name: str) -> str:
    return f"{POLICIES}/{name}"


def test_handlers_see_creation_change_and_deletion(operator: Operator, http: Http) -> None:
    http("POST", POLICIES, policy({"pool": "pool-a", "target": 1}))
    operator.wait_to_hear("created p1 pools ['pool-a']")
    wait_for(lambda: http("GET", _target("p1")).get("status", {}).get("conditions"), what="the status is written")
    assert http("GET", _target("p1"))["metadata"]["finalizers"] == ["demo.example.com/finalizer"]
    http.merge(_target("p1"), {"spec": {"target": 8}})
    operator.wait_to_hear("updated p1 1 8")
    events = "/api/v1/namespaces/default/events"
    wait_for(lambda: any(event["message"] == "p1 was seen" for event in http("GET", events)["items"]), what="the event")
    http("DELETE", _target("p1"))
    operator.wait_to_hear("deleted p1")
    wait_for(lambda: http("GET", _target("p1")).get("code") == 404, what="the object is gone")
    assert operator.count("created") == operator.count("updated") == operator.count("deleted") == 1


def test_a_restarted_operator_resumes_each_object_once(running: KubeEmulator, http: Http) -> None:
    names = [f"p{number}" for number in range(5)]
    with _operating(running):
        for name in names:
            http("POST", POLICIES, policy({"pool": "pool-a"}, name))
        wait_for(lambda: _all_handled(http), what="every creation is recorded")
    with _operating(running) as second:
        second.wait_to_hear("resumed", times=5)
        assert sorted(line for line in second.said if line.startswith("resumed")) == [f"resumed {n}" for n in names]
        assert second.count("created") == 0


def test_after_forgotten_history_the_last_state_is_handled(operator: Operator, http: Http) -> None:
    http("POST", POLICIES, policy({"pool": "pool-a", "target": 1}))
    operator.wait_to_hear("created p1")
    http("POST", "/emulator/faults", {"method": "GET", "path": "watch", "status": 503, "count": 10_000})
    http("DELETE", "/emulator/watches")
    for target in range(2, 60):
        http.merge(_target("p1"), {"spec": {"target": target}})
    http("POST", "/emulator/compact")
    http("DELETE", "/emulator/faults")
    operator.wait_to_hear("updated p1 1 59")
    assert operator.count("updated") == 1


def test_timers_tick_through_failing_patches_and_cut_watches(operator: Operator, http: Http) -> None:
    http("POST", POLICIES, policy({"pool": "pool-a"}))
    operator.wait_to_hear("ticked p1", times=2)
    http("POST", "/emulator/faults", {"method": "PATCH|GET", "status": 500, "count": 5})
    http("DELETE", "/emulator/watches")
    heard = operator.count("ticked p1")
    operator.wait_to_hear("ticked p1", times=heard + 3)
    http.merge(_target("p1"), {"spec": {"target": 5}})
    operator.wait_to_hear("updated p1 1 5")
