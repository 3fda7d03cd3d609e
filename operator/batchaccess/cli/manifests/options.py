"""The option that names files of manifests, the same for every command."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def manifest_option(*, required: bool) -> Callable[[_Command], _Command]:
    """Add -f to a command, which gets what was named as `filenames`."""
    return click.option(
        "-f",
        "--filename",
        "filenames",
        multiple=True,
        required=required,
        metavar="FILE|DIR|-",
        help="Manifests in YAML or JSON: a file, a directory with all below it, or - for stdin. May be repeated.",
    )
