"""Prometheus' own checker on what a scrape returns."""

import subprocess

from tests.monitoring.tools import required_tool
from tests.telemetry.build_rows import populated


def test_promtool_finds_nothing_to_say_about_the_metrics() -> None:
    promtool = required_tool("promtool")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=populated().exposition(), capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
