"""Two replicas and a Lease of a real API server: one works, the other takes over from a kill and from a graceful stop.

The same twenty times over, and a leader that is cut off or frozen: tests/operator/test_leadership_failover.py.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.grants import OVERLAY
from tests.e2e_cluster.operatorprocess import OperatorProcess
from tests.e2e_cluster.realcluster import NAMESPACE, RealCluster, until
from tests.e2e_cluster.worlds import World, is_closed, open_pool, world
from tests.support.leasewitness import Witness, identities_in

FLAGS = ("--leader-elect",)
POOLS = ("render-1", "render-2", "render-3")
"""One for each leader to correct: a pool that is overwritten again and again is given up for an hour."""

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/batchaccess"


@pytest.fixture
def first(cluster: RealCluster, tmp_path: Path) -> Iterator[World]:
    """A replica that leads."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(OVERLAY))
    with world(cluster, tmp_path, pools=[open_pool(each) for each in POOLS], flags=FLAGS) as made:
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


@contextmanager
def witnessed(first: World) -> Iterator[Witness]:
    """Somebody who notes all the time who holds the Lease and who asks the account for what."""
    witness, ended = Witness(), threading.Event()

    def look_at_the_lease() -> None:
        while not ended.wait(0.05):
            witness.holders.append((time.monotonic(), holder(first.cluster)))

    def look_at_the_account() -> None:
        counted = 0
        while not ended.wait(0.02):
            entries = list(first.batch.requests)
            for entry in entries[counted:]:
                name = next((each for each in ("operator", "second", "third") if each in entry.user_agent.split()), "")
                witness.calls.append((time.monotonic(), name, entry.method))
            counted = len(entries)

    with ThreadPoolExecutor(2) as looking:
        looks = [looking.submit(each) for each in (look_at_the_lease, look_at_the_account)]
        try:
            until(lambda: witness.holder and witness.calls, "the witness looks")
            yield witness
        finally:
            ended.set()
        for each in looks:
            each.result()  # a witness that looked away proves nothing


def works(first: World, operator: OperatorProcess, pool_id: str) -> None:
    first.open_behind_its_back(pool_id)
    until(lambda: is_closed(first.batch, pool_id), "drift is corrected")
    assert operator.process.poll() is None
    assert "Traceback" not in operator.log


@pytest.mark.newest_release
def test_the_standby_takes_over(first: World, record_property: Callable[[str, object], None]) -> None:
    with ExitStack() as ended:
        witness = ended.enter_context(witnessed(first))
        works(first, first.operator, POOLS[0])
        second = standby(first, "second")
        ended.callback(second.kill)
        led_by = holder(first.cluster)

        first.operator.kill()
        killed = time.monotonic()
        until(lambda: leads(second), "the second leads")
        taken = time.monotonic() - killed
        assert holder(first.cluster) != led_by
        works(first, second, POOLS[1])

        third = standby(first, "third")
        ended.callback(third.kill)
        assert second.stop() == 0
        # From the end of the process: how long it finishes what it writes is another matter, 20 s at most.
        stopped = time.monotonic()
        until(lambda: leads(third), "the third leads")
        handed = time.monotonic() - stopped
        works(first, third, POOLS[2])
        assert first.cluster.get(LEASE)["spec"]["leaseTransitions"] >= 2

        replicas = (first.operator, second, third)
        until(lambda: witness.calls_of(third.name, writes=True), "the witness sees the last write")
    record_property(FIGURES, f"takeover {taken:.1f} s after a kill, {handed:.1f} s after a graceful stop")
    assert taken < 15
    assert handed < 2
    assert [bool(witness.calls_of(each.name, writes=True)) for each in replicas] == [True, True, True]
    assert witness.writes_without_the_lease({each.name: identities_in(each.log) for each in replicas}) == []
