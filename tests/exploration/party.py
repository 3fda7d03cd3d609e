"""The operator as the exploration runs it: the real decision, and an executor reduced to what the saga relies on.

A mutant is the same with one rule broken; the exploration has to notice every one of them.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, lru_cache

from batchaccess.core.assessment import Assessment, assess
from batchaccess.core.declared import AccessPolicy, Strategy
from batchaccess.core.model import AllocationState, MetadataItem, NodeCounts, ObservedPool, PoolState, Scale
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    Remediate,
    RemoveAzureJournal,
    SagaAction,
    SagaDecision,
    WriteAzureJournal,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.decision import decide_saga
from batchaccess.core.saga.gates import BREAKER_MESSAGE, Blocked
from batchaccess.core.saga.journal import Holder, Journal, UnreadableJournal
from batchaccess.core.saga.metadata import journal_in
from batchaccess.core.saga.scale import recorded_scale
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.steps import KubernetesJournal, RestoreMark, Step
from batchaccess.core.selection import Candidates
from tests.exploration.servicemodel import Pool
from tests.exploration.world import COPIES, HISTORIES, MEMORIES, SAGA_MEMORIES, Mark, State
from tests.support import build

US, THEM = Holder(cluster_uid="ours", connection_uid="one"), Holder(cluster_uid="theirs", connection_uid="two")
CLOCK = tuple(build.NOW + timedelta(minutes=minutes) for minutes in (0, 10, 180, 600))
"""The start, a while after every grace, after every deadline, and after that of a saga begun then."""

GOOD = build.network(build.endpoint("SSH", "deny * priority 200"))
NETWORKS = {
    "good": GOOD,
    "bad": build.network(build.endpoint("SSH", "allow *")),
    "other": build.network(build.endpoint("SSH", "allow 10.0.0.0/8")),
    "clobbered": build.network(build.endpoint("SSH", "deny 10.0.0.0/8")),
}
CONNECTION = build.connection()
_BROKEN = Blocked(reason=CompliantReason.BREAKER_OPEN, message=BREAKER_MESSAGE)


@dataclass(frozen=True)
class Party:
    """How this operator behaves; the defaults are the real one."""

    strategy: str = "Drain"
    rereads_before_disabling: bool = True
    sends_if_match: bool = True
    sends_metadata_with_network: bool = False
    sends_resize_timeout: bool = True
    records_drained_scale: bool = False
    writes_azure_copy: bool = True
    removes_azure_copy: bool = True
    latches: bool = True
    doubts_unanswered: bool = True
    policies: dict[str, AccessPolicy | None] = field(default_factory=dict, compare=False, hash=False)

    def policy(self, name: str) -> AccessPolicy | None:
        """The governing policy under one of the names that events use."""
        if not self.policies:
            self.policies.update(_policies(self.strategy))
        return self.policies[name]

    def decide(self, state: State) -> SagaDecision:
        """What the operator would do now."""
        situation = self.situation(state)
        decision = decide_saga(situation)
        if isinstance(decision, Remediate):
            return replace(decision, action=self._mutated(decision.action, situation))
        return decision

    def situation(self, state: State) -> Situation:
        """What it sees."""
        copy = COPIES.value(state.copy)
        saga = SAGA_MEMORIES.value(state.saga)
        memory = MEMORIES.value(state.memory)
        return Situation(
            assessment=replace(self._template(state), pool=observed(state.pool)),
            connection=CONNECTION,
            holder=US,
            new_saga_id="0123456789ab",
            now=CLOCK[state.clock],
            kubernetes=None if copy is None else with_etags(copy, state.copy_etag, state.mark),
            history=HISTORIES.value(state.history) if self.latches else None,
            requested=state.requested,
            adopt="fedcba987654" if state.adopt else None,
            breaker_open=state.breaker,
            blocked=_BROKEN if state.breaker else None,
            memory=replace(memory, raced_etag=_text(state.memory_etag)),
            saga_memory=replace(
                saga,
                sent_etag=_text(state.sent_etag),
                unsent_etag=_text(state.unsent_etag),
                raced_etag=_text(state.raced_etag),
            ),
        )

    def _template(self, state: State) -> Assessment:
        return _assessment(state.pool.network, self.policy(state.policy))

    def _mutated(self, action: SagaAction, situation: Situation) -> SagaAction:
        copy = situation.kubernetes
        recorded = recorded_scale(situation.pool)
        match action:
            case WriteKubernetesJournal() if self.records_drained_scale and recorded is not None:
                if action.copy.step is Step.CORRECTING:
                    journal = replace(action.copy.journal, recorded=recorded)
                    return replace(action, copy=replace(action.copy, journal=journal))
            case WriteAzureJournal() if not self.writes_azure_copy and isinstance(copy, KubernetesJournal):
                standing, etag = situation.pool.scale.target, situation.pool.etag
                ahead = replace(copy, step=Step.DRAINING, etag=etag, standing=standing)
                return WriteKubernetesJournal(copy=ahead, history=situation.history)
            case RemoveAzureJournal() if not self.removes_azure_copy:
                return ClearKubernetesJournal(history=situation.history)
            case _:
                pass
        return action


def _policies(strategy: str) -> dict[str, AccessPolicy | None]:
    wanted = build.wanted("SSH", "deny * priority 200")
    base = build.policy("ssh", wanted)
    remediation = replace(
        base.remediation,
        strategy=Strategy.DRAIN if strategy == "Drain" else Strategy.WHEN_EMPTY,
        pause_autoscale=strategy == "Pause",
    )
    enforced = replace(base, remediation=remediation)
    return {
        "enforced": enforced,
        "suspended": replace(enforced, suspend=True, generation=2),
        "edited": replace(enforced, generation=3),
        "gone": None,
    }


@cache
def _assessed(network: str, policy_key: tuple[object, ...] | None) -> Assessment:
    policy = _POLICIES.get(policy_key) if policy_key is not None else None
    candidates = Candidates.of(CONNECTION, [policy] if policy else [], {})
    return assess(build.pool("p", on=NETWORKS[network]), nodes=None, connection=CONNECTION, candidates=candidates)


_POLICIES: dict[tuple[object, ...], AccessPolicy] = {}


def _assessment(network: str, policy: AccessPolicy | None) -> Assessment:
    if policy is None:
        return _assessed(network, None)
    key = (policy.generation, policy.suspend, policy.remediation.strategy, policy.remediation.pause_autoscale)
    _POLICIES.setdefault(key, policy)
    return _assessed(network, key)


def with_etags(copy: KubernetesJournal, etag: int | None, mark: Mark | None) -> KubernetesJournal:
    """A copy with what is kept beside it put back in its place."""
    restore = None if mark is None else RestoreMark(etag=f"0x{mark.etag}", allocated=f"t{mark.since}")
    return replace(copy, etag=_text(etag), restore=restore)


def without_etags(copy: KubernetesJournal) -> tuple[KubernetesJournal, Mark | None]:
    """The copy without its eTags, and the mark of its restore."""
    restore = copy.restore
    if restore is None:
        return replace(copy, etag=None), None
    mark = Mark(int(restore.etag.removeprefix("0x")), int(restore.allocated.removeprefix("t")))
    return replace(copy, etag=None, restore=None), mark


def _text(etag: int | None) -> str | None:
    return None if etag is None else f"0x{etag}"


@cache
def journal_of(metadata: tuple[MetadataItem, ...]) -> Journal | UnreadableJournal | None:
    """The journal in a metadata list; few lists are met, and very often."""
    return journal_in(metadata)


@lru_cache(maxsize=200_000)
def observed(pool: Pool) -> ObservedPool:
    """The model's pool as a GET shows it."""
    network = NETWORKS[pool.network]
    return ObservedPool(
        id="p",
        etag=f"0x{pool.etag}",
        network=network,
        raw_network=build.as_returned(network),
        state=PoolState(pool.life) if pool.life != "gone" else PoolState.DELETING,
        allocation_state=AllocationState(pool.allocation),
        allocation_state_transition_time=f"t{pool.since}",
        creation_time=build.RECENT,
        scale=Scale(
            current=NodeCounts(dedicated=pool.current),
            target=NodeCounts(dedicated=pool.target),
            resize_timeout=pool.timeout,
            autoscale=pool.formula is not None,
            autoscale_formula=pool.formula,
            autoscale_interval="PT5M" if pool.formula else None,
        ),
        metadata=pool.metadata,
    )
