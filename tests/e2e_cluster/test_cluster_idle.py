"""What an operator with nothing to do asks of the API server, by the server's own count: 500 policies, 2,000 pools.

It is left alone for BATCHACCESS_IDLE_SECONDS (30); `make e2e-full` takes ten minutes, in which everything that comes
round rarely comes round: a whole reading, watches that end, Secrets read again.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from batchemulator.server import Emulator, make_service, serving_in_thread
from tests.e2e_cluster import fleets, operatorprocess
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.fleets import ACCOUNTS, POLICIES, POOLS
from tests.e2e_cluster.operatorprocess import OperatorProcess
from tests.e2e_cluster.realcluster import NAMESPACE, WRITES, Audited, RealCluster, until

SECONDS: Final = float(os.environ.get("BATCHACCESS_IDLE_SECONDS") or 30)
SYNC_SECONDS: Final = 10
FLOW: Final = "batchaccess-operator"
_SCHEMAS: Final = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
_DISPATCHED: Final = re.compile(
    rf'^apiserver_flowcontrol_dispatched_requests_total{{flow_schema="{FLOW}".*}} (\S+)$', re.MULTILINE
)
_REQUESTS: Final = re.compile(r"^apiserver_request_total{(.*)} (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_ALSO_USED: Final = ("namespaces", "secrets", "events", "leases")
_STARTED: Final = "ResponseStarted"
_MOST_PER_SECOND: Final = 0.2


@pytest.fixture
def counted(cluster: RealCluster) -> Iterator[None]:
    """The API server counts the requests of the operator's ServiceAccount by themselves."""
    subject = {"kind": "ServiceAccount", "serviceAccount": {"name": "batchaccess", "namespace": NAMESPACE}}
    everything = {
        "verbs": ["*"],
        "apiGroups": ["*"],
        "resources": ["*"],
        "clusterScope": True,
        "namespaces": ["*"],
    }
    schema = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "metadata": {"name": FLOW},
        "spec": {
            "priorityLevelConfiguration": {"name": "workload-low"},
            "matchingPrecedence": 500,
            "distinguisherMethod": {"type": "ByUser"},
            "rules": [{"subjects": [subject], "resourceRules": [everything]}],
        },
    }
    code, body = cluster.call("POST", _SCHEMAS, schema)
    assert code == 201, body
    yield
    cluster.call("DELETE", f"{_SCHEMAS}/{FLOW}")


@pytest.fixture
def batch() -> Iterator[Emulator]:
    service = make_service(ACCOUNTS, pools={account.name: fleets.pools() for account in ACCOUNTS})
    with serving_in_thread(service) as emulator:
        yield emulator


@pytest.mark.newest_release
@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.usefixtures("counted", "plane")
def test_an_idle_operator_asks_for_next_to_nothing(
    cluster: RealCluster,
    batch: Emulator,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    kubeconfig = operatorprocess.write_kubeconfig(cluster, tmp_path)
    fleets.declare(cluster, {each.name: batch.url(each) for each in ACCOUNTS}, sync_seconds=SYNC_SECONDS)
    try:
        with operatorprocess.running(kubeconfig, tmp_path / "operator.log") as operator:
            until(lambda: fleets.is_observed(cluster), "everything is observed", within=400)
            is_quiet(cluster, batch)
            sweeps = len(batch.requests.of("list_pools"))
            before, position = count(cluster), cluster.audit_position()
            look_on(operator, SECONDS)
            after, audited = count(cluster), cluster.audited(since=position)
            assert len(batch.requests.of("list_pools")) >= sweeps + 2 * len(ACCOUNTS)
            memory = operator.metric("process_resident_memory_bytes") / (1 << 20)
            record_property(FIGURES, f"{figures(before, after, audited)}; the operator's memory then: {memory:.0f} MiB")
    finally:
        fleets.undeclare(cluster)
    assert [each for each in audited if each.verb in WRITES] == []
    assert (after.operator - before.operator) / SECONDS <= _MOST_PER_SECOND
    assert before.operator > POOLS, "the requests of the operator are not what was counted"


def is_quiet(cluster: RealCluster, batch: Emulator) -> None:
    """Wait until every account was swept once more without a write."""

    def settled() -> bool:
        position, sweeps = cluster.audit_position(), len(batch.requests.of("list_pools"))
        until(lambda: len(batch.requests.of("list_pools")) >= sweeps + len(ACCOUNTS) + 1, "more sweeps")
        return cluster.writes(since=position) == []

    until(settled, "nothing is written any more", within=120)


def look_on(operator: OperatorProcess, seconds: float) -> None:
    """The time over which requests are counted; the operator has to live through it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert operator.process.poll() is None, operator.log
        time.sleep(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the API server counted so far.

    Attributes:
        operator: requests of the operator's ServiceAccount that it took up; priority and fairness counts by who asks.
        finished: requests about what the operator uses, by verb and resource, whoever asked: `apiserver_request_total`.
            A watch counts when it ends.
    """

    operator: float
    finished: Counter[str]


def count(cluster: RealCluster) -> Count:
    text = cluster.text("/metrics")
    finished: Counter[str] = Counter()
    for labels, number in _REQUESTS.findall(text):
        of = dict(_LABEL.findall(labels))
        if of["group"] == "batchaccess.dev" or of["resource"] in _ALSO_USED:
            finished[f"{of['verb']} {of['resource']}"] += int(float(number))
    return Count(operator=sum(map(float, _DISPATCHED.findall(text))), finished=finished)


def figures(before: Count, after: Count, audited: Sequence[Audited]) -> str:
    asked = after.operator - before.operator
    which = Counter(
        f"{each.verb} {each.resource}" for each in audited if each.stage == _STARTED or each.verb != "watch"
    )
    told = ", ".join(f"{number} {what}" for what, number in sorted(which.items())) or "nothing"
    all_told = ", ".join(f"{number} {what}" for what, number in sorted((after.finished - before.finished).items()))
    return (
        f"idle with {POLICIES} policies and {POOLS} pools: the API server took {asked:.0f} requests of the operator in "
        f"{SECONDS:.0f} s, {asked / SECONDS:.3f} a second ({told}); apiserver_request_total of these resources, "
        f"whoever asked: {all_told or 'nothing'}"
    )
