"""The alerts: they load, fire when they should and only then, and say what to do."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchaccess.telemetry.families import MetricType
from batchaccess.telemetry.metrics import FAMILIES
from tests.monitoring.queries import METRIC, MONITORING, alert_rules
from tests.monitoring.tools import required_tool

HERE = Path(__file__).parent
RUNBOOKS = MONITORING.parents[1] / "docs" / "runbooks"
UNIT_TESTS = sorted(HERE.glob("*.promtest.yaml"))
NAMES = sorted({rule["alert"] for rule in alert_rules()})

REQUIRED = {"PoolInternetExposed", "DriftUncorrected", "SweepStale"}
OF_EVERY_PROCESS = {"process_start_time_seconds", "process_resident_memory_bytes"}
"""Of what every client of Prometheus shows."""

SERIES_NAMES = {name for family in FAMILIES for name in family.series_names} | OF_EVERY_PROCESS

DURATION = re.compile(r"(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)")
"""How the schema of PrometheusRule (Prometheus operator 0.66 and later) has `for` and `keep_firing_for`."""


def test_promtool_accepts_the_rules() -> None:
    promtool = required_tool("promtool")
    done = subprocess.run(
        [promtool, "check", "rules", MONITORING / "alerts.yaml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(alert_rules())} rules found" in done.stdout


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.name)
def test_alerts_fire_and_do_not_fire_as_promtool_is_told(path: Path, tmp_path: Path) -> None:
    promtool = required_tool("promtool")
    tests = tmp_path / path.name
    tests.write_text(path.read_text("utf-8").replace("ALERTS]", f"{MONITORING / 'alerts.yaml'}]"), "utf-8")
    done = subprocess.run([promtool, "test", "rules", tests], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def expectations() -> dict[str, set[bool]]:
    """For each alert, whether some unit test expects it firing (True) and silent (False)."""
    found: dict[str, set[bool]] = {}
    for path in UNIT_TESTS:
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            for expected in test.get("alert_rule_test", []):
                found.setdefault(expected["alertname"], set()).add(bool(expected["exp_alerts"]))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_tested_both_ways(name: str) -> None:
    assert expectations()[name] == {True, False}


def test_every_severity_of_an_alert_is_tested() -> None:
    tested = {
        (alert["alertname"], expected["exp_labels"]["severity"])
        for path in UNIT_TESTS
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]
        for alert in test.get("alert_rule_test", [])
        for expected in alert["exp_alerts"]
    }
    assert tested == {(rule["alert"], rule["labels"]["severity"]) for rule in alert_rules()}


def test_the_alerts_that_were_asked_for_exist() -> None:
    assert set(NAMES) >= REQUIRED


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: f"{rule['alert']} {rule['labels']['severity']}")
class TestEveryAlert:
    def test_it_says_what_and_where(self, rule: dict[str, Any]) -> None:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert not rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")

    def test_it_outlives_a_rollout(self, rule: dict[str, Any]) -> None:
        assert rule["keep_firing_for"] == "5m"
        assert DURATION.fullmatch(rule["keep_firing_for"])
        assert DURATION.fullmatch(rule.get("for", "0"))

    def test_it_asks_for_metrics_that_exist(self, rule: dict[str, Any]) -> None:
        assert set(METRIC.findall(rule["expr"])) <= SERIES_NAMES

    def test_it_names_only_labels_that_its_expression_keeps(self, rule: dict[str, Any]) -> None:
        kept = set(re.findall(r"\w+", " ".join(re.findall(r"(?:by|group_left) \(([^)]*)\)", rule["expr"]))))
        text = rule["annotations"]["summary"] + rule["annotations"]["description"]
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= kept

    def test_its_runbook_says_what_it_means_how_to_look_and_what_to_do(self, rule: dict[str, Any]) -> None:
        name = rule["annotations"]["runbook_url"].rpartition("/")[2]
        assert name == f"{rule['alert']}.md"
        text = (RUNBOOKS / name).read_text("utf-8")
        assert text.startswith(f"# {rule['alert']}\n")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["What it means", "How to look", "What to do"]


def test_no_runbook_without_an_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README") == NAMES


def test_runbooks_refer_only_to_metrics_that_exist() -> None:
    counters = {family.name for family in FAMILIES if family.type is MetricType.COUNTER}
    assert counters <= SERIES_NAMES
    for path in RUNBOOKS.glob("*.md"):
        assert set(METRIC.findall(path.read_text("utf-8"))) <= SERIES_NAMES, path.name


def test_the_prometheus_rule_holds_the_same_groups() -> None:
    plain = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    wrapped = yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text("utf-8"))
    assert (wrapped["apiVersion"], wrapped["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert wrapped["spec"] == plain


def test_inhibitions_name_alerts_and_labels_that_exist() -> None:
    rules = yaml.safe_load((MONITORING / "alertmanager-inhibit.yaml").read_text("utf-8"))["inhibit_rules"]
    assert rules
    matcher = re.compile(r'(alertname|severity) ?(=~|=) ?"([^"]+)"')
    for rule in rules:
        for text in rule["source_matchers"] + rule["target_matchers"]:
            found = matcher.fullmatch(text)
            assert found, text
            if found[1] == "alertname":
                assert set(found[3].split("|")) <= set(NAMES)
