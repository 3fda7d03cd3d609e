"""The command line: `batchaccess emulator`, and `python -m batchemulator`."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from batchemulator.accounts import DEV_ACCOUNT, Account
from batchemulator.assumptions import Assumptions
from batchemulator.clocks import ScaledClock
from batchemulator.seeds import read_pool_file
from batchemulator.server import listening, make_service
from batchemulator.tls import TlsFiles

if TYPE_CHECKING:
    from batchemulator.service import BatchEmulator

_PATH = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(name="emulator")
@click.option("--port", type=click.IntRange(0, 65535), default=10020, show_default=True, help="0 picks a free one.")
@click.option("--account", "accounts", multiple=True, metavar="NAME:BASE64KEY", help="May be repeated.")
@click.option("--tls-cert", type=_PATH, help="Certificate file (PEM); with --tls-key.")
@click.option("--tls-key", type=_PATH, help="Key file (PEM).")
@click.option(
    "--tls-self-signed",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Make a throw-away CA and certificate in DIR; clients trust DIR/ca.pem.",
)
@click.option("--pools", type=_PATH, help="Pools to start with: JSON or YAML, a list or a mapping of account to list.")
@click.option("--time-scale", type=float, default=1.0, show_default=True, help="How many times faster resizing is.")
@click.option(
    "--assume", "settings", multiple=True, metavar="NAME=VALUE", help="An assumption; see docs/assumptions.md."
)
def emulator(
    *,
    port: int,
    accounts: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_self_signed: Path | None,
    pools: Path | None,
    time_scale: float,
    settings: tuple[str, ...],
) -> None:
    """Run an emulated Azure Batch account on 127.0.0.1.

    Without --account there is `devaccount` with the fixed key that is printed at the start. Several accounts share the
    port: a SharedKey request says which one it means, a Bearer request by its host name (NAME.localhost), else it is
    the first.
    """
    try:
        assumptions = Assumptions()
        for setting in settings:
            assumptions = assumptions.with_setting(setting)
        named = [Account.parse(text) for text in accounts] or [DEV_ACCOUNT]
        seeds = read_pool_file(pools, named[0].name) if pools is not None else {}
        service = make_service(named, pools=seeds, assumptions=assumptions, clock=ScaledClock(time_scale))
        tls = _tls(tls_cert, tls_key, tls_self_signed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    asyncio.run(_serve(service, port, tls))


def _tls(certificate: Path | None, key: Path | None, directory: Path | None) -> TlsFiles | None:
    if (certificate is None) != (key is None):
        raise ValueError("--tls-cert and --tls-key go together")
    if certificate is not None and key is not None:
        return TlsFiles(certificate=certificate, key=key)
    if directory is None:
        return None
    from batchemulator.certificates import self_signed  # noqa: PLC0415 - needs cryptography, an optional dependency

    return self_signed(directory)


async def _serve(service: BatchEmulator, port: int, tls: TlsFiles | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    context = tls.server_context() if tls is not None else None
    async with listening(service, port, context) as url:
        click.echo(f"Azure Batch emulator for development, listening on {url}")
        for account in service.gate.accounts.values():
            shown = f" key {account.key}" if account is DEV_ACCOUNT else ""
            click.echo(f"  account {account.name}: {len(service.accounts[account.name].pools)} pools{shown}")
        if tls is not None and tls.authority is not None:
            click.echo(f"  certificate authority: {tls.authority}")
        await stop.wait()
