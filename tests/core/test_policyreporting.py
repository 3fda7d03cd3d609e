from itertools import pairwise, permutations

import pytest

from batchaccess.core.acceptance import accept, invalid
from batchaccess.core.declared import (
    Mode,
)
from batchaccess.core.memory import PoolMemory
from batchaccess.core.model import (
    InboundEndpoint,
    NodeFindings,
    ObjectKey,
)
from batchaccess.core.policyreporting import invalid_policy_status, policy_status
from batchaccess.core.reasons import CompliantReason, ConditionStatus, ConditionType, ConnectionReason
from batchaccess.core.status import PolicyStatus, PoolCounts, PoolNotInOrder
from batchaccess.core.tally import MOST_NOT_IN_ORDER, MOST_WINNERS, PolicyTally, merged, tally_policies
from tests.core.policystatuses import GOOD, LATER, WANTED, WIDE, latched, message, record, short, status
from tests.support.build import NOW, assertion, connection, endpoint, policy, pool, wanted
from tests.support.checker import assert_valid_status

P = policy("ssh", WANTED)
AUDIT = policy("ssh", WANTED, mode=Mode.AUDIT)
OPENING = policy("ssh", wanted("SSH", "allow * priority 200"), assertions=[assertion("a", ports=[22])])
AUDIT_OPENING = policy(
    "ssh", wanted("SSH", "allow * priority 200"), assertions=[assertion("a", ports=[22])], mode=Mode.AUDIT
)
WINNER = policy("winner", WANTED, priority=5)
BAD = pool("bad", WIDE)
BUSY = pool("busy", WIDE, nodes=2)

