"""What an assessment and a decision come to: the outcome that is counted, and what `Compliant` says."""

from dataclasses import dataclass, replace
from typing import assert_never

from batchaccess.core.assessment import Assessment
from batchaccess.core.decision import Decision, Nothing, PatchNetwork, Stall, Wait
from batchaccess.core.drift import Drift
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import CompliantReason, ConditionStatus, DriftClass, PoolOutcome, RemediatingReason
from batchaccess.core.saga.actions import Remediate, SagaDecision, Underway
from batchaccess.core.texts import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an open saga stands: what `Remediating` says while it is True."""

    reason: RemediatingReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What one visit concluded for one pool. `progress` is None without an open saga."""

    outcome: PoolOutcome
    compliant: ConditionStatus
    reason: CompliantReason
    message: str
    progress: Progress | None = None


def conclude(assessment: Assessment, decision: SagaDecision) -> Conclusion:
    """Join what is known of a pool with what is done about it."""
    if isinstance(decision, Remediate | Underway):
        return _remediating(assessment, decision)
    return _without_saga(assessment, decision)


def _without_saga(assessment: Assessment, decision: Decision) -> Conclusion:
    policy = assessment.policy
    if policy is None:
        return _unmanaged(assessment)
    match decision:
        case Nothing(outcome=PoolOutcome.AUDIT_DRIFT):
            return _not_compliant(
                assessment,
                PoolOutcome.AUDIT_DRIFT,
                CompliantReason.AUDIT_ONLY,
                f"Policy {policy.key} is in mode Audit and corrects nothing.",
            )
        case Nothing(outcome=outcome):
            return _as_declared(assessment, policy.key, outcome)
        case PatchNetwork():
            return _not_compliant(
                assessment, PoolOutcome.PENDING, CompliantReason.CORRECTING, "The network is about to be corrected."
            )
        case Wait(reason=reason, message=message):
            return _not_compliant(assessment, PoolOutcome.PENDING, reason, message)
        case Stall(reason=reason, message=message):
            return _not_compliant(assessment, PoolOutcome.STALLED, reason, message)
        case _:
            assert_never(decision)


def _remediating(assessment: Assessment, decision: Remediate | Underway) -> Conclusion:
    """An open saga: whether the pool is as declared is one thing, whether its scale is back another."""
    policy, progress = assessment.policy, Progress(reason=decision.reason, message=decision.message)
    if policy is None:
        return replace(_unmanaged(assessment), progress=progress)
    if assessment.drift.is_as_declared:
        return replace(_as_declared(assessment, policy.key, PoolOutcome.COMPLIANT), progress=progress)
    concluded = _not_compliant(assessment, PoolOutcome.PENDING, CompliantReason.CORRECTING, decision.message)
    return replace(concluded, progress=progress)


def _unmanaged(assessment: Assessment) -> Conclusion:
    if assessment.guardrail_violations:
        return _violating(CompliantReason.GUARDRAIL_VIOLATED, _guardrails(assessment))
    return Conclusion(
        outcome=PoolOutcome.UNMANAGED,
        compliant=ConditionStatus.UNKNOWN,
        reason=CompliantReason.NOT_MANAGED,
        message="No policy governs this pool.",
    )


def _as_declared(assessment: Assessment, policy: ObjectKey, outcome: PoolOutcome) -> Conclusion:
    if assessment.guardrail_violations:
        return _violating(CompliantReason.GUARDRAIL_VIOLATED, _guardrails(assessment))
    if assessment.failed_assertions:
        return _violating(CompliantReason.ASSERTION_VIOLATED, _assertions(assessment))
    spelling = " It differs in spelling only." if assessment.drift.kind is DriftClass.NEUTRAL else ""
    return Conclusion(
        outcome=outcome,
        compliant=ConditionStatus.TRUE,
        reason=CompliantReason.COMPLIANT,
        message=f"The network is as policy {policy} declares.{spelling}",
    )


def _violating(reason: CompliantReason, message: str) -> Conclusion:
    return Conclusion(outcome=PoolOutcome.VIOLATING, compliant=ConditionStatus.FALSE, reason=reason, message=message)


def _not_compliant(assessment: Assessment, outcome: PoolOutcome, reason: CompliantReason, message: str) -> Conclusion:
    parts = [message, drift_summary(assessment.drift)]
    if assessment.guardrail_violations:
        parts.append(_guardrails(assessment))
    return Conclusion(outcome=outcome, compliant=ConditionStatus.FALSE, reason=reason, message=" ".join(parts))


def drift_summary(drift: Drift) -> str:
    """One sentence: the class of the drift and where it is."""
    if not drift.differences:
        return "The network does not differ from what is declared."
    return f"{drift.kind} drift in {listed(difference.field for difference in drift.differences)}."


def _guardrails(assessment: Assessment) -> str:
    broken = listed(str(violation) for violation in assessment.guardrail_violations)
    return f"The connection forbids this: {broken}."


def _assertions(assessment: Assessment) -> str:
    failed = listed(f"{each.name} of {each.policy}: {each.message}" for each in assessment.failed_assertions)
    return f"Assertion {failed}"
