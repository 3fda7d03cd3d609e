"""Every mistake of every file, each with its line; and how a command ends."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from batchaccess.cli.crds import crd_text
from batchaccess.cli.manifests.documents import MalformedYamlError, read_documents
from tests.cli.demoaccounts import TERMINAL, run

ROOT = Path(__file__).resolve().parents[2]
TWELVE = """\
apiVersion: batchaccess.dev/v1alpha1
kind: BatchPoolAccessPolicy
metadata: {name: twelve, namespace: render, lables: {team: render}}
spec:
  connections: {names: [prod], matchLabels: {env: prod}}
  pools: {ids: ["render/*"]}
  priorty: 10
  mode: Enforced
  access:
    endpoints:
      unlisted: Retain
      items:
        - name: SSH
          backendPort: 29876
          frontendPorts: {start: 50000, end: 50100}
          allowFrom: [10.0.0.0/33, 10.0.0.1, 10.0.0.1]
        - name: RDP
          backendPort: 3389
          frontendPorts: {start: 60000, end: 60010}
          allowFrm: []
    subnetId: batch
  remediation:
    drainTimeoutSeconds: 30
    drainTimeoutSeconds: 60
"""
POLICY = """\
apiVersion: batchaccess.dev/v1alpha1
kind: BatchPoolAccessPolicy
metadata: {{name: {name}, namespace: render}}
spec:
  connections: {{names: [prod]}}
  pools: {{ids: ["{ids}"]}}
  priority: {priority}
  access:
    endpoints:
      items:
        - name: SSH
          backendPort: 22
          frontendPorts: {{start: 4000, end: 4100}}
          allowFrom: [{sources}]
"""


WINDOW = """\
  remediation:
    windows:
    - kind: Allow
      schedule: 1 2 * * *
      durationSeconds: 60
      timeZone: Europe/Berlin
"""


def policy_text(name: str = "ssh", ids: str = "render-*", priority: int = 0, sources: str = "192.0.2.0/24") -> str:
    return POLICY.format(name=name, ids=ids, priority=priority, sources=sources)


def validated(text: str, *more: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and the mistakes as the JSON report has them."""
    result = run("validate", "-f", "-", "-o", "json", *more, stdin=text)
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)["mistakes"]


def test_twelve_mistakes_are_all_told_each_with_its_line() -> None:
    status, mistakes = validated(TWELVE)
    assert status == 1
    told = {(each["field"], each["line"], each["check"]) for each in mistakes}
    item = "spec.access.endpoints.items"
    assert told == {
        ("metadata.lables", 3, "UnknownField"),
        ("spec.connections", 5, "InvalidField"),
        ("spec.pools.ids[0]", 6, "InvalidField"),
        ("spec.priorty", 7, "UnknownField"),
        ("spec.mode", 8, "InvalidField"),
        ("spec.access.endpoints.unlisted", 11, "InvalidField"),
        (f"{item}[0].backendPort", 14, "InvalidField"),
        (f"{item}[0].frontendPorts", 15, "InvalidField"),
        (f"{item}[0].allowFrom[0]", 16, "InvalidField"),
        (f"{item}[1].frontendPorts", 19, "InvalidField"),
        (f"{item}[1].allowFrm", 20, "UnknownField"),
        ("spec.access.subnetId", 21, "InvalidField"),
        ("spec.remediation.drainTimeoutSeconds", 24, "InvalidField"),
        ("spec.remediation.drainTimeoutSeconds", 24, "RepeatedField"),
    }


ENTANGLED = """\
apiVersion: batchaccess.dev/v1alpha1
kind: BatchPoolAccessPolicy
metadata: {name: entangled, namespace: render}
spec:
  connections: {names: 7}
  access:
    endpoints:
      items:
        - {name: bad, backendPort: 0, frontendPorts: {start: 1000, end: 1100}, allowFrom: []}
        - {name: one, backendPort: 22, frontendPorts: {start: 4000, end: 4100}, allowFrom: []}
        - {name: two, backendPort: 22, frontendPorts: {start: 5000, end: 5100}, allowFrom: []}
        - {name: one, backendPort: 23, frontendPorts: {start: 6000, end: 6100}, allowFrom: [], rules: [{}]}
        - {name: one, backendPort: 24, frontendPorts: {start: 7000, end: 7100}, allowFrom: []}
    publicAddresses: {provisioning: NoPublicIPAddresses, addressIds: [x]}
  remediation:
    windows:
      - {kind: Permit, schedule: 0 2 * * *, durationSeconds: 3600}
      - {kind: Allow, schedule: 0 25 * * *, durationSeconds: 3600}
"""


