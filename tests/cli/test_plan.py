"""What policies would do to pools: matching accounts, steps, costs, statuses; and nothing is ever written."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from batchemulator import ManualClock, make_service, serving_in_thread
from tests.cli.demoaccounts import ACCOUNTS, DEV, NO_CREDENTIALS, PROD, TERMINAL, DemoAccounts, demo_pools, run

ROOT = Path(__file__).resolve().parents[2]
RENDER_POOLS = sum(pool["id"].startswith("render-") for pool in demo_pools()["prodbatch"])
CONNECTION = """\
---
apiVersion: batchaccess.dev/v1alpha1
kind: BatchAccountConnection
metadata: {{name: {name}, labels: {{env: {name}}}}}
spec:
  endpoint: {endpoint}
  auth: {{type: SharedKey, secretRef: {{name: prod, key: key}}}}
  grants:
  - {{namespaces: {{names: [render]}}, pools: ["render-*"], modes: [Audit, Enforce], strategies: [WhenEmpty, Drain]}}
  guardrails: {{forbidInternetPorts: [3389]}}
"""


def policy_text(
    name: str = "ssh",
    *,
    connections: str = "names: [prod]",
    ids: str = "render-*",
    access: str = "endpoints: {items: []}",
    more: str = "",
) -> str:
    return (
        "---\napiVersion: batchaccess.dev/v1alpha1\nkind: BatchPoolAccessPolicy\n"
        f"metadata: {{name: {name}, namespace: render}}\nspec:\n  connections: {{{connections}}}\n"
        f"  pools: {{ids: ['{ids}']}}\n  mode: Enforce\n  access: {{{access}}}\n{more}"
    )


def connection_text(name: str = "prod", endpoint: str = "https://prodbatch.westeurope.batch.azure.com") -> str:
    return CONNECTION.format(name=name, endpoint=endpoint)


def planned(text: str, *args: str, env: dict[str, str | None] | None = None) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of a plan of these manifests."""
    result = run("plan", "-f", "-", "-o", "json", *args, stdin=text, env=env)
    assert "Traceback" not in result.output
    assert result.stdout, result.stderr
    return result.exit_code, json.loads(result.stdout)


def pools_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {pool["id"]: pool for account in report["accounts"] for pool in account["pools"]}


def test_each_pool_has_its_step(saved_files: Path) -> None:
    status, report = planned(policy_text(), "--pools", f"{saved_files}/pools.json")
    assert status == 1
    pools = pools_of(report)
    steps = [pool["step"] for pool in pools.values()]
    assert report["summary"]["poolsByStep"] == {
        step: steps.count(step) for step in ("None", "Report", "Patch", "Wait", "Drain", "PauseAutoscale", "Refuse")
    }
    assert [pools[each]["step"] for each in ("render-gpu", "render-linux", "sim-mpi")] == ["Wait", "Patch", "None"]
    assert pools["render-gpu"]["waitsFor"] == ["4 nodes"]
    assert pools["render-linux"]["before"]["exposed"] == "InternetReachable"
    assert pools["render-linux"]["after"]["exposed"] == "None"
    assert pools["sim-mpi"]["policy"] is None


def test_widening_comes_first_and_pools_without_drift_last(saved_files: Path) -> None:
    _, report = planned(
        policy_text(access="endpoints: {items: []}"),
        "--pools",
        f"{saved_files}/pools.json",
    )
    kinds = [pool["drift"]["class"] for pool in report["accounts"][0]["pools"]]
    assert kinds == ["Widening"] * RENDER_POOLS + ["None"] * (len(kinds) - RENDER_POOLS)


