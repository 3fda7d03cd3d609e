from batchaccess.core.assessment import Assessment, assess, danger
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.model import (
    NodeFindings,
    ObjectKey,
    ObservedPool,
)
from batchaccess.core.reasons import ConditionStatus, DriftClass, ExposedReason
from batchaccess.core.selection import Candidates
from tests.support.build import assertion, connection, endpoint, network, policy, pool, wanted


def assessed(
    of: ObservedPool,
    *policies: AccessPolicy,
    on: AccountConnection | None = None,
    nodes: NodeFindings | None = None,
) -> Assessment:
    account = on or connection()
    return assess(of, nodes=nodes, connection=account, candidates=Candidates.of(account, policies, {}))


def test_a_pool_that_nothing_selects_is_still_looked_at() -> None:
    found = assessed(pool("p", endpoint("SSH")), on=connection(forbid=[22]))
    assert (found.policy, found.desired, found.overridden, found.assertions) == (None, None, (), ())
    assert found.exposed is ExposedReason.INTERNET_REACHABLE
    assert [each.endpoint for each in found.guardrail_violations] == ["SSH"]


def test_a_governed_pool_is_compared_with_its_policy() -> None:
    winner = policy("w", wanted("SSH", "deny * priority 100"), priority=1, assertions=[assertion("a", ports=[22])])
    loser = policy("l", assertions=[assertion("b", ports=[23])])
    found = assessed(pool("p", endpoint("SSH")), loser, winner)
    assert found.policy is winner
    assert found.overridden == (ObjectKey(namespace="render", name="l"),)
    assert found.desired == network(endpoint("SSH", "deny * priority 100"))
    assert [each.field for each in found.violations] == ["endpoints[SSH].rules[0].priority"]
    assert found.drift.kind is DriftClass.WIDENING
    assert [(each.name, each.holds) for each in found.assertions] == [
        ("b", ConditionStatus.TRUE),
        ("a", ConditionStatus.FALSE),
    ]
    assert [each.name for each in found.failed_assertions] == ["a"]


def test_nodes_of_a_legacy_pool_count() -> None:
    legacy = pool("p", legacy=True)
    assert assessed(legacy).exposed is ExposedReason.UNDETERMINED
    assert assessed(legacy, nodes=NodeFindings(nodes=1)).exposed is ExposedReason.NONE
    found = assessed(legacy, policy("p"), nodes=NodeFindings(nodes=1, implicit_ports=frozenset({22})))
    assert found.exposed is ExposedReason.INTERNET_REACHABLE
    assert found.drift.kind is DriftClass.IMPLICIT_MAPPING


def test_the_most_dangerous_pool_comes_first() -> None:
    closed = wanted("SSH", "deny *")
    pools = {
        "widening, reachable from the whole Internet": pool("z", endpoint("SSH", "allow *")),
        "widening, reachable from a large network": pool("v", endpoint("SSH", "allow 20.0.0.0/8", "deny *")),
        "widening, reachable from an office": pool("d", endpoint("SSH", "allow 20.50.1.0/24", "deny *")),
        "widening, perhaps reachable": pool("y", endpoint("SSH", "allow AzureCloud", "deny *")),
        "widening, private": pool("x", endpoint("SSH", "allow 10.0.0.0/8", "deny *")),
        "configuration, reachable through a legacy mapping": pool("w", legacy=True),
        "configuration": pool("b", endpoint("SSH", "deny *", frontend="5000-5100")),
        "nothing": pool("a", endpoint("SSH", "deny *")),
        "nothing, later by id": pool("c", endpoint("SSH", "deny *")),
    }
    ordered = sorted(pools, key=lambda name: danger(assessed(pools[name], policy("p", closed))), reverse=False)
    assert ordered == list(pools)
