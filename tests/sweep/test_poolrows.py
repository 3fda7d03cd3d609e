"""What the metrics show of one pool: which ports the Internet reaches, and which of them somebody closes."""

from batchaccess.core.assessment import assess
from batchaccess.core.conclusion import conclude
from batchaccess.core.decision import Nothing
from batchaccess.core.declared import AccessPolicy
from batchaccess.core.model import IpFamily, ObjectKey, ObservedPool
from batchaccess.core.reasons import PoolOutcome
from batchaccess.core.selection import Candidates
from batchaccess.sweep.poolrows import pool_row
from batchaccess.telemetry.rows import PoolRow
from tests.support.build import assertion, connection, endpoint, network, policy, pool, wanted

OFFICE = policy("office", wanted("SSH", allow_from=["20.50.1.0/24"]))


def row(of: ObservedPool, *policies: AccessPolicy) -> PoolRow:
    account = connection()
    assessment = assess(of, nodes=None, connection=account, candidates=Candidates.of(account, policies, {}))
    return pool_row(assessment, conclude(assessment, Nothing(outcome=PoolOutcome.AUDIT_DRIFT)), ())


def on(*endpoints_of_ssh: str) -> ObservedPool:
    return pool("p", endpoint("SSH", *endpoints_of_ssh))


def test_a_pool_that_everyone_reaches_though_one_office_may_is_in_violation() -> None:
    found = row(on("allow *"), OFFICE)
    assert found.internet_open_ports == {22}
    assert found.violating_ports == {22}


def test_a_pool_that_everyone_reaches_though_a_service_tag_may_is_in_violation() -> None:
    assert row(on("allow *"), policy("cloud", wanted("SSH", allow_from=["AzureCloud"]))).violating_ports == {22}


def test_a_pool_that_only_the_office_reaches_is_open_and_in_order() -> None:
    found = row(on("allow 20.50.1.0/24", "deny *"), OFFICE)
    assert found.internet_open_ports == {22}
    assert found.violating_ports == set()
    assert found.exposed_addresses[IpFamily.IPV4] == 256


def test_open_and_undetermined_ports_are_told_apart() -> None:
    both = network(endpoint("SSH"), endpoint("web", "allow AzureCloud", "deny *", port=80))
    found = row(pool("p", on=both), OFFICE)
    assert found.internet_open_ports == {22}
    assert found.internet_undetermined_ports == {80}


def test_a_policy_that_is_overridden_still_forbids_by_its_assertions() -> None:
    governing = policy("governs", wanted("SSH", allow_from=["*"]), priority=1)
    asserting = policy("asserts", assertions=[assertion(not_from=["0.0.0.0/0"])])
    found = row(on("allow *"), governing, asserting)
    assert found.policy == ObjectKey(namespace="render", name="governs")
    assert found.violating_ports == {22}


def test_assertions_that_fail_are_counted_by_policy_whoever_governs_and_whether_or_not_the_pool_drifts() -> None:
    inside = [assertion("a", not_from=["VirtualNetwork"]), assertion("b", not_from=["10.0.0.0/8"])]
    holding = assertion("c", ports=[23])
    asserting = policy("asserts", assertions=[*inside, holding])
    governing = policy("governs", wanted("SSH"), priority=1, assertions=[holding])
    found = row(on("allow VirtualNetwork", "allow 10.0.0.0/8", "deny *"), governing, asserting)
    assert found.outcome is PoolOutcome.AUDIT_DRIFT
    assert found.failed_assertions == {ObjectKey(namespace="render", name="asserts"): 2}
    assert found.violating_ports == set()
