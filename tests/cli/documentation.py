"""Examples in the documentation: ```console blocks of commands after `$ ` and what they print."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.cli.demoaccounts import DemoAccounts, run_documented

COMMANDS = Path(__file__).resolve().parents[2] / "docs" / "commands"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


@dataclass
class Example:
    """One command and what the documentation says it prints."""

    command: str
    printed: list[str]


def examples_of(block: str) -> list[Example]:
    """The commands of one block."""
    found: list[Example] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Example(line[2:], []))
        else:
            found[-1].printed.append(line)
    return found


def rerun(page: str, demo: DemoAccounts, directory: Path) -> str:
    """A page with every example replaced by what its commands print now; az and export are taken as done."""

    def again(found: re.Match[str]) -> str:
        printed = "\n".join(_printed(found[1], demo, directory))
        return f"```console\n{printed}\n```"

    return _BLOCK.sub(again, page)


def _printed(block: str, demo: DemoAccounts, directory: Path) -> list[str]:
    lines: list[str] = []
    status = 0
    for example in examples_of(block):
        lines.append(f"$ {example.command}")
        if example.command == "echo $?":
            lines.append(str(status))
        elif example.command.startswith("batchaccess "):
            result = run_documented(example.command, demo, directory)
            status = result.exit_code
            lines += demo.as_documented(result.stdout + result.stderr).splitlines()
        else:
            lines += example.printed
    return lines
