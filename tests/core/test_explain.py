from dataclasses import replace

import pytest

from batchaccess.core.addresses import NO_ADDRESSES
from batchaccess.core.explain import admits, because, effect, summary
from batchaccess.core.model import (
    Access,
    IpFamily,
    NodeFindings,
    Provisioning,
    Rule,
)
from batchaccess.core.reachability import EndpointReachability, reachability
from batchaccess.core.zones import Verdict, Why, Witness, ZoneVerdict
from tests.support.build import SUBNET, endpoint, network, rule


def evaluated(
    *texts: str, subnet: str | None = None, provisioning: Provisioning = Provisioning.BATCH_MANAGED
) -> EndpointReachability:
    made = network(endpoint("SSH", *texts), subnet_id=subnet, provisioning=provisioning)
    (found,) = reachability(made, legacy=False).endpoints
    return found


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "anyone on the Internet"),
        (["allow *"], "anyone on the Internet"),
        (["allow Internet", "deny *"], "anyone on the Internet"),
        (["allow Internet", "allow VirtualNetwork", "deny *"], "anyone on the Internet and VirtualNetwork"),
        (["deny *"], "nobody"),
        (["deny 0.0.0.0/1", "deny 128.0.0.0/1"], "nobody"),
        (["allow 10.0.0.0/8", "deny *"], "10.0.0.0/8"),
        (["allow 10.0.0.1", "deny *"], "10.0.0.1"),
        (["allow 10.0.0.0/8", "allow 192.168.0.0/16", "deny *"], "10.0.0.0/8 and 1 more"),
        (["allow 10.0.0.0/8 ports 1000-2000", "deny *"], "10.0.0.0/8 from some source ports"),
        (["allow * ports 1000-2000", "deny *"], "anyone on the Internet from some source ports"),
        (["deny 8.8.8.8", "allow *"], "anyone on the Internet except 8.8.8.8"),
        (["deny 8.8.8.8", "deny 9.9.9.0/24", "allow *"], "anyone on the Internet except 8.8.8.8 and 1 more"),
        (["allow VirtualNetwork", "deny *"], "VirtualNetwork only"),
        (["allow 10.0.0.0/8", "allow VirtualNetwork", "deny *"], "10.0.0.0/8 and VirtualNetwork"),
        (["allow AzureCloud", "deny *"], "undetermined: tag AzureCloud"),
        (["allow AzureCloud", "allow Storage", "deny *"], "undetermined: tag AzureCloud, tag Storage"),
        (["deny VirtualNetwork", "allow *"], "undetermined: tag VirtualNetwork"),
        (["allow 10.0.0.0/8", "allow AzureCloud", "deny *"], "10.0.0.0/8; undetermined: tag AzureCloud"),
        (["allow AzureCloud"], "undetermined: tag AzureCloud, sources that no rule matches"),
        (["allow 10.0.0.0/8"], "10.0.0.0/8; undetermined: sources that no rule matches"),
        (["deny Internet"], "nobody on the Internet; undetermined: sources that no rule matches"),
        (["deny Internet", "allow AzureCloud", "deny *"], "nobody on the Internet; undetermined: tag AzureCloud"),
        (["allow VirtualNetwork"], "VirtualNetwork only; undetermined: sources that no rule matches"),
    ],
    ids=lambda value: "; ".join(value) or "no rules" if isinstance(value, list) else None,
)
def test_admits_says_who_gets_in(texts: list[str], words: str) -> None:
    assert admits(evaluated(*texts)) == words
    assert admits(evaluated(*texts, subnet=SUBNET)) == words


@pytest.mark.parametrize(
    ("provisioning", "texts", "words"),
    [
        (Provisioning.NO_PUBLIC_IP_ADDRESSES, ["allow 8.8.8.8", "deny *"], "nobody"),
        (Provisioning.NO_PUBLIC_IP_ADDRESSES, ["allow 10.0.0.0/8", "deny *"], "10.0.0.0/8"),
        (Provisioning.UNKNOWN, ["allow 8.8.8.8", "deny *"], "undetermined: provisioning of public addresses"),
        (Provisioning.UNKNOWN, ["deny *"], "nobody"),
    ],
)
def test_admits_follows_provisioning(provisioning: Provisioning, texts: list[str], words: str) -> None:
    assert admits(evaluated(*texts, provisioning=provisioning)) == words


