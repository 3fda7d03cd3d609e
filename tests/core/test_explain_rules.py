from ipaddress import ip_address

import pytest

from batchaccess.core.model import NodeFindings
from batchaccess.core.reach import Reach
from batchaccess.core.reachability import EndpointReachability, reachability
from batchaccess.core.ruleexplanation import RuleExplanation, decide_source, explain_rules
from batchaccess.core.zones import Why
from tests.support.build import endpoint, network


def evaluated(*texts: str) -> EndpointReachability:
    (found,) = reachability(network(endpoint("SSH", *texts)), legacy=False).endpoints
    return found


def flags(explanation: RuleExplanation) -> str:
    shadowed = "shadowed" if explanation.shadowed else ""
    return shadowed or ("redundant" if explanation.redundant else "needed")


@pytest.mark.parametrize(
    ("texts", "decides", "expected"),
    [
        pytest.param(
            ["allow 10.0.0.0/8", "deny *"],
            [
                "10.0.0.0/8",
                "0.0.0.0/5, 8.0.0.0/7, 11.0.0.0/8, 12.0.0.0/6, 16.0.0.0/4, 32.0.0.0/3, 64.0.0.0/2, 128.0.0.0/1",
            ],
            ["needed", "needed"],
            id="each decides what the earlier ones left",
        ),
        pytest.param(
            ["deny 0.0.0.0/1", "allow 10.0.0.0/8", "allow 128.0.0.0/1"],
            ["0.0.0.0/1", "", "128.0.0.0/1"],
            ["needed", "shadowed", "needed"],
            id="a rule behind a larger one is shadowed",
        ),
        pytest.param(
            ["deny 0.0.0.0/1", "deny 128.0.0.0/1", "allow AzureCloud"],
            ["0.0.0.0/1", "128.0.0.0/1", ""],
            ["needed", "needed", "shadowed"],
            id="two rules together shadow a tag",
        ),
        pytest.param(
            ["deny 10.0.0.0/8", "deny *"],
            [
                "10.0.0.0/8",
                "0.0.0.0/5, 8.0.0.0/7, 11.0.0.0/8, 12.0.0.0/6, 16.0.0.0/4, 32.0.0.0/3, 64.0.0.0/2, 128.0.0.0/1",
            ],
            ["redundant", "needed"],
            id="a rule whose sources a later one treats alike is redundant",
        ),
        pytest.param(
            ["allow AzureCloud", "deny azurecloud", "deny *"],
            ["0.0.0.0/0", "", "0.0.0.0/0"],
            ["needed", "shadowed", "needed"],
            id="a tag that repeats is shadowed",
        ),
        pytest.param(
            ["deny Storage", "deny *"], ["0.0.0.0/0", "0.0.0.0/0"], ["redundant", "needed"], id="a redundant tag"
        ),
        pytest.param(
            ["allow * ports 1-5", "deny * ports 3-4", "deny * ports 5-9", "deny *"],
            ["0.0.0.0/0", "", "0.0.0.0/0", "0.0.0.0/0"],
            ["needed", "shadowed", "redundant", "needed"],
            id="source ports count",
        ),
        pytest.param(
            ["deny Internet", "deny VirtualNetwork", "deny 10.0.0.0/8", "allow *"],
            None,
            ["needed", "needed", "needed", "needed"],
            id="nothing is said of zones that other rules leave",
        ),
        pytest.param(["allow *"], ["0.0.0.0/0"], ["redundant"], id="admitting everyone is what no rules do"),
    ],
)
def test_rules_are_explained_in_order(texts: list[str], decides: list[str] | None, expected: list[str]) -> None:
    explained = explain_rules(evaluated(*texts))
    assert [flags(explanation) for explanation in explained] == expected
    if decides is not None:
        assert [str(explanation.decides) for explanation in explained] == decides


def test_only_rules_of_service_tags_are_marked_as_such() -> None:
    explained = explain_rules(evaluated("allow Internet", "allow AzureCloud", "allow 10.0.0.0/8", "deny *"))
    assert [explanation.tag for explanation in explained] == [False, True, False, False]


@pytest.mark.parametrize(
    ("texts", "address", "port", "expected"),
    [
        (["allow 10.0.0.0/8", "deny *"], "10.0.0.1", None, (Reach.OPEN, 0, Why.RULE_ALLOWS, 200)),
        (["allow 10.0.0.0/8", "deny *"], "8.8.8.8", 443, (Reach.CLOSED, 443, Why.RULE_DENIES, 201)),
        (["allow * ports 7-9", "deny *"], "8.8.8.8", None, (Reach.OPEN, 7, Why.RULE_ALLOWS, 200)),
        (["allow * ports 7-9", "deny *"], "8.8.8.8", 10, (Reach.CLOSED, 10, Why.RULE_DENIES, 201)),
        (["allow AzureCloud", "deny *"], "8.8.8.8", None, (Reach.UNDETERMINED, 0, Why.SERVICE_TAG, 200)),
        (["deny 9.0.0.0/8"], "8.8.8.8", None, (Reach.UNDETERMINED, 0, Why.NO_RULE_MATCHES, None)),
        ([], "8.8.8.8", None, (Reach.OPEN, 0, Why.NO_RULES, None)),
        (["allow *"], "2600::1", None, (Reach.CLOSED, 0, Why.NO_ADDRESSES_OF_FAMILY, None)),
    ],
)
def test_one_source_is_decided_by_one_rule(
    texts: list[str], address: str, port: int | None, expected: tuple[object, ...]
) -> None:
    found = decide_source(evaluated(*texts), ip_address(address), port)
    priority = found.witness.rule.priority if found.witness.rule else None
    assert (found.reach, found.port, found.witness.why, priority) == expected
    assert found.witness.example == address


def test_an_implicit_mapping_decides_without_rules() -> None:
    nodes = NodeFindings(nodes=1, implicit_ports=frozenset({22}))
    (ssh,) = reachability(network(), legacy=True, nodes=nodes).endpoints
    found = decide_source(ssh, ip_address("8.8.8.8"))
    assert (found.reach, found.witness.why) == (Reach.OPEN, Why.IMPLICIT_MAPPING)
    assert explain_rules(ssh) == ()
