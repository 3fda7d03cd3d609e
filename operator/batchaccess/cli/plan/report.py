"""A plan as a document for machines: docs/schemas/plan-report-v1.json."""

from collections import Counter
from typing import Any, Final

from batchaccess.cli.outputs import report
from batchaccess.cli.outputs.reachability import endpoint_document
from batchaccess.cli.plan.evaluation import Plan, PlannedAccount, PlannedPolicy, PlannedPool
from batchaccess.core.declared import AccessPolicy
from batchaccess.core.explain import SUBNET_NOTE
from batchaccess.core.preview import Cost, Step
from batchaccess.core.reachability import PoolReachability
from batchaccess.core.reasons import DriftClass

KIND: Final = "PlanReport"


def plan_report(plan: Plan) -> dict[str, Any]:
    """The whole plan."""
    return report(
        KIND,
        {
            "summary": _summary(plan),
            "policies": [_policy(each) for each in plan.policies],
            "accounts": [_account(each) for each in plan.accounts],
            "errors": [{"source": problem.source, "message": problem.message} for problem in plan.problems],
            "notes": [*plan.notes, SUBNET_NOTE],
        },
    )


def _summary(plan: Plan) -> dict[str, Any]:
    previews = [pool.preview for _, pool in plan.pools]
    steps = Counter(each.step for each in previews)
    kinds = Counter(each.assessment.drift.kind for each in previews)
    return {
        "accounts": len(plan.accounts),
        "pools": len(previews),
        "governed": sum(each.assessment.policy is not None for each in previews),
        "differing": sum(each.differs for each in previews),
        "poolsByStep": {step.value: steps[step] for step in Step},
        "poolsByDrift": {kind.value: kinds[kind] for kind in DriftClass},
        "refusedPolicies": sum(each.is_refused for each in plan.policies),
        "errors": len(plan.problems),
    }


def _policy(planned: PlannedPolicy) -> dict[str, Any]:
    policy, acceptance = planned.policy, planned.acceptance
    return {
        "policy": str(policy.key),
        "mode": policy.mode.value,
        "strategy": policy.remediation.strategy.value,
        "priority": policy.priority,
        "accepted": acceptance.accepted,
        "reason": acceptance.reason.value,
        "message": acceptance.message,
        "connections": [
            {
                "name": target.name,
                "accepted": target.accepted,
                "reason": target.reason.value,
                "message": target.message,
            }
            for target in acceptance.targets
        ],
        "governedPools": planned.governs,
    }


def _account(account: PlannedAccount) -> dict[str, Any]:
    return {
        "name": account.read.name,
        "source": account.read.source,
        "connection": account.connection,
        "connectionAssumed": account.assumed,
        "pools": [_pool(each) for each in account.pools],
        "unreadable": [{"id": each.id, "problem": each.problem} for each in account.read.unreadable],
    }


def _pool(pool: PlannedPool) -> dict[str, Any]:
    preview = pool.preview
    assessment = preview.assessment
    policy = assessment.policy
    return {
        "id": pool.id,
        "policy": None if policy is None else str(policy.key),
        "mode": None if policy is None else policy.mode.value,
        "overridden": [str(key) for key in assessment.overridden],
        "drift": {
            "class": assessment.drift.kind.value,
            "differences": [
                {
                    "field": each.field,
                    "class": each.kind.value,
                    "observed": each.observed,
                    "desired": each.desired,
                }
                for each in assessment.drift.differences
            ],
        },
        "step": preview.step.value,
        "message": preview.message or None,
        "waitsFor": list(preview.waits_for),
        "cost": None if preview.cost is None or policy is None else _cost(preview.cost, policy, pool.running_tasks),
        "before": _reach(assessment.reachability),
        "after": None if preview.after is None else _reach(preview.after),
        "assertions": [
            {"policy": str(each.policy), "name": each.name, "holds": each.holds.value, "message": each.message}
            for each in assessment.assertions
        ],
        "guardrailViolations": [str(each) for each in assessment.guardrail_violations],
    }


def _cost(cost: Cost, policy: AccessPolicy, running_tasks: int | None) -> dict[str, Any]:
    return {
        "nodes": cost.nodes,
        "runningTasks": running_tasks,
        "nodeDeallocation": cost.node_deallocation.value,
        "timeoutSeconds": cost.timeout_seconds,
        "autoscaleOff": cost.autoscale,
        "windows": [
            {
                "kind": window.kind.value,
                "schedule": window.schedule,
                "durationSeconds": window.duration_seconds,
                "timeZone": window.time_zone,
            }
            for window in policy.remediation.windows
        ],
    }


def _reach(reach: PoolReachability) -> dict[str, Any]:
    return {"exposed": reach.exposed.value, "endpoints": [endpoint_document(each) for each in reach.endpoints]}
