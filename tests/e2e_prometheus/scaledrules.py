"""Our alert rules at the pace of a story of two minutes: every waiting time shortened by the same factor.

Only how long something lasts is changed, never what it is: `for`, `keep_firing_for`, how long a restart is bridged, and
the ages that DriftUncorrected compares. Ranges of increases stay. The rules as committed are tested by promtool.
"""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from scripts.monitoring.restarts import BRIDGED, BRIDGED_SECONDS
from tests.monitoring.queries import MONITORING

PACE: Final = 720
"""An hour becomes 5 seconds, a day two minutes, 72 hours six."""

_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_DURATION: Final = re.compile(r"(\d+)([smh])")
_AGE: Final = re.compile(r"(\) > )(3600|86400)$", re.MULTILINE)


def write_scaled_rules(directory: Path) -> Path:
    """Write the shortened copy of deploy/monitoring/alerts.yaml; its path."""
    content = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    for group in content["groups"]:
        group["rules"] = [scaled(rule) for rule in group["rules"]]
    path = directory / "scaled-alerts.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def scaled(rule: dict[str, Any]) -> dict[str, Any]:
    """One rule with its waiting times shortened, to a second at least."""
    expr = _AGE.sub(lambda found: f"{found[1]}{_shortened(int(found[2]))}", rule["expr"])
    expr = expr.replace(f"[{BRIDGED}]", f"[{_shortened(BRIDGED_SECONDS)}s]")
    expr = expr.replace(f"> {BRIDGED_SECONDS}\n", f"> {_shortened(BRIDGED_SECONDS)}\n")
    lasting: dict[str, Any] = {
        name: _shortened_duration(rule[name]) for name in ("for", "keep_firing_for") if name in rule
    }
    return {**rule, "expr": expr, **lasting}


def _shortened_duration(duration: str) -> str:
    found = _DURATION.fullmatch(duration)
    assert found, duration
    return f"{_shortened(int(found[1]) * _UNITS[found[2]])}s"


def _shortened(seconds: int) -> int:
    return max(1, seconds // PACE)
