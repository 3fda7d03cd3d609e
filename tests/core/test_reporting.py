from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from batchaccess.core.assessment import Assessment, assess
from batchaccess.core.conclusion import conclude
from batchaccess.core.decision import decide
from batchaccess.core.declared import AccessPolicy
from batchaccess.core.memory import NOTHING_REMEMBERED
from batchaccess.core.model import (
    Access,
    IpFamily,
    NodeFindings,
    ObjectKey,
    ObservedPool,
    PortRange,
    Protocol,
    Provisioning,
)
from batchaccess.core.reasons import (
    CompliantReason,
    ConditionStatus,
    ConditionType,
    ConnectionReason,
    DriftClass,
    ExposedReason,
    PoolOutcome,
    RemediatingReason,
)
from batchaccess.core.reporting import (
    MOST_OVERRIDDEN,
    connection_status,
    invalid_connection_message,
    known_exposed_since,
    network_change,
    network_line,
    pool_counts,
    pool_status,
    unreadable_pool_status,
)
from batchaccess.core.saga.breaker import PolicyGeneration
from batchaccess.core.selection import Candidates
from batchaccess.core.status import (
    Change,
    Condition,
    EndpointStatus,
    NetworkStatus,
    PoolCounts,
    PoolStatus,
    RuleStatus,
)
from tests.support.build import NOW, SUBNET, assertion, connection, endpoint, network, policy, pool, wanted
from tests.support.checker import assert_valid_status

LATER = NOW + timedelta(minutes=5)
GOOD, WIDE = endpoint("SSH", "deny * priority 200"), endpoint("SSH", "allow * priority 200 ports 1-9,11")
CLOSING = policy("ssh", wanted("SSH", "deny * priority 200"))
TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


def assessed(of: ObservedPool, *policies: AccessPolicy, nodes: NodeFindings | None = None) -> Assessment:
    account = connection()
    return assess(of, nodes=nodes, connection=account, candidates=Candidates.of(account, policies, {}))


def status(
    of: ObservedPool,
    *policies: AccessPolicy,
    nodes: NodeFindings | None = None,
    previous: tuple[Condition, ...] = (),
    now: object = NOW,
) -> PoolStatus:
    found = assessed(of, *policies, nodes=nodes)
    conclusion = conclude(found, decide(found, connection=connection(), memory=NOTHING_REMEMBERED, now=NOW))
    return pool_status(found, conclusion, generation=1, previous=previous, now=NOW if now is NOW else LATER)


def said(of: PoolStatus) -> dict[ConditionType, tuple[ConditionStatus, str]]:
    assert_valid_status(of)
    return {each.type: (each.status, each.reason) for each in of.conditions}


POOLS = {
    "nothing governs it": (
        status(pool("p", WIDE)),
        (UNKNOWN, CompliantReason.NOT_MANAGED),
        (FALSE, DriftClass.NONE),
        (TRUE, ExposedReason.INTERNET_REACHABLE),
        (FALSE, RemediatingReason.IDLE),
    ),
    "it is as declared": (
        status(pool("p", GOOD), CLOSING),
        (TRUE, CompliantReason.COMPLIANT),
        (FALSE, DriftClass.NONE),
        (FALSE, ExposedReason.NONE),
        (FALSE, RemediatingReason.IDLE),
    ),
    "it differs in spelling": (
        status(pool("p", endpoint("SSH", "deny * priority 999")), CLOSING),
        (TRUE, CompliantReason.COMPLIANT),
        (FALSE, DriftClass.NEUTRAL),
        (FALSE, ExposedReason.NONE),
        (FALSE, RemediatingReason.IDLE),
    ),
    "it waits for being empty": (
        status(pool("p", WIDE, nodes=2), CLOSING),
        (FALSE, CompliantReason.POOL_NOT_EMPTY),
        (TRUE, DriftClass.WIDENING),
        (TRUE, ExposedReason.INTERNET_REACHABLE),
        (FALSE, RemediatingReason.WAITING),
    ),
    "it cannot be corrected": (
        status(pool("p", GOOD, legacy=True), CLOSING, nodes=NodeFindings(nodes=1, implicit_ports=frozenset({3389}))),
        (FALSE, CompliantReason.IMPLICIT_MAPPING),
        (TRUE, DriftClass.IMPLICIT_MAPPING),
        (TRUE, ExposedReason.INTERNET_REACHABLE),
        (FALSE, RemediatingReason.STALLED),
    ),
    "it is a legacy pool whose nodes nobody saw": (
        status(pool("p", GOOD, legacy=True), CLOSING),
        (TRUE, CompliantReason.COMPLIANT),
        (FALSE, DriftClass.NONE),
        (UNKNOWN, ExposedReason.UNDETERMINED),
        (FALSE, RemediatingReason.IDLE),
    ),
    "it cannot be read": (
        unreadable_pool_status("endpointConfiguration is no object", generation=1, previous=(), now=NOW),
        (UNKNOWN, CompliantReason.UNREADABLE),
        (UNKNOWN, CompliantReason.UNREADABLE),
        (UNKNOWN, CompliantReason.UNREADABLE),
        (FALSE, RemediatingReason.IDLE),
    ),
}


