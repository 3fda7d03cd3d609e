from dataclasses import replace
from datetime import timedelta

import pytest

from batchaccess.core.assessment import assess
from batchaccess.core.decision import (
    LEAVING,
    NOT_DRAINED_NOW,
    NOT_EMPTY,
    Decision,
    Nothing,
    PatchNetwork,
    Stall,
    Wait,
    decide,
)
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    AuthType,
    DesiredAccess,
    Mode,
    Strategy,
)
from batchaccess.core.memory import NOTHING_REMEMBERED, Latch, PoolMemory, network_digest
from batchaccess.core.model import (
    AllocationState,
    NodeCounts,
    NodeFindings,
    ObservedPool,
    PoolState,
)
from batchaccess.core.reasons import CompliantReason, PoolOutcome
from batchaccess.core.selection import Candidates
from tests.support.build import NOW, SUBNET, access, connection, endpoint, network, policy, pool, wanted

WANTED = wanted("SSH", "deny * priority 200")
GOOD = endpoint("SSH", "deny * priority 200")
WIDE = endpoint("SSH", "allow *")
CLOSING = policy("ssh", WANTED)
MINUTE = timedelta(minutes=1)


def decision(
    of: ObservedPool,
    by: AccessPolicy | None = CLOSING,
    *,
    on: AccountConnection | None = None,
    memory: PoolMemory = NOTHING_REMEMBERED,
    nodes: NodeFindings | None = None,
) -> Decision:
    account = on or connection()
    candidates = Candidates.of(account, [by] if by else [], {})
    assessment = assess(of, nodes=nodes, connection=account, candidates=candidates)
    return decide(assessment, connection=account, memory=memory, now=NOW)


NOTHING = {
    "no policy governs the pool": (pool("p", WIDE), None, PoolOutcome.UNMANAGED),
    "the pool is as declared": (pool("p", GOOD), CLOSING, PoolOutcome.COMPLIANT),
    "the pool differs in spelling only": (
        pool("p", endpoint("SSH", "deny * priority 300")),
        CLOSING,
        PoolOutcome.COMPLIANT,
    ),
    "the policy manages nothing": (pool("p", WIDE), policy(declares=DesiredAccess()), PoolOutcome.COMPLIANT),
    "the policy only audits": (
        pool("p", WIDE),
        policy("a", WANTED, mode=Mode.AUDIT),
        PoolOutcome.AUDIT_DRIFT,
    ),
    "the policy only audits, suspended and limits apart": (
        pool("p", WIDE),
        policy("a", wanted("SSH", "deny * priority 1"), mode=Mode.AUDIT, suspend=True),
        PoolOutcome.AUDIT_DRIFT,
    ),
    "the pool is as declared though it is suspended": (
        pool("p", GOOD),
        policy("a", WANTED, suspend=True),
        PoolOutcome.COMPLIANT,
    ),
    "the pool is as declared though it is busy": (pool("p", GOOD, nodes=9), CLOSING, PoolOutcome.COMPLIANT),
}


@pytest.mark.parametrize(("of", "by", "outcome"), NOTHING.values(), ids=NOTHING.keys())
def test_nothing_is_done_when(of: ObservedPool, by: AccessPolicy | None, outcome: PoolOutcome) -> None:
    assert decision(of, by) == Nothing(outcome=outcome)


def test_an_empty_drifted_pool_is_patched_under_its_etag() -> None:
    found = decision(pool("p", WIDE, etag="0x7"))
    assert isinstance(found, PatchNetwork)
    assert (found.pool_id, found.etag, found.policy) == ("p", "0x7", CLOSING.key)
    assert found.desired == network(GOOD)
    (sent,) = found.body["endpointConfiguration"]["inboundNATPools"]
    assert [rule["access"] for rule in sent["networkSecurityGroupRules"]] == ["deny"]


def test_the_strategy_drain_patches_an_empty_pool_just_as_well() -> None:
    assert isinstance(decision(pool("p", WIDE), policy("d", WANTED, strategy=Strategy.DRAIN)), PatchNetwork)


EMPTY = pool("p", WIDE)
NOT_EMPTY_POOLS = {
    "nodes are there": replace(EMPTY, scale=replace(EMPTY.scale, current=NodeCounts(low_priority=1))),
    "nodes are wanted": replace(EMPTY, scale=replace(EMPTY.scale, target=NodeCounts(dedicated=1))),
    "it is resizing": pool("p", WIDE, allocation_state=AllocationState.RESIZING),
    "it is stopping a resize": pool("p", WIDE, allocation_state=AllocationState.STOPPING),
    "its allocation state is unknown": pool("p", WIDE, allocation_state=AllocationState.UNKNOWN),
    "its state is unknown": pool("p", WIDE, state=PoolState.UNKNOWN),
    "autoscale is on": pool("p", WIDE, autoscale=True),
}