@pytest.mark.parametrize(
    ("manifests", "pools", "connection", "assumed"),
    [
        pytest.param(policy_text(), "pools.json", "prod", True, id="the only account is the only connection named"),
        pytest.param(policy_text(), "prod=pools.json", "prod", True, id="a name given by hand"),
        pytest.param(policy_text() + connection_text(), "pools.json", "prod", False, id="a connection to its endpoint"),
        pytest.param(
            policy_text() + connection_text(endpoint="https://other.westeurope.batch.azure.com"),
            "prod=pools.json",
            "prod",
            False,
            id="a connection of the name given by hand",
        ),
        pytest.param(
            policy_text(connections="matchLabels: {env: x}"), "pools.json", "prodbatch", True, id="labels are assumed"
        ),
        pytest.param(
            policy_text(connections="matchLabels: {env: prod}") + connection_text(),
            "pools.json",
            "prod",
            False,
            id="labels of the connection count",
        ),
    ],
)
def test_an_account_is_matched_with_its_connection(
    manifests: str, pools: str, connection: str, *, assumed: bool, saved_files: Path
) -> None:
    name, equals, file = pools.rpartition("=")
    status, report = planned(manifests, "--pools", f"{name}{equals}{saved_files}/{file}")
    (account,) = report["accounts"]
    assert (account["connection"], account["connectionAssumed"]) == (connection, assumed)
    assert report["summary"]["governed"] == RENDER_POOLS
    assert status == 1
    assert any("grants and guardrails are not checked" in note for note in report["notes"]) is assumed


@pytest.mark.parametrize(
    ("connections", "governed"),
    [
        pytest.param("names: [other]", 0, id="another name, with two accounts, is nobody's"),
        pytest.param("names: [prodbatch]", RENDER_POOLS, id="the name of the account"),
        pytest.param("matchLabels: {env: x}", 0, id="labels of two accounts are not assumed"),
    ],
)
def test_nothing_is_guessed_where_there_are_two_accounts(connections: str, governed: int, saved_files: Path) -> None:
    files = [f"--pools={saved_files}/{name}" for name in ("pools.json", "dev-pools.json")]
    status, report = planned(policy_text(connections=connections), *files)
    assert report["summary"]["governed"] == governed
    assert status == (1 if governed else 0)
    assert report["policies"][0]["reason"] == ("Accepted" if governed else "TargetNotFound")


def test_accounts_stand_for_what_the_user_says(saved_files: Path) -> None:
    files = [f"--pools={saved_files}/{name}" for name in ("pools.json", "dev-pools.json")]
    _, report = planned(policy_text(ids="*"), *files, "--as", "devbatch=prod")
    assert [(each["connection"], each["connectionAssumed"]) for each in report["accounts"]] == [
        ("prodbatch", True),
        ("prod", True),
    ]
    assert report["summary"]["governed"] == len(demo_pools()["devbatch"])
    _, report = planned(policy_text() + connection_text("prod", "https://a.b.batch.azure.com"), files[0], "--as=prod")
    assert [(each["connection"], each["connectionAssumed"]) for each in report["accounts"]] == [("prod", False)]


def test_policies_by_name_keep_labels_from_being_assumed(saved_files: Path) -> None:
    both = policy_text() + policy_text("labels", connections="matchLabels: {env: dev}")
    _, report = planned(both, "--pools", f"{saved_files}/pools.json")
    assert [each["reason"] for each in report["policies"]] == ["Accepted", "TargetNotFound"]


def test_a_refused_policy_is_found_and_does_nothing(saved_files: Path) -> None:
    manifests = policy_text(ids="*", more="  priority: 7\n") + connection_text()
    status, report = planned(manifests, "--pools", f"{saved_files}/pools.json")
    assert status == 1
    assert report["summary"]["governed"] == 0
    assert report["summary"]["refusedPolicies"] == 1
    assert report["policies"][0]["connections"][0]["reason"] == "NotPermitted"
    shown = run("plan", "-f", "-", "--pools", f"{saved_files}/pools.json", stdin=manifests)
    assert "refused: render/ssh is not accepted by prod (NotPermitted)" in shown.stdout


