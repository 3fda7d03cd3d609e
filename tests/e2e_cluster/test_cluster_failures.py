"""The API server fails in every way it is known to, and the operator keeps at its work."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.faultyproxy import FaultyProxy, faulty_proxy
from tests.e2e_cluster.grants import OVERLAY
from tests.e2e_cluster.realcluster import NAMESPACE, RealCluster, until, until_is
from tests.e2e_cluster.worlds import CONNECTION, POLICY, World, is_closed, world
from tests.support.kube import policy_manifest, policy_path

MISSED = 'batchaccess_resync_missed_changes_total{kind="BatchPoolAccessPolicy"}'


@pytest.fixture
def proxy(plane: ControlPlane) -> Iterator[FaultyProxy]:
    with faulty_proxy(plane) as made:
        yield made


@pytest.fixture
def proxied(cluster: RealCluster, proxy: FaultyProxy, tmp_path: Path) -> Iterator[World]:
    """An operator that reaches the API server only through the proxy."""
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path, server=proxy.url)
    with world(cluster, tmp_path, kubeconfig=kubeconfig) as made:
        made.declare()
        yield made
        proxy.trouble.unreachable = False


def suspend(world: World, *, suspended: bool) -> None:
    """Edit the policy as its owner."""
    patch = json.dumps({"spec": {"suspend": suspended}})
    world.cluster.kubectl("patch", "bpap", POLICY, "--type=merge", f"--patch={patch}")


def bystander(name: str) -> dict[str, Any]:
    """A policy that selects no pool: made within one second of the first, it might else govern in its place."""
    return policy_manifest(name, mode="Audit", pools={"ids": ["elsewhere-*"]})


def observed_is_current(world: World) -> bool:
    policy = world.cluster.get(policy_path(POLICY))
    return bool(policy["status"].get("observedGeneration") == policy["metadata"]["generation"])


def seen_after(world: World, before: int) -> bool:
    """Whether there were two sweeps more than before."""
    return world.sweeps() >= before + 2


def still_works(world: World) -> None:
    """A change of a policy is taken in, and drift is corrected."""
    suspend(world, suspended=True)
    until(lambda: observed_is_current(world), "the edited policy is taken in")
    suspend(world, suspended=False)
    until(lambda: observed_is_current(world), "the policy is taken in again")
    world.corrects_drift()
    assert world.operator.process.poll() is None, world.operator.log
    assert "Traceback" not in world.operator.log


def test_the_api_server_is_killed_and_comes_back(living: World, plane: ControlPlane) -> None:
    plane.api_server.kill()
    # Azure is not Kubernetes: pools are swept and corrected by what was declared last.
    living.corrects_drift()
    plane.api_server.start()
    still_works(living)


def test_the_api_server_is_stopped_gently(living: World, plane: ControlPlane) -> None:
    plane.api_server.stop()
    plane.api_server.start()
    still_works(living)


def test_etcd_is_killed_and_comes_back(living: World, plane: ControlPlane) -> None:
    plane.etcd.kill()
    before = living.sweeps()
    until(lambda: living.sweeps() >= before + 1, "a sweep without etcd")
    plane.etcd.start()
    until(plane.api_server_answers, "the API server has recovered")
    still_works(living)


def test_history_is_compacted_away_under_the_watches(proxied: World, proxy: FaultyProxy, plane: ControlPlane) -> None:
    proxy.trouble.unreachable = True
    for number in range(5):
        proxied.cluster.apply(bystander(f"missed-{number}"))
    plane.compact_history()
    # The watch cache remembers what etcd has forgotten, but not beyond a restart.
    plane.api_server.kill()
    plane.api_server.start()
    proxied.cluster.apply(bystander("after"))
    proxy.trouble.unreachable = False

    for name in ("missed-0", "missed-4", "after"):
        until_is(partial(proxied.cluster.condition, "bpap", name, "Accepted"), "True/Accepted")
    until(lambda: proxy.trouble.expired, "a watch is told 410 Gone")
    still_works(proxied)


def test_watches_die_silently(cluster: RealCluster, proxy: FaultyProxy, tmp_path: Path) -> None:
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path, server=proxy.url)
    with world(cluster, tmp_path, kubeconfig=kubeconfig, flags=("--resync-seconds=5",)) as made:
        made.declare()
        proxy.trouble.watches_frozen = True
        delivered = made.operator.metric("batchaccess_watch_events_total")
        assert made.operator.metric(MISSED) == 0

        # No watch tells of this policy, so it is found by reading everything, and half a minute later it was missed.
        cluster.apply(bystander("unheard"))
        until_is(lambda: cluster.condition("bpap", "unheard", "Accepted"), "True/Accepted")
        until(partial(seen_after, made, made.sweeps()), "sweeps go on")
        made.corrects_drift()
        until(lambda: made.operator.metric(MISSED) > 0, "the missed change is counted")

        assert made.operator.metric("batchaccess_watch_events_total") == delivered
        # One miss is no reason for a restart; tests/operator/test_operator_app.py has the three that are.
        assert made.operator.probe("/healthz")[0] == 200
        proxy.trouble.watches_frozen = False
        until(lambda: made.operator.metric("batchaccess_watch_events_total") > delivered, "the watches tell again")
        still_works(made)


def test_a_slow_api_server(proxied: World, proxy: FaultyProxy) -> None:
    proxy.trouble.delay_seconds = 3
    still_works(proxied)
    assert proxied.operator.probe("/healthz")[0] == 200


def test_a_slow_api_server_with_a_lease(cluster: RealCluster, proxy: FaultyProxy, tmp_path: Path) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(OVERLAY))
    # Two requests take longer than one may, and longer than the pause between two renewals.
    proxy.trouble.delay_seconds = 1.6
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path, server=proxy.url)
    with world(cluster, tmp_path, kubeconfig=kubeconfig, flags=("--leader-elect",)) as made:
        until(lambda: made.operator.metric("batchaccess_leader") == 1, "it leads")
        made.declare()
        still_works(made)
        assert made.operator.metric("batchaccess_leader") == 1
        assert made.operator.probe("/healthz")[0] == 200


def test_somebody_else_writes_first(proxied: World, proxy: FaultyProxy) -> None:
    position = proxied.cluster.audit_position()

    def annotate() -> None:
        proxied.cluster.kubectl("annotate", "bpa", f"{CONNECTION}.render-1", "example.com/raced=yes", "--overwrite")

    proxy.trouble.before_patch["/status"] = annotate
    proxied.corrects_drift()

    until(lambda: not proxy.trouble.before_patch, "a status is written")

    def answers() -> list[int]:
        return [each.code for each in proxied.cluster.audited(since=position) if each.verb == "patch"]

    until(lambda: 409 in answers(), "the API server answers a conflict")
    until(lambda: answers()[-1] == 200, "the status is written after all")
    until_is(lambda: proxied.cluster.condition("bpa", f"{CONNECTION}.render-1", "Compliant"), "True/Compliant")
    assert proxied.operator.metric('batchaccess_status_writes_total{kind="BatchPoolAccess",result="Failed"}') == 0


def test_the_token_is_rotated_and_the_old_one_revoked(cluster: RealCluster, tmp_path: Path) -> None:
    cluster.kubectl("create", "secret", "generic", "binding", f"--namespace={NAMESPACE}", check=False)
    bound = ("--bound-object-kind=Secret", "--bound-object-name=binding")
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path)
    old = cluster.make_token(*bound)
    (tmp_path / "token").write_text(old)
    with world(cluster, tmp_path, kubeconfig=kubeconfig) as made:
        made.declare()
        # As a kubelet does it: the new token replaces the file, then the old one ends.
        operatorprocess.replace_text(tmp_path / "token", cluster.make_token())
        cluster.kubectl("delete", "secret", "binding", f"--namespace={NAMESPACE}")
        # The API server remembers a token for ten seconds, so this outlasts that.
        until(partial(seen_after, made, made.sweeps()), "two more sweeps")
        still_works(made)
        for token in (old, (tmp_path / "token").read_text()):
            assert token not in made.operator.log


def test_the_operator_is_killed_in_the_middle(living: World) -> None:
    living.operator.kill()
    living.open_behind_its_back()
    with operatorprocess.running(living.kubeconfig, living.folder / "second.log"):
        until(lambda: is_closed(living.batch), "the next operator corrects it")
        until_is(lambda: living.cluster.condition("bpap", POLICY, "Enforced"), "True/Enforced")
