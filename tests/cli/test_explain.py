"""`batchaccess explain`: rules in order, one source, and pools by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchaccess.cli.explain.answers import ExplainedPool, explain_pool
from batchaccess.cli.explain.sources import GivenSource
from batchaccess.cli.inputs import ReadAccount, ReadPool
from batchaccess.core.model import IpFamily, Network, Provisioning
from tests.cli.demoaccounts import DEV, DemoAccounts, run
from tests.support.build import endpoint, network, pool

LEFT_IN = ("allow 20.0.0.0/8 priority 200", "deny * priority 300")


def explained(net: Network, source: str | None = None, port: int | None = None) -> ExplainedPool:
    given = None if source is None else GivenSource.parse(source)
    return explain_pool(
        ReadAccount(name="a", source="a.json"), ReadPool(pool=pool("p", on=net)), source=given, port=port
    )


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("8.8.8.8", "8.8.8.8", None),
        ("8.8.8.8:0", "8.8.8.8", 0),
        ("8.8.8.8:65535", "8.8.8.8", 65535),
        ("2001:db8::1", "2001:db8::1", None),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
    ],
)
def test_a_source_is_an_address_and_perhaps_a_port(text: str, address: str, port: int | None) -> None:
    given = GivenSource.parse(text)
    assert (str(given.address), given.port) == (address, port)
    assert GivenSource.parse(str(given)) == given


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no IP address"),
        ("office", "is no IP address"),
        ("10.0.0.0/8", "is no IP address"),
        ("8.8.8.8:65536", "is no port"),
        ("8.8.8.8:ssh", "is no IP address"),
        ("[8.8.8.8]:22", "brackets are for IPv6"),
        ("fe80::1%eth0", "has a zone"),
        ("Internet", "is no IP address"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        GivenSource.parse(text)
    assert run("explain", "p", "--pools", "p.json", f"--from={text}").exit_code == 2


@pytest.mark.parametrize(
    ("net", "source", "verdict", "priority"),
    [
        pytest.param(network(endpoint("SSH", *LEFT_IN)), "20.0.0.1", "Open", 200, id="let in by a rule"),
        pytest.param(network(endpoint("SSH", *LEFT_IN)), "9.0.0.1", "Closed", 300, id="kept out by a rule"),
        pytest.param(network(endpoint("SSH")), "9.0.0.1", "Open", None, id="let in for want of rules"),
        pytest.param(
            network(endpoint("SSH", "allow AzureCloud priority 200", "deny * priority 300")),
            "9.0.0.1",
            "Undetermined",
            200,
            id="nobody knows a tag's addresses",
        ),
        pytest.param(
            network(endpoint("SSH", *LEFT_IN), provisioning=Provisioning.NO_PUBLIC_IP_ADDRESSES),
            "20.0.0.1",
            "Closed",
            None,
            id="no public address to come to, whatever the rules say",
        ),
        pytest.param(
            network(endpoint("SSH", *LEFT_IN), provisioning=Provisioning.UNKNOWN),
            "20.0.0.1",
            "Undetermined",
            200,
            id="a provisioning that this version does not know",
        ),
        pytest.param(
            network(endpoint("SSH", *LEFT_IN)), "2001:4860::1", "Closed", None, id="a family the pool has not"
        ),
        pytest.param(
            network(endpoint("SSH", "allow * priority 200 ports 1000-2000", "deny * priority 300")),
            "9.0.0.1:1500",
            "Open",
            200,
            id="let in from this source port",
        ),
        pytest.param(
            network(endpoint("SSH", "allow * priority 200 ports 1000-2000", "deny * priority 300")),
            "9.0.0.1:80",
            "Closed",
            300,
            id="kept out from that source port",
        ),
    ],
)
def test_one_source_is_answered_with_the_rule_that_decides(
    net: Network, source: str, verdict: str, priority: int | None
) -> None:
    answer = explained(net, source, 22).answers[0]
    rule = answer.rule
    assert (answer.verdict.value, None if rule is None else rule.priority) == (verdict, priority)


def test_a_source_port_that_matters_is_told_where_none_was_given() -> None:
    net = network(endpoint("SSH", "allow * priority 200 ports 1000-2000", "deny * priority 300"))
    assert explained(net, "9.0.0.1", 22).answers[0].port == 1000
    assert explained(network(endpoint("SSH", *LEFT_IN)), "9.0.0.1", 22).answers[0].port is None


def test_ports_that_nothing_maps_are_answered_too() -> None:
    answers = explained(network(endpoint("SSH")), "9.0.0.1").answers
    assert [(answer.endpoint is None, answer.verdict.value) for answer in answers] == [
        (False, "Open"),
        (True, "Closed"),
    ]
    (only,) = explained(network(endpoint("SSH")), "9.0.0.1", 443).answers
    assert only.endpoint is None


@pytest.mark.parametrize("provisioning", list(Provisioning))
@pytest.mark.parametrize("families", [(IpFamily.IPV4,), tuple(IpFamily)], ids=["IPv4", "both families"])
@pytest.mark.parametrize(
    "rules",
    [
        (),
        LEFT_IN,
        ("allow AzureCloud priority 200",),
        ("allow 20.0.0.0/8 priority 200",),
        ("deny Internet priority 200",),
    ],
    ids=["no rules", "some let in", "a tag", "no last rule", "only a Deny"],
)
def test_the_sets_of_a_zone_are_disjoint_complete_and_agree_with_its_verdict(
    provisioning: Provisioning, families: tuple[IpFamily, ...], rules: tuple[str, ...]
) -> None:
    (found,) = explained(network(endpoint("SSH", *rules), provisioning=provisioning, ip_families=families)).endpoints
    everything = found.endpoint.gate.everything
    together = found.public.open | found.public.undetermined | found.public.closed
    private = found.private.open | found.private.undetermined | found.private.closed
    assert together | private == everything
    assert not together & private
    assert not found.public.open & (found.public.undetermined | found.public.closed)
    assert not found.public.undetermined & found.public.closed
    value = found.endpoint.internet.value.value
    assert value == ("Open" if found.public.open else "Undetermined" if found.public.undetermined else "Closed")


def test_what_rules_decide_and_what_none_matches_are_everything() -> None:
    net = network(endpoint("SSH", "allow 20.0.0.0/8 priority 200", "deny 20.1.0.0/16 priority 300"))
    (found,) = explained(net).endpoints
    assert [(rule.rule.priority, rule.shadowed) for rule in found.rules] == [(200, False), (300, True)]
    assert found.rest | found.rules[0].decides == found.endpoint.gate.everything


def answer(*args: str) -> Any:  # noqa: ANN401 any JSON
    result = run("explain", *args, "-o", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_pool_is_found_whatever_its_letter_case(demo: DemoAccounts) -> None:
    assert [each["id"] for each in answer("SIM-mpi", "--endpoint", demo.endpoint())["pools"]] == ["sim-mpi"]


def test_every_pool_of_the_name_is_explained_or_that_of_the_account(saved_files: Path) -> None:
    twice = [f"--pools=one={saved_files / 'pools.json'}", f"--pools=two={saved_files / 'pools.json'}"]
    assert [each["account"] for each in answer("sim-mpi", *twice)["pools"]] == ["one", "two"]
    assert [each["account"] for each in answer("two/sim-mpi", *twice)["pools"]] == ["two"]


def test_only_nodes_of_the_pool_asked_for_are_listed(demo: DemoAccounts) -> None:
    demo.emulator.requests.reset()
    answer("render-linux", "--endpoint", demo.endpoint())
    assert demo.emulator.requests.of("list_nodes") == []
    (found,) = answer("sim-mpi", "--endpoint", demo.endpoint())["pools"]
    assert found["nodesListed"] == 2
    assert [each.pool_id for each in demo.emulator.requests.of("list_nodes")] == ["sim-mpi"]


@pytest.mark.parametrize(
    ("pool_id", "said"),
    [
        ("render-linus", "there is no pool render-linus in prodbatch; did you mean render-linux"),
        ("zzz", "there is no pool zzz in prodbatch"),
        ("other/sim-mpi", "there is no pool other/sim-mpi in prodbatch; did you mean sim-mpi"),
    ],
)
def test_a_pool_that_is_not_there_ends_2_with_a_hint(pool_id: str, said: str, demo: DemoAccounts) -> None:
    result = run("explain", pool_id, "--endpoint", demo.endpoint())
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_another_account_that_fails_ends_2_although_the_pool_was_explained(demo: DemoAccounts) -> None:
    result = run("explain", "build", "--endpoint", demo.endpoint(DEV), "--endpoint", "https://example.com")
    assert result.exit_code == 2
    assert "build  devbatch" in result.stdout
    assert "error: https://example.com: host 'example.com' is no Batch account" in result.stderr