STATUSES = {
    "no sweep has looked": (
        status(P, swept=False),
        "Ready=Unknown/NotObserved Accepted=True/Accepted Enforced=Unknown/NotObserved Reconciling=True/NotObserved",
    ),
    "nothing is selected": (
        status(P),
        "Ready=True/NothingSelected Accepted=True/Accepted Enforced=Unknown/NothingSelected",
    ),
    "every pool is as declared": (
        status(P, record(pool("p", GOOD), P)),
        "Ready=True/Enforced Accepted=True/Accepted Enforced=True/Enforced",
    ),
    "an audit finds everything as declared": (
        status(AUDIT, record(pool("p", GOOD), AUDIT)),
        "Ready=True/AuditOnly Accepted=True/Accepted Enforced=True/AuditOnly",
    ),
    "an audit finds drift": (
        status(AUDIT, record(BAD, AUDIT), record(pool("p", GOOD), AUDIT)),
        "Ready=True/AuditOnly Accepted=True/Accepted Enforced=False/AuditOnly",
    ),
    "a pool is about to be corrected": (
        status(P, record(BAD, P)),
        "Ready=False/Pending Accepted=True/Accepted Enforced=False/Pending Reconciling=True/Pending",
    ),
    "a pool is not empty": (
        status(P, record(BUSY, P), record(pool("p", GOOD), P)),
        "Ready=False/Pending Accepted=True/Accepted Enforced=False/Pending Reconciling=True/Pending",
    ),
    "a pool backs off": (
        status(P, record(BAD, P, memory=PoolMemory(back_off_until=LATER, back_off_message="Busy."))),
        "Ready=False/BackingOff Accepted=True/Accepted Enforced=Unknown/BackingOff Reconciling=True/BackingOff",
    ),
    "a pool is contended": (
        status(P, record(BUSY, P), record(BAD, P, memory=PoolMemory(contended_until=LATER))),
        "Ready=False/Contended Accepted=True/Accepted Enforced=False/Contended Reconciling=True/Contended",
    ),
    "the service denies": (
        status(P, record(BUSY, P), record(BAD, P, memory=latched(CompliantReason.ACCESS_DENIED, BAD, P))),
        "Ready=False/AccessDenied Accepted=True/Accepted Enforced=False/AccessDenied Stalled=True/AccessDenied",
    ),
    "the service rejects": (
        status(P, record(BAD, P, memory=latched(CompliantReason.REJECTED, BAD, P))),
        "Ready=False/Rejected Accepted=True/Accepted Enforced=False/Rejected Stalled=True/Rejected",
    ),
    "a mapping cannot be removed": (
        status(
            P, record(pool("p", GOOD, legacy=True), P, nodes=NodeFindings(nodes=1, implicit_ports=frozenset({3389})))
        ),
        (
            "Ready=False/ImplicitMapping Accepted=True/Accepted Enforced=False/ImplicitMapping "
            "Stalled=True/ImplicitMapping"
        ),
    ),
    "the policy is suspended": (
        status(policy("ssh", WANTED, suspend=True), record(BAD, policy("ssh", WANTED, suspend=True))),
        "Ready=True/Suspended Accepted=True/Accepted Enforced=False/Suspended",
    ),
    "it is being deleted and no sweep has looked since": (
        status(policy("ssh", WANTED, deleting=True), swept=False),
        "Ready=False/Deleting Accepted=True/Accepted Enforced=False/Deleting Reconciling=True/Deleting",
    ),
    "it is being deleted and governs nothing any more": (
        status(policy("ssh", WANTED, deleting=True)),
        "Ready=False/Deleting Accepted=True/Accepted Enforced=False/Deleting Reconciling=True/Deleting",
    ),
    "others govern every pool": (
        status(P, record(pool("p", GOOD), P, WINNER)),
        "Ready=False/Overridden Accepted=True/Accepted Enforced=False/Overridden Stalled=True/Overridden",
    ),
    "others govern some pools": (
        status(P, record(pool("p", GOOD), P, WINNER), record(pool("q", GOOD), P)),
        "Ready=True/Enforced Accepted=True/Accepted Enforced=True/Enforced",
    ),
    "an assertion of its own fails": (
        status(OPENING, record(BAD, OPENING)),
        (
            "Ready=False/AssertionViolated Accepted=True/Accepted Enforced=False/AssertionViolated "
            "Stalled=True/AssertionViolated"
        ),
    ),
    "an assertion of its own fails and another pool waits": (
        status(OPENING, record(BAD, OPENING), record(pool("busy", GOOD, nodes=1), OPENING)),
        (
            "Ready=False/AssertionViolated Accepted=True/Accepted Enforced=False/AssertionViolated "
            "Stalled=True/AssertionViolated"
        ),
    ),
    "an assertion of an audit fails": (
        status(AUDIT_OPENING, record(BAD, AUDIT_OPENING)),
        "Ready=True/AuditOnly Accepted=True/Accepted Enforced=False/AuditOnly",
    ),
    "an assertion of another policy fails": (
        status(
            OPENS := policy("opens", wanted("SSH", "allow * priority 200"), priority=1),
            record(BAD, OPENS, policy("other", assertions=[assertion("a", ports=[22])])),
        ),
        "Ready=True/Enforced Accepted=True/Accepted Enforced=True/Enforced",
    ),
}


@pytest.mark.parametrize(("found", "conditions"), STATUSES.values(), ids=STATUSES.keys())
def test_the_conditions_of_a_policy_when(found: PolicyStatus, conditions: str) -> None:
    assert short(found) == conditions


def test_a_limit_exceeded_stalls() -> None:
    beyond = policy("ssh", wanted("SSH", "deny * priority 1"))
    found = status(beyond, record(BAD, beyond))
    assert "Enforced=False/LimitExceeded Stalled=True/LimitExceeded" in short(found)
    assert found.not_in_order[0].reason == "LimitExceeded"


EVERY_REASON = [
    CompliantReason.ACCESS_DENIED,
    CompliantReason.REJECTED,
    CompliantReason.UNEXPECTED_RESULT,
    CompliantReason.PRECONDITION_UNSUPPORTED,
]


@pytest.mark.parametrize(("heavier", "lighter"), list(pairwise(EVERY_REASON)))
def test_the_weightiest_reason_of_any_pool_is_that_of_the_policy(
    heavier: CompliantReason, lighter: CompliantReason
) -> None:
    other = pool("other", WIDE)
    found = status(
        P, record(BAD, P, memory=latched(lighter, BAD, P)), record(other, P, memory=latched(heavier, other, P))
    )
    assert found.conditions[0].reason == heavier


