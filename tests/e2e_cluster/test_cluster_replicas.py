"""Two replicas and a Lease of a real API server: one works, the other takes over from a kill and from a graceful stop.

How fast, twenty times over, and who writes to the account meanwhile: tests/operator/test_leadership_failover.py.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.grants import OVERLAY
from tests.e2e_cluster.operatorprocess import OperatorProcess
from tests.e2e_cluster.realcluster import NAMESPACE, RealCluster, until
from tests.e2e_cluster.worlds import World, is_closed, world

FLAGS = ("--leader-elect",)
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/batchaccess"


@pytest.fixture
def first(cluster: RealCluster, tmp_path: Path) -> Iterator[World]:
    """A replica that leads."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(OVERLAY))
    with world(cluster, tmp_path, flags=FLAGS) as made:
        until(lambda: leads(made.operator), "the first leads")
        made.declare()
        yield made


def leads(operator: OperatorProcess) -> bool:
    return operator.metric("batchaccess_leader") == 1


def standby(first: World, name: str) -> OperatorProcess:
    """One more replica, once it has read everything and stands by."""
    replica = operatorprocess.start(first.kubeconfig, first.folder / f"{name}.log", FLAGS)
    operatorprocess.settled(replica)
    assert not leads(replica)
    return replica


def holder(cluster: RealCluster) -> str:
    return str(cluster.get(LEASE)["spec"].get("holderIdentity", ""))


def works(first: World, operator: OperatorProcess) -> None:
    first.open_behind_its_back()
    until(lambda: is_closed(first.batch), "drift is corrected")
    assert operator.process.poll() is None
    assert "Traceback" not in operator.log


@pytest.mark.newest_release
def test_the_standby_takes_over(first: World, record_property: Callable[[str, object], None]) -> None:
    with ExitStack() as ended:
        second = standby(first, "second")
        ended.callback(second.kill)
        led_by = holder(first.cluster)

        first.operator.kill()
        killed = time.monotonic()
        until(lambda: leads(second), "the second leads")
        taken = time.monotonic() - killed
        assert holder(first.cluster) != led_by
        works(first, second)

        third = standby(first, "third")
        ended.callback(third.kill)
        assert second.stop() == 0
        stopped = time.monotonic()
        until(lambda: leads(third), "the third leads")
        handed = time.monotonic() - stopped
        works(first, third)
        record_property(FIGURES, f"takeover {taken:.1f} s after a kill, {handed:.1f} s after a graceful stop")
        assert first.cluster.get(LEASE)["spec"]["leaseTransitions"] >= 2