def test_a_guardrail_is_reported_whoever_governs(saved_files: Path) -> None:
    status, report = planned(policy_text(ids="none") + connection_text(), "--pools", f"{saved_files}/pools.json")
    broken = {pool["id"]: pool["guardrailViolations"] for pool in pools_of(report).values()}
    assert broken["render-windows"] == ["RDP (TCP/3389) may be reachable from the Internet"]
    assert status == 1


DRAIN = """\
  remediation:
    strategy: Drain
    nodeDeallocation: Requeue
    windows: [{kind: Allow, schedule: "0 2 * * SAT", durationSeconds: 14400, timeZone: Europe/Berlin}]
"""


def test_draining_tells_its_cost_with_running_tasks_where_live(demo: DemoAccounts, saved_files: Path) -> None:
    text = policy_text(ids="render-gpu", more=DRAIN)
    _, live = planned(text, "--endpoint", demo.endpoint())
    _, saved = planned(text, "--pools", f"{saved_files}/pools.json")
    for report, tasks in ((live, 0), (saved, None)):
        pool = pools_of(report)["render-gpu"]
        assert pool["step"] == "Drain"
        assert pool["cost"] == {
            "nodes": 4,
            "runningTasks": tasks,
            "nodeDeallocation": "Requeue",
            "timeoutSeconds": 7200,
            "autoscaleOff": False,
            "windows": [
                {"kind": "Allow", "schedule": "0 2 * * SAT", "durationSeconds": 14400, "timeZone": "Europe/Berlin"}
            ],
        }
    shown = run("plan", "-f", "-", "--endpoint", demo.endpoint(), stdin=text).stdout
    assert "4 nodes with 0 running tasks removed by Requeue within 7,200 s, then made again" in shown
    assert "Allow 0 2 * * SAT for 4 h (Europe/Berlin)" in shown


def test_accounts_of_the_manifests_are_read_if_policies_name_them(demo: DemoAccounts) -> None:
    """The others are not asked: nobody listens at the second endpoint."""
    text = (
        policy_text() + connection_text(endpoint=demo.emulator.url(PROD)) + connection_text("dev", "http://127.0.0.1:9")
    )
    secret: dict[str, str | None] = {"BATCHACCESS_SECRET_PROD_KEY": f"{PROD.name}:{PROD.key}"}
    status, report = planned(text, env=secret)
    assert status == 1
    assert [account["name"] for account in report["accounts"]] == ["prod"]
    assert report["summary"]["governed"] == RENDER_POOLS


def test_nothing_is_written_and_nodes_of_other_pools_are_not_listed() -> None:
    with serving_in_thread(make_service(ACCOUNTS, pools=demo_pools(), clock=ManualClock())) as emulator:
        run("plan", "-f", "-", "--endpoint", f"prodbatch={emulator.url(PROD)}", stdin=policy_text(ids="*", more=DRAIN))
        run("import", "*", "--endpoint", f"prodbatch={emulator.url(PROD)}")
        assert {entry.method for entry in emulator.requests} == {"GET"}
        before = len(emulator.requests)
        run("plan", "-f", "-", "--endpoint", f"prodbatch={emulator.url(PROD)}", stdin=policy_text())
        assert [entry.operation for entry in list(emulator.requests)[before:]] == ["list_pools"]


def test_statuses(saved_files: Path) -> None:
    one = f"--pools={saved_files}/pools.json"
    closed = policy_text(ids="render-batchnight", access="acceleratedNetworking: false")
    assert planned(closed, one)[0] == 0
    assert planned(policy_text(), one)[0] == 1
    assert planned(policy_text(), one, f"--pools={saved_files}/missing.json")[0] == 2
    assert planned(policy_text() + "---\na: [", one)[0] == 2
    quiet = run("plan", "-q", "-f", "-", one, stdin=policy_text())
    assert (quiet.exit_code, quiet.output) == (1, "")


