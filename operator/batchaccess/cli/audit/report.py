"""An audit as a document for machines: docs/schemas/audit-report-v1.json."""

from typing import Any

from batchaccess.cli.audit.evaluation import Audit, AuditedAccount, AuditedPool
from batchaccess.cli.audit.snippets import snippets
from batchaccess.cli.inputs import Failure
from batchaccess.cli.outputs import report
from batchaccess.cli.outputs.reachability import endpoint_document
from batchaccess.core.explain import SUBNET_NOTE
from batchaccess.core.findingrules import RULES, FindingKind, FindingRule
from batchaccess.core.findings import Finding
from batchaccess.core.reasons import ExposedReason

KIND = "AuditReport"


def audit_report(audit: Audit) -> dict[str, Any]:
    """The whole audit."""
    used = {finding.rule.id for _, _, finding in audit.findings}
    return report(
        KIND,
        {
            "summary": _summary(audit),
            "accounts": [_account(account) for account in audit.accounts],
            "rules": [_rule(rule) for rule in RULES if rule.id in used],
            "suggestedPolicies": [dict(snippet.manifest) for snippet in snippets(audit.pools)],
            "errors": errors_document(audit.problems),
            "notes": [SUBNET_NOTE],
        },
    )


def errors_document(problems: tuple[Failure, ...]) -> list[dict[str, str]]:
    """What could not be read."""
    return [{"source": problem.source, "message": problem.message} for problem in problems]


def _summary(audit: Audit) -> dict[str, Any]:
    exposures = [account.exposures() for account in audit.accounts]
    kinds = [finding.rule.kind for _, _, finding in audit.findings]
    return {
        "accounts": len(audit.accounts),
        "pools": sum(len(account.pools) for account in audit.accounts),
        "poolsByExposure": {reason.value: sum(each[reason] for each in exposures) for reason in ExposedReason},
        "findings": {kind.value: kinds.count(kind) for kind in FindingKind},
        "errors": len(audit.problems),
    }


def _account(account: AuditedAccount) -> dict[str, Any]:
    return {
        "name": account.read.name,
        "source": account.read.source,
        "findings": [_finding(finding) for finding in account.findings],
        "pools": [_pool(pool) for pool in account.pools],
        "unreadable": [{"id": pool.id, "problem": pool.problem} for pool in account.read.unreadable],
    }


def _pool(pool: AuditedPool) -> dict[str, Any]:
    observed, nodes = pool.read.pool, pool.read.nodes
    created = observed.creation_time
    return {
        "id": pool.id,
        "state": observed.state.value,
        "creationTime": None if created is None else created.isoformat().replace("+00:00", "Z"),
        "legacy": observed.is_legacy,
        "currentNodes": observed.scale.current.total,
        "nodesListed": None if nodes is None else nodes.nodes,
        "exposed": pool.reachability.exposed.value,
        "publicAddressProvisioning": observed.network.provisioning.value,
        "subnetId": observed.network.subnet_id,
        "endpoints": [endpoint_document(endpoint) for endpoint in pool.reachability.endpoints],
        "findings": [_finding(finding) for finding in pool.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "kind": finding.rule.kind.value,
        "severity": finding.severity.value,
        "endpoint": finding.endpoint,
        "message": finding.message,
    }


def _rule(rule: FindingRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "kind": rule.kind.value,
        "title": rule.title,
        "remedy": rule.remedy,
        "source": {"title": rule.citation.title, "url": rule.citation.url},
    }
