"""The shipped roles grant exactly what the operator uses, and without any one of the grants it says what it lacks."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from batchemulator.accounts import DEV_ACCOUNT
from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.faultyproxy import FaultyProxy, faulty_proxy
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.grants import Grant, give_back, shipped, take_away
from tests.e2e_cluster.realcluster import OPERATOR, RealCluster, until, until_is
from tests.e2e_cluster.worlds import CONNECTION, POLICY, World, connection, open_pool, secret, world
from tests.support.kube import policy_manifest

POOL = f"{CONNECTION}.render-1"
DRAINED = f"{CONNECTION}.render-2"
POOLS = (open_pool("render-1"), open_pool("render-2", nodes=1), open_pool("render-3"))
LEAVING = f"{CONNECTION}.render-3"
DRAIN = policy_manifest(POLICY, remediation={"strategy": "Drain"})

PROVED_ELSEWHERE: Final = {
    ("", "events", "patch"): "tests/kube: an event is counted up when its fact repeats after five minutes",
}
"""Grants that a story of a minute does not come to use, and what proves that they are used."""


@pytest.fixture
def proxy(plane: ControlPlane) -> Iterator[FaultyProxy]:
    with faulty_proxy(plane) as made:
        yield made


@pytest.fixture
def observed(cluster: RealCluster, proxy: FaultyProxy, tmp_path: Path) -> Iterator[World]:
    """An operator behind the proxy, nothing declared yet; the roles are put right afterwards."""
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path, server=proxy.url)
    try:
        with world(cluster, tmp_path, pools=POOLS, kubeconfig=kubeconfig) as made:
            yield made
    finally:
        give_back(cluster)


def race(world: World, proxy: FaultyProxy, kind: str, name: str) -> None:
    """Let somebody else write an object just before the operator writes its status."""

    def annotate() -> None:
        world.cluster.kubectl("annotate", kind, name, f"example.com/{kind}=raced", "--overwrite")

    proxy.trouble.before_patch[f"/{name}/status"] = annotate


def live_through_everything(world: World, proxy: FaultyProxy) -> None:
    """A story in which every verb is used: objects come, change under the operator's hands, and go."""
    race(world, proxy, "bac", CONNECTION)
    race(world, proxy, "bpap", POLICY)
    race(world, proxy, "bpa", POOL)
    world.cluster.apply(secret(), connection(world.batch), DRAIN)
    world.becomes_enforced(within=90)
    for pool in (POOL, DRAINED, LEAVING):
        until_is(partial(world.cluster.condition, "bpa", pool, "Compliant"), "True/Compliant", within=90)
    until(lambda: not proxy.trouble.before_patch, "every kind of status has lost a race")
    world.batch.state().pools.remove("render-3")
    until(lambda: "NotFound" in world.cluster.kubectl("get", "bpa", LEAVING, check=False), "it goes")


def test_what_is_granted_is_what_is_used(
    observed: World, proxy: FaultyProxy, record_property: Callable[[str, object], None]
) -> None:
    position = observed.cluster.audit_position()
    # Watches are told in the audit log when they end as well; whatever was used began before this did.
    live_through_everything(observed, proxy)
    observed.operator.stop()

    requests = observed.cluster.audited(since=position)
    used = {request.use for request in requests} | startup_of(observed.cluster)
    granted = {grant.use for grant in shipped()}
    record_property(FIGURES, f"roles: {len(granted)} verbs granted, {len(used & granted)} of them used in this story")
    assert [request for request in requests if request.code == 403] == []
    assert used - granted == set(), "used but not granted"
    assert granted - used - PROVED_ELSEWHERE.keys() == set(), "granted but not used"
    assert DEV_ACCOUNT.key not in observed.operator.log


def startup_of(cluster: RealCluster) -> set[tuple[str, str, str]]:
    """What operators did before anything was declared: their first lists and watches."""
    return {each.use for each in cluster.audited() if each.verb in ("list", "watch")}


@pytest.mark.newest_release
@pytest.mark.parametrize("grant", [each for each in shipped() if each.use not in PROVED_ELSEWHERE], ids=str)
def test_a_missing_grant_is_told_and_survived(
    cluster: RealCluster, proxy: FaultyProxy, tmp_path: Path, grant: Grant
) -> None:
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path, server=proxy.url)
    take_away(cluster, grant)
    can = ("auth", "can-i", f"--as={OPERATOR}", grant.verb, f"{grant.resource.split('/')[0]}.{grant.group}".rstrip("."))
    subresource = [f"--subresource={grant.resource.split('/')[1]}"] if "/" in grant.resource else []
    where = ["--namespace=batchaccess"] if grant.role == "Role" else ["--all-namespaces"]
    until(lambda: cluster.kubectl(*can, *subresource, *where, check=False).startswith("no"), "the grant is gone")
    try:
        with world(cluster, tmp_path, pools=POOLS, kubeconfig=kubeconfig) as made:
            suffer(made, proxy, grant)
            until(lambda: tells(made, grant), f"the log or a condition tells that {grant} is missing", within=45)
            assert made.operator.process.poll() is None, made.operator.log

            give_back(cluster)
            made.becomes_enforced(within=90)
            assert "Traceback" not in shown(made.operator.log)
    finally:
        proxy.trouble.before_patch.clear()
        give_back(cluster)


def suffer(world: World, proxy: FaultyProxy, grant: Grant) -> None:
    """Everything that happens in the story, waiting for none of it."""
    race(world, proxy, "bac", CONNECTION)
    race(world, proxy, "bpap", POLICY)
    race(world, proxy, "bpa", POOL)
    world.cluster.apply(secret(), connection(world.batch), DRAIN)
    until(
        lambda: tells(world, grant) or world.cluster.condition("bpa", LEAVING, "Exposed").count("/") == 1,
        "a look",
        within=60,
    )
    world.batch.state().pools.remove("render-3")


def shown(log: str) -> str:
    """The log without what kopf prints of its own failed requests."""
    return "\n".join(line for line in log.splitlines() if '"logger":"kopf' not in line)


def tells(world: World, grant: Grant) -> bool:
    """Whether a warning, an error or a condition names what is forbidden."""
    resource = grant.resource.split("/")[0]
    loud = [line for line in world.operator.log.splitlines() if re.search(r'"level":"(warning|error)"', line)]
    said = world.cluster.kubectl("get", "bac", CONNECTION, "-o=jsonpath={.status.conditions}", check=False)
    return any(f"{resource}" in line and "forbidden" in line.lower() for line in [*loud, said])
