"""The demo's terminal: who can reach which pool, and what is being done, while drift is injected every few seconds."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from batchaccess.cli.demo.cluster import RefusedError, condition, manifest
from batchaccess.cli.demo.drift import happenings
from batchaccess.cli.demo.world import ARCHIVE, DemoError, World, running
from kubeemulator.launch import LaunchError

_SECONDS_BETWEEN_HAPPENINGS: Final = 8
_REFRESH_SECONDS: Final = 0.5
_LINES_REMEMBERED: Final = 12

_EXPOSED: Final = {
    "InternetReachable": ("the Internet", "bold red"),
    "Undetermined": ("undetermined", "yellow"),
    "None": ("nobody on the Internet", "green"),
}


class Chronicle:
    """What happened, newest last: people's deeds and the operator's events."""

    def __init__(self) -> None:
        self._lines: deque[tuple[str, str, str]] = deque(maxlen=_LINES_REMEMBERED)
        self._events: set[tuple[str, int]] = set()

    def tell(self, who: str, text: str) -> None:
        """Note one line."""
        self._lines.append((time.strftime("%H:%M:%S"), who, text))

    def take_in(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Note the operator's events that are new."""
        for event in sorted(events, key=lambda event: str(event.get("lastTimestamp"))):
            key = (event["metadata"]["uid"], int(event.get("count", 1)))
            if key not in self._events:
                self._events.add(key)
                self.tell("operator", f"{event['reason']} {event['involvedObject']['name']}: {event['message']}")

    def rendered(self) -> Table:
        """The lines as a borderless table."""
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for at, who, text in self._lines:
            table.add_row(at, Text(who, style="cyan" if who == "operator" else "magenta"), text)
        return table


async def show() -> int:
    """Run the demo until it is interrupted; the exit status."""
    console = Console()
    console.print("Starting an embedded Kubernetes API, three emulated Batch accounts and the operator ...")
    try:
        async with running() as world:
            await world.cluster.apply(manifest("archive-secret.yaml", KEY=ARCHIVE.key))
            await world.cluster.apply(manifest("policies.yaml"))
            await _live(world, console)
    except (DemoError, LaunchError, RefusedError) as error:
        click.echo(f"the demo did not start: {error}", err=True)
        return 1
    except asyncio.CancelledError:
        console.print("Taken down; nothing is left behind.")
    return 0


async def _live(world: World, console: Console) -> None:
    chronicle, deeds = Chronicle(), happenings()
    next_deed = time.monotonic() + _SECONDS_BETWEEN_HAPPENINGS
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            if time.monotonic() >= next_deed:
                deed = next(deeds)
                deed.act(world.batch)
                chronicle.tell("people", deed.told)
                next_deed = time.monotonic() + _SECONDS_BETWEEN_HAPPENINGS
            try:
                pools = await world.cluster.list("BatchPoolAccess")
                chronicle.take_in(await world.cluster.list("Event"))
            except aiohttp.ClientError as error:
                raise DemoError(f"the embedded Kubernetes API no longer answers: {error}") from error
            live.update(Group(_head(world), _pools_table(pools), chronicle.rendered()), refresh=True)
            await asyncio.sleep(_REFRESH_SECONDS)


def _head(world: World) -> Text:
    return Text.assemble(
        ("Azure Batch Access Operator", "bold"),
        " on emulated parts. Try in another terminal:\n",
        (f"  kubectl --kubeconfig {world.kubeconfig} get bac,bpa,bpap -A\n", "cyan"),
        (f"  curl {world.telemetry_url}/metrics\n", "cyan"),
        "and in a browser: ",
        (f"{world.telemetry_url}/\n", "cyan"),
        ("Ctrl-C takes everything down.", "dim"),
    )


def _pools_table(pools: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(expand=True, header_style="bold")
    table.add_column("Pool", no_wrap=True)
    table.add_column("Who reaches it", no_wrap=True)
    table.add_column("Drift", no_wrap=True)
    table.add_column("Policy", no_wrap=True)
    table.add_column("What is being done", no_wrap=True, overflow="ellipsis", ratio=1)
    for pool in pools:
        exposed, style = _EXPOSED.get(condition(pool, "Exposed")[1], ("not known yet", "dim"))
        status, reason, message = condition(pool, "Compliant")
        done_style = {"True": "green", "False": "yellow"}.get(status, "dim")
        drift = condition(pool, "Drifted")[1]
        table.add_row(
            pool["metadata"]["name"],
            Text(exposed, style=style),
            "-" if drift in ("None", "") else drift,
            pool.get("status", {}).get("policy", "-"),
            Text(f"{reason}: {message}" if reason else "-", style=done_style),
        )
    return table
