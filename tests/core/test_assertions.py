import pytest

from batchaccess.core.assertions import evaluate_assertions, guardrail_violations
from batchaccess.core.declared import Assertion
from batchaccess.core.model import (
    Network,
    NodeFindings,
    ObjectKey,
    Protocol,
    Provisioning,
)
from batchaccess.core.reachability import reachability
from batchaccess.core.reasons import ConditionStatus
from tests.support.build import SUBNET, assertion, endpoint, network, policy

CLOSED = endpoint("SSH", "allow 10.0.0.0/8", "deny *")
OPEN = endpoint("SSH", "allow 20.0.0.0/8", "deny *")
TAGGED = endpoint("SSH", "allow AzureCloud", "deny *")
WEB = endpoint("web", port=80, frontend="5000-5100")

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN

ASSERTIONS: dict[str, tuple[Network, Assertion, ConditionStatus, str]] = {
    "the Internet gets in": (
        network(OPEN),
        assertion(ports=[22]),
        FALSE,
        "Internet reaches SSH (TCP/22).",
    ),
    "the Internet is kept out": (network(CLOSED), assertion(ports=[22]), TRUE, "It holds."),
    "the Internet may get in": (
        network(TAGGED),
        assertion(ports=[22]),
        UNKNOWN,
        "Internet may reach SSH (TCP/22).",
    ),
    "another port is open": (network(CLOSED, WEB), assertion(ports=[22]), TRUE, "It holds."),
    "no ports means all ports": (network(CLOSED, WEB), assertion(), FALSE, "Internet reaches web (TCP/80)."),
    "a port that nothing maps is closed to the Internet": (network(), assertion(ports=[22]), TRUE, "It holds."),
    "a pool without public addresses": (
        network(OPEN, provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES),
        assertion(),
        TRUE,
        "It holds.",
    ),
    "the virtual network gets in": (
        network(endpoint("SSH", "allow VirtualNetwork", "deny *"), subnet_id=SUBNET),
        assertion(ports=[22], not_from=["VirtualNetwork"]),
        FALSE,
        "VirtualNetwork reaches SSH (TCP/22).",
    ),
    "the virtual network is denied": (
        network(endpoint("SSH", "deny *"), subnet_id=SUBNET),
        assertion(ports=[22], not_from=["VirtualNetwork"]),
        TRUE,
        "It holds.",
    ),
    "a port that nothing maps is not settled within the subnet": (
        network(subnet_id=SUBNET),
        assertion(ports=[22], not_from=["VirtualNetwork"]),
        UNKNOWN,
        "VirtualNetwork may reach port 22, which no endpoint maps.",
    ),
    "all ports are not settled within the subnet": (
        network(endpoint("SSH", "deny *"), subnet_id=SUBNET),
        assertion(not_from=["VirtualNetwork"]),
        UNKNOWN,
        "VirtualNetwork may reach a port that no endpoint maps.",
    ),
    "a private range gets in": (
        network(CLOSED),
        assertion(ports=[22], not_from=["10.1.0.0/16"]),
        FALSE,
        "10.1.0.0/16 reaches SSH (TCP/22).",
    ),
    "a range is kept out": (network(CLOSED), assertion(ports=[22], not_from=["192.168.0.0/16"]), TRUE, "It holds."),
    "a range of which only a part gets in": (
        network(CLOSED),
        assertion(ports=[22], not_from=["8.0.0.0/6"]),
        FALSE,
        "8.0.0.0/6 reaches SSH (TCP/22).",
    ),
    "a range and a port that nothing maps": (
        network(),
        assertion(ports=[22], not_from=["8.8.8.8"]),
        TRUE,
        "It holds.",
    ),
    "a private range and a port that nothing maps in a subnet": (
        network(subnet_id=SUBNET),
        assertion(ports=[22], not_from=["10.0.0.0/8"]),
        UNKNOWN,
        "10.0.0.0/8 may reach port 22, which no endpoint maps.",
    ),
    "a tag whose addresses nobody knows": (
        network(CLOSED),
        assertion(ports=[22, 23], not_from=["AzureCloud"]),
        UNKNOWN,
        "AzureCloud may reach SSH (TCP/22); AzureCloud may reach port 23, which no endpoint maps.",
    ),
    "what fails is told rather than what is unsure": (
        network(TAGGED, WEB),
        assertion(),
        FALSE,
        "Internet reaches web (TCP/80).",
    ),
    "every zone is asked": (
        network(CLOSED),
        assertion(ports=[22], not_from=["Internet", "10.0.0.1"]),
        FALSE,
        "10.0.0.1 reaches SSH (TCP/22).",
    ),
    "both protocols of a port are asked": (
        network(CLOSED, endpoint("log", port=22, protocol=Protocol.UDP, frontend="6000-6100")),
        assertion(ports=[22]),
        FALSE,
        "Internet reaches log (UDP/22).",
    ),
}


