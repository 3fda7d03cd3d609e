"""The command line: one file per command, each imported only when it is asked for."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from batchaccess import __version__

COMMANDS: Final = {
    "audit": "batchaccess.cli.audit:audit",
    "compile": "batchaccess.cli.compile:compile_",
    "crds": "batchaccess.cli.crds:crds",
    "demo": "batchaccess.cli.demo:demo",
    "emulator": "batchemulator.cli:emulator",
    "explain": "batchaccess.cli.explain:explain",
    "import": "batchaccess.cli.import_:import_",
    "plan": "batchaccess.cli.plan:plan",
    "run": "batchaccess.cli.run:run",
    "uninstall": "batchaccess.cli.uninstall:uninstall",
    "validate": "batchaccess.cli.validate:validate",
}
"""Where each command lives: no command waits for the imports of another."""


PLUGIN: Final = "kubectl-batchaccess"
"""The script that kubectl runs for `kubectl batchaccess`."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override] # noqa: ANN401 click's own signature, overloads apart
        """Run, under the name that the user typed."""
        if prog_name is None and Path(sys.argv[0]).stem == PLUGIN:
            prog_name = "kubectl batchaccess"
        return super().main(args, prog_name, **extra)

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