@pytest.mark.parametrize("of", NOT_EMPTY_POOLS.values(), ids=NOT_EMPTY_POOLS.keys())
def test_a_pool_is_not_empty_when(of: ObservedPool) -> None:
    assert decision(of) == Wait(reason=CompliantReason.POOL_NOT_EMPTY, message=NOT_EMPTY)


def test_draining_is_not_promised() -> None:
    found = decision(pool("p", WIDE, nodes=1), policy("d", WANTED, strategy=Strategy.DRAIN))
    assert found == Wait(reason=CompliantReason.POOL_NOT_EMPTY, message=f"{NOT_EMPTY} {NOT_DRAINED_NOW}")


def test_a_pool_being_deleted_is_left_alone() -> None:
    found = decision(pool("p", WIDE, state=PoolState.DELETING))
    assert isinstance(found, Wait)
    assert found.reason is CompliantReason.POOL_DELETING


def test_a_suspended_connection_or_policy_writes_nothing() -> None:
    for found, name in (
        (decision(EMPTY, on=connection(suspend=True)), "Connection prod-weu"),
        (decision(EMPTY, policy("ssh", WANTED, suspend=True)), "Policy render/ssh"),
    ):
        assert found == Wait(reason=CompliantReason.SUSPENDED, message=f"{name} is suspended.")


LEFT_ALONE = {
    "it is empty": (EMPTY, CLOSING),
    "it is empty and may be drained": (EMPTY, policy("d", WANTED, strategy=Strategy.DRAIN)),
    "it is busy and may be drained": (pool("p", WIDE, nodes=1), policy("d", WANTED, strategy=Strategy.DRAIN)),
    "its policy is suspended": (EMPTY, policy("ssh", WANTED, suspend=True)),
    "what is declared exceeds a limit": (EMPTY, policy("ssh", wanted("SSH", "deny * priority 1"))),
}


