"""The pages of plan, validate, compile and import show what these commands print, on the accounts of the demo.

A file that a page shows by `$ cat FILE` is the file that its commands then read. After a change that is meant,
`BATCHACCESS_UPDATE_DOCS=1 pytest tests/cli/test_plan_pages.py` writes the pages.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.demoaccounts import DemoAccounts
from tests.cli.documentation import COMMANDS, examples_of, rerun

RECIPES = COMMANDS.parent / "recipes"
PAGES = (
    COMMANDS / "plan.md",
    COMMANDS / "validate.md",
    COMMANDS / "compile.md",
    COMMANDS / "import.md",
    RECIPES / "adopt-an-account.md",
)
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def write_shown_files(page: str, directory: Path) -> None:
    """Write the files that a page shows."""
    for block in _BLOCK.findall(page):
        for example in examples_of(block):
            command, _, name = example.command.partition(" ")
            if command == "cat":
                target = directory / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("\n".join(example.printed) + "\n", encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_shows_what_its_commands_print(
    path: Path, demo: DemoAccounts, saved_files: Path, tmp_path: Path
) -> None:
    shutil.copytree(saved_files, tmp_path, dirs_exist_ok=True)
    page = path.read_text(encoding="utf-8")
    write_shown_files(page, tmp_path)
    now = rerun(page, demo, tmp_path)
    if os.environ.get("BATCHACCESS_UPDATE_DOCS"):
        path.write_text(now, encoding="utf-8")
    assert "$ batchaccess" in page
    assert now == page