def test_what_hides_behind_other_mistakes_is_told_too() -> None:
    _, mistakes = validated(ENTANGLED)
    told = {(each["field"], each["line"], each["message"].partition(";")[0]) for each in mistakes}
    item = "spec.access.endpoints.items"
    assert {
        (f"{item}[0].backendPort", 9, "input should be greater than or equal to 1"),
        (f"{item}[4]", 13, "name one is used twice"),
        (item, 8, "two items have the same backendPort"),
        ("spec.access", 6, "publicAddresses.provisioning NoPublicIPAddresses permits no inbound endpoints"),
        ("spec.remediation.windows[0].kind", 17, "input should be 'Allow' or 'Deny'"),
        ("spec.remediation.windows[1].schedule", 18, "'0 25 * * *' is no cron expression: bad hour"),
    } <= told
    assert "spec.connections" not in {field for field, _, _ in told}


@pytest.mark.parametrize(
    ("text", "field", "line", "message"),
    [
        pytest.param(
            policy_text().replace("allowFrom", "alowFrom"),
            "spec.access.endpoints.items[0].alowFrom",
            14,
            "did you mean allowFrom?",
            id="a mistyped field has a nearest name",
        ),
        pytest.param(
            policy_text() + "  zzz: 1\n", "spec.zzz", 15, "there are access, assertions", id="a strange one has none"
        ),
        pytest.param(
            policy_text().replace("Policy\n", "Polisy\n"), "kind", 2, "did you mean BatchPoolAccessPolicy", id="a kind"
        ),
        pytest.param(
            policy_text().replace("v1alpha1", "v1"), "apiVersion", 1, "write batchaccess.dev/v1alpha1", id="a version"
        ),
        pytest.param(
            policy_text().replace("kind: BatchPoolAccessPolicy\n", ""), "kind", 1, "is missing", id="no kind at all"
        ),
        pytest.param(
            policy_text() + WINDOW.replace("Berlin", "Berlun"),
            "spec.remediation.windows[0].timeZone",
            20,
            "no IANA time zone",
            id="a time zone",
        ),
        pytest.param(
            policy_text() + WINDOW.replace("1 2 * * *", "1 2 * *"),
            "spec.remediation.windows[0].schedule",
            18,
            "'1 2 * *' is no cron expression: write five fields (minute, hour, day, month, weekday), such as 0 2",
            id="a schedule of four short fields",
        ),
        pytest.param(
            policy_text() + WINDOW.replace("1 2 * * *", "15 14 1 JAN"),
            "spec.remediation.windows[0].schedule",
            18,
            "'15 14 1 JAN' is no cron expression: write five fields",
            id="a schedule of four long fields",
        ),
    ],
)
def test_a_mistake(text: str, field: str, line: int, message: str) -> None:
    status, mistakes = validated(text)
    found = [each for each in mistakes if each["field"] == field]
    assert status == 1
    assert [each["line"] for each in found] == [line]
    assert message in found[0]["message"]


def test_items_of_a_list_are_read_with_their_lines() -> None:
    items = "".join("- " + policy_text(name).replace("\n", "\n  ").rstrip() + "\n" for name in ("one", "two")).replace(
        "end: 4100", "end: 4010"
    )
    status, mistakes = validated("apiVersion: v1\nkind: List\nitems:\n" + items)
    assert status == 1
    assert [(each["object"], each["line"]) for each in mistakes] == [
        ("BatchPoolAccessPolicy render/one", 16),
        ("BatchPoolAccessPolicy render/two", 30),
    ]


