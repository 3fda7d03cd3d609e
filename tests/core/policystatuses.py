"""Statuses of policies from what is found on pools, and how tests read them."""

from collections.abc import Sequence
from datetime import timedelta

from batchaccess.core.acceptance import accept
from batchaccess.core.assessment import assess
from batchaccess.core.conclusion import conclude
from batchaccess.core.decision import decide
from batchaccess.core.declared import (
    AccessPolicy,
)
from batchaccess.core.memory import NOTHING_REMEMBERED, Latch, PoolMemory, network_digest
from batchaccess.core.model import (
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.policyreporting import policy_status
from batchaccess.core.reasons import CompliantReason, ConditionType
from batchaccess.core.selection import Candidates
from batchaccess.core.status import Condition, PolicyStatus
from batchaccess.core.tally import PolicyTally, PoolRecord, tally_policies
from tests.support.build import NOW, connection, endpoint, wanted
from tests.support.checker import assert_valid_status

GOOD, WIDE = endpoint("SSH", "deny * priority 200"), endpoint("SSH", "allow * priority 200")
WANTED = wanted("SSH", "deny * priority 200")
LATER = NOW + timedelta(minutes=5)


def record(
    of: ObservedPool,
    *policies: AccessPolicy,
    memory: PoolMemory = NOTHING_REMEMBERED,
    nodes: NodeFindings | None = None,
    on: str = "prod-weu",
) -> PoolRecord:
    account = connection(on)
    assessment = assess(of, nodes=nodes, connection=account, candidates=Candidates.of(account, policies, {}))
    return PoolRecord(assessment, conclude(assessment, decide(assessment, connection=account, memory=memory, now=NOW)))


def latched(reason: CompliantReason, of: ObservedPool, by: AccessPolicy) -> PoolMemory:
    return PoolMemory(
        latch=Latch(
            policy_uid=by.uid,
            policy_generation=by.generation,
            network_digest=network_digest(of),
            reason=reason,
            code="Code",
            message="It said no.",
        )
    )


def status(
    by: AccessPolicy, *records: PoolRecord, previous: Sequence[Condition] = (), swept: bool = True
) -> PolicyStatus:
    tallies = tally_policies("prod-weu", records)
    found = policy_status(
        by,
        accept(by, [connection()], {}),
        tallies.get(by.key, PolicyTally()) if swept else None,
        previous=previous,
        now=LATER if previous else NOW,
    )
    assert_valid_status(found)
    return found


def short(of: PolicyStatus) -> str:
    """`Ready=True/Enforced Accepted=...` in the order of the conditions."""
    return " ".join(f"{each.type}={each.status}/{each.reason}" for each in of.conditions)


def message(of: PolicyStatus, type: ConditionType) -> str:
    return next(condition.message for condition in of.conditions if condition.type is type)
