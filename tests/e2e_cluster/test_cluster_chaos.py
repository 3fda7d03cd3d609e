"""Operator, API server and etcd are killed at random while policies change and pools drift: all ends well.

Seconds and seed come from BATCHACCESS_CHAOS_SECONDS (120) and BATCHACCESS_CHAOS_SEED; the seed of a run is printed.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from batchemulator.accounts import DEV_ACCOUNT
from batchemulator.request_log import LoggedRequest
from batchemulator.server import Emulator, make_service, serving_in_thread
from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.chaos import Chaos, policy
from tests.e2e_cluster.drainreasons import Drain, drains, tick
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.realcluster import KINDS, RealCluster, until, until_is
from tests.e2e_cluster.worlds import CONNECTION, POLICY, QUICK, connection, is_closed, open_pool, secret

SECONDS = float(os.environ.get("BATCHACCESS_CHAOS_SECONDS") or 120)
SEED = int(os.environ.get("BATCHACCESS_CHAOS_SEED") or 20261121)
EMPTY = max(8, round(SECONDS / 20))
NODES = {f"empty-{number}": 0 for number in range(EMPTY)} | {"busy-1": 1, "busy-2": 3}
QUIET_SWEEPS = 2
OK = 200
ERRORS = 400
NOT_EMPTY = 409


@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.newest_release
def test_everything_ends_well_whatever_is_killed(
    cluster: RealCluster, plane: ControlPlane, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    pools = [open_pool(name, nodes=nodes) for name, nodes in NODES.items()]
    with serving_in_thread(make_service(pools={DEV_ACCOUNT.name: pools}, timings=QUICK)) as batch:
        chaos = Chaos(
            random=random.Random(SEED),  # noqa: S311 a seed is what makes a run repeatable
            cluster=cluster,
            plane=plane,
            batch=batch,
            kubeconfig=operatorprocess.write_kubeconfig(cluster, tmp_path),
            log=tmp_path / "operator.log",
            pools=tuple(NODES),
        )
        chaos.declare(secret(), connection(batch), policy([]))
        chaos.start_operator()
        try:
            chaos.run(SECONDS)
            meanwhile = logged(chaos)
            ends_well(chaos)
            record_property(FIGURES, figures(chaos, meanwhile))
        finally:
            if chaos.operator is not None:
                chaos.operator.stop()
            cluster.forget_everything()
    left = {kind: cluster.kubectl("get", kind, "--all-namespaces", "-o=name") for kind in KINDS}
    assert left == dict.fromkeys(KINDS, ""), "objects are stuck in deletion"


def ends_well(chaos: Chaos) -> None:
    """Once the troubles end all pools are as declared, at the scale they had, and nobody writes any more."""
    cluster, batch = chaos.cluster, chaos.batch
    until(chaos.plane.api_server_answers, "the API server answers")
    chaos.declare(policy([]) | {"spec": policy([])["spec"] | {"suspend": False}})
    for name in NODES:
        until(partial(is_closed, batch, name), f"{name} is closed", within=180)
        until_is(partial(cluster.condition, "bpa", f"{CONNECTION}.{name}", "Compliant"), "True/Compliant", within=120)
    until_is(lambda: cluster.condition("bpap", POLICY, "Enforced"), "True/Enforced", within=120)
    until(lambda: scales(batch) == NODES, "every pool has the scale it had")
    stays_quiet(chaos)

    # The emulator refuses with 409 what Azure refuses: a network written to a pool that is not empty.
    requests = logged(chaos)
    assert [each for each in network_writes(requests) if each.status == NOT_EMPTY] == []
    assert [each for each in network_writes(requests) if not each.if_match] == [], "written without a condition"
    assert [each for each in drains(requests, chaos.actors) if each.reason is None] == [], "drained without a reason"
    assert "Traceback" not in ours(chaos.log.read_text()), ours(chaos.log.read_text())[-4000:]


def stays_quiet(chaos: Chaos) -> None:
    """Two sweeps without any write."""

    def writes() -> tuple[int, int]:
        of_operator = [each for each in chaos.cluster.writes(since=0) if each.resource != "leases"]
        return len(of_operator), len(chaos.batch.requests.writes())

    def is_quiet() -> bool:
        before, sweeps = writes(), len(chaos.batch.requests.of("list_pools"))
        until(lambda: len(chaos.batch.requests.of("list_pools")) >= sweeps + QUIET_SWEEPS, "sweeps go on")
        return writes() == before

    until(is_quiet, "two sweeps without a write", within=120)


def scales(batch: Emulator) -> dict[str, int]:
    return {name: batch.pool(name).targets.dedicated for name in NODES}


def logged(chaos: Chaos) -> list[LoggedRequest]:
    """Everything that was asked of the account so far."""
    log = chaos.batch.requests
    assert len(log) < (log.entries.maxlen or 0), "the log is not whole any more"
    return list(log)


def network_writes(requests: Iterable[LoggedRequest]) -> list[LoggedRequest]:
    """Every PATCH of a network."""
    return [each for each in requests if each.operation == "update_pool" and "networkConfiguration" in each.json()]


def corrections(requests: Iterable[LoggedRequest]) -> list[LoggedRequest]:
    return [each for each in network_writes(requests) if each.status == OK]


def closed_again(chaos: Chaos, requests: Iterable[LoggedRequest]) -> int:
    """How many of those that opened a pool had it corrected after them."""
    last = {each.pool_id: tick(each.if_match) for each in corrections(requests)}
    return sum(1 for each in chaos.actors.opened if last.get(each.pool_id, 0) >= tick(each.etag))


def figures(chaos: Chaos, meanwhile: list[LoggedRequest]) -> str:
    """What happened, for whoever reads the report; a run in which nothing was corrected meanwhile proves nothing."""
    corrected, drained = len(corrections(meanwhile)), list(drains(meanwhile, chaos.actors))
    closed = closed_again(chaos, meanwhile)
    assert corrected > len(NODES), f"{corrected} corrections are no more than the first one of each pool"
    assert drained, "nothing was drained while there was trouble"
    assert closed, "no pool that was opened was closed again while there was trouble"
    did = ", ".join(f"{name} {count}" for name, count in sorted(chaos.counts.items()))
    return (
        f"chaos of {SECONDS:.0f} s, seed {SEED}, {len(NODES)} pools: {did}; meanwhile networks corrected {corrected}, "
        f"pools closed again {closed}, drains {len(drained)}; in all networks corrected "
        f"{len(corrections(logged(chaos)))}, drains {by_reason(drains(logged(chaos), chaos.actors))}"
    )


def by_reason(found: Iterable[Drain]) -> str:
    reasons = Counter(each.reason.value for each in found if each.reason is not None)
    return f"{reasons.total()} ({', '.join(f'{reason} {count}' for reason, count in sorted(reasons.items()))})"


def ours(log: str) -> str:
    """The log without kopf's own accounts of failed requests."""
    return "\n".join(line for line in log.splitlines() if '"logger":"kopf' not in line)
