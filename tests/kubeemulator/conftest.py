from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from kubeemulator.launch import KubeEmulator, emulator
from tests.kubeemulator.definitions import DEMO
from tests.kubeemulator.driver import Http, Kubectl, require_kubectl, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeEmulator]:
    """An emulator in its own process that serves the demo's policies."""
    with emulator(tmp_path_factory.mktemp("cluster") / "kubeconfig", history=50) as started:
        http = Http(emulator=started)
        http("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEMO)
        yield started


@pytest.fixture
def http(running: KubeEmulator) -> Iterator[Http]:
    """Requests to it; what a test leaves behind is cleared."""
    http = Http(emulator=running)
    yield http
    http("DELETE", "/emulator/faults")
    for item in http("GET", POLICIES)["items"]:
        http.merge(f"{POLICIES}/{item['metadata']['name']}", {"metadata": {"finalizers": None}})
    http("DELETE", POLICIES)
    wait_for(lambda: not http("GET", POLICIES)["items"], what="all policies are gone")
    http("DELETE", "/emulator/requests")


@pytest.fixture
def kubectl(running: KubeEmulator, http: Http) -> Kubectl:
    """The real kubectl, required in continuous integration and wherever it is installed."""
    del http  # clears up behind the test
    require_kubectl()
    assert shutil.which("kubectl")
    return Kubectl(kubeconfig=running.kubeconfig)


POLICIES = "/apis/demo.example.com/v1/namespaces/default/policies"
