"""What tests of the command line share."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.demoaccounts import DEV, DemoAccounts, demo_accounts


@pytest.fixture(scope="session")
def demo() -> Iterator[DemoAccounts]:
    """The accounts of the demo on an emulator; tests only read them."""
    with demo_accounts() as accounts:
        yield accounts


@pytest.fixture(scope="session")
def saved_files(demo: DemoAccounts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what the documentation saves: pools.json, dev-pools.json, nodes.json of sim-mpi."""
    directory = tmp_path_factory.mktemp("saved")
    for name, content in (
        ("pools.json", demo.saved()),
        ("dev-pools.json", demo.saved(DEV)),
        ("build.json", next(pool for pool in demo.saved(DEV) if pool["id"] == "build")),
        ("nodes.json", demo.nodes("sim-mpi")),
    ):
        (directory / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
    return directory
