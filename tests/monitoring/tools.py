"""Programs that some tests need. Where they are absent the test skips and says so; CI turns the skip into a failure."""

import os
import shutil

import pytest

REMEDIES = {
    "promtool": "run scripts/install-promtool.sh",
    "prometheus": "run scripts/install-promtool.sh",
    "kubectl": "install kubectl",
}


def required_tool(name: str) -> str:
    """The path of a program; skips the test if it is absent, or fails it if BATCHACCESS_REQUIRE_TOOLS is 1."""
    path = shutil.which(name)
    if path:
        return path
    missing = f"{name} is not on PATH: {REMEDIES[name]}"
    if os.environ.get("BATCHACCESS_REQUIRE_TOOLS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
