"""Asks promtool whether an alert fires, where the series are too many to be written by hand."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import yaml

from tests.monitoring.queries import MONITORING
from tests.monitoring.tools import required_tool

Series: TypeAlias = tuple[str, str]
"""A series, and its values in promtool's notation, one per minute."""


def fire(alert: str, series: Iterable[Series], *, at: str, directory: Path) -> bool:
    """Whether an alert fires at a time of the test; `directory` is for promtool's files."""
    firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [
            {"expr": f"count({firing}) or vector(0)", "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}]}
        ],
    }
    path = directory / "asked.promtest.yaml"
    content = {"rule_files": [str(MONITORING / "alerts.yaml")], "evaluation_interval": "1m", "tests": [test]}
    path.write_text(yaml.safe_dump(content), "utf-8")
    done = subprocess.run(
        [required_tool("promtool"), "test", "rules", path], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 0:
        return True
    said = done.stdout + done.stderr
    assert "got: {} 0E+00" in said, said
    return False