@pytest.mark.parametrize(("found", "compliant", "drifted", "exposed", "remediating"), POOLS.values(), ids=POOLS.keys())
def test_the_conditions_of_a_pool_when(
    found: PoolStatus,
    compliant: tuple[ConditionStatus, str],
    drifted: tuple[ConditionStatus, str],
    exposed: tuple[ConditionStatus, str],
    remediating: tuple[ConditionStatus, str],
) -> None:
    assert said(found) == {
        ConditionType.COMPLIANT: compliant,
        ConditionType.DRIFTED: drifted,
        ConditionType.EXPOSED: exposed,
        ConditionType.REMEDIATING: remediating,
    }


def message(of: PoolStatus, type: ConditionType) -> str:
    return next(condition.message for condition in of.conditions if condition.type is type)


def test_drift_is_told_only_where_something_is_declared() -> None:
    assert message(status(pool("p", WIDE)), ConditionType.DRIFTED) == "No policy governs this pool."
    assert message(status(pool("p", WIDE), CLOSING), ConditionType.DRIFTED) == "Widening drift in endpoints[SSH]."


def test_exposure_is_told_endpoint_by_endpoint() -> None:
    web = endpoint("web", "allow AzureCloud", "deny *", port=80, frontend="5000-5100")
    told = message(status(pool("p", endpoint("SSH"), web)), ConditionType.EXPOSED)
    assert told == (
        "SSH (TCP/22): anyone on the Internet (because an endpoint without rules admits everyone, e.g. 8.8.8.8); "
        "web (TCP/80): undetermined: tag AzureCloud "
        "(because rule 200 allows AzureCloud, whose addresses are not known, e.g. 8.8.8.8)."
    )
    assert message(status(pool("p", GOOD)), ConditionType.EXPOSED) == "Nobody on the Internet reaches a node."


def test_what_is_open_is_told_before_what_may_be() -> None:
    maybe = endpoint("a", "allow AzureCloud", "deny *", port=80, frontend="5000-5100")
    told = message(status(pool("p", maybe, endpoint("b", "allow Internet", "deny *"))), ConditionType.EXPOSED)
    assert told.startswith(
        "b (TCP/22): anyone on the Internet (because rule 200 allows Internet, e.g. 8.8.8.8); a (TCP/80): "
    )


def test_that_subnets_are_not_read_is_told_where_there_is_one() -> None:
    told = message(status(pool("p", on=network(GOOD, subnet_id=SUBNET))), ConditionType.EXPOSED)
    assert told == ("Nobody on the Internet reaches a node. Network security groups of the subnet are not read.")