@pytest.mark.parametrize(("on", "asserted", "holds", "message"), ASSERTIONS.values(), ids=ASSERTIONS.keys())
def test_an_assertion(on: Network, asserted: Assertion, holds: ConditionStatus, message: str) -> None:
    (found,) = evaluate_assertions([policy(assertions=[asserted])], reachability(on, legacy=False))
    assert (found.holds, found.message) == (holds, message)


def test_a_legacy_pool_whose_nodes_nobody_saw_leaves_an_assertion_open() -> None:
    asserting = policy(assertions=[assertion(ports=[22, 3389])])
    unseen = evaluate_assertions([asserting], reachability(network(CLOSED), legacy=True))
    seen = evaluate_assertions([asserting], reachability(network(CLOSED), legacy=True, nodes=NodeFindings(nodes=1)))
    assert [found[0].holds for found in (unseen, seen)] == [UNKNOWN, TRUE]


def test_long_lists_of_trouble_are_cut() -> None:
    many = network(*(endpoint(f"e{n}", port=n, frontend=f"{n}000-{n}100") for n in range(1, 6)))
    asserting = policy(assertions=[assertion(not_from=["Internet", "10.0.0.1"])])
    (found,) = evaluate_assertions([asserting], reachability(many, legacy=False))
    assert found.message.startswith("10.0.0.1 reaches e1 (TCP/1); ")
    assert found.message.endswith("; and 5 more.")


def test_a_list_that_just_fits_is_not_cut() -> None:
    many = network(*(endpoint(f"e{n}", port=n, frontend=f"{n}000-{n}100") for n in range(1, 6)))
    (found,) = evaluate_assertions([policy(assertions=[assertion()])], reachability(many, legacy=False))
    assert found.message.endswith("Internet reaches e5 (TCP/5).")


def test_all_assertions_of_all_policies_are_listed_in_order() -> None:
    policies = [
        policy("b", assertions=[assertion("y"), assertion("x")]),
        policy("a", namespace="z", assertions=[assertion("z")]),
        policy("c"),
    ]
    found = evaluate_assertions(policies, reachability(network(), legacy=False))
    render = ObjectKey(namespace="render", name="b")
    assert [(each.policy, each.name) for each in found] == [
        (render, "x"),
        (render, "y"),
        (ObjectKey(namespace="z", name="a"), "z"),
    ]


GUARDRAILS = {
    "an open forbidden port": (network(OPEN), False, ["SSH (TCP/22) is reachable from the Internet"]),
    "an undetermined forbidden port": (network(TAGGED), False, ["SSH (TCP/22) may be reachable from the Internet"]),
    "a closed forbidden port": (network(CLOSED), False, []),
    "an open port that is not forbidden": (network(WEB), False, []),
    "legacy ports nobody looked at": (
        network(CLOSED),
        True,
        ["RDP (implicit) (TCP/3389) may be reachable from the Internet"],
    ),
    "no endpoints": (network(), False, []),
}


@pytest.mark.parametrize(("on", "legacy", "broken"), GUARDRAILS.values(), ids=GUARDRAILS.keys())
def test_guardrails(on: Network, legacy: bool, broken: list[str]) -> None:  # noqa: FBT001 a column of the table
    found = guardrail_violations(reachability(on, legacy=legacy), [22, 3389])
    assert [str(each) for each in found] == broken
