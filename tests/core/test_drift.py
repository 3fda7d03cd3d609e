from dataclasses import replace

import pytest

from batchaccess.core.declared import (
    DesiredAccess,
    Unlisted,
)
from batchaccess.core.drift import Drift, drift_between, pool_drift
from batchaccess.core.model import (
    IpFamily,
    Network,
    NodeFindings,
    Protocol,
    Provisioning,
)
from batchaccess.core.reasons import DriftClass
from batchaccess.core.status import Difference
from tests.support.build import SUBNET, access, endpoint, network, wanted

SSH = endpoint("SSH", "allow 192.168.1.0/24 priority 170", "deny * priority 175")
RDP = endpoint("RDP", "deny * priority 162", port=3389, frontend="60000-60099")
DESIRED = network(SSH, RDP, subnet_id=SUBNET)


def ssh(*texts: str, port: int = 22, frontend: str = "4000-4100", name: str = "SSH", udp: bool = False) -> Network:
    protocol = Protocol.UDP if udp else Protocol.TCP
    return network(endpoint(name, *texts, port=port, frontend=frontend, protocol=protocol), RDP, subnet_id=SUBNET)


KEEP_RULES = ("allow 192.168.1.0/24 priority 170", "deny * priority 175")

MUTATIONS = {
    "the source is wider": (ssh("allow 192.168.0.0/16", "deny *"), DriftClass.WIDENING),
    "the source is everyone": (ssh("allow *", "deny *"), DriftClass.WIDENING),
    "the allow became a deny": (ssh("deny 192.168.1.0/24", "deny *"), DriftClass.NARROWING),
    "the source is narrower": (ssh("allow 192.168.1.0/25", "deny *"), DriftClass.NARROWING),
    "the source is another": (ssh("allow 10.0.0.0/24", "deny *"), DriftClass.MIXED),
    "the source is the tag Internet": (ssh("allow Internet", "deny *"), DriftClass.MIXED),
    "the final deny is missing": (ssh("allow 192.168.1.0/24"), DriftClass.WIDENING),
    "all rules are missing": (ssh(), DriftClass.WIDENING),
    "a rule for everyone comes first": (ssh("allow * priority 150", *KEEP_RULES), DriftClass.WIDENING),
    "the deny comes first": (ssh("deny * priority 169", "allow 192.168.1.0/24 priority 170"), DriftClass.NARROWING),
    "only some source ports are let in": (ssh("allow 192.168.1.0/24 ports 1-1023", "deny *"), DriftClass.NARROWING),
    "another backend port": (ssh(*KEEP_RULES, port=2222), DriftClass.MIXED),
    "another protocol": (ssh(*KEEP_RULES, udp=True), DriftClass.MIXED),
    "the endpoint is missing": (network(RDP, subnet_id=SUBNET), DriftClass.NARROWING),
    "a further endpoint is open": (
        network(SSH, RDP, endpoint("web", port=80, frontend="7000-7100"), subnet_id=SUBNET),
        DriftClass.WIDENING,
    ),
    "one endpoint is wider and another missing": (
        network(endpoint("RDP", "allow *", port=3389, frontend="60000-60099"), subnet_id=SUBNET),
        DriftClass.MIXED,
    ),
    "a further endpoint is closed": (
        network(SSH, RDP, endpoint("web", "deny * priority 900", port=80, frontend="7000-7100"), subnet_id=SUBNET),
        DriftClass.CONFIGURATION,
    ),
    "a closed endpoint is missing": (network(SSH, subnet_id=SUBNET), DriftClass.CONFIGURATION),
    "another frontend range": (ssh(*KEEP_RULES, frontend="5000-5100"), DriftClass.CONFIGURATION),
    "another name": (ssh(*KEEP_RULES, name="login"), DriftClass.CONFIGURATION),
    "another subnet": (replace(DESIRED, subnet_id="/other"), DriftClass.CONFIGURATION),
    "no subnet": (replace(DESIRED, subnet_id=None), DriftClass.CONFIGURATION),
    "another provisioning": (replace(DESIRED, provisioning=Provisioning.USER_MANAGED), DriftClass.CONFIGURATION),
    "another address": (replace(DESIRED, address_ids=("/ip",)), DriftClass.CONFIGURATION),
    "accelerated networking": (replace(DESIRED, accelerated_networking=True), DriftClass.CONFIGURATION),
    "other priority numbers": (
        ssh("allow 192.168.1.0/24 priority 1000", "deny * priority 1001"),
        DriftClass.NEUTRAL,
    ),
    "a prefix in two halves": (
        ssh("allow 192.168.1.0/25", "allow 192.168.1.128/25", "deny *"),
        DriftClass.NEUTRAL,
    ),
    "a rule that can never match": (ssh(*KEEP_RULES, "allow 10.0.0.1 priority 300"), DriftClass.NEUTRAL),
    "rules in another order that decide the same": (
        ssh("deny 10.0.0.1 priority 160", *KEEP_RULES),
        DriftClass.NEUTRAL,
    ),
    "the name in another case": (ssh(*KEEP_RULES, name="ssh"), DriftClass.NEUTRAL),
    "the subnet in another case": (replace(DESIRED, subnet_id=SUBNET.upper()), DriftClass.NEUTRAL),
    "nothing": (DESIRED, DriftClass.NONE),
}