def test_admits_names_a_rule_of_unknown_access() -> None:
    unknown = replace(rule("allow 10.0.0.0/8 priority 170"), access=Access.UNKNOWN)
    made = replace(endpoint("SSH"), rules=(unknown, rule("deny * priority 180")))
    (found,) = reachability(network(made), legacy=False).endpoints
    assert admits(found) == "nobody on the Internet; undetermined: access of rule 170"


def test_admits_speaks_of_implicit_mappings() -> None:
    ssh, _ = reachability(network(), legacy=True).endpoints
    assert admits(ssh) == "undetermined: implicit mapping, no node was seen"
    nodes = NodeFindings(nodes=1, implicit_ports=frozenset({22}))
    (ssh,) = reachability(network(), legacy=True, nodes=nodes).endpoints
    assert admits(ssh) == "anyone on the Internet"


def test_admits_keeps_to_the_families_of_the_pool() -> None:
    both = network(endpoint("SSH", "allow 0.0.0.0/0", "deny *"), ip_families=[IpFamily.IPV4, IpFamily.IPV6])
    (found,) = reachability(both, legacy=False).endpoints
    assert admits(found) == "0.0.0.0/0"
    assert admits(evaluated("allow 0.0.0.0/0", "deny *")) == "anyone on the Internet"


RULE = rule("deny Internet priority 170")


@pytest.mark.parametrize(
    ("why", "made", "words"),
    [
        (Why.RULE_ALLOWS, rule("allow 10.0.0.0/8 priority 150"), "rule 150 allows 10.0.0.0/8"),
        (Why.RULE_DENIES, RULE, "rule 170 denies Internet"),
        (Why.RULE_DENIES, rule("deny * priority 180"), "rule 180 denies everyone"),
        (Why.SERVICE_TAG, rule("allow Storage priority 150"), "rule 150 allows Storage, whose addresses are not known"),
        (
            Why.ADDRESS_SPACE_UNKNOWN,
            rule("allow 10.0.0.0/8 priority 150"),
            "rule 150 allows 10.0.0.0/8, which may or may not be in the virtual network",
        ),
        (
            Why.UNKNOWN_ACCESS,
            replace(RULE, access=Access.UNKNOWN),
            "rule 170 does something unknown to Internet, since its access is a word this version does not know",
        ),
        (Why.NO_RULE_MATCHES, None, "no rule matches"),
        (Why.NO_RULES, None, "an endpoint without rules admits everyone"),
    ],
)
def test_because_names_the_reason_and_an_example(why: Why, made: Rule | None, words: str) -> None:
    witness = Witness(why=why, rule=made, example="8.8.8.8")
    assert because(Verdict(value=ZoneVerdict.CLOSED, witness=witness)) == f"{words}, e.g. 8.8.8.8"


@pytest.mark.parametrize(
    ("why", "made", "words"),
    [
        (Why.NO_SUBNET, None, "the pool is in no subnet"),
        (Why.NO_PUBLIC_ADDRESSES, None, "the pool has no public IP addresses"),
        (Why.PROVISIONING_UNKNOWN, RULE, "the provisioning of public addresses is a word this version does not know"),
    ],
)
def test_because_needs_no_example_for_what_holds_for_every_source(why: Why, made: Rule | None, words: str) -> None:
    witness = Witness(why=why, rule=made, example="8.8.8.8")
    assert because(Verdict(value=ZoneVerdict.CLOSED, witness=witness)) == words


ALWAYS_WITH_A_RULE = {
    *(Why.RULE_ALLOWS, Why.RULE_DENIES, Why.SERVICE_TAG, Why.UNKNOWN_ACCESS, Why.ADDRESS_SPACE_UNKNOWN),
}


@pytest.mark.parametrize("why", Why)
def test_because_has_words_for_every_reason(why: Why) -> None:
    witness = Witness(why=why, rule=RULE if why in ALWAYS_WITH_A_RULE else None, example="8.8.8.8")
    words = because(Verdict(value=ZoneVerdict.CLOSED, witness=witness))
    assert words
    assert ("rule 170" in words) is (why in ALWAYS_WITH_A_RULE)


def test_effect_is_a_clause() -> None:
    assert effect(RULE) == "rule 170 denies Internet"


def test_an_empty_set_has_a_summary() -> None:
    assert summary(NO_ADDRESSES) == "no addresses"