def test_messages_name_causes_and_winners_but_no_numbers() -> None:
    stalled = record(BAD, P, memory=latched(CompliantReason.REJECTED, BAD, P))
    found = status(P, stalled, record(BUSY, P), record(pool("o", GOOD), P, WINNER))
    assert message(found, ConditionType.ENFORCED) == (
        "Not every pool is as declared: PoolNotEmpty, Rejected; see status.notInOrder. "
        "Other policies govern some that it selects: render/winner."
    )
    lost = status(P, record(pool("o", GOOD), P, WINNER))
    assert message(lost, ConditionType.ENFORCED) == "Every pool it selects is governed by others: render/winner."
    both = status(P, record(pool("p", GOOD), P), record(pool("o", GOOD), P, WINNER))
    assert message(both, ConditionType.ENFORCED) == (
        "Every pool that the policy governs is as declared. Other policies govern some that it selects: render/winner."
    )


def test_an_assertion_that_fails_on_a_pool_that_waits_is_named_beside_it() -> None:
    elsewhere = pool("busy", endpoint("SSH", "allow * priority 200", frontend="5000-5100"), nodes=1)
    found = status(OPENING, record(elsewhere, OPENING))
    assert message(found, ConditionType.ENFORCED) == (
        "Not every pool is as declared: PoolNotEmpty, AssertionViolated; see status.notInOrder."
    )


def test_pools_are_counted_exactly_and_those_not_in_order_listed() -> None:
    found = status(
        P,
        record(pool("Good", GOOD), P),
        record(BUSY, P),
        record(BAD, P, memory=latched(CompliantReason.REJECTED, BAD, P)),
        record(pool("lost", GOOD), P, WINNER),
        record(pool("foreign", WIDE)),
    )
    assert found.pools == PoolCounts(total=3, compliant=1, pending=1, stalled=1, internet_reachable=2)
    assert found.overridden == 1
    assert [(each.name, each.reason) for each in found.not_in_order] == [
        ("prod-weu.bad", "Rejected"),
        ("prod-weu.busy", "PoolNotEmpty"),
    ]
    assert found.not_in_order[0] == PoolNotInOrder(
        name="prod-weu.bad",
        connection="prod-weu",
        pool_id="bad",
        reason="Rejected",
        message="It said no. Widening drift in endpoints[SSH].",
    )


def test_a_loser_is_told_where_its_assertions_fail() -> None:
    loser = policy("loser", assertions=[assertion("b", ports=[22]), assertion("a", ports=[22])])
    opens = policy("opens", wanted("SSH", "allow * priority 200"), priority=9)
    tally = tally_policies("prod-weu", [record(BAD, loser, opens)])[loser.key]
    assert (tally.overridden, tally.failed_assertions, tally.winners) == (1, 1, (opens.key,))
    assert tally.pools == PoolCounts()
    assert [(each.pool_id, each.reason, each.message) for each in tally.not_in_order] == [
        ("bad", "AssertionViolated", "Assertion a: Internet reaches SSH (TCP/22).")
    ]


def test_lists_are_capped_and_counts_are_not() -> None:
    busy = [record(pool(f"b{n:03d}", WIDE, nodes=1), P) for n in range(MOST_NOT_IN_ORDER + 5)]
    winners = [policy(f"w{n}", WANTED, priority=n + 1, ids=[f"o{n}"]) for n in range(MOST_WINNERS + 2)]
    lost = [record(pool(f"o{n}", GOOD), P, *winners) for n in range(len(winners))]
    tally = tally_policies("prod-weu", [*reversed(busy), *lost])[P.key]
    assert tally.pools.pending == MOST_NOT_IN_ORDER + 5
    assert [each.pool_id for each in tally.not_in_order] == [f"b{n:03d}" for n in range(MOST_NOT_IN_ORDER)]
    assert tally.overridden == len(winners)
    assert [key.name for key in tally.winners] == ["w0", "w1", "w2", "w3", "w4"]