def test_the_network_of_a_pool_is_told_with_who_reaches_it() -> None:
    found = status(
        pool(
            "p",
            on=network(
                WIDE,
                provisioning=Provisioning.USER_MANAGED,
                address_ids=["/ip"],
                ip_families=[IpFamily.IPV4, IpFamily.IPV6],
                accelerated=True,
            ),
            legacy=True,
        )
    ).network
    assert found is not None
    ssh, rdp = found.endpoints
    assert found == NetworkStatus(
        provisioning=Provisioning.USER_MANAGED,
        address_ids=("/ip",),
        ip_families=(IpFamily.IPV4, IpFamily.IPV6),
        subnet_id=None,
        accelerated_networking=True,
        endpoints=(ssh, rdp),
    )
    assert ssh == EndpointStatus(
        name="SSH",
        protocol=Protocol.TCP,
        backend_port=22,
        frontend_ports=PortRange(4000, 4100),
        rules=(
            RuleStatus(priority=200, access=Access.ALLOW, source_address_prefix="*", source_port_ranges=("1-9", "11")),
        ),
        implicit=False,
        internet="Open",
        virtual_network=ssh.virtual_network,
        admits="anyone on the Internet from some source ports",
        because="rule 200 allows everyone, e.g. 8.8.8.8",
    )
    assert (rdp.implicit, rdp.frontend_ports, rdp.rules, rdp.internet) == (True, None, (), "Undetermined")


def test_all_source_ports_are_a_star() -> None:
    found = status(pool("p", GOOD)).network
    assert found is not None
    assert found.endpoints[0].rules[0].source_port_ranges == ("*",)


def test_policies_differences_and_assertions_are_told() -> None:
    others = [policy(f"o{n:02d}", age_days=n) for n in range(MOST_OVERRIDDEN + 1)]
    governing = policy(
        "ssh",
        wanted("SSH", "deny * priority 200"),
        priority=1,
        assertions=[assertion("a", ports=[23]), assertion("b", ports=[22]), assertion("c", not_from=["AzureCloud"])],
    )
    found = status(pool("p", WIDE), *others, governing)
    assert found.policy == ObjectKey(namespace="render", name="ssh")
    assert len(found.overridden) == MOST_OVERRIDDEN
    assert found.overridden[0].name == "o20"
    assert [each.field for each in found.differences] == ["endpoints[SSH]"]
    assert [(each.name, each.holds) for each in found.assertions] == [("b", FALSE), ("c", UNKNOWN), ("a", TRUE)]


def test_the_same_facts_give_an_equal_status() -> None:
    first = status(pool("p", WIDE, nodes=2), CLOSING)
    assert status(pool("p", WIDE, nodes=7, etag="0x9"), CLOSING, previous=first.conditions, now=LATER) == first


def test_only_what_flips_is_dated_anew() -> None:
    first = status(pool("p", WIDE, nodes=2), CLOSING)
    then = status(pool("p", GOOD), CLOSING, previous=first.conditions, now=LATER)
    assert {each.type: each.last_transition_time for each in then.conditions} == {
        ConditionType.COMPLIANT: LATER,
        ConditionType.DRIFTED: LATER,
        ConditionType.EXPOSED: LATER,
        ConditionType.REMEDIATING: NOW,
    }


def test_a_change_is_told_in_one_line_before_and_after() -> None:
    change = network_change(
        CLOSING.key,
        before=network(endpoint("SSH")),
        after=network(GOOD),
        time=NOW + timedelta(microseconds=5),
    )
    assert change == Change(
        policy=CLOSING.key,
        time=NOW,
        before="SSH (TCP/22): anyone on the Internet (because an endpoint without rules admits everyone, e.g. 8.8.8.8)",
        after="SSH (TCP/22): nobody",
    )
    assert network_line(network()) == "no endpoints"


def test_a_line_names_the_rule_to_blame_for_what_the_internet_gets_and_no_other() -> None:
    office = endpoint("SSH", "allow 20.50.1.0/24 priority 170", "deny *")
    web = endpoint("web", "allow 10.0.0.0/8", "deny *", port=80, frontend="5000-5100")
    assert network_line(network(office, web)) == (
        "SSH (TCP/22): 20.50.1.0/24 (because rule 170 allows 20.50.1.0/24, e.g. 20.50.1.0); web (TCP/80): 10.0.0.0/8"
    )


def test_five_endpoints_with_the_longest_names_fit_in_a_line() -> None:
    most = network(*(endpoint(f"{n}{'n' * 76}", "allow AzureCloud", port=n, frontend="1-50") for n in range(1, 6)))
    assert not network_line(most).endswith("...")