def test_an_object_that_stands_twice_names_the_other_place() -> None:
    status, mistakes = validated(policy_text(ids="a") + "---\n" + policy_text(ids="b"))
    assert status == 1
    assert [(each["check"], each["line"]) for each in mistakes] == [("RepeatedObject", 18)]
    assert "at stdin:1" in mistakes[0]["message"]


RULES = """\
          rules:
            - {priority: 200, access: Allow, sourceAddressPrefix: 10.0.0.0/8}
            - {priority: 210, access: Allow, sourceAddressPrefix: 10.1.0.0/16}
            - {priority: 220, access: Deny, sourceAddressPrefix: 8.8.8.0/24}
            - {priority: 230, access: Deny, sourceAddressPrefix: "*"}
"""


def test_rules_without_effect_are_warned_of() -> None:
    head, _, _ = policy_text().partition("          allowFrom")
    status, mistakes = validated(head + RULES)
    assert status == 0
    assert [(each["check"], each["weight"], each["line"]) for each in mistakes] == [
        ("ShadowedRule", "Warning", 16),
        ("RedundantRule", "Warning", 17),
    ]
    assert validated(head + RULES, "--fail-on", "warning")[0] == 1


@pytest.mark.parametrize(
    ("sources", "idle"),
    [
        pytest.param("10.0.0.0/8, 10.0.0.1", ["allowFrom[1]"], id="an address in a prefix"),
        pytest.param("10.0.0.1, 10.0.0.0/8", ["allowFrom[0]"], id="in whatever order"),
        pytest.param('"*", 10.0.0.0/8', ["allowFrom[1]"], id="anyone contains all"),
        pytest.param('"*"', [], id="anyone alone; the Deny behind it is not the user's"),
        pytest.param('"2001:db8::/32", 10.0.0.0/8', [], id="IPv6 is not idle"),
        pytest.param("AzureCloud, 10.0.0.0/8", [], id="nobody knows what a tag contains"),
        pytest.param("", [], id="closed"),
    ],
)
def test_sources_that_others_contain_are_warned_of(sources: str, idle: list[str]) -> None:
    status, mistakes = validated(policy_text(sources=sources))
    assert status == 0
    assert [each["field"].rpartition(".")[2] for each in mistakes] == idle


def test_an_assertion_that_the_policy_breaks_itself() -> None:
    text = policy_text(sources='"*"') + (
        "  assertions:\n"
        "  - {name: other, ports: [3389], notReachableFrom: [Internet]}\n"
        "  - {name: no-login, ports: [22], notReachableFrom: [Internet]}\n"
    )
    status, mistakes = validated(text)
    broken = [each for each in mistakes if each["check"] == "BrokenAssertion"]
    assert status == 1
    assert [(each["field"], each["line"]) for each in broken] == [("spec.assertions[1]", 17)]
    assert "Internet reaches SSH (TCP/22)" in broken[0]["message"]


def test_what_depends_on_the_pool_is_a_note() -> None:
    text = policy_text().partition("    endpoints")[0] + (
        "    endpoints: {items: []}\n    publicAddresses: {provisioning: NoPublicIPAddresses}\n"
    )
    status, mistakes = validated(text)
    assert status == 0
    assert [(each["check"], each["weight"], each["line"]) for each in mistakes] == [("LimitExceeded", "Note", 10)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("a: [\n", 2, "is not valid YAML", id="broken YAML"),
        pytest.param(policy_text() + "---\na: b: c\n", 16, "is not valid YAML", id="broken behind a good document"),
        pytest.param("a: {{ .Values.a }}\nb: [\n", 3, "render it first", id="a template"),
        pytest.param("a: &a [*a]\n", 1, "aliases", id="an alias of itself"),
        pytest.param("\x00", 1, "is not valid YAML", id="not even text"),
        pytest.param("? [a, b]\n: c\n", 1, "a key that is no text", id="a list as key"),
        pytest.param("a: !!python/name:os.system\n", 1, "is not valid YAML", id="a tag of another program"),
        pytest.param("kind: ConfigMap\n", None, "no file holds a BatchPoolAccessPolicy", id="nothing of ours"),
        pytest.param("- a\n- b\n", None, "no file holds a BatchPoolAccessPolicy", id="a list"),
        pytest.param("", None, "no file holds a BatchPoolAccessPolicy", id="nothing at all"),
    ],
)
def test_what_cannot_be_read_ends_2(text: str, line: int | None, message: str) -> None:
    status, mistakes = validated(text)
    assert status == 2
    assert [each["line"] for each in mistakes if each["check"] == "UnreadableFile"] == [line]
    assert message in mistakes[-1]["message"]


