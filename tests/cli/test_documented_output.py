"""Everything that the pages of the commands show is what the commands print, against the accounts of the demo.

After a change that is meant, `BATCHACCESS_UPDATE_DOCS=1 pytest tests/cli/test_documented_output.py` writes the pages.
"""

import os
from pathlib import Path

import pytest

from tests.cli.demoaccounts import DemoAccounts
from tests.cli.documentation import COMMANDS, rerun

PAGES = ("audit.md", "explain.md", "output.md")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_commands_print(name: str, demo: DemoAccounts, saved_files: Path) -> None:
    page = (COMMANDS / name).read_text(encoding="utf-8")
    now = rerun(page, demo, saved_files)
    if os.environ.get("BATCHACCESS_UPDATE_DOCS"):
        (COMMANDS / name).write_text(now, encoding="utf-8")
    assert "$ batchaccess" in page
    assert now == page