def test_tallies_of_connections_add_up_in_any_order() -> None:
    loser = policy("ssh", WANTED, assertions=[assertion("x", ports=[22])], connections=["a", "b", "c"])
    winner = policy("winner", wanted("SSH", "allow * priority 200"), priority=5, connections=["c"])
    tallies = [
        tally_policies("a", [record(pool("p", GOOD), loser, on="a"), record(BUSY, loser, on="a")])[loser.key],
        tally_policies("b", [record(BAD, loser, on="b")])[loser.key],
        tally_policies("c", [record(BAD, loser, winner, on="c")])[loser.key],
    ]
    expected = merged(tallies)
    assert expected.pools == PoolCounts(total=3, compliant=1, pending=2, internet_reachable=2)
    assert (expected.overridden, expected.failed_assertions) == (1, 3)
    assert expected.winners == (ObjectKey(namespace="render", name="winner"),)
    assert expected.reasons == {CompliantReason.POOL_NOT_EMPTY, CompliantReason.CORRECTING}
    assert [each.name for each in expected.not_in_order] == ["a.busy", "b.bad", "c.bad"]
    assert all(merged(order) == expected for order in permutations(tallies))
    assert merged([]) == PolicyTally()


def test_every_count_is_added_up() -> None:
    one = PoolCounts(
        total=1, compliant=2, drifted=3, pending=4, stalled=5, violating=6, unmanaged=7, unknown=8, internet_reachable=9
    )
    assert merged([PolicyTally(pools=one), PolicyTally(pools=one)]).pools == PoolCounts(
        total=2,
        compliant=4,
        drifted=6,
        pending=8,
        stalled=10,
        violating=12,
        unmanaged=14,
        unknown=16,
        internet_reachable=18,
    )


def test_what_is_not_accepted_is_neither_enforced_nor_ready() -> None:
    refused = accept(P, [connection(grants=[])], {})
    tally = tally_policies("prod-weu", [record(BUSY, P)])[P.key]
    found = policy_status(P, refused, tally, previous=(), now=NOW, requested_at="x")
    assert_valid_status(found)
    assert short(found) == (
        "Ready=False/NotPermitted Accepted=False/NotPermitted Enforced=False/NotAccepted Stalled=True/NotPermitted"
    )
    assert found.pools == PoolCounts()
    assert found.not_in_order == ()
    assert found.connections == refused.targets
    assert found.last_handled_requested_at == "x"


def test_an_invalid_policy_says_so() -> None:
    found = invalid_policy_status(
        invalid([("spec.remediation.windows[0].schedule", "is no cron line")]), generation=4, previous=(), now=NOW
    )
    assert_valid_status(found)
    assert short(found) == "Ready=False/Invalid Accepted=False/Invalid Enforced=False/NotAccepted Stalled=True/Invalid"
    assert message(found, ConditionType.READY) == "spec.remediation.windows[0].schedule: is no cron line."
    assert found.observed_generation == 4


def test_recovering_moves_only_what_flips_and_drops_what_was_abnormal() -> None:
    before = status(P, record(BUSY, P))
    after = status(P, record(pool("busy", GOOD, nodes=2), P), previous=before.conditions)
    assert {each.type: (each.status, each.last_transition_time) for each in after.conditions} == {
        ConditionType.READY: (ConditionStatus.TRUE, LATER),
        ConditionType.ACCEPTED: (ConditionStatus.TRUE, NOW),
        ConditionType.ENFORCED: (ConditionStatus.TRUE, LATER),
    }


def test_the_same_facts_give_an_equal_status() -> None:
    first = status(P, record(BUSY, P))
    assert status(P, record(pool("busy", WIDE, nodes=9), P), previous=first.conditions) == first


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        pytest.param(GOOD, "Unknown NotObserved", id="others in order: nothing is claimed of the whole"),
        pytest.param(WIDE, "False Rejected", id="others not in order: that stands whatever the missing ones are"),
    ],
)
def test_pools_that_cannot_be_observed(of: InboundEndpoint, expected: str) -> None:
    by = policy("ssh", WANTED)
    observed = pool("p", of)
    tally = tally_policies("prod-weu", [record(observed, by, memory=latched(CompliantReason.REJECTED, observed, by))])
    found = policy_status(
        by,
        accept(by, [connection()], {}),
        tally[by.key],
        previous=(),
        now=NOW,
        unobserved={"prod-neu": ConnectionReason.UNREACHABLE},
    )
    assert_valid_status(found)
    (enforced,) = [each for each in found.conditions if each.type is ConditionType.ENFORCED]
    assert f"{enforced.status} {enforced.reason}" == expected
    assert "prod-neu (Unreachable)" in enforced.message
    assert found.pools == tally[by.key].pools
