"""The command line: one file per command, each imported only when it is asked for."""

from importlib import import_module
from typing import Final

import click

from batchaccess import __version__

COMMANDS: Final = {
    "crds": "batchaccess.cli.crds:crds",
    "demo": "batchaccess.cli.demo:demo",
    "emulator": "batchemulator.cli:emulator",
    "run": "batchaccess.cli.run:run",
}
"""Where each command lives: no command waits for the imports of another."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """The names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's signature
        """Import one command; None if there is none of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="batchaccess")
def main() -> None:
    """Keep the network access of Azure Batch pools exactly as declared."""