@pytest.mark.parametrize(
    ("args", "text", "told"),
    [
        pytest.param((), "", "say what to plan", id="nothing to plan"),
        pytest.param(("-f", "-"), policy_text(), "say where the pools are", id="no pools"),
        pytest.param(("-f", "-", "--pools", "-"), policy_text(), "only one input", id="stdin twice"),
        pytest.param(("-f", "missing", "--pools", "{}/pools.json"), "", "missing: cannot be read", id="no such file"),
        pytest.param(("-f", "-", "--pools", "{}/pools.json"), "a: 1", "holds no BatchPoolAccessPolicy", id="no policy"),
        pytest.param(
            ("-f", "-", "--pools", "{}/pools.json"),
            policy_text().replace("mode:", "mod:"),
            "stdin:8: BatchPoolAccessPolicy render/ssh spec.mod: is no field of spec; did you mean mode?",
            id="a mistake",
        ),
        pytest.param(
            ("-f", "-", "--endpoint", "https://prodbatch.westeurope.batch.azure.com"),
            policy_text(),
            "no identity gave a token",
            id="no credentials",
        ),
        pytest.param(("-f", "-", "--endpoint", "https://example.com"), policy_text(), "example.com", id="no account"),
        pytest.param(
            ("-f", "-", "--pools", "{}/pools.json", "--pools", "{}/dev-pools.json", "--as", "x"),
            policy_text(),
            "--as prodbatch=x",
            id="a name for one of two accounts",
        ),
        pytest.param(
            ("-f", "-", "--pools", "{}/pools.json", "--as", "a=x"),
            policy_text(),
            "no account a was read, but prodbatch",
            id="a name for no account",
        ),
        pytest.param(
            ("--from-cluster", "--kubeconfig", "{}/missing", "--pools", "{}/pools.json"),
            "",
            "no usable Kubernetes configuration",
            id="no cluster",
        ),
    ],
)
def test_what_cannot_be_planned_ends_2_in_a_line(
    args: tuple[str, ...], text: str, told: str, saved_files: Path
) -> None:
    result = run("plan", *(each.format(saved_files) for each in args), stdin=text, env=NO_CREDENTIALS)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_an_empty_account_and_many_pools_are_usable_pages(saved_files: Path) -> None:
    text = policy_text(ids="*")
    empty = run("plan", "-f", "-", "--pools", "prod=-", "-o", "table", stdin="[]")
    assert empty.exit_code == 2
    (saved_files / "empty.json").write_text("[]", encoding="utf-8")
    nothing = run("plan", "-f", "-", "--pools", f"prod={saved_files}/empty.json", stdin=text)
    assert (nothing.exit_code, "no pools" in nothing.stdout) == (0, True)
    gpu = next(pool for pool in json.loads((saved_files / "pools.json").read_text()) if pool["id"] == "render-gpu")
    (saved_files / "many.json").write_text(json.dumps([gpu | {"id": f"p{index}"} for index in range(300)]))
    many = run("plan", "-f", "-", "--pools", f"prod={saved_files}/many.json", stdin=text, env=TERMINAL).stdout
    assert "not shown: 250 more pools that differ; --all shows them" in many
    whole = run("plan", "-f", "-", "--pools", f"prod={saved_files}/many.json", "--all", stdin=text).stdout
    assert "not shown" not in whole
    assert whole.count("drift Widening") == 300


def test_the_report_is_as_its_schema_says(demo: DemoAccounts, saved_files: Path) -> None:
    schema = json.loads((ROOT / "docs/schemas/plan-report-v1.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for text, args in (
        (policy_text(ids="*", more=DRAIN), ("--endpoint", demo.endpoint(), "--endpoint", demo.endpoint(DEV))),
        (policy_text() + connection_text() + "---\na: [", ("--pools", f"{saved_files}/pools.json")),
        (
            policy_text(more="  assertions: [{name: a, notReachableFrom: [Internet]}]\n"),
            ("--pools", f"{saved_files}/pools.json"),
        ),
    ):
        jsonschema.Draft202012Validator(schema).validate(planned(text, *args)[1])
