"""What to do about one pool now, sagas included: one action, or a reason to wait.

Without a saga this is `core.decision.decide`, with two differences: a pool with somebody's journal is never written to,
and a pool that only is not empty may start a saga.
"""

from dataclasses import replace

from batchaccess.core.decision import Decision, Nothing, Stall, Wait, decide
from batchaccess.core.declared import AccessPolicy, Strategy
from batchaccess.core.memory import network_digest
from batchaccess.core.model import AllocationState, PoolState
from batchaccess.core.reasons import CompliantReason, PoolOutcome, RemediatingReason
from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    Remediate,
    SagaAction,
    SagaDecision,
    Underway,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.journal import Journal, PolicyVersion, UnreadableJournal
from batchaccess.core.saga.moves import reason_now
from batchaccess.core.saga.scale import NO_NODES, RecordedScale, recorded_scale
from batchaccess.core.saga.situation import Situation, Visit
from batchaccess.core.saga.steps import (
    CONTENTION_WINDOW,
    MOST_STARTS,
    STEP_MESSAGES,
    Ending,
    KubernetesJournal,
    Step,
    new_history,
)
from batchaccess.core.saga.table import TABLE


def decide_saga(situation: Situation) -> SagaDecision:
    """What to do about one pool now."""
    if situation.history is not None and not situation.history.is_of(situation.pool.creation_time):
        situation = replace(situation, history=None)
    base = decide(situation.assessment, connection=situation.connection, memory=situation.memory, now=situation.now)
    if isinstance(situation.kubernetes, KubernetesJournal):
        return _continued(Visit(situation=situation, copy=situation.kubernetes, base=base))
    return _found_in_azure(situation, base) or _idle(situation, base)


def _continued(visit: Visit) -> Remediate | Underway:
    rule = next(rule for rule in TABLE[visit.copy.step] if rule.holds(visit))
    move = rule.then(visit)
    if isinstance(move, Underway):
        return replace(move, rule=rule.when, message=visit.copy.with_ending(move.message))
    if _asks_the_service(move) and visit.memory.backs_off(visit.now):
        return Underway(
            reason=reason_now(visit),
            message=visit.copy.with_ending(visit.memory.back_off_message),
            rule=rule.when,
            until=visit.memory.back_off_until,
        )
    return Remediate(action=move, reason=reason_now(visit), message=visit.copy.step_message, rule=rule.when)


def _asks_the_service(action: SagaAction) -> bool:
    return not isinstance(action, WriteKubernetesJournal | ClearKubernetesJournal)


def _found_in_azure(situation: Situation, base: Decision) -> SagaDecision | None:
    """What to do about a journal without a Kubernetes copy; None if there is no journal at all."""
    found = situation.azure
    match found:
        case None if isinstance(situation.kubernetes, UnreadableJournal):
            return _unreadable("status.journal of the pool's BatchPoolAccess", situation.kubernetes)
        case None:
            return None
        case UnreadableJournal():
            return base if _is_unmanaged(base) else _unreadable("the pool's metadata", found)
        case Journal(holder=holder) if holder == situation.holder:
            return _resumed(situation, found)
        case _ if situation.adopt == found.saga_id:
            return _taking_over(situation, found)
        case _:
            return _foreign(found) if _would_write(base) else base


def _is_unmanaged(base: Decision) -> bool:
    return base == Nothing(outcome=PoolOutcome.UNMANAGED)


def _would_write(base: Decision) -> bool:
    """Whether the pool is to be written to now or once it is empty."""
    return not isinstance(base, Nothing | Stall)


def _unreadable(where: str, journal: UnreadableJournal) -> Stall:
    return Stall(
        reason=CompliantReason.UNREADABLE_JOURNAL,
        message=f"There is a journal of a drain in {where} that cannot be understood: {journal.problem}. The pool is "
        "not touched: its scale may have to be brought back by hand. Then remove the journal.",
    )


def _foreign(journal: Journal) -> Wait:
    return Wait(
        reason=CompliantReason.FOREIGN_JOURNAL,
        message=f"Another operator or connection is correcting this pool (saga {journal.saga_id}). If it is no more, "
        f"annotate this object with batchaccess.dev/adopt: {journal.saga_id} to bring the pool's scale back.",
    )


def _resumed(situation: Situation, journal: Journal) -> Remediate:
    copy = KubernetesJournal(
        journal=journal,
        step=Step.RESTORING,
        since=situation.now.replace(microsecond=0),
        ending=Ending.RESUMED,
        message="Only the copy in Azure was left.",
    )
    return _opening(situation, copy, "only our Azure copy is there")


def _taking_over(situation: Situation, journal: Journal) -> Remediate:
    copy = KubernetesJournal(
        journal=replace(journal, holder=situation.holder),
        step=Step.TAKING_OVER,
        since=situation.now.replace(microsecond=0),
    )
    return _opening(situation, copy, "the annotation adopt names the saga of another holder")


