"""Where runbooks are read: the path in the source, or an address that the organisation sets, never one of ours."""

import os
import re
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.rendering import chart, kustomized, the
from tests.monitoring.queries import MONITORING, alert_rules
from tests.monitoring.tools import required_tool

BASE = "https://git.example.com/ops/batchaccess/docs"
GUIDE = MONITORING.parents[1] / "docs" / "monitoring.md"


def links(rule_object: dict[str, Any]) -> list[str]:
    """The runbook of every alert of a PrometheusRule."""
    groups = rule_object["spec"]["groups"]
    return [rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]]


def expected(base: str) -> list[str]:
    return [f"{base}/runbooks/{rule['alert']}.md" for rule in alert_rules()]


def test_by_default_a_link_is_the_path_in_the_source() -> None:
    assert [rule["annotations"]["runbook_url"] for rule in alert_rules()] == expected("docs")


def test_the_chart_leaves_the_path_or_puts_the_address_in_front() -> None:
    assert links(the(chart("monitoring.prometheusRule=true"), "PrometheusRule")) == expected("docs")
    for base in (f"{BASE}/runbooks", f"{BASE}/runbooks/"):
        rendered = chart("monitoring.prometheusRule=true", f"monitoring.runbookBaseUrl={base}")
        assert links(the(rendered, "PrometheusRule")) == expected(BASE)


def test_the_overlay_of_the_guide_puts_the_address_in_front(tmp_path: Path) -> None:
    required_tool("kubectl")
    (overlay,) = re.findall(r"```yaml\n(apiVersion: kustomize.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    content = yaml.safe_load(overlay)
    content["resources"] = [os.path.relpath(MONITORING, tmp_path)]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(content), "utf-8")
    rendered = kustomized(tmp_path)
    assert links(the(rendered, "PrometheusRule")) == expected(BASE)
    assert "runbooks" not in {each["metadata"]["name"] for each in rendered}
