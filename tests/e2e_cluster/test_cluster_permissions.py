"""The shipped roles grant exactly what the operator uses, and without any one of the grants it says what it lacks."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from batchemulator.accounts import DEV_ACCOUNT
from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import grants, operatorprocess
from tests.e2e_cluster.faultyproxy import FaultyProxy, faulty_proxy
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.grants import OVERLAY, USED_WHEN, Grant, give_back, shipped, take_away
from tests.e2e_cluster.realcluster import NAMESPACE, OPERATOR, RealCluster, until, until_is
from tests.e2e_cluster.worlds import CONNECTION, POLICY, World, connection, open_pool, secret, world
from tests.support.kube import CONNECTION_PATH, policy_manifest, policy_path

POOL: Final = f"{CONNECTION}.render-1"
DRAINED: Final = f"{CONNECTION}.render-2"
LEAVING: Final = f"{CONNECTION}.render-3"
POOLS: Final = (open_pool("render-1"), open_pool("render-2", nodes=1), open_pool("render-3"))
DRAIN: Final = policy_manifest(POLICY, remediation={"strategy": "Drain"})
FLAGS: Final = ("--leader-elect",)
FORBIDDEN: Final = 403
_UNINSTALL_SECONDS: Final = 60


@pytest.fixture
def proxy(plane: ControlPlane) -> Iterator[FaultyProxy]:
    with faulty_proxy(plane) as made:
        yield made


@pytest.fixture
def elected(cluster: RealCluster) -> Iterator[RealCluster]:
    """A cluster with the roles of high availability as well, and nobody who led before."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(OVERLAY))
    cluster.kubectl("delete", "lease", "--all", f"--namespace={NAMESPACE}")
    yield cluster
    give_back(cluster)


def race(world: World, proxy: FaultyProxy, kind: str, name: str) -> None:
    """Let somebody else write an object just before the operator writes its status."""

    def annotate() -> None:
        world.cluster.kubectl("annotate", kind, name, f"example.com/{kind}=raced", "--overwrite")

    proxy.trouble.before_patch[f"/{name}/status"] = annotate


def race_everywhere(world: World, proxy: FaultyProxy) -> None:
    for kind, name in (("bac", CONNECTION), ("bpap", POLICY), ("bpa", POOL)):
        race(world, proxy, kind, name)


