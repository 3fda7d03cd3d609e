"""Adopting pools: what is imported is no drift, whatever changes later is, and what cannot be said is told."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from batchaccess.api import parse_policy
from batchaccess.core.declared import AccessPolicy, Mode, Unlisted
from tests.cli.demoaccounts import DemoAccounts, run
from tests.cli.generatedpools import generated_pools, mutated

COUNT = 200
SEEDS = (1,)


def planned(policies: Path, pools: list[dict[str, Any]]) -> dict[str, Any]:
    """Plan policies against saved pools."""
    result = run("plan", "-f", str(policies), "--pools", "-", "-o", "json", stdin=json.dumps(pools))
    assert result.exit_code in (0, 1), result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


@pytest.mark.parametrize("seed", SEEDS)
def test_imported_policies_are_met_until_somebody_changes_a_pool(seed: int, tmp_path: Path) -> None:
    pools = generated_pools(seed, COUNT)
    imported = run("import", "*", "--pools", "-", stdin=json.dumps(pools))
    assert (imported.exit_code, imported.stderr) == (0, "")
    policies = tmp_path / "policies.yaml"
    policies.write_text(imported.stdout, encoding="utf-8")
    assert run("validate", "-f", str(policies)).exit_code == 0

    before = planned(policies, pools)
    assert before["summary"]["governed"] == COUNT
    assert before["summary"]["differing"] == 0

    random = Random(seed)  # noqa: S311 no secret depends on it
    after = planned(policies, [mutated(pool, random) for pool in pools])
    unnoticed = [pool["id"] for pool in after["accounts"][0]["pools"] if pool["drift"]["class"] in ("None", "Neutral")]
    assert unnoticed == []


def a_pool(*nat_pools: dict[str, Any], **network: object) -> dict[str, Any]:
    return {
        "id": "odd_Pool",
        "creationTime": "2026-01-01T00:00:00Z",
        "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": list(nat_pools)}, **network},
    }


def nat_pool(name: str, port: int, start: int, *rules: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "tcp",
        "backendPort": port,
        "frontendPortRangeStart": start,
        "frontendPortRangeEnd": start + 50,
        "networkSecurityGroupRules": list(rules),
        **more,
    }


def a_rule(priority: int, source: str = "*", access: str = "deny") -> dict[str, Any]:
    return {"priority": priority, "access": access, "sourceAddressPrefix": source}


SSH = nat_pool("SSH", 22, 4000, a_rule(200))
MANY_RULES = [a_rule(priority, f"10.0.0.{priority}") for priority in range(150, 174)]
OLD = [
    pytest.param(
        a_pool(SSH, nat_pool("x", 80, 5000, protocol="sctp")), {"SSH"}, "not declared: x, since", id="a protocol"
    ),
    pytest.param(
        a_pool(SSH, nat_pool("x", 80, 5000, a_rule(300, access="audit"))),
        {"SSH"},
        "access of a rule",
        id="an unknown access",
    ),
    pytest.param(
        a_pool(SSH, nat_pool("x", 80, 50100)), {"SSH"}, "must not touch 50000-55000", id="reserved frontend ports"
    ),
    pytest.param(a_pool(SSH, nat_pool("x", 29876, 5000)), {"SSH"}, "must not be 29876", id="a reserved backend port"),
    pytest.param(
        a_pool(SSH, nat_pool("x", 80, 5000, a_rule(100))), {"SSH"}, "greater than or equal to 150", id="a priority"
    ),
    pytest.param(
        a_pool(nat_pool("a", 80, 5000, *MANY_RULES), nat_pool("b", 81, 6000)),
        {"a"},
        "more than 25 rules",
        id="as many rules as a pool has",
    ),
    pytest.param(
        a_pool(*(nat_pool(f"n{index}", 80 + index, 5000 + 100 * index) for index in range(6))),
        {"n0", "n1", "n2", "n3", "n4"},
        "at most 5 items",
        id="six endpoints",
    ),
    pytest.param(
        a_pool(SSH, publicIPAddressConfiguration={"provision": "edgemanaged"}),
        {"SSH"},
        "not declared: publicAddresses",
        id="an unknown provisioning",
    ),
    pytest.param(a_pool(SSH, subnetId="/odd"), {"SSH"}, "not declared: subnetId", id="an odd subnet"),
    pytest.param(
        a_pool(SSH, publicIPAddressConfiguration={"provision": "nopublicipaddresses"}),
        {"SSH"},
        "not declared: publicAddresses",
        id="endpoints without public addresses",
    ),
]


@pytest.mark.parametrize(("pool", "declared", "told"), OLD)
def test_what_no_policy_can_say_is_left_out_and_told(
    pool: dict[str, Any], declared: set[str], told: str, tmp_path: Path
) -> None:
    result = run("import", "odd_Pool", "--pools", "a=-", stdin=json.dumps([pool]))
    assert result.exit_code == 1, result.output
    assert told in result.stderr
    assert told in result.stdout
    policy = parse_policy(yaml.safe_load(result.stdout))
    assert isinstance(policy, AccessPolicy)
    assert policy.access.endpoints is not None
    assert {item.name for item in policy.access.endpoints.items} == declared
    partly = len(declared) < len(pool["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"])
    assert policy.access.endpoints.unlisted is (Unlisted.KEEP if partly else Unlisted.REMOVE)

    path = tmp_path / "policy.yaml"
    path.write_text(result.stdout, encoding="utf-8")
    assert planned(path, [pool])["summary"]["differing"] == 0


def test_a_policy_names_what_it_is_told_to() -> None:
    result = run(
        *("import", "odd_Pool", "--pools", "a=-", "--name", "mine", "-n", "render", "--as", "prod-weu"),
        stdin=json.dumps([a_pool(SSH)]),
    )
    policy = parse_policy(yaml.safe_load(result.stdout))
    assert result.exit_code == 0
    assert isinstance(policy, AccessPolicy)
    assert str(policy.key) == "render/mine"
    assert policy.connections.names == ("prod-weu",)
    assert policy.pools.ids == ("odd_Pool",)
    assert policy.mode is Mode.AUDIT


def test_pools_whose_names_would_be_the_same_get_numbers() -> None:
    pools = [a_pool(SSH) | {"id": each} for each in ("a_b", "a-b", "A_B-")]
    result = run("import", "*", "--pools", "a=-", "-o", "json", stdin=json.dumps(pools))
    names = [item["metadata"]["name"] for item in json.loads(result.stdout)["items"]]
    assert sorted(names) == ["a-b", "a-b-2", "a-b-3"]


def test_a_live_pool_whose_nodes_show_a_mapping_says_that_drift_remains(demo: DemoAccounts) -> None:
    result = run("import", "sim-mpi", "--endpoint", demo.endpoint())
    assert result.exit_code == 1
    assert "implicitMappings[22] will be drift (ImplicitMapping), which no policy removes" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("import", "render", "--pools", "{}/pools.json"), "did you mean render-"),
        (("import", "other/render-gpu", "--pools", "{}/pools.json"), "there is no pool other/render-gpu in prodbatch"),
        (("import", "*", "--name", "x", "--pools", "{}/pools.json"), "--name is for one pool, and "),
        (("import", "*", "--as", "Prod", "--pools", "{}/pools.json"), "give another one with --as"),
        (("import", "render-gpu", "--name", "A", "--pools", "{}/pools.json"), "give another one with --name"),
        (("import", "x", "--pools", "{}/missing.json"), "missing.json: cannot be read"),
        (("import", "x"), "say where the pools are"),
        (("import",), "Missing argument"),
    ],
)
def test_what_cannot_be_done_ends_2_in_a_line(args: tuple[str, ...], message: str, saved_files: Path) -> None:
    result = run(*(each.format(saved_files) for each in args))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