@pytest.mark.parametrize(("of", "by"), LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_a_pool_of_a_leaving_connection_is_left_as_it_is_though(of: ObservedPool, by: AccessPolicy) -> None:
    assert decision(of, by, on=connection(deleting=True)) == Wait(reason=CompliantReason.SUSPENDED, message=LEAVING)


def test_a_limit_is_refused_before_the_service_does() -> None:
    found = decision(pool("p", WIDE, nodes=3), policy("ssh", wanted("SSH", "deny * priority 1")))
    assert found == Stall(
        reason=CompliantReason.LIMIT_EXCEEDED,
        message="endpoints[SSH].rules[0].priority: 1 is not between 150 and 4096.",
    )


SUBNETS = {
    "the pool has one": (pool("p", on=network(WIDE, subnet_id=SUBNET)), CLOSING),
    "the policy wants one": (pool("p"), policy("s", declares=access(manage_endpoints=False, subnet_id=SUBNET))),
}


@pytest.mark.parametrize(("of", "by"), SUBNETS.values(), ids=SUBNETS.keys())
def test_a_shared_key_never_sends_a_subnet(of: ObservedPool, by: AccessPolicy) -> None:
    found = decision(of, by, on=connection(auth=AuthType.SHARED_KEY))
    assert isinstance(found, Stall)
    assert found.reason is CompliantReason.SHARED_KEY_SUBNET
    assert isinstance(decision(of, by), PatchNetwork)


def test_a_shared_key_sends_a_network_without_a_subnet() -> None:
    assert isinstance(decision(EMPTY, on=connection(auth=AuthType.SHARED_KEY)), PatchNetwork)


def latch(of: ObservedPool, by: AccessPolicy, **changes: object) -> Latch:
    made = Latch(
        policy_uid=by.uid,
        policy_generation=by.generation,
        network_digest=network_digest(of),
        reason=CompliantReason.REJECTED,
        code="InvalidPropertyValue",
        message="no",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # each caller names fields of the right types


def test_a_latched_refusal_stands() -> None:
    found = decision(EMPTY, memory=PoolMemory(latch=latch(EMPTY, CLOSING)))
    assert found == Stall(reason=CompliantReason.REJECTED, message="no")


RELEASED = {
    "the policy was edited": latch(EMPTY, CLOSING, policy_generation=0),
    "another policy governs": latch(EMPTY, CLOSING, policy_uid="other"),
    "the network changed": latch(EMPTY, CLOSING, network_digest="other"),
    "it is time for another attempt": latch(EMPTY, CLOSING, retry_at=NOW),
}


@pytest.mark.parametrize("released", RELEASED.values(), ids=RELEASED.keys())
def test_a_latch_is_released_when(released: Latch) -> None:
    assert isinstance(decision(EMPTY, memory=PoolMemory(latch=released)), PatchNetwork)


def test_a_lost_unmanaged_key_stalls_though_what_is_declared_is_in_order() -> None:
    good = pool("p", GOOD)
    memory = PoolMemory(latch=latch(good, CLOSING, reason=CompliantReason.UNEXPECTED_RESULT))
    assert decision(good, memory=memory) == Stall(reason=CompliantReason.UNEXPECTED_RESULT, message="no")
    edited = replace(CLOSING, generation=2)
    assert decision(good, edited, memory=memory) == Nothing(outcome=PoolOutcome.COMPLIANT)
    auditing = replace(CLOSING, mode=Mode.AUDIT)
    assert decision(good, auditing, memory=memory) == Nothing(outcome=PoolOutcome.COMPLIANT)


def test_another_latch_does_not_hide_that_the_pool_is_in_order() -> None:
    good = pool("p", GOOD)
    assert decision(good, memory=PoolMemory(latch=latch(good, CLOSING))) == Nothing(outcome=PoolOutcome.COMPLIANT)


def test_a_denial_is_not_tried_again_before_its_time() -> None:
    denied = latch(EMPTY, CLOSING, reason=CompliantReason.ACCESS_DENIED, retry_at=NOW + MINUTE)
    assert decision(EMPTY, memory=PoolMemory(latch=denied)) == Stall(reason=CompliantReason.ACCESS_DENIED, message="no")


def test_a_contended_pool_is_left_alone_for_a_while() -> None:
    found = decision(EMPTY, memory=PoolMemory(contended_until=NOW + MINUTE))
    assert isinstance(found, Wait)
    assert (found.reason, found.until) == (CompliantReason.CONTENDED, NOW + MINUTE)
    assert isinstance(decision(EMPTY, memory=PoolMemory(contended_until=NOW)), PatchNetwork)


def test_a_pool_that_backs_off_is_left_alone_for_a_while() -> None:
    found = decision(EMPTY, memory=PoolMemory(back_off_until=NOW + MINUTE, back_off_message="busy"))
    assert found == Wait(reason=CompliantReason.BACKING_OFF, message="busy", until=NOW + MINUTE)
    assert isinstance(decision(EMPTY, memory=PoolMemory(back_off_until=NOW)), PatchNetwork)


def test_what_can_never_work_is_told_before_what_needs_time() -> None:
    busy = pool("p", WIDE, nodes=1)
    memory = PoolMemory(latch=latch(busy, CLOSING), contended_until=NOW + MINUTE, back_off_until=NOW + MINUTE)
    told = []
    for remembered in (memory, replace(memory, latch=None), replace(memory, latch=None, contended_until=None)):
        found = decision(busy, memory=remembered)
        assert isinstance(found, Stall | Wait)
        told.append(found.reason)
    assert told == [CompliantReason.REJECTED, CompliantReason.CONTENDED, CompliantReason.POOL_NOT_EMPTY]


IMPLICIT = NodeFindings(nodes=1, implicit_ports=frozenset({3389}))


def test_an_implicit_mapping_is_told_and_never_patched() -> None:
    found = decision(pool("p", GOOD, legacy=True), nodes=IMPLICIT)
    assert isinstance(found, Stall)
    assert found.reason is CompliantReason.IMPLICIT_MAPPING
    assert "implicitMappings[3389]" in found.message
    assert "create the pool anew" in found.message


def test_an_implicit_mapping_is_only_reported_by_an_audit() -> None:
    audited = decision(pool("p", GOOD, legacy=True), policy("a", WANTED, mode=Mode.AUDIT), nodes=IMPLICIT)
    assert audited == Nothing(outcome=PoolOutcome.AUDIT_DRIFT)


def test_real_drift_beside_an_implicit_mapping_is_corrected() -> None:
    assert isinstance(decision(pool("p", WIDE, legacy=True), nodes=IMPLICIT), PatchNetwork)
