from batchaccess.core.acceptance import accept, invalid
from batchaccess.core.assessment import assess
from batchaccess.core.conclusion import conclude
from batchaccess.core.decision import decide
from batchaccess.core.memory import NOTHING_REMEMBERED
from batchaccess.core.policyreporting import invalid_policy_status, policy_status
from batchaccess.core.reasons import ConditionType
from batchaccess.core.selection import Candidates
from batchaccess.core.status import PoolCounts
from batchaccess.core.tally import PoolRecord, tally_policies
from tests.core.policystatuses import GOOD, WANTED, WIDE, message, short
from tests.support.build import NOW, connection, policy, pool
from tests.support.checker import assert_valid_status

P, BAD = policy("ssh", WANTED), pool("bad", WIDE)


def test_a_policy_being_deleted_names_the_pools_that_it_stays_for_accepted_or_not() -> None:
    going = policy("ssh", WANTED, deleting=True)
    for connections in ([connection()], []):
        found = policy_status(
            going, accept(going, connections, {}), None, previous=(), now=NOW, restoring=["prod-weu.busy"]
        )
        assert_valid_status(found)
        for telling in (ConditionType.READY, ConditionType.ENFORCED, ConditionType.RECONCILING):
            said = message(found, telling)
            assert said == "Being deleted; the scale of prod-weu.busy is brought back first."


def test_an_invalid_policy_being_deleted_names_them_too() -> None:
    found = invalid_policy_status(
        invalid([("spec.priority", "is too high")]),
        generation=2,
        previous=(),
        now=NOW,
        deleting=True,
        restoring=["prod-weu.busy"],
    )
    assert_valid_status(found)
    assert short(found) == (
        "Ready=False/Deleting Accepted=False/Invalid Enforced=False/Deleting Reconciling=True/Deleting"
    )


def test_a_policy_names_the_connections_on_which_nothing_is_begun_and_keeps_its_pools() -> None:
    account = connection(deleting=True)
    records = []
    for of in (pool("p", GOOD), BAD):
        assessment = assess(of, nodes=None, connection=account, candidates=Candidates.of(account, [P], {}))
        decided = decide(assessment, connection=account, memory=NOTHING_REMEMBERED, now=NOW)
        records.append(PoolRecord(assessment, conclude(assessment, decided)))
    tally = tally_policies("prod-weu", records)[P.key]
    found = policy_status(P, accept(P, [account], {}), tally, previous=(), now=NOW, leaving=["prod-weu"])
    assert_valid_status(found)
    assert short(found) == "Ready=True/Suspended Accepted=True/Accepted Enforced=False/Suspended"
    assert message(found, ConditionType.ENFORCED) == (
        "Not every pool is as declared: Suspended; see status.notInOrder. "
        "Nothing is begun on connections that are being deleted or left: prod-weu."
    )
    assert found.pools == PoolCounts(total=2, compliant=1, pending=1, internet_reachable=1)
