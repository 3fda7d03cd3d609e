"""`python -m kubeemulator`: an emulated Kubernetes API until interrupted. For development."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from kubeemulator.kubeconfig import write_kubeconfig
from kubeemulator.server import Running, Settings, running

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--kubeconfig", type=_FILE, help="Write a kubeconfig for this server to a file.")
@click.option("--store", type=_FILE, help="Keep the objects in an SQLite file instead of in memory.")
@click.option("--tls", is_flag=True, help="Serve https with a certificate authority made for this run.")
@click.option("--rbac", is_flag=True, help="Ask for tokens and enforce roles; implies --tls.")
@click.option("--history", type=click.IntRange(1), default=1000, show_default=True, help="Events kept per resource.")
@click.option("--bookmark-seconds", type=click.FloatRange(0.05), default=60.0, show_default=True, hidden=True)
def main(  # noqa: PLR0917 -- click passes by keyword
    port: int,
    host: str,
    kubeconfig: Path | None,
    store: Path | None,
    tls: bool,  # noqa: FBT001 -- click passes by keyword
    rbac: bool,  # noqa: FBT001 -- click passes by keyword
    history: int,
    bookmark_seconds: float,
) -> None:
    """Serve an emulated Kubernetes API, for development only.

    Without --rbac it is served on loopback only, and every caller is the administrator.
    """
    try:
        settings = Settings(
            host=host,
            port=port,
            store=store,
            tls=tls or rbac,
            enforces_roles=rbac,
            history=history,
            bookmark_seconds=bookmark_seconds,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        asyncio.run(_serve(settings, kubeconfig))
    except OSError as error:
        raise click.ClickException(f"cannot serve on {host}:{port}: {error}") from error


async def _serve(settings: Settings, kubeconfig: Path | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running(settings) as served:
        if kubeconfig is not None:
            write_kubeconfig(kubeconfig, served.kubeconfig())
        click.echo(_ready_line(served, kubeconfig))
        await stopped.wait()


def _ready_line(served: Running, kubeconfig: Path | None) -> str:
    where = f", kubeconfig {kubeconfig}" if kubeconfig is not None else ""
    return f"kubeemulator (for development only) serves {served.url}{where}"


if __name__ == "__main__":
    main()