@pytest.mark.parametrize(("observed", "kind"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_class_of_one_change(observed: Network, kind: DriftClass) -> None:
    drift = drift_between(observed, DESIRED)
    assert drift.kind is kind
    assert bool(drift.differences) == (kind is not DriftClass.NONE)
    assert drift.is_correctable == (kind not in (DriftClass.NONE, DriftClass.NEUTRAL))
    assert drift.widens == (kind in (DriftClass.WIDENING, DriftClass.MIXED))


def test_address_ids_are_a_set_without_regard_to_case() -> None:
    observed = network(provisioning=Provisioning.USER_MANAGED, address_ids=["/A", "/b"])
    desired = network(provisioning=Provisioning.USER_MANAGED, address_ids=["/B", "/a"])
    assert drift_between(observed, desired).kind is DriftClass.NEUTRAL


def test_differences_are_named_and_told_with_the_weightiest_first() -> None:
    observed = network(
        endpoint("ssh", frontend="4000-4100"),
        endpoint("RDP", "deny 10.0.0.0/8 priority 155", "deny * priority 162", port=3389, frontend="60000-60050"),
        subnet_id=SUBNET.upper(),
        accelerated=True,
    )
    drift = drift_between(observed, DESIRED)
    assert drift == Drift(
        kind=DriftClass.WIDENING,
        differences=(
            Difference(
                field="endpoints[SSH]",
                kind=DriftClass.WIDENING,
                observed="TCP/22: no rules, open to everyone",
                desired="TCP/22: Allow 192.168.1.0/24, Deny *",
            ),
            Difference(field="acceleratedNetworking", kind=DriftClass.CONFIGURATION, observed="true", desired="false"),
            Difference(
                field="endpoints[RDP].frontendPorts",
                kind=DriftClass.CONFIGURATION,
                observed="60000-60050",
                desired="60000-60099",
            ),
            Difference(
                field="endpoints[RDP].rules",
                kind=DriftClass.NEUTRAL,
                observed="155 Deny 10.0.0.0/8, 162 Deny *",
                desired="162 Deny *",
            ),
            Difference(field="endpoints[SSH].name", kind=DriftClass.NEUTRAL, observed="ssh", desired="SSH"),
            Difference(field="subnetId", kind=DriftClass.NEUTRAL, observed=SUBNET.upper(), desired=SUBNET),
        ),
    )


def test_a_missing_and_a_further_endpoint_are_told_as_such() -> None:
    drift = drift_between(
        network(endpoint("web", "allow * ports 7,9-10", port=80, protocol=Protocol.UDP)), network(endpoint("SSH"))
    )
    assert [(each.field, each.observed, each.desired) for each in drift.differences] == [
        ("endpoints[web]", "UDP/80: Allow * from ports 7,9-10", "no endpoint"),
        ("endpoints[SSH]", "no endpoint", "TCP/22: no rules, open to everyone"),
    ]
    assert drift.kind is DriftClass.MIXED


def test_long_rule_lists_are_cut_visibly() -> None:
    many = endpoint("SSH", *(f"deny 10.0.{n}.0/24 priority {200 + n}" for n in range(24)))
    (difference,) = drift_between(network(many), network(endpoint("SSH"))).differences
    assert len(difference.observed) == 200
    assert difference.observed.endswith("...")


def test_two_endpoints_on_one_port_are_drift_though_the_service_should_refuse_them() -> None:
    observed = network(endpoint("a", "deny *"), endpoint("b", "deny * priority 300", frontend="5000-5100"))
    drift = drift_between(observed, network(endpoint("a", "deny *")))
    assert drift.kind is DriftClass.WIDENING
    assert [difference.field for difference in drift.differences] == ["endpoints[a]"]


FOUND = NodeFindings(nodes=2, implicit_ports=frozenset({22}))
IMPLICIT = {
    "found and not declared": (access(), FOUND, DriftClass.IMPLICIT_MAPPING),
    "found and declared narrower": (
        access(wanted("SSH", allow_from=["10.0.0.0/8"])),
        FOUND,
        DriftClass.IMPLICIT_MAPPING,
    ),
    "found beside a UDP endpoint": (
        access(wanted("SSH", "allow *", protocol=Protocol.UDP)),
        FOUND,
        DriftClass.IMPLICIT_MAPPING,
    ),
    "found, kept, but declared closed": (
        access(wanted("SSH"), unlisted=Unlisted.KEEP),
        FOUND,
        DriftClass.IMPLICIT_MAPPING,
    ),
    "found but admitted by the policy": (access(wanted("SSH", allow_from=["*"])), FOUND, DriftClass.NONE),
    "found but unlisted endpoints are kept": (access(unlisted=Unlisted.KEEP), FOUND, DriftClass.NONE),
    "found but endpoints are not managed": (DesiredAccess(), FOUND, DriftClass.NONE),
    "nodes seen without any": (access(), NodeFindings(nodes=2), DriftClass.NONE),
    "no node seen": (access(), NodeFindings(nodes=0), DriftClass.NONE),
    "nodes not listed": (access(), None, DriftClass.NONE),
}


@pytest.mark.parametrize(("declared", "nodes", "kind"), IMPLICIT.values(), ids=IMPLICIT.keys())
def test_implicit_mappings(declared: DesiredAccess, nodes: NodeFindings | None, kind: DriftClass) -> None:
    items = () if declared.endpoints is None else declared.endpoints.items
    desired = network(
        *(
            endpoint(
                "SSH",
                *(f"allow {source}" for source in item.allow_from or ()),
                "deny * priority 300",
                protocol=item.protocol,
            )
            for item in items
        ),
        ip_families=[IpFamily.IPV4, IpFamily.IPV6],
    )
    drift = pool_drift(desired, desired, declared, nodes)
    assert drift.kind is kind
    assert not drift.is_correctable


def test_an_implicit_mapping_beside_real_drift_is_shown_but_does_not_hide_it() -> None:
    drift = pool_drift(network(endpoint("SSH", "deny *")), network(), access(), FOUND)
    assert drift.kind is DriftClass.CONFIGURATION
    assert drift.is_correctable
    assert drift.differences[1] == Difference(
        field="implicitMappings[22]",
        kind=DriftClass.IMPLICIT_MAPPING,
        observed="the service itself maps TCP/22 for everyone",
        desired="no endpoint",
    )
