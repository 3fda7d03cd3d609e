"""`batchaccess demo`: the whole product on emulated parts, with nothing but Python."""

import asyncio
import sys

import click


@click.command()
@click.option("--check", is_flag=True, help="Run the story once without a screen; ends 0 only if every step held.")
def demo(*, check: bool) -> None:
    """Show the operator at work: an embedded Kubernetes API, two emulated Batch accounts, real drift.

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
        sys.exit(asyncio.run(check_story() if check else show()))
    except KeyboardInterrupt:
        sys.exit(0)
