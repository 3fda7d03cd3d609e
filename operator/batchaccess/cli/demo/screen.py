"""The demo's terminal: who can reach which pool, and what is being done, while drift is injected every few seconds."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Final

import aiohttp
import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from batchaccess.cli.demo.cluster import RefusedError, condition, manifest
from batchaccess.cli.demo.drift import Happening, happenings
from batchaccess.cli.demo.world import ARCHIVE, DemoError, World, running
from kubeemulator.launch import LaunchError

_SECONDS_BETWEEN_HAPPENINGS: Final = 8
_REFRESH_SECONDS: Final = 0.5
_LINES_REMEMBERED: Final = 100
_WIDE: Final = 120
"""Columns from which there is room for the policy and for whole sentences."""

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
        self._untold: list[str] = []

    def tell(self, who: str, text: str) -> None:
        """Note one line."""
        at = time.strftime("%H:%M:%S")
        self._lines.append((at, who, text))
        self._untold.append(f"{at} {who:8} {text}")

    def take_in(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Note the operator's events that are new."""
        for event in sorted(events, key=lambda event: str(event.get("lastTimestamp"))):
            key = (event["metadata"]["uid"], int(event.get("count", 1)))
            if key not in self._events:
                self._events.add(key)
                self.tell("operator", f"{event['reason']} {event['involvedObject']['name']}: {event['message']}")

    def news(self) -> list[str]:
        """The lines noted since this was last asked."""
        untold, self._untold = self._untold, []
        return untold

    def rendered(self, lines: int) -> Table:
        """The last so many lines as a borderless table."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(style="dim", no_wrap=True, min_width=8)
        table.add_column(no_wrap=True, min_width=8)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for at, who, text in list(self._lines)[-lines:] if lines > 0 else ():
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
        click.echo(f"the demo ended: {error}", err=True)
        return 1
    except asyncio.CancelledError:
        console.print("Taken down; nothing is left behind.")
    return 0


async def _live(world: World, console: Console) -> None:
    """Show what is so twice a second; without a terminal only what happens, line by line."""
    chronicle, deeds = Chronicle(), happenings()
    next_deed = time.monotonic() + _SECONDS_BETWEEN_HAPPENINGS
    if not console.is_terminal:
        console.print(_head(world), soft_wrap=True)
    with Live(console=console, auto_refresh=False, screen=True) if console.is_terminal else nullcontext() as live:
        while True:
            if time.monotonic() >= next_deed:
                await _happen(next(deeds), world, chronicle)
                next_deed = time.monotonic() + _SECONDS_BETWEEN_HAPPENINGS
            try:
                pools = await world.cluster.list("BatchPoolAccess")
                chronicle.take_in(await world.cluster.list("Event"))
            except aiohttp.ClientError as error:
                raise DemoError(f"the embedded Kubernetes API no longer answers: {error}") from error
            if live is None:
                for line in chronicle.news():
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
            else:
                live.update(_screen(world, pools, chronicle, console), refresh=True)
            await asyncio.sleep(_REFRESH_SECONDS)


async def _happen(deed: Happening, world: World, chronicle: Chronicle) -> None:
    """Let somebody do something; whoever plays along may have deleted what it is done to."""
    try:
        await deed.act(world)
    except RefusedError as error:
        chronicle.tell("people", f"{deed.told}: {error}")
    else:
        chronicle.tell("people", deed.told)


def _screen(world: World, pools: Sequence[Mapping[str, Any]], chronicle: Chronicle, console: Console) -> Group:
    """Everything, as much as fits: the news get the lines that are left over."""
    wide = console.width >= _WIDE
    head, table = _head(world), _pools_table(pools, wide=wide)
    used = head.plain.count("\n") + 1 + len(pools) + (_FRAME_LINES if wide else 1)
    return Group(head, table, chronicle.rendered(console.height - used))


_FRAME_LINES: Final = 4
"""Of a table with a frame: its top, its header, the rule below that, its bottom."""


def _head(world: World) -> Text:
    return Text.assemble(
        ("Azure Batch Access Operator", "bold"),
        " on emulated parts. ",
        ("Ctrl-C takes everything down.", "dim"),
        "\nTry in another terminal, and the last one in a browser:\n",
        (f"  export KUBECONFIG={world.kubeconfig}\n", "cyan"),
        ("  kubectl get bac,bpa,bpap -A\n", "cyan"),
        (f"  curl {world.telemetry_url}/metrics\n", "cyan"),
        (f"  {world.telemetry_url}/", "cyan"),
        no_wrap=True,
        overflow="crop",
    )


def _pools_table(pools: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    table = (
        Table(expand=True, header_style="bold")
        if wide
        else Table(expand=True, header_style="bold", box=None, padding=(0, 1, 0, 0))
    )
    table.add_column("Pool", no_wrap=True)
    table.add_column("Who reaches it", no_wrap=True)
    table.add_column("Drift", no_wrap=True)
    if wide:
        table.add_column("Policy", no_wrap=True)
    table.add_column("What is being done", no_wrap=True, overflow="ellipsis", ratio=1)
    for pool in pools:
        table.add_row(*_cells(pool, wide=wide))
    return table


def _cells(pool: Mapping[str, Any], *, wide: bool) -> list[Text | str]:
    exposed, style = _EXPOSED.get(condition(pool, "Exposed")[1], ("not known yet", "dim"))
    status, reason, message = condition(pool, "Compliant")
    done_style = {"True": "green", "False": "yellow"}.get(status, "dim")
    drift = condition(pool, "Drifted")[1]
    done = f"{reason}: {message}" if wide else reason
    return [
        pool["metadata"]["name"],
        Text(exposed, style=style),
        "-" if drift in ("None", "") else drift,
        *([pool.get("status", {}).get("policy", "-")] if wide else []),
        Text(done if reason else "-", style=done_style),
    ]
