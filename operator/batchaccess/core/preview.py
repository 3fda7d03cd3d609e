"""What a policy would do to a pool, told before it does: the step, its cost, and who gets in afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from batchaccess.core.assessment import Assessment, assess
from batchaccess.core.decision import Nothing, PatchNetwork, Stall, Wait
from batchaccess.core.declared import AccessPolicy, AccountConnection, NodeDeallocation, Strategy
from batchaccess.core.model import AllocationState, NodeFindings, ObservedPool
from batchaccess.core.reachability import PoolReachability, reachability
from batchaccess.core.reasons import CompliantReason, ConditionStatus, PoolOutcome
from batchaccess.core.saga.actions import ClearKubernetesJournal, Remediate, SagaDecision, Underway
from batchaccess.core.saga.decision import decide_saga, is_starting
from batchaccess.core.saga.journal import Holder, Journal
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.core.selection import Candidates


class Step(StrEnum):
    """What the operator would do about a pool now."""

    NONE = "None"
    """No policy governs it, or it is as declared."""
    REPORT = "Report"
    """It differs, and its policy only reports."""
    PATCH = "Patch"
    """It is empty: its network would be corrected at once."""
    WAIT = "Wait"
    """It is being corrected, or would be once something else has happened, such as its nodes being gone."""
    DRAIN = "Drain"
    """Its policy lets it be emptied for the correction, and restored."""
    PAUSE = "PauseAutoscale"
    """It stands at zero, and its policy lets autoscale be off for the correction."""
    REFUSE = "Refuse"
    """It differs, and somebody has to change something before it can be corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What emptying a pool costs.

    Attributes:
        nodes: nodes that there are now, and would be removed and made again.
        node_deallocation: what becomes of their tasks.
        timeout_seconds: how long the tasks have.
        autoscale: whether autoscale would be off meanwhile.
    """

    nodes: int
    node_deallocation: NodeDeallocation
    timeout_seconds: int
    autoscale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of one pool.

    Attributes:
        assessment: everything concluded about it as it is.
        step: what would be done now.
        message: why, in a sentence; empty where there is nothing to say.
        after: who gets in once it is as declared; None if no policy governs it.
        cost: of emptying it, None if that is not what would be done.
        waits_for: what keeps it from being empty, in words, where that is waited for.
    """

    assessment: Assessment
    step: Step
    message: str = ""
    after: PoolReachability | None = None
    cost: Cost | None = None
    waits_for: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the pool is not as declared, mere spelling apart."""
        return not self.assessment.drift.is_as_declared

    @property
    def is_found(self) -> bool:
        """Whether a plan that ends 0 must not contain it."""
        failed = any(each.holds is ConditionStatus.FALSE for each in self.assessment.assertions)
        return self.differs or failed or bool(self.assessment.guardrail_violations)

    @property
    def is_told(self) -> bool:
        """Whether there is more to say than that it is as declared, or nobody's business."""
        return self.is_found or self.step is not Step.NONE


def preview(
    pool: ObservedPool,
    *,
    nodes: NodeFindings | None,
    connection: AccountConnection,
    candidates: Candidates,
    decide: Callable[[Assessment], SagaDecision],
    windows: Callable[[AccessPolicy], WindowVerdict],
) -> Preview:
    """What the operator would do about a pool that it sees now.

    Args:
        pool: the pool as read.
        nodes: what listing its nodes showed; None if they were not listed.
        connection: the account it belongs to.
        candidates: the policies that this connection accepts.
        decide: what the operator decides, whatever windows say; `decided_by_a_stranger` if nothing of it is known.
        windows: whether the windows of a policy permit a start now.
    """
    assessment = assess(pool, nodes=nodes, connection=connection, candidates=candidates)
    step, message = _step(assessment, decide(assessment), windows)
    desired = assessment.desired
    return Preview(
        assessment=assessment,
        step=step,
        message=message,
        after=None if desired is None else reachability(desired, legacy=pool.is_legacy, nodes=nodes),
        cost=_cost(assessment) if step is Step.DRAIN else None,
        waits_for=tuple(_kept_busy_by(pool)) if step in (Step.WAIT, Step.PAUSE) else (),
    )