def test_aliases_in_aliases_end_before_memory_does() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in pairwise("abcdefgh"):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    with pytest.raises(MalformedYamlError, match="aliases"):
        list(read_documents("\n".join(lines).encode()))


def test_merge_keys_and_times_are_read_as_kubernetes_does() -> None:
    (document,) = read_documents(b"base: &b {x: 1, t: 2026-01-01T00:00:00Z}\nmore: {<<: *b, x: 2, on: yes}\n")
    assert document.content["more"] == {"x": 2, "t": "2026-01-01T00:00:00Z", "on": True}
    assert document.repeated == ()
    assert document.line("more.unknown[0].deeper") == 2


def test_directories_are_read_with_all_below_but_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "a" / ".git").mkdir(parents=True)
    (tmp_path / "a" / "one.yaml").write_text(policy_text(ids="a"), encoding="utf-8")
    (tmp_path / "two.yml").write_text(policy_text("two", ids="b"), encoding="utf-8")
    (tmp_path / "three.json").write_text(json.dumps({"kind": "Other"}), encoding="utf-8")
    for hidden in ("a/.git/bad.yaml", ".bad.yaml", "bad.txt"):
        (tmp_path / hidden).write_text("a: [", encoding="utf-8")
    result = run("validate", "-f", str(tmp_path), "-f", str(tmp_path / "two.yml"))
    assert (result.exit_code, result.stdout) == (0, "2 objects in 3 files: nothing to mend\n")


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_a_place_without_files_ends_2(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("validate", "-f", str(tmp_path / name))
    assert result.exit_code == 2
    assert name in result.stdout
    assert "Traceback" not in result.output


def test_the_definitions_and_the_examples_are_no_mistakes_of_form(tmp_path: Path) -> None:
    (tmp_path / "crds.yaml").write_text(crd_text(), encoding="utf-8")
    result = run("validate", "-f", str(tmp_path), "-f", str(ROOT / "deploy" / "examples"), "-o", "json")
    checks = {each["check"] for each in json.loads(result.stdout)["mistakes"]}
    assert checks <= {"SamePools", "RedundantRule", "NotAccepted"}


def test_a_log_for_code_scanning() -> None:
    result = run("validate", "-f", "-", "-o", "sarif", stdin=TWELVE + "---\na: [\n")
    schema = json.loads((ROOT / "tests/cli/schemas/sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    log = json.loads(result.stdout)
    jsonschema.Draft7Validator(schema).validate(log)
    (only,) = log["runs"]
    lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in only["results"]]
    assert (result.exit_code, lines[0], lines == sorted(lines)) == (2, 3, True)
    names = {
        each["locations"][0].get("logicalLocations", [{}])[0].get("fullyQualifiedName") for each in only["results"]
    }
    assert "BatchPoolAccessPolicy render/twelve/spec.mode" in names


def test_the_report_is_as_its_schema_says() -> None:
    schema = json.loads((ROOT / "docs/schemas/validation-report-v1.json").read_text(encoding="utf-8"))
    for text in (TWELVE, policy_text(), "a: ["):
        report = json.loads(run("validate", "-f", "-", "-o", "json", stdin=text).stdout)
        jsonschema.Draft202012Validator(schema).validate(report)


def test_people_see_mistakes_by_object_and_pipes_a_line_each() -> None:
    piped = run("validate", "-f", "-", stdin=TWELVE).stdout.splitlines()
    assert piped[0] == "stdin:3: error: metadata.lables: is no field of metadata; did you mean labels? [UnknownField]"
    shown = run("validate", "-f", "-", stdin=TWELVE, env=TERMINAL).stdout
    assert shown.count("BatchPoolAccessPolicy render/twelve") == 1
    quiet = run("validate", "-q", "-f", "-", stdin=TWELVE)
    assert (quiet.exit_code, quiet.output) == (1, "")
