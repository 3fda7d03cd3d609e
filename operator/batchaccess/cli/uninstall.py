"""`batchaccess uninstall`: leave a cluster without losing a pool's scale, and without keeping anything from going."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import click

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_ERROR: Final = 2


@click.command(context_settings={"auto_envvar_prefix": "BATCHACCESS"})
@click.option(
    "--kubeconfig",
    type=_FILE,
    help="Cluster to leave.  [default: the one it runs in, else the default kubeconfig]",
)
@click.option(
    "--timeout-seconds",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    help="How long drained pools are waited for; what is not back by then is told and let go of.",
)
def uninstall(*, kubeconfig: Path | None, timeout_seconds: float) -> None:
    """Finish or release what the operator has begun, before it is removed.

    The operator, still running, is told to bring back the scale of every pool it drained and to begin nothing for a
    quarter of an hour. After that, or after the timeout, nothing in Kubernetes waits for the operator any more.
    Nothing is deleted. The Helm chart runs this before it deletes the Deployment.

    Ends 0 once everything is let go of, 2 if the cluster could not be asked.
    """
    sys.exit(asyncio.run(_uninstall(kubeconfig, timeout_seconds)))


async def _uninstall(kubeconfig: Path | None, seconds: float) -> int:
    from batchaccess.api import parse_connection, parse_policy  # noqa: PLC0415 the command line starts quickly
    from batchaccess.control.uninstall import leave  # noqa: PLC0415
    from batchaccess.kube.catalogue import Decoders, LiveCatalogue  # noqa: PLC0415
    from batchaccess.kube.client import KubeClient  # noqa: PLC0415
    from batchaccess.ports import PortError  # noqa: PLC0415

    live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
    try:
        client = await KubeClient.connect(kubeconfig)
    except PortError as error:
        click.echo(f"the cluster cannot be asked: {error}", err=True)
        return _ERROR
    try:
        departure = await leave(client, live, seconds=seconds, tell=click.echo)
    finally:
        await client.close()
    for left in departure.left_behind:
        click.echo(
            f"{left.name}: the scale is not back: {left.scale}. The journal in the pool's metadata (saga "
            f"{left.saga_id}) says so too.",
            err=True,
        )
    for problem in departure.problems:
        click.echo(problem, err=True)
    if departure.problems:
        return _ERROR
    click.echo("Nothing in Kubernetes waits for the operator any more.")
    return 0
