"""Answers for machines are what their schemas say, and the schemas say everything that is there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cli.demoaccounts import DEV, EMPTY, DemoAccounts, run

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMAS = REPOSITORY / "docs" / "schemas"
SARIF_SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json"

AUDITS: dict[str, list[str]] = {
    "live accounts, one of them empty": ["{prod}", "{dev}", "{empty}"],
    "a live account and one that refuses": ["{prod}", "--endpoint=https://example.com"],
    "saved pools, some unreadable": ["--pools={files}/pools.json", "--pools={files}/odd.json"],
}
EXPLANATIONS: dict[str, list[str]] = {
    "rules": ["render-batchnight", "{prod}"],
    "a tag and a private source": ["license-server", "{prod}", "--from=10.0.0.4:99"],
    "two families": ["dual-stack", "{dev}", "--from=2001:4860:4860::8888"],
    "an implicit mapping that nobody saw": ["sim-archive", "{prod}"],
    "no endpoint, asked about a port": ["quiet", "{dev}", "--port=22", "--from=8.8.8.8"],
}


@pytest.fixture
def fill(demo: DemoAccounts, saved_files: Path) -> Any:  # noqa: ANN401 a function
    (saved_files / "odd.json").write_text('[{"id": "bad", "metadata": 7}, 7]', encoding="utf-8")
    places = {
        "prod": f"--endpoint={demo.endpoint()}",
        "dev": f"--endpoint={demo.endpoint(DEV)}",
        "empty": f"--endpoint={demo.endpoint(EMPTY)}",
        "files": str(saved_files),
    }
    return lambda args: [each.format(**places) for each in args]


def closed(schema: Any) -> Any:  # noqa: ANN401 any JSON
    """The schema without leave for keys it does not name; parts of an `allOf` know only some keys each."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items() if key != "allOf"}
    if "allOf" in schema:
        return {**found, "allOf": schema["allOf"], "unevaluatedProperties": False}
    if "properties" in schema and isinstance(schema["properties"], dict) and schema.get("type") == "object":
        found["unevaluatedProperties"] = False
    return found


def validate(document: Any, name: str) -> None:  # noqa: ANN401 any JSON
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    strict = closed(schema)
    if name.startswith("pool-explanation"):
        # Inside an allOf it must stay open, as the other part names the rest.
        strict["$defs"]["endpoint"] = schema["$defs"]["endpoint"]
    jsonschema.Draft202012Validator(strict).validate(document)


@pytest.mark.parametrize("args", AUDITS.values(), ids=AUDITS)
def test_an_audit_report_is_what_its_schema_says(args: list[str], fill: Any) -> None:  # noqa: ANN401 a function
    validate(json.loads(run("audit", *fill(args), "-o", "json").stdout), "audit-report-v1.json")


@pytest.mark.parametrize("args", EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_an_explanation_is_what_its_schema_says(args: list[str], fill: Any) -> None:  # noqa: ANN401 a function
    validate(json.loads(run("explain", *fill(args), "-o", "json").stdout), "pool-explanation-v1.json")


def test_yaml_says_the_same_as_json(fill: Any) -> None:  # noqa: ANN401 a function
    args = fill(AUDITS["live accounts, one of them empty"])
    assert yaml.safe_load(run("audit", *args, "-o", "yaml").stdout) == json.loads(
        run("audit", *args, "-o", "json").stdout
    )


@pytest.mark.parametrize("args", AUDITS.values(), ids=AUDITS)
def test_sarif_is_valid(args: list[str], fill: Any) -> None:  # noqa: ANN401 a function
    log = json.loads(run("audit", *fill(args), "-o", "sarif").stdout)
    schema = json.loads(SARIF_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(log)
    assert log["runs"][0]["results"]


def results(stdout: str) -> Iterator[tuple[str, str, str, int | None]]:
    """Rule, level, logical place and line of every result."""
    for result in json.loads(stdout)["runs"][0]["results"]:
        (place,) = result["locations"]
        (name,) = place["logicalLocations"]
        line = place["physicalLocation"].get("region", {}).get("startLine")
        yield result["ruleId"], result["level"], name["fullyQualifiedName"], line


def test_sarif_points_at_the_line_of_a_saved_pool(saved_files: Path) -> None:
    path = saved_files / "pools.json"
    found = list(results(run("audit", "--pools", str(path), "-o", "sarif").stdout))
    lines = path.read_text(encoding="utf-8").splitlines()
    (line,) = {line for rule, _, name, line in found if name == "prodbatch/render-gpu/SSH"}
    assert line is not None
    assert lines[line - 1].strip() == '"id": "render-gpu",'
    assert ("LoginPortOpenToInternet", "error", "prodbatch/render-gpu/SSH", line) in found


def test_sarif_tells_what_could_not_be_read(demo: DemoAccounts) -> None:
    result = run("audit", "--endpoint", demo.endpoint(), "--pools", "missing.json", "-o", "sarif")
    (invocation,) = json.loads(result.stdout)["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "missing.json: cannot be read: No such file or directory"


def test_fingerprints_are_the_same_at_the_next_run_and_differ_within_one(saved_files: Path) -> None:
    def prints() -> list[str]:
        log = json.loads(run("audit", "--pools", str(saved_files / "pools.json"), "-o", "sarif").stdout)
        return [result["partialFingerprints"]["batchaccess/v1"] for result in log["runs"][0]["results"]]

    first = prints()
    assert first == prints()
    assert len(set(first)) == len(first)
