"""Helm and kustomize on the real API server: object by object, through upgrade, rollback, uninstall, and again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.deploy.releases import (
    Server,
    assert_there,
    live_a_release,
    live_with_kustomize,
    objects,
    older_chart,
    remove_everything,
)
from tests.deploy.rendering import CHART, NAMESPACE
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.realcluster import RealCluster, until
from tests.e2e_cluster.standinkubelet import stand_in_kubelet
from tests.e2e_cluster.worlds import CONNECTION, POLICY, QUICK, World, connection, open_pool, secret, world
from tests.support.kube import CONNECTION_PATH, ROOT, policy_manifest, policy_path

FORBIDDEN = 403
SLOW_REMOVAL = replace(QUICK, removal=8)
"""So that a drain is under way when the release is uninstalled."""


@pytest.fixture(scope="module")
def bare(cluster: RealCluster) -> Iterator[Server]:
    """An API server without anything of ours; what the tests of other files stand on is put back afterwards."""
    made = Server(cluster.kubeconfig, kubectl=str(cluster.program))
    remove_everything(made)
    yield made
    cluster.install()


@pytest.fixture
def server(cluster: RealCluster, bare: Server) -> Iterator[Server]:
    """The same, and whatever a test leaves there is removed."""
    yield bare
    bare.helm("uninstall", "batchaccess", "--no-hooks", "--ignore-not-found")
    cluster.abandon_everything()
    remove_everything(bare)


@pytest.mark.usefixtures("collected")
def test_a_release_is_installed_upgraded_rolled_back_uninstalled_and_installed_again(
    server: Server, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    count = live_a_release(server, older_chart(tmp_path))
    record_property(FIGURES, f"helm: {count} objects compared after each of 6 steps of a release's life")


@pytest.mark.usefixtures("collected")
def test_an_overlay_is_applied_changed_removed_and_applied_again(
    server: Server, record_property: Callable[[str, object], None]
) -> None:
    count = live_with_kustomize(server)
    record_property(FIGURES, f"kustomize: {count} objects compared after each of 5 steps")


@pytest.mark.usefixtures("collected")
def test_definitions_that_kubectl_installed_are_taken_over_when_asked(server: Server) -> None:
    server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    refused = server.helm("install", "batchaccess", CHART, "--create-namespace", check=False)
    assert "invalid ownership metadata" in refused.stderr
    server.helm("install", "batchaccess", CHART, "--create-namespace", "--take-ownership", "--force-conflicts")
    assert_there(server, objects())


@pytest.mark.usefixtures("collected", "plane")
def test_uninstalling_a_release_first_gives_drained_pools_their_scale_back(
    cluster: RealCluster, server: Server, tmp_path: Path
) -> None:
    """The hook's Job is made by helm, waited for by helm, and run here, as there are no nodes to run it."""
    server.helm("install", "batchaccess", CHART, "--create-namespace", "--set", "uninstallHook.timeoutSeconds=60")
    position = cluster.audit_position()
    with world(cluster, tmp_path, pools=[open_pool("busy", nodes=2)], timings=SLOW_REMOVAL) as made:
        cluster.apply(secret(), connection(made.batch), policy_manifest(POLICY, remediation={"strategy": "Drain"}))
        until(lambda: made.batch.pool("busy").targets.dedicated == 0, "the drain")
        until(lambda: finalizers(made), "the finalizers of an open saga")
        with stand_in_kubelet(cluster, tmp_path) as kubelet:
            server.helm("uninstall", "batchaccess", "--timeout=90s")
        assert made.batch.pool("busy").targets.dedicated == 2
        assert finalizers(made) == []
    requests = cluster.audited(since=position)
    (ran,) = kubelet.ran
    assert (ran.arguments[0], ran.status) == ("uninstall", 0), ran.output
    assert {each.verb for each in requests} >= {"list", "watch", "get", "create", "patch"}
    assert [each for each in requests if each.code == FORBIDDEN] == []
    assert not server.kubectl("get", "deployment,job", "--namespace", NAMESPACE, "--output=name")


def finalizers(world: World) -> list[str]:
    held = [world.cluster.get(path)["metadata"] for path in (f"{CONNECTION_PATH}/{CONNECTION}", policy_path(POLICY))]
    return [each for metadata in held for each in metadata.get("finalizers", [])]
