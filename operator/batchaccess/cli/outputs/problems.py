"""What goes wrong in a command, told in a line and never as a traceback, unless --debug asks for it."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from batchaccess.cli.outputs.exits import ExitStatus
from batchaccess.ports import PortError


class Problem(click.ClickException):
    """A command cannot go on; the text says why and what to do."""

    exit_code = ExitStatus.ERROR


@contextmanager
def told_in_a_line(*, debug: bool) -> Iterator[None]:
    """End 2 with one line for whatever goes wrong inside; with `debug` after the traceback."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort) as error:
        if debug and isinstance(error, Problem):
            traceback.print_exc()
        raise
    except KeyboardInterrupt:
        raise click.Abort from None
    except BrokenPipeError:
        # The reader has seen enough, as `head` does: no reason to complain.
        sys.stderr.close()
        sys.exit(ExitStatus.ERROR)
    except PortError as error:
        if debug:
            traceback.print_exc()
        raise Problem(f"{error.code}: {error.message}") from error
    except Exception as error:
        if debug:
            traceback.print_exc()
        text = " ".join(str(error).split()) or "no further text"
        raise Problem(
            f"unexpected {type(error).__name__}: {text}; run again with --debug for the traceback, and report it"
        ) from error