class Story:
    """Everything that can happen to an operator, step by step, and what it used in each."""

    def __init__(self, made: World, proxy: FaultyProxy, *, began: int) -> None:
        """Keep the world of an operator, and where the audit log ended before it was started."""
        self._world = made
        self._began = began
        self._proxy = proxy
        self._cluster = made.cluster
        self.uninstalling = ""

    @property
    def steps(self) -> dict[str, Callable[[], None]]:
        """In the order in which they happen."""
        return {
            grants.STARTS: self._starts,
            grants.DECLARED: self._is_told,
            grants.DRAINS: self._drains,
            grants.REPEATS: self._corrects_again,
            grants.FORGETS: self._sees_a_pool_go,
            grants.LEAVES: self._is_uninstalled,
        }

    def _starts(self) -> None:
        operatorprocess.settled(self._world.operator)
        until(lambda: self._world.operator.metric("batchaccess_leader") == 1, "it leads")
        before = self._cluster.audit_position()

        def renewals() -> list[str]:
            return [each.verb for each in self._cluster.writes(since=before) if each.resource == "leases"]

        until(renewals, "it renews its Lease")
        watches = {grant.use for grant in shipped() if grant.use[2] == "watch"}
        until(lambda: watches <= self._used(self._began), "it watches everything")

    def _is_told(self) -> None:
        race_everywhere(self._world, self._proxy)
        self._cluster.apply(secret(), connection(self._world.batch), policy_manifest(POLICY))
        for pool in (POOL, LEAVING):
            until_is(partial(self._cluster.condition, "bpa", pool, "Compliant"), "True/Compliant")
        until(lambda: not self._proxy.trouble.before_patch, "every kind of status has lost a race")
        until_is(lambda: self._cluster.condition("bpap", POLICY, "Enforced").split("/")[0], "False")

    def _drains(self) -> None:
        self._cluster.apply(DRAIN)
        until_is(partial(self._cluster.condition, "bpa", DRAINED, "Compliant"), "True/Compliant")
        self._world.becomes_enforced(within=90)
        until(lambda: not self._finalizers(), "the finalizers are gone")

    def _finalizers(self) -> list[str]:
        paths = (f"{CONNECTION_PATH}/{CONNECTION}", policy_path(POLICY))
        return [each for path in paths for each in self._cluster.get(path)["metadata"].get("finalizers", [])]

    def _corrects_again(self) -> None:
        # Not earlier than sweeps come: a fact that repeats within five seconds is counted in memory only.
        before = self._world.sweeps()
        until(lambda: self._world.sweeps() > before, "another sweep")
        position = self._cluster.audit_position()
        self._world.corrects_drift()
        until(lambda: ("", "events", "patch") in self._used(position), "an event is counted up")

    def _sees_a_pool_go(self) -> None:
        self._world.batch.state().pools.remove("render-3")
        until(lambda: self._cluster.is_absent("bpa", LEAVING), "it goes")

    def _is_uninstalled(self) -> None:
        """As the chart's hook does it, under the same ServiceAccount."""
        done = subprocess.run(
            [sys.executable, "-m", "batchaccess", "uninstall", f"--timeout-seconds={_UNINSTALL_SECONDS}"],
            env={**os.environ, "BATCHACCESS_KUBECONFIG": str(self._world.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=2 * _UNINSTALL_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _used(self, position: int) -> set[tuple[str, str, str]]:
        return {each.use for each in self._cluster.audited(since=position)}


def test_what_is_granted_is_what_is_used(
    elected: RealCluster, proxy: FaultyProxy, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    used: dict[str, set[tuple[str, str, str]]] = {}
    began = position = elected.audit_position()
    kubeconfig = operatorprocess.write_kubeconfig(elected, tmp_path, server=proxy.url)
    with world(elected, tmp_path, pools=POOLS, kubeconfig=kubeconfig, flags=FLAGS) as made:
        for name, step in Story(made, proxy, began=began).steps.items():
            step()
            reached = elected.audit_position()
            used[name] = {each.use for each in elected.audited(since=position)}
            position = reached
        assert made.operator.stop() == 0
        log = made.operator.log
        requests = elected.audited(since=began)

    granted = {grant.use for grant in shipped()}
    everything = {each.use for each in requests}
    record_property(FIGURES, f"roles: {len(granted)} verbs granted, {len(everything)} used, none refused")
    assert [request for request in requests if request.code == FORBIDDEN] == []
    assert everything - granted == set(), "used but not granted"
    assert granted - everything == set(), "granted but not used"
    assert {str(grant) for grant in shipped()} == USED_WHEN.keys()
    assert [str(grant) for grant in shipped() if grant.use not in used[USED_WHEN[str(grant)]]] == []
    assert DEV_ACCOUNT.key not in log


@pytest.mark.newest_release
@pytest.mark.parametrize("grant", shipped(), ids=str)
def test_a_missing_grant_is_told_and_survived(
    elected: RealCluster, proxy: FaultyProxy, tmp_path: Path, grant: Grant
) -> None:
    kubeconfig = operatorprocess.write_kubeconfig(elected, tmp_path, server=proxy.url)
    take_away(elected, grant)

    def is_gone() -> bool:
        asked = ("auth", "can-i", f"--as={OPERATOR}", *grant.question)
        return elected.kubectl(*asked, check=False).splitlines()[-1].startswith("no")

    until(is_gone, "the grant is gone")
    try:
        with world(elected, tmp_path, pools=POOLS, kubeconfig=kubeconfig, flags=FLAGS) as made:
            suffer(made, proxy, grant)
            until(lambda: tells(made, grant), f"the log or a condition tells that {grant} is missing")
            assert made.operator.process.poll() is None, made.operator.log

            give_back(elected)
            made.becomes_enforced(within=90)
            assert "Traceback" not in shown(made.operator.log)
    finally:
        proxy.trouble.before_patch.clear()


def suffer(world: World, proxy: FaultyProxy, grant: Grant) -> None:
    """Everything that happens in the story, waiting for none of it."""
    race_everywhere(world, proxy)
    world.cluster.apply(secret(), connection(world.batch), DRAIN)
    until(
        lambda: tells(world, grant) or world.cluster.condition("bpa", LEAVING, "Exposed").count("/") == 1,
        "a look",
    )
    world.batch.state().pools.remove("render-3")
    if USED_WHEN[str(grant)] == grants.REPEATS:
        until_is(partial(world.cluster.condition, "bpa", POOL, "Compliant"), "True/Compliant")
        before = world.sweeps()
        until(lambda: world.sweeps() > before, "another sweep")
        world.corrects_drift()


def shown(log: str) -> str:
    """The log without what kopf prints of its own failed requests."""
    return "\n".join(line for line in log.splitlines() if '"logger":"kopf' not in line)


def tells(world: World, grant: Grant) -> bool:
    """Whether a warning, an error or a condition names what is forbidden."""
    resource = grant.resource.split("/")[0]
    loud = [line for line in world.operator.log.splitlines() if re.search(r'"level":"(warning|error)"', line)]
    said = world.cluster.get(f"{CONNECTION_PATH}/{CONNECTION}").get("status", {}).get("conditions", [])
    return any(resource in line and "forbidden" in line.lower() for line in [*loud, *map(str, said)])
