"""The PromQL expressions of dashboards and alerts, and what they refer to."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))

METRIC = re.compile(r"\b(?:batchaccess|process)_[a-z0-9_]+\b")


def alert_rules() -> list[dict[str, Any]]:
    """All alerting rules as committed."""
    content = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def dashboards() -> dict[str, dict[str, Any]]:
    """The dashboards as committed, by name of file."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in DASHBOARDS}


def panels(dashboard: Path) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard that show data."""
    for panel in json.loads(dashboard.read_text("utf-8"))["panels"]:
        if panel["type"] != "row":
            yield panel


def panel_queries(rate_interval: str = "1m") -> list[tuple[str, str]]:
    """Where a query stands, and the query as Prometheus gets it once Grafana filled in its variables."""
    return [
        (f"{dashboard.stem}: {panel['title']} {target['refId']}", filled_in(target["expr"], rate_interval))
        for dashboard in DASHBOARDS
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def filled_in(expr: str, rate_interval: str) -> str:
    """A query of a dashboard once Grafana put its variables in: every account, and this interval for rates."""
    return expr.replace("$__rate_interval", rate_interval).replace("$connection", ".*")
