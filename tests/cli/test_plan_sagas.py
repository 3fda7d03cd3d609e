"""A plan of a cluster says of a pool what its operator would: of open corrections, and of those that were given up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from batchaccess.api import parse_connection, parse_policy, render_part
from batchaccess.cli.plan.sagas import OperatorsDecisions
from batchaccess.core.declared import AccountConnection
from batchaccess.core.memory import network_digest
from batchaccess.core.model import ObservedPool
from batchaccess.core.preview import Preview, Step, preview
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.copies import drains_status, journal_status
from batchaccess.core.saga.journal import Holder
from batchaccess.core.saga.steps import DrainHistory, DrainLatch, KubernetesJournal
from batchaccess.core.saga.steps import Step as SagaStep
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.core.selection import Candidates
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.resources import NAMESPACES, POOL_ACCESSES
from tests.core.saga.situations import BUSY, DRAINING, GOOD, THEM, carrying, copy, history, journal
from tests.support.build import NOW, connection, pool

OURS = Holder(cluster_uid="cluster-1", connection_uid=connection().uid)
MINE = journal(holder=OURS)
DRAINED = copy(SagaStep.DRAINING, MINE, etag=BUSY.etag, standing=MINE.recorded.targets)
LATCH = DrainLatch(
    network_digest=network_digest(BUSY), reason=CompliantReason.DRAIN_TIMED_OUT, message="Not empty in time."
)
TIMED_OUT = history(started=(NOW - timedelta(minutes=30),), latch=LATCH)
OPEN = "A correction of this pool is open"
ADOPT = "batchaccess.dev/adopt"


def written(
    status: Mapping[str, object],
    *,
    account: AccountConnection,
    annotations: Mapping[str, str] | None = None,
    cluster_uid: str | None = "cluster-1",
) -> LiveCatalogue:
    """A cluster with the object of pool p."""
    live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
    owner = {"kind": "BatchAccountConnection", "name": account.name, "uid": account.uid}
    metadata = {"name": f"{account.name}.p", "uid": "1", "resourceVersion": "1", "ownerReferences": [owner]}
    spec = {"connection": account.name, "poolId": "p"}
    live.observe(
        POOL_ACCESSES, {"metadata": metadata | {"annotations": annotations or {}}, "spec": spec, "status": status}
    )
    if cluster_uid is not None:
        live.observe(NAMESPACES, {"metadata": {"name": "kube-system", "uid": cluster_uid, "resourceVersion": "2"}})
    return live


def status_of(*, saga: KubernetesJournal | None = None, drains: DrainHistory | None = None) -> dict[str, Any]:
    """The status of a pool as the operator stores it."""
    return {
        **({} if saga is None else {"journal": render_part(journal_status(saga))}),
        **({} if drains is None else {"drains": render_part(drains_status(drains))}),
    }


def planned(of: ObservedPool, live: LiveCatalogue | None, *, account: AccountConnection) -> Preview:
    """What a plan says of one pool."""
    decide = OperatorsDecisions(live, [account], NOW).decide
    return preview(
        of,
        nodes=None,
        connection=account,
        candidates=Candidates.of(account, [DRAINING], {}),
        decide=lambda assessment: decide(assessment, account),
        windows=lambda _: WindowVerdict(permitted=True),
    )


class Case(NamedTuple):
    """A pool, what the cluster says of it, and what a plan has to say."""

    of: ObservedPool
    status: Mapping[str, object]
    step: Step
    says: str
    never: str = ADOPT
    cluster_uid: str | None = "cluster-1"
    annotations: Mapping[str, str] | None = None


BOTH = status_of(saga=DRAINED, drains=history(started=(NOW,)))
CASES = {
    "nothing is written, so a drain may begin": Case(BUSY, {}, Step.DRAIN, "it may begin now"),
    "our own drain is open, with both copies": Case(
        carrying(BUSY, MINE), BOTH, Step.WAIT, f"{OPEN}. The pool is being drained."
    ),
    "our own drain is open, and only its copy in Azure is left": Case(
        carrying(BUSY, MINE), {}, Step.WAIT, f"{OPEN}. The recorded scale is being brought back."
    ),
    "our own drain is open, though the network is in order meanwhile": Case(
        carrying(pool("p", GOOD, nodes=2), MINE), BOTH, Step.WAIT, f"{OPEN}. The pool is being drained."
    ),
    "another cluster's drain is open, which may be adopted": Case(
        carrying(BUSY, journal(holder=THEM)), {}, Step.WAIT, ADOPT, never=OPEN
    ),
    "a drain was given up in time, so none begins": Case(
        BUSY, status_of(drains=TIMED_OUT), Step.REFUSE, "Not empty in time.", never="may begin"
    ),
    "a drain was given up, and somebody asked for another one": Case(
        BUSY,
        status_of(drains=TIMED_OUT),
        Step.DRAIN,
        "it may begin now",
        annotations={"batchaccess.dev/requested-at": "now"},
    ),
    "a drain was given up, and the drift is gone since": Case(
        pool("p", GOOD, nodes=2), status_of(drains=TIMED_OUT), Step.NONE, ""
    ),
    "a person abandoned every drain": Case(
        BUSY, {}, Step.WAIT, "batchaccess.dev/abandon", annotations={"batchaccess.dev/abandon": "true"}
    ),
    "it must not be known which cluster this is, and a journal is in both places": Case(
        carrying(BUSY, MINE), BOTH, Step.WAIT, f"{OPEN} (saga 0123456789ab).", cluster_uid=None
    ),
    "it must not be known which cluster this is, and a journal is in Azure": Case(
        carrying(BUSY, MINE), {}, Step.WAIT, f"{OPEN} (saga 0123456789ab).", cluster_uid=None
    ),
    "it must not be known which cluster this is, and a drain was given up": Case(
        BUSY, status_of(drains=TIMED_OUT), Step.REFUSE, "Not empty in time.", cluster_uid=None
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_plan_says_what_the_operator_would(case: Case) -> None:
    account = connection()
    live = written(case.status, account=account, annotations=case.annotations, cluster_uid=case.cluster_uid)
    found = planned(case.of, live, account=account)
    assert (found.step, case.says in found.message) == (case.step, True), found.message
    assert case.never not in found.message


def test_the_object_of_an_earlier_connection_of_the_name_tells_nothing() -> None:
    account = connection()
    live = written(status_of(drains=TIMED_OUT), account=replace(account, uid="earlier"))
    assert planned(BUSY, live, account=account).step is Step.DRAIN


@pytest.mark.parametrize("uid", ["", connection().uid], ids=["a connection that is assumed", "a cluster not read"])
def test_of_a_journal_nothing_but_that_it_is_open_is_said_where_nothing_is_known(uid: str) -> None:
    found = planned(carrying(BUSY, MINE), None, account=replace(connection(), uid=uid))
    assert (found.step, found.message) == (Step.WAIT, f"{OPEN} (saga 0123456789ab).")


def test_a_drain_waits_for_another_pool_of_the_connection_that_is_drained() -> None:
    account = connection()
    live = written(BOTH, account=account)
    other = replace(BUSY, id="q")
    found = planned(other, live, account=account)
    assert (found.step, "permits no further pool to be drained at once" in found.message) == (Step.WAIT, True)