_NOBODY: Final = Holder(cluster_uid="", connection_uid="")
"""No journal is ours: a stranger runs no saga."""


def decided_by_a_stranger(assessment: Assessment, connection: AccountConnection, *, now: datetime) -> SagaDecision:
    """What an operator without any saga would do; whose the journal of a pool is, a stranger does not know."""
    situation = Situation(assessment=assessment, connection=connection, holder=_NOBODY, new_saga_id="0" * 12, now=now)
    decision, journal = decide_saga(situation), situation.azure
    if (
        isinstance(decision, Wait)
        and decision.reason is CompliantReason.FOREIGN_JOURNAL
        and isinstance(journal, Journal)
    ):
        return replace(decision, message=open_correction(journal).message)
    return decision


def open_correction(journal: Journal) -> Wait:
    """All that a stranger can say of a pool that is being corrected."""
    return Wait(
        reason=CompliantReason.FOREIGN_JOURNAL, message=f"A correction of this pool is open (saga {journal.saga_id})."
    )


def _step(
    assessment: Assessment, decision: SagaDecision, windows: Callable[[AccessPolicy], WindowVerdict]
) -> tuple[Step, str]:
    match decision:
        case Nothing(outcome=PoolOutcome.AUDIT_DRIFT):
            return Step.REPORT, "The policy is in mode Audit and corrects nothing."
        case Nothing():
            return Step.NONE, ""
        case PatchNetwork():
            return Step.PATCH, "The pool is empty, so its network is corrected at once."
        case Remediate() | Underway():
            return _saga_step(assessment, decision, windows)
        case Wait(message=message):
            return Step.WAIT, message
        case Stall(message=message):
            return Step.REFUSE, message
        case _:
            assert_never(decision)


def _saga_step(
    assessment: Assessment, decision: Remediate | Underway, windows: Callable[[AccessPolicy], WindowVerdict]
) -> tuple[Step, str]:
    policy = assessment.policy
    if policy is not None and is_starting(decision):
        return _start_step(policy, windows(policy))
    forgets = isinstance(decision, Remediate) and isinstance(decision.action, ClearKubernetesJournal)
    if forgets and assessment.drift.is_as_declared:
        return Step.NONE, ""
    return Step.WAIT, f"A correction of this pool is open. {decision.message}"


def _start_step(policy: AccessPolicy, verdict: WindowVerdict) -> tuple[Step, str]:
    """The step of a saga that may start, unless windows or the number of others stand in the way."""
    drains = policy.remediation.strategy is Strategy.DRAIN
    if drains:
        step, what = Step.DRAIN, "The pool is drained, corrected and brought back to its size"
    else:
        step, what = Step.PAUSE, "Autoscale is paused while the network is corrected"
    if verdict.permitted:
        return step, f"{what}; it may begin now."
    if verdict.until is None:
        return step, f"{what}; its windows do not permit a start within the time that was looked at."
    return step, f"{what}; its windows permit a start from {verdict.until:%Y-%m-%d %H:%M} UTC on."


def _cost(assessment: Assessment) -> Cost | None:
    if assessment.policy is None:
        return None
    remediation, scale = assessment.policy.remediation, assessment.pool.scale
    return Cost(
        nodes=scale.current.total,
        node_deallocation=remediation.node_deallocation,
        timeout_seconds=remediation.drain_timeout_seconds,
        autoscale=scale.autoscale,
    )


def _kept_busy_by(pool: ObservedPool) -> list[str]:
    """What keeps a pool from being empty, as a list of short nouns."""
    scale = pool.scale
    found = []
    if scale.current.total:
        found.append(f"{_counted(scale.current.total, 'node')}")
    elif scale.target.total:
        found.append(f"{_counted(scale.target.total, 'node')} wanted")
    if scale.autoscale:
        found.append("autoscale")
    if pool.allocation_state is not AllocationState.STEADY:
        found.append(f"allocation {pool.allocation_state}")
    return found


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
