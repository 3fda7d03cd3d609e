"""What every command shares: statuses, formats, color, quiet, and errors of one line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from batchaccess.cli import main
from batchaccess.cli.outputs import Column, ExitStatus, Format, Output, Problem, Table, exit_status, output_options
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError
from tests.cli.demoaccounts import PLAIN, DemoAccounts, run


@pytest.mark.parametrize(
    ("found", "failed", "status"),
    [
        (False, False, ExitStatus.NOTHING),
        (True, False, ExitStatus.FOUND),
        (False, True, ExitStatus.ERROR),
        (True, True, ExitStatus.ERROR),
    ],
)
def test_failing_wins_over_finding(found: bool, failed: bool, status: ExitStatus) -> None:  # noqa: FBT001 a table's columns
    assert exit_status(found=found, failed=failed) is status


@click.command()
@click.option("--how", default="")
@output_options(Format.TABLE, Format.JSON)
def failing(*, how: str, output: Output) -> None:
    """A command that fails as it is told."""
    failures: dict[str, Exception] = {
        "problem": Problem("no such thing; look elsewhere"),
        "port": PortError(ErrorKind.DENIED, "AuthenticationFailed", "no token was issued"),
        "bug": ZeroDivisionError("division\nby zero"),
        "usage": click.UsageError("not so"),
    }
    if how in failures:
        raise failures[how]
    output.say("said")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("problem", "Error: no such thing; look elsewhere\n"),
        ("port", "Error: AuthenticationFailed: no token was issued\n"),
        (
            "bug",
            (
                "Error: unexpected ZeroDivisionError: division by zero; "
                "run again with --debug for the traceback, and report it\n"
            ),
        ),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_status_2(how: str, said: str) -> None:
    result = CliRunner().invoke(failing, ["--how", how])
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)


@pytest.mark.parametrize("how", ["problem", "port", "bug"])
def test_debug_shows_the_traceback(how: str) -> None:
    result = CliRunner().invoke(failing, ["--how", how, "--debug"])
    assert result.exit_code == 2
    assert "Traceback (most recent call last)" in result.stderr


def test_debug_shows_the_traceback_of_an_account_that_was_not_read() -> None:
    args = ("audit", "--endpoint", "prodbatch=http://127.0.0.1:9")
    assert "Traceback" not in run(*args).stderr
    assert "Traceback (most recent call last)" in run(*args, "--debug").stderr
    assert "Traceback" not in run(*args).stderr


def test_a_wrong_option_ends_2() -> None:
    assert CliRunner().invoke(failing, ["--how", "usage"]).exit_code == 2
    assert CliRunner().invoke(failing, ["-o", "sarif"]).exit_code == 2


def test_quiet_says_nothing(demo: DemoAccounts) -> None:
    assert CliRunner().invoke(failing, ["--quiet"]).output == ""
    result = run("audit", "--quiet", "--endpoint", demo.endpoint())
    assert (result.exit_code, result.output) == (1, "")


def test_quiet_keeps_errors_and_documents(demo: DemoAccounts) -> None:
    result = run("audit", "--quiet", "--endpoint", demo.endpoint(), "--pools", "missing.json", "-o", "json")
    assert result.stdout.startswith("{")
    assert result.stderr == "error: missing.json: cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("args", "environment", "colored"),
    [
        pytest.param(["--color", "always"], {}, True, id="always"),
        pytest.param(["--color", "never"], {"FORCE_COLOR": "1"}, False, id="never"),
        pytest.param([], {}, False, id="not in a pipe"),
        pytest.param([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="not if NO_COLOR is set"),
    ],
)
def test_color_is_where_it_is_wanted(
    args: list[str],
    environment: dict[str, str],
    colored: bool,  # noqa: FBT001 a table's column
    demo: DemoAccounts,
) -> None:
    surroundings = {**PLAIN, "NO_COLOR": None, "TERM": "xterm-256color", **environment}
    result = run("audit", *args, "--endpoint", demo.endpoint(), env=surroundings)
    red = "\x1b[1;31m"
    assert (red in result.stdout) is colored


def test_a_pipe_gets_whole_lines_however_long(demo: DemoAccounts) -> None:
    result = run("audit", "--endpoint", demo.endpoint(), env={"COLUMNS": "40"})
    assert max(len(line) for line in result.stdout.splitlines()) > 150
    assert "─" not in result.stdout


def shown(table: Table, *, terminal: bool) -> list[str]:
    console = Console(width=60, force_terminal=terminal, no_color=True, legacy_windows=False, record=True, quiet=False)
    with console.capture() as captured:
        table.show(console)
    return [line.rstrip() for line in Text.from_ansi(captured.get()).plain.splitlines() if line.strip()]


def example() -> Table:
    table = Table(
        columns=(
            Column(title="POOL", grouped=True),
            Column(title="WHO"),
            Column(title="COUNT", below="{} addresses"),
        )
    )
    table.add("a", "anyone [on] the Internet", "256")
    table.add("a", "nobody", "0")
    return table


def test_a_table_is_plain_columns_in_a_pipe() -> None:
    assert shown(example(), terminal=False) == [
        "POOL  WHO                       COUNT",
        "a     anyone [on] the Internet  256",
        "a     nobody                    0",
    ]


def test_a_table_is_stacked_and_not_repeated_on_a_terminal() -> None:
    lines = shown(example(), terminal=True)
    assert [line.split() for line in lines if "─" not in line] == [
        ["POOL", "WHO"],
        ["a", "anyone", "[on]", "the", "Internet"],
        ["256", "addresses"],
        ["nobody"],
    ]


@pytest.mark.parametrize(
    ("script", "name"), [("batchaccess", "batchaccess"), ("kubectl-batchaccess", "kubectl batchaccess")]
)
def test_usage_names_the_command_as_it_was_typed(
    script: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"/usr/local/bin/{script}", "audit", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith(f"Usage: {name} audit ")


@pytest.mark.parametrize("command", ["audit", "explain"])
def test_examples_of_the_help_stand_on_lines_of_their_own(command: str) -> None:
    lines = run(command, "--help").stdout.splitlines()
    examples = [line for line in lines[lines.index("  Examples:") :] if " batchaccess " in line]
    assert len(examples) == 2


def test_a_reader_that_has_seen_enough_gets_no_complaint(tmp_path: Path) -> None:
    path = tmp_path / "pools.json"
    path.write_text("[" + ",".join(f'{{"id": "p{index}"}}' for index in range(3000)) + "]", encoding="utf-8")
    command = f"{sys.executable} -m batchaccess audit --all --pools {path} | head -1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout.startswith("pools")
    assert "Error" not in ended.stderr
    assert "Traceback" not in ended.stderr
