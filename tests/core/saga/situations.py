"""Situations and copies with defaults, so that a test names only what it is about."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from batchaccess.core.assessment import assess
from batchaccess.core.declared import AccessPolicy, AccountConnection, Strategy
from batchaccess.core.model import MetadataItem, NodeCounts, ObservedPool
from batchaccess.core.saga.actions import Remediate, SagaDecision, WriteKubernetesJournal
from batchaccess.core.saga.decision import decide_saga
from batchaccess.core.saga.journal import Holder, Journal, PolicyVersion
from batchaccess.core.saga.metadata import metadata_with
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.steps import DrainHistory, Ending, KubernetesJournal, RestoreMark, Step
from batchaccess.core.selection import Candidates
from tests.support.build import NOW, RECENT, connection, endpoint, policy, pool, wanted

US = Holder(cluster_uid="cluster-1", connection_uid="connection-1")
THEM = Holder(cluster_uid="cluster-2", connection_uid="connection-2")
WIDE, GOOD = endpoint("SSH", "allow *"), endpoint("SSH", "deny * priority 200")
DRAINING = policy("ssh", wanted("SSH", "deny * priority 200"), strategy=Strategy.DRAIN)
BUSY = pool("p", WIDE, nodes=2)
MARK = RestoreMark(etag=BUSY.etag, allocated=BUSY.allocation_state_transition_time)
UNREADABLE = (MetadataItem(name="batchaccess.dev/journal-0", value="?"),)
FORMULA = "$TargetDedicatedNodes = 2;"


def autoscaled(nodes: int = 2, formula: str | None = FORMULA) -> ObservedPool:
    """A drifting pool that a formula scales."""
    busy = pool("p", WIDE, nodes=nodes, autoscale=True)
    return replace(busy, scale=replace(busy.scale, autoscale_formula=formula, autoscale_interval="PT5M"))


def scaled(of: ObservedPool, *, target: int | None = None, current: int | None = None) -> ObservedPool:
    """The same pool at another size."""
    scale = of.scale
    if target is not None:
        scale = replace(scale, target=NodeCounts(dedicated=target))
    if current is not None:
        scale = replace(scale, current=NodeCounts(dedicated=current))
    return replace(of, scale=scale)


def journal(**changes: Any) -> Journal:  # noqa: ANN401 each caller names fields of the right types
    """A journal of pool p with two nodes recorded."""
    made = Journal(
        saga_id="0123456789ab",
        holder=US,
        pool_id="p",
        pool_created=RECENT,
        policy=PolicyVersion.of(DRAINING),
        started=NOW,
        recorded=RecordedScale(targets=NodeCounts(dedicated=2), current=NodeCounts(dedicated=2)),
    )
    return replace(made, **changes)


def copy(step: Step, of: Journal | None = None, **changes: Any) -> KubernetesJournal:  # noqa: ANN401 the same
    """A Kubernetes copy at a step."""
    return replace(KubernetesJournal(journal=of or journal(), step=step, since=NOW), **changes)


def carrying(of: ObservedPool, what: Journal) -> ObservedPool:
    """The pool with an Azure copy in its metadata."""
    return replace(of, metadata=metadata_with(of.metadata, what))


def history(by: AccessPolicy = DRAINING, **changes: Any) -> DrainHistory:  # noqa: ANN401 the same
    """A history of one policy's sagas."""
    return replace(DrainHistory(policy_uid=by.uid, policy_generation=by.generation), **changes)


def situation(
    of: ObservedPool,
    by: AccessPolicy | None = DRAINING,
    *,
    on: AccountConnection | None = None,
    now: datetime = NOW,
    **changes: Any,  # noqa: ANN401 the same
) -> Situation:
    """What a visit to a pool knows."""
    account = on or connection()
    assessment = assess(of, nodes=None, connection=account, candidates=Candidates.of(account, [by] if by else [], {}))
    made = Situation(assessment=assessment, connection=account, holder=US, new_saga_id="0123456789ab", now=now)
    return replace(made, **changes)


def decided(at: Situation) -> SagaDecision:
    return decide_saga(at)


def acted(at: Situation) -> Any:  # noqa: ANN401 the test asserts on its type
    decision = decide_saga(at)
    assert isinstance(decision, Remediate), decision
    return decision.action


def written(at: Situation) -> tuple[Step, Ending | None]:
    action = acted(at)
    assert isinstance(action, WriteKubernetesJournal), action
    return action.copy.step, action.copy.ending