EARLIER = NOW - timedelta(hours=2)
SINCE: dict[str, tuple[ObservedPool, datetime | None, datetime | None]] = {
    "it was not open": (replace(pool("p", GOOD), last_modified=EARLIER), None, None),
    "it may have been open": (
        replace(pool("p", endpoint("SSH", "allow AzureCloud", "deny *")), last_modified=EARLIER),
        None,
        None,
    ),
    "it was seen open before": (pool("p", WIDE), EARLIER, EARLIER),
    "it was seen open before, and modified meanwhile": (replace(pool("p", WIDE), last_modified=NOW), EARLIER, EARLIER),
    "it was opened before it was seen": (
        replace(pool("p", WIDE), last_modified=EARLIER),
        NOW - timedelta(hours=1),
        EARLIER,
    ),
    "it was found open by the look that corrected it": (
        replace(pool("p", WIDE), last_modified=EARLIER),
        None,
        EARLIER,
    ),
    "the same, and the service does not say when it was modified": (pool("p", WIDE), None, NOW),
    "the service's clock is ahead": (replace(pool("p", WIDE), last_modified=LATER), None, NOW),
}


@pytest.mark.parametrize(("before", "seen", "expected"), SINCE.values(), ids=SINCE.keys())
def test_since_when_a_corrected_pool_is_known_to_have_been_open(
    before: ObservedPool, seen: datetime | None, expected: datetime | None
) -> None:
    told = status(pool("p", WIDE)).conditions
    conditions = () if seen is None else [replace(condition, last_transition_time=seen) for condition in told]
    assert known_exposed_since(assessed(before), conditions, changed=NOW) == expected


def test_a_mapping_of_the_service_itself_is_not_dated_by_the_pool() -> None:
    mapped = replace(pool("p", legacy=True), last_modified=EARLIER)
    nodes = NodeFindings(nodes=1, implicit_ports=frozenset({22}))
    assert known_exposed_since(assessed(mapped, nodes=nodes), (), changed=NOW) == NOW


def test_what_is_handed_in_is_told_again() -> None:
    change = network_change(CLOSING.key, before=network(), after=network(), time=NOW)
    found = assessed(pool("p"))
    conclusion = conclude(found, decide(found, connection=connection(), memory=NOTHING_REMEMBERED, now=NOW))
    under = PolicyGeneration(uid="u", generation=2)
    again: Any = {"previous": (), "now": NOW, "last_change": change, "in_order_under": under, "requested_at": "again"}
    told = pool_status(found, conclusion, generation=3, **again)
    unread = unreadable_pool_status("no id", generation=3, **again)
    for each in (told, unread):
        assert each.in_order_under == under
        assert (each.last_change, each.last_handled_requested_at, each.observed_generation) == (change, "again", 3)
    assert told.policy is None
    assert unread.network is None


def test_every_outcome_is_counted_once() -> None:
    outcomes = [*PoolOutcome, PoolOutcome.COMPLIANT]
    exposed = [ExposedReason.INTERNET_REACHABLE, *([ExposedReason.UNDETERMINED] * (len(outcomes) - 1))]
    assert pool_counts(zip(outcomes, exposed, strict=True)) == PoolCounts(
        total=9,
        compliant=3,
        drifted=1,
        pending=1,
        stalled=1,
        violating=1,
        unmanaged=1,
        unknown=1,
        internet_reachable=1,
    )
    assert pool_counts([]) == PoolCounts()


@pytest.mark.parametrize("reason", ConnectionReason)
def test_a_connection_is_ready_exactly_if_it_works(reason: ConnectionReason) -> None:
    found = connection_status(
        reason, "It is so.", pools=PoolCounts(total=1, unknown=1), generation=2, previous=(), now=NOW, requested_at="x"
    )
    assert_valid_status(found)
    works = reason in (ConnectionReason.CONNECTED, ConnectionReason.SUSPENDED)
    assert found.conditions[0].status is (TRUE if works else FALSE)
    assert (found.observed_generation, found.last_handled_requested_at) == (2, "x")


def test_an_invalid_connection_tells_its_problems() -> None:
    assert invalid_connection_message([("spec.endpoint", "is no URL"), ("spec.auth", "is missing")]) == (
        "spec.endpoint: is no URL, spec.auth: is missing."
    )