def _opening(situation: Situation, copy: KubernetesJournal, rule: str) -> Remediate:
    return Remediate(
        action=WriteKubernetesJournal(copy=copy, history=situation.history),
        reason=RemediatingReason(copy.step.value),
        message=copy.step_message,
        rule=rule,
    )


def _idle(situation: Situation, base: Decision) -> SagaDecision:
    policy = situation.assessment.policy
    history = situation.history
    if base == Nothing(outcome=PoolOutcome.COMPLIANT) and history is not None and history.latch is not None:
        return Remediate(
            action=ClearKubernetesJournal(history=replace(history, latch=None)),
            reason=RemediatingReason.CLEARING,
            message="The drift that could not be corrected is gone.",
            rule="the drift of a latched saga is gone",
        )
    recorded = recorded_scale(situation.pool)
    if policy is None or not _is_busy(base) or not _may_be_emptied(situation, policy):
        return base
    if recorded is None:
        return base
    return _not_again(situation, policy) or _not_now(situation) or _start(situation, policy, recorded)


def _is_busy(base: Decision) -> bool:
    return isinstance(base, Wait) and base.reason is CompliantReason.POOL_NOT_EMPTY


def _may_be_emptied(situation: Situation, policy: AccessPolicy) -> bool:
    """Whether the policy permits what keeps this pool from being empty to be changed."""
    pool, remediation = situation.pool, policy.remediation
    if pool.state is not PoolState.ACTIVE or pool.allocation_state is AllocationState.UNKNOWN:
        return False
    if remediation.strategy is Strategy.DRAIN:
        return True
    stands_at_zero = pool.scale.target == NO_NODES and pool.scale.current == NO_NODES
    return remediation.pause_autoscale and pool.scale.autoscale and stands_at_zero


def _not_again(situation: Situation, policy: AccessPolicy) -> Stall | Wait | None:
    """What an earlier saga of this pool forbids, as long as nothing new is declared or asked for."""
    history, now = situation.history, situation.now
    version = PolicyVersion.of(policy)
    if history is None or not history.counts_for(version, situation.requested):
        return None
    latch = history.latch if history.applies_to(version, situation.requested) else None
    if latch is not None and latch.network_digest == network_digest(situation.pool):
        return Stall(reason=latch.reason, message=latch.message)
    recent = history.recent(now)
    if len(recent) < MOST_STARTS:
        return None
    return Wait(
        reason=CompliantReason.CONTENDED,
        message="Three drains were begun for this pool within the hour, and it drifts again. Find out who undoes them; "
        "the next attempt comes within an hour, or once the annotation batchaccess.dev/requested-at gets a new value.",
        until=recent[0] + CONTENTION_WINDOW,
    )


def _not_now(situation: Situation) -> Wait | None:
    memory, now = situation.memory, situation.now
    if situation.pool.allocation_state is not AllocationState.STEADY:
        return Wait(
            reason=CompliantReason.POOL_NOT_EMPTY,
            message="The pool is being resized by somebody else, which is waited for before it is drained.",
        )
    if memory.back_off_until is not None and now < memory.back_off_until:
        return Wait(reason=CompliantReason.BACKING_OFF, message=memory.back_off_message, until=memory.back_off_until)
    if situation.saga_memory.backs_off(now):
        return Wait(
            reason=CompliantReason.BACKING_OFF,
            message=situation.saga_memory.back_off_message,
            until=situation.saga_memory.back_off_until,
        )
    blocked = situation.blocked
    if blocked is not None:
        return Wait(reason=blocked.reason, message=blocked.message, until=blocked.until)
    return None


def _start(situation: Situation, policy: AccessPolicy, recorded: RecordedScale) -> Remediate:
    now = situation.now.replace(microsecond=0)
    version = PolicyVersion.of(policy)
    journal = Journal(
        saga_id=situation.new_saga_id,
        holder=situation.holder,
        pool_id=situation.pool.id,
        pool_created=situation.pool.creation_time,
        policy=version,
        started=now,
        recorded=recorded,
    )
    return Remediate(
        action=WriteKubernetesJournal(
            copy=KubernetesJournal(journal=journal, step=Step.PREPARING, since=now),
            history=new_history(
                situation.history,
                version,
                situation.requested,
                pool_created=situation.pool.creation_time,
                now=now,
            ),
        ),
        reason=RemediatingReason.PREPARING,
        message=STEP_MESSAGES[Step.PREPARING],
        rule="a busy pool is to be corrected",
        starts=True,
    )


def is_starting(decision: SagaDecision) -> bool:
    """Whether a decision begins a saga, which counts against the gates from then on."""
    return isinstance(decision, Remediate) and decision.starts
