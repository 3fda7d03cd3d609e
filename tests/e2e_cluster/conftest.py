"""The control planes under test: those that `make e2e` found or built, or a cluster of yours.

What needs a control plane runs once on each. Started otherwise it is skipped and says so.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane.assets import Assets
from tests.controlplane.handover import handed_over
from tests.controlplane.server import ControlPlane, running
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.realcluster import RealCluster
from tests.e2e_cluster.worlds import World, world

_EXISTING = os.environ.get("BATCHACCESS_KUBECONFIG")
_SECONDS = 480
_HANDS = 4


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "newest_release: not worth repeating on every release")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and isinstance(item, pytest.Function) and "assets" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(_worker_of(item)))
            if not any(item.iter_markers("timeout")):
                item.add_marker(pytest.mark.timeout(_SECONDS))


def _worker_of(item: pytest.Function) -> str:
    """The tests of one file follow each other on one control plane; the many of one test are dealt out."""
    given = item.callspec.params.get("assets")
    dealt = sum(item.callspec.indices.get(name, 0) for name in ("grant", "order")) % _HANDS
    return f"{given.label if isinstance(given, Assets) else 'existing'} {item.path.stem} {dealt}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == FIGURES and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {text}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "assets" in metafunc.fixturenames:
        found: list[Assets | None] = list(handed_over())
        parameters = found or [None]
        if metafunc.definition.get_closest_marker("newest_release"):
            parameters = parameters[-1:]
        names = [each.label if each is not None else "existing" for each in parameters]
        metafunc.parametrize("assets", parameters, ids=names, scope="session", indirect=True)


@pytest.fixture(scope="session")
def assets(request: pytest.FixtureRequest) -> Assets | None:
    given: Assets | None = request.param
    if given is None and not _EXISTING:
        pytest.skip("no control plane was given: run `make e2e`")
    return given


@pytest.fixture(scope="session")
def cluster(assets: Assets | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """The API server with everything of ours installed, and nothing declared."""
    if assets is None:
        made = RealCluster(Path(_EXISTING or ""), kubectl=Path(shutil.which("kubectl") or "kubectl"), plane=None)
        made.install()
        yield made
        made.forget_everything()
        return
    with running(assets, tmp_path_factory.mktemp("controlplane")) as plane:
        made = RealCluster(plane.kubeconfig, kubectl=assets.kubectl, plane=plane)
        made.install()
        yield made


@pytest.fixture
def plane(cluster: RealCluster) -> ControlPlane:
    """What runs the API server, for tests that break it or read its audit log."""
    if cluster.plane is None:
        pytest.skip("an existing cluster is not broken, and its audit log is not ours to read")
    return cluster.plane


@pytest.fixture
def collected(cluster: RealCluster) -> None:
    """Skips where nothing follows owner references."""
    if cluster.plane is not None and cluster.plane.controllers is None:
        if os.environ.get("BATCHACCESS_REQUIRE_TOOLS") == "1":
            pytest.fail("this control plane has no kube-controller-manager: nothing may be left out here")
        pytest.skip("this control plane has no kube-controller-manager: those that `make e2e` builds have one")


@pytest.fixture
def living(cluster: RealCluster, tmp_path: Path) -> Iterator[World]:
    """An operator at work on one pool of one account."""
    with world(cluster, tmp_path) as made:
        made.declare()
        yield made
