"""`batchaccess demo`: the whole product on emulated parts, with nothing but Python."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Final

import click

_INTERRUPTED: Final = 130
"""Exit status of a check that was ended early, as a shell has it: nobody shall take it for passed."""


@click.command()
@click.option("--check", is_flag=True, help="Run the story once without a screen; ends 0 only if every step held.")
def demo(*, check: bool) -> None:
    """Show the operator at work: an embedded Kubernetes API, three emulated Batch accounts, real drift.

    Nothing outside this machine is touched, and nothing is left behind. Ctrl-C ends it.
    """
    try:
        import batchemulator  # noqa: F401, PLC0415 tells whether the extra is installed
        import kubeemulator  # noqa: F401, PLC0415
    except ImportError as error:
        raise click.ClickException(
            f"{error}: install the demo's parts with `pip install 'batchaccess[demo]'`"
        ) from None
    from batchaccess.cli.demo.screen import show  # noqa: PLC0415 only now is it known that they are there
    from batchaccess.cli.demo.story import check_story  # noqa: PLC0415

    try:
        sys.exit(asyncio.run(_ended_by_signals(check_story() if check else show())))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(_INTERRUPTED if check else 0)


async def _ended_by_signals(story: Coroutine[Any, Any, int]) -> int:
    """Take everything down also when the terminal is closed or somebody kills us, not only after Ctrl-C."""
    telling = asyncio.ensure_future(story)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, telling.cancel)
    return await telling
