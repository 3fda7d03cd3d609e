"""`batchaccess audit`: statuses, what counts, recorded pools, and accounts of any size."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.demoaccounts import DEV, EMPTY, PROD, DemoAccounts, run

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
with_recordings = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS}")

CLOSED: dict[str, Any] = {"id": "closed", "creationTime": "2026-01-01T00:00:00Z"}
OLD: dict[str, Any] = {"id": "old", "creationTime": "2024-01-01T00:00:00Z"}


def with_rule(pool_id: str, port: int, *rules: dict[str, Any]) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "name": "e",
        "protocol": "tcp",
        "backendPort": port,
        "frontendPortRangeStart": 4000,
        "frontendPortRangeEnd": 4100,
    }
    if rules:
        endpoint["networkSecurityGroupRules"] = list(rules)
    network = {"endpointConfiguration": {"inboundNATPools": [endpoint]}}
    return {**CLOSED, "id": pool_id, "networkConfiguration": network}


def rule(priority: int, access: str, source: str) -> dict[str, Any]:
    return {"priority": priority, "access": access, "sourceAddressPrefix": source}


OPEN = with_rule("open", 22)
OFFICE = with_rule("office", 22, rule(200, "allow", "20.30.40.0/24"), rule(300, "deny", "*"))
BAD = {"id": "bad", "metadata": 7}


def saved(tmp_path: Path, *pools: Any) -> str:  # noqa: ANN401 any JSON
    path = tmp_path / "pools.json"
    path.write_text(json.dumps(pools), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("pools", "extra", "status"),
    [
        pytest.param([], [], 0, id="no pools"),
        pytest.param([CLOSED], [], 0, id="advice alone is nothing"),
        pytest.param([CLOSED], ["--fail-on=advice"], 1, id="advice counts if it shall"),
        pytest.param([OLD], [], 0, id="undetermined alone is nothing"),
        pytest.param([OLD], ["--fail-on=undetermined"], 1, id="undetermined counts if it shall"),
        pytest.param([CLOSED], ["--fail-on=undetermined"], 0, id="advice is less than undetermined"),
        pytest.param([OPEN], [], 1, id="exposure"),
        pytest.param([OPEN], ["--fail-on=undetermined"], 1, id="exposure is more than undetermined"),
        pytest.param([OFFICE], [], 1, id="some public addresses are exposure"),
        pytest.param([OFFICE], ["--trusted=20.30.0.0/16"], 0, id="trusted addresses are none"),
        pytest.param([OFFICE], ["--trusted=20.30.40.0/25"], 1, id="trusting half of them is not enough"),
        pytest.param([OPEN, BAD], [], 2, id="an unreadable pool wins over exposure"),
        pytest.param([CLOSED], ["--pools=missing.json"], 2, id="an unreadable file wins"),
        pytest.param([CLOSED], ["--trusted=office"], 2, id="a wrong option"),
        pytest.param([CLOSED], ["--fail-on=everything"], 2, id="a wrong choice"),
    ],
)
@pytest.mark.parametrize("form", ["table", "json", "sarif"])
def test_the_exit_status_says_what_was_found(
    pools: list[Any], extra: list[str], status: int, form: str, tmp_path: Path
) -> None:
    result = run("audit", "--pools", saved(tmp_path, *pools), *extra, "-o", form)
    assert (result.exit_code, "Traceback" in result.output) == (status, False)


def test_a_guardrail_of_a_connection_counts_although_undetermined(demo: DemoAccounts, tmp_path: Path) -> None:
    path = tmp_path / "connection.yaml"
    path.write_text(
        "apiVersion: batchaccess.dev/v1alpha1\nkind: BatchAccountConnection\nmetadata: {name: prodbatch}\n"
        f"spec:\n  endpoint: {demo.emulator.url(PROD)}\n"
        "  auth: {type: SharedKey, secretRef: {name: a, key: b}}\n"
        "  guardrails: {forbidInternetPorts: [3389]}\n",
        encoding="utf-8",
    )
    secret = {"BATCHACCESS_SECRET_A_B": f"prodbatch:{PROD.key}"}
    report = json.loads(run("audit", "--connection", str(path), "-o", "json", env=secret).stdout)
    broken = {
        (pool["id"], finding["message"])
        for account in report["accounts"]
        for pool in account["pools"]
        for finding in pool["findings"]
        if finding["rule"] == "GuardrailViolated"
    }
    assert broken == {
        ("render-windows", "RDP (TCP/3389) may be reachable from the Internet, which the connection forbids"),
        ("sim-archive", "RDP (implicit) (TCP/3389) may be reachable from the Internet, which the connection forbids"),
    }


def recorded_bodies() -> list[tuple[str, Any]]:
    """Every body of a recorded answer or request that holds pools."""
    if not RECORDINGS.is_dir():
        return []
    found: list[tuple[str, Any]] = []
    for path in sorted(RECORDINGS.glob("*.json")):
        recorded = json.loads(path.read_text(encoding="utf-8"))
        is_pool = any(word in path.name for word in ("_pool_get", "_pools_list", "_pool_create", "_pool_put", "arm_"))
        for side in ("request", "response"):
            body = recorded[side].get("body")
            if is_pool and isinstance(body, dict) and ("id" in body or "value" in body):
                found.append((f"{path.stem} ({side})", body))
    return found


@with_recordings
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in recorded_bodies()])
def test_every_recorded_pool_is_audited_without_error(body: Any, tmp_path: Path) -> None:  # noqa: ANN401 any JSON
    path = tmp_path / "pools.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    result = run("audit", "--pools", str(path), "-o", "json")
    assert result.exit_code in {0, 1}, result.output
    report = json.loads(result.stdout)
    assert report["summary"]["errors"] == 0
    assert report["summary"]["pools"] == len(body.get("value", [body]))


@with_recordings
def test_there_are_recorded_pools_to_audit() -> None:
    assert len(recorded_bodies()) >= 20


@with_recordings
@pytest.mark.parametrize("port", [22, 3389])
@pytest.mark.parametrize("way", ["in the pool", "in a file of their own"])
def test_recorded_legacy_nodes_with_an_implicit_mapping_are_exposed(port: int, way: str, tmp_path: Path) -> None:
    nodes = json.loads(
        (RECORDINGS / f"dp_2022-01-01.15.0_nodes_list_implicit_sshrule_{port}.json").read_text(encoding="utf-8")
    )["response"]["body"]
    pool = json.loads(
        (RECORDINGS / "dp_2022-01-01.15.0_pool_get_no_network_configuration.json").read_text(encoding="utf-8")
    )["response"]["body"]
    listing = tmp_path / "nodes.json"
    listing.write_text(json.dumps(nodes), encoding="utf-8")
    extra = [] if way == "in the pool" else ["--nodes", f"{pool['id']}={listing}"]
    path = saved(tmp_path, {**pool, "nodes": nodes} if way == "in the pool" else pool)
    result = run("audit", "--pools", path, *extra, "-o", "json")
    (audited,) = json.loads(result.stdout)["accounts"][0]["pools"]
    assert result.exit_code == 1
    assert audited["exposed"] == "InternetReachable"
    assert [(each["backendPort"], each["implicit"], each["internet"]["verdict"]) for each in audited["endpoints"]] == [
        (port, True, "Open")
    ]
    assert "ImplicitMappingOpenToInternet" in {finding["rule"] for finding in audited["findings"]}


def test_thousands_of_pools_give_a_page_that_can_be_read(tmp_path: Path) -> None:
    pools = [{**(OPEN if index % 2 else CLOSED), "id": f"p{index}"} for index in range(5000)]
    result = run("audit", "--pools", saved(tmp_path, *pools))
    lines = result.stdout.splitlines()
    assert len(lines) < 350
    assert "not shown: 2,300 more endpoints and 2,500 pools that let nobody in from the Internet" in result.stdout
    assert lines[-1].startswith("5,000 pools in 1 account: 2,500 open to the Internet, 0 undetermined, 2,500 closed")


def test_all_shows_all(tmp_path: Path) -> None:
    pools = [{**OPEN, "id": f"p{index}"} for index in range(300)]
    result = run("audit", "--all", "--pools", saved(tmp_path, *pools))
    assert all(f"\np{index} " in result.stdout for index in range(300))
    assert "not shown" not in result.stdout


def test_an_empty_account_says_so(demo: DemoAccounts) -> None:
    result = run("audit", "--endpoint", demo.endpoint(EMPTY))
    assert "no pools" in result.stdout
    assert result.exit_code == 0


def test_suggested_policies_close_what_is_open_and_are_accepted(demo: DemoAccounts) -> None:
    report = json.loads(run("audit", "--endpoint", demo.endpoint(DEV), "-o", "json").stdout)
    policies = report["suggestedPolicies"]
    assert [policy["spec"]["pools"]["ids"] for policy in policies] == [["playground"], ["dual-stack"]]
    assert len({policy["metadata"]["name"] for policy in policies}) == len(policies)
    items = [item for policy in policies for item in policy["spec"]["access"]["endpoints"]["items"]]
    assert [(item["name"], item["allowFrom"]) for item in items] == [("RDP", []), ("SSH", []), ("https", [])]


def test_pools_alike_share_a_suggested_policy_of_at_most_fifty(tmp_path: Path) -> None:
    pools = [{**OPEN, "id": f"p{index:03}"} for index in range(60)]
    report = json.loads(run("audit", "--pools", saved(tmp_path, *pools), "-o", "json").stdout)
    assert [len(policy["spec"]["pools"]["ids"]) for policy in report["suggestedPolicies"]] == [50, 10]


def test_an_endpoint_that_no_policy_may_describe_has_no_suggestion(tmp_path: Path) -> None:
    narrow = json.loads(json.dumps(OPEN).replace("4100", "4001"))
    report = json.loads(run("audit", "--pools", saved(tmp_path, narrow), "-o", "json").stdout)
    assert report["suggestedPolicies"] == []
    assert report["summary"]["findings"]["Exposure"] == 1
