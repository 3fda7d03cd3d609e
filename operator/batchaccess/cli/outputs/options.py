"""The options that say how a command answers, the same for every command."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.text import Text

from batchaccess.cli.inputs.reading import Failure
from batchaccess.cli.outputs.documents import write_document
from batchaccess.cli.outputs.problems import told_in_a_line
from batchaccess.cli.outputs.progress import ShownSteps
from batchaccess.cli.outputs.tables import say

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Format(StrEnum):
    """How a command answers."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    SARIF = "sarif"


class Color(StrEnum):
    """When to color."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where and how a command answers.

    Attributes:
        format: table, json, yaml or sarif.
        quiet: no table, no progress; errors and documents stay.
        debug: tracebacks are wanted.
        screen: stdout.
        errors: stderr.
    """

    format: Format
    quiet: bool
    debug: bool
    screen: Console
    errors: Console

    @property
    def for_people(self) -> bool:
        """Whether the answer is a table."""
        return self.format is Format.TABLE

    def say(self, text: str | Text = "") -> None:
        """A line for people, unless they want quiet."""
        if not self.quiet:
            say(self.screen, text)

    def document(self, document: Mapping[str, Any]) -> None:
        """The answer as the machine-readable format that was asked for."""
        write_document(document, as_yaml=self.format is Format.YAML)

    def complain(self, problems: Iterable[Failure]) -> None:
        """Tell on stderr what could not be read, one line each."""
        for problem in problems:
            say(self.errors, Text.assemble(("error: ", "bold red"), f"{problem.source}: {problem.message}"))

    def warn(self, remarks: Iterable[Failure]) -> None:
        """Tell on stderr what the answer does not say by itself, one line each."""
        for remark in remarks:
            say(self.errors, Text.assemble(("warning: ", "bold yellow"), f"{remark.source}: {remark.message}"))

    def steps(self) -> ShownSteps:
        """A progress bar to be entered as a context; hidden if nobody would see it."""
        return ShownSteps(self.errors, hidden=self.quiet)


def output_options(*formats: Format) -> Callable[[_Command], _Command]:
    """Add the options to a command, which gets them as one `Output` named `output`, and runs guarded.

    Args:
        formats: what -o may be; the first is the default.
    """
    options = (
        click.option(
            "-o",
            "--output",
            "format_",
            type=click.Choice(formats, case_sensitive=False),
            default=formats[0],
            show_default=formats[0].value,
            help="How to answer.",
        ),
        click.option(
            "--color",
            type=click.Choice(Color, case_sensitive=False),
            default=Color.AUTO,
            show_default="auto",
            help="Color tables; auto means on a terminal, unless NO_COLOR is set.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="No table and no progress: only errors and the exit status."),
        click.option("--debug", is_flag=True, help="Show tracebacks of errors."),
    )

    def decorate(command: _Command) -> _Command:
        @wraps(command)
        def answering(*, format_: Format, color: Color, quiet: bool, debug: bool, **others: Any) -> Any:  # noqa: ANN401 whatever the command takes and returns
            output = Output(
                format=Format(format_),
                quiet=quiet,
                debug=debug,
                screen=_console(color, stderr=False),
                errors=_console(color, stderr=True),
            )
            with _logged(shown=debug), told_in_a_line(debug=debug):
                return command(output=output, **others)

        decorated: Any = answering
        for option in reversed(options):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return] # click's decorators return what they were given

    return decorate


@contextmanager
def _logged(*, shown: bool) -> Iterator[None]:
    """What fails is logged at length, which is for --debug: the command's own line says it."""
    handler = logging.StreamHandler(sys.stderr) if shown else logging.NullHandler()
    loggers = [logging.getLogger(name) for name in ("azure", "batchaccess")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        if shown:
            logger.setLevel(logging.DEBUG if logger.name == "batchaccess" else logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def _console(color: Color, *, stderr: bool) -> Console:
    """A console of the present stdout or stderr."""
    match color:
        case Color.ALWAYS:
            # Colored, yet laid out by whether it is a terminal; a pager wants both width and color.
            return Console(stderr=stderr, force_terminal=True, width=_width(), highlight=False)
        case Color.NEVER:
            return Console(stderr=stderr, no_color=True, highlight=False)
        case Color.AUTO:
            return Console(stderr=stderr, highlight=False)


def _width() -> int | None:
    """The width that a pipe cannot tell; None lets rich find out."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() and int(columns) > 0 else None
