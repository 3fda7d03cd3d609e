"""Tells the demo's story, and what its people do after it, before the eyes of a real Prometheus."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from batchaccess.cli.demo import story
from batchaccess.cli.demo.cluster import manifest
from batchaccess.cli.demo.drift import OPEN_SSH
from batchaccess.cli.demo.world import DEV, PROD, World, running
from batchemulator import Fault, FaultKind
from tests.e2e_prometheus.scaledrules import write_scaled_rules
from tests.monitoring.prometheus_server import PrometheusServer, running_prometheus

SECONDS: Final = 90
"""For anything that is waited for, on a crowded machine."""

SEEN_BEFORE: Final[Mapping[Callable[[World], Awaitable[str]], tuple[str, ...]]] = {
    story.wrong_key_is_said: ('AzureAuthFailing",connection="archive"',),
    story.policies_are_enforced: (
        'PoolInternetExposed",pool="render-linux"',
        'PoolInternetExposed",pool="render-gpu"',
        'ReachabilityUndetermined"',
    ),
    story.emptied_pool_is_corrected: (
        'DriftUncorrected",policy="render/render-login"',
        'PoolInternetExposed",policy="render/render-login"',
        'PoolInternetExposed",pool="playground"',
    ),
}
"""Alerts that a step of the story would take the cause from: Prometheus has to see them before."""

LEFT_OPEN: Final = {"sim-mpi": PROD, "sim-archive": PROD, "license-server": PROD, "playground": DEV}
"""Pools that nobody may correct: their owners delete them in the end."""

OPENED: Final = "render-windows"
"""No policy governs it any more once the story is told, so it stays open until its owners close it."""

REACHABLE: Final = f'batchaccess_pool_internet_reachable{{connection="prod",pool="{OPENED}",port_class="login"}}'
EXPOSURE: Final = 'batchaccess_exposure_seconds_total{connection="prod",port_class="login",verdict="Forbidden"}'
SWEEPS: Final = 'sum(batchaccess_sweeps_total{connection="prod"})'

_LONG_ENOUGH: Final = 12
"""Seconds of exposure to be counted: more than a sweep period, as scrapes see a second less at either end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The exposure seconds of an account around the time that one of its pools was open; Unix times."""

    began: float
    ended: float
    before: float
    after: float
    later: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What Prometheus kept of the story."""

    prometheus: PrometheusServer
    started: float
    ended: float
    opening: Opening
    scrapes: tuple[str, ...]
    """What a scrape showed after each step."""
    log: str
    """What the operator logged meanwhile."""

    async def series(self, expr: str) -> list[dict[str, Any]]:
        """What a graph over the whole story shows, a point per second."""
        return await self.prometheus.query_range(expr, start=self.started, end=self.ended, step=1)


@asynccontextmanager
async def told_story(directory: Path) -> AsyncIterator[Told]:
    """Prometheus first, then the world and its story, then its people put the rest in order."""
    started = time.time()
    async with running_prometheus(directory, write_scaled_rules(directory)) as prometheus:
        await fires(prometheus, 'OperatorAbsent"')
        async with running() as world:
            prometheus.scrape(urlsplit(world.telemetry_url).netloc)
            scrapes = [text async for text in tell(world, prometheus)]
            opening = await leave_open_for_a_while(world, prometheus)
            await silence(prometheus)
            scrapes.append(await world.metrics())
            yield Told(
                prometheus=prometheus,
                started=started,
                ended=time.time(),
                opening=opening,
                scrapes=tuple(scrapes),
                log=world.operator_log.read_text("utf-8"),
            )


async def tell(world: World, prometheus: PrometheusServer) -> AsyncIterator[str]:
    """The steps of the story, and what comes after them; the metrics after each."""
    for step in story.STORY:
        for alert in SEEN_BEFORE.get(step.run, ()):
            await fires(prometheus, alert)
        await step.run(world)
        yield await world.metrics()
    world.batch.fail(Fault(kind=FaultKind.INTERNAL_ERROR, account=DEV.name, count=0))
    for chapter in (forbid_slowly, overlook_a_policy, wait_for_stale_sweeps, put_in_order):
        await chapter(world, prometheus)
        yield await world.metrics()


async def fires(prometheus: PrometheusServer, alert: str) -> None:
    """Wait until an alert fires; `alert` is its name, a quote, and selectors of further labels."""

    async def seen() -> str:
        firing = await prometheus.query(f'ALERTS{{alertstate="firing",alertname="{alert}}}')
        story.expect(firing, f"{alert} does not fire, only {sorted(await prometheus.firing())}")
        return alert

    await story.until(seen, seconds=SECONDS)


async def silence(prometheus: PrometheusServer) -> None:
    """Wait until no alert fires."""

    async def seen() -> str:
        firing = await prometheus.firing()
        story.expect(not firing, f"{sorted(firing)} still fire")
        return ""

    await story.until(seen, seconds=SECONDS)


async def forbid_slowly(world: World, prometheus: PrometheusServer) -> None:
    """The story deletes the forbidden policy as soon as it is refused; here it stays until the alert fires."""
    await world.cluster.apply(manifest("forbidden.yaml"))
    await fires(prometheus, 'PolicyNotAccepted"')
    await world.cluster.delete("BatchPoolAccessPolicy", "forbidden", "render")


async def overlook_a_policy(world: World, prometheus: PrometheusServer) -> None:
    """Somebody declares what another policy of the same priority declares already."""
    declared = manifest("close-ssh.yaml")
    await world.cluster.apply(declared)
    await world.cluster.apply(declared.replace("name: close-ssh,", "name: close-ssh-again,"))
    await fires(prometheus, 'PolicyConflict"')
    for name in ("close-ssh-again", "close-ssh"):
        await world.cluster.delete("BatchPoolAccessPolicy", name, "render")


async def wait_for_stale_sweeps(world: World, prometheus: PrometheusServer) -> None:
    """An account has answered with errors since the story ended; now it is well again."""
    await fires(prometheus, 'SweepStale",connection="dev"')
    world.batch.service.faults.clear()


async def put_in_order(world: World, _: PrometheusServer) -> None:
    """The owners delete the pools that the story leaves open or unclear; in state deleting they are still shown."""
    for pool, account in LEFT_OPEN.items():
        url = f"{world.batch.url(account)}/pools/{pool}?api-version=2025-06-01"
        async with world.session.delete(url, headers={"Authorization": "Bearer any-will-do"}) as answer:
            answer.raise_for_status()

    async def seen() -> str:
        text = await world.metrics()
        left = [pool for pool in LEFT_OPEN if f'pool="{pool}"' in text]
        story.expect(not left, f"the metrics still show {left}")
        return ""

    await story.until(seen, seconds=SECONDS)


async def leave_open_for_a_while(world: World, prometheus: PrometheusServer) -> Opening:
    """Somebody opens a pool, and its owners close it again some time later."""
    await sweeps_again(world, prometheus)
    began, before = time.time(), await value(prometheus, EXPOSURE)
    world.batch.edit(OPENED, OPEN_SSH, PROD)
    await ask_for_a_sweep(world)
    await becomes(prometheus, EXPOSURE, more_than(before + _LONG_ENOUGH))
    await fires(prometheus, f'PoolInternetExposed",pool="{OPENED}"')
    world.batch.edit(OPENED, _closed(), PROD)
    await ask_for_a_sweep(world)
    await becomes(prometheus, REACHABLE, lambda reachable: reachable == 0)
    await sweeps_again(world, prometheus)
    after = await value(prometheus, EXPOSURE)
    await sweeps_again(world, prometheus)
    later = await value(prometheus, EXPOSURE)
    return Opening(began=began, ended=time.time(), before=before, after=after, later=later)


def _closed() -> dict[str, Any]:
    """The pool's network with a rule that denies everyone."""
    endpoints = OPEN_SSH["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
    deny = {"priority": 900, "access": "deny", "sourceAddressPrefix": "*"}
    closed = [{**endpoint, "networkSecurityGroupRules": [deny]} for endpoint in endpoints]
    return {"networkConfiguration": {"endpointConfiguration": {"inboundNATPools": closed}}}


async def sweeps_again(world: World, prometheus: PrometheusServer) -> None:
    """Wait until Prometheus knows of a sweep that began after now: the first to end may have begun before."""
    for _ in range(2):
        sweeps = await value(prometheus, SWEEPS)
        await ask_for_a_sweep(world)
        await becomes(prometheus, SWEEPS, more_than(sweeps))


async def ask_for_a_sweep(world: World) -> None:
    """Nobody has to wait for the next one."""
    requested = {"batchaccess.dev/requested-at": datetime.now(UTC).isoformat()}
    await world.cluster.annotate("BatchAccountConnection", "prod", requested)


async def value(prometheus: PrometheusServer, expr: str) -> float:
    """The value of the only series of a query, as scraped last; a crowded machine may miss a scrape."""
    found: list[float] = []

    async def seen() -> str:
        found[:] = [float(sample["value"][1]) for sample in await prometheus.query(expr)]
        story.expect(len(found) == 1, f"{expr} has {len(found)} series")
        return ""

    await story.until(seen, seconds=SECONDS)
    return found[0]


def more_than(bound: float) -> Callable[[float], bool]:
    """What a value shall be."""
    return lambda found: found > bound


async def becomes(prometheus: PrometheusServer, expr: str, wanted: Callable[[float], bool]) -> None:
    """Wait until Prometheus shows a value that is wanted."""

    async def seen() -> str:
        found = await value(prometheus, expr)
        story.expect(wanted(found), f"{expr} is {found}")
        return ""

    await story.until(seen, seconds=SECONDS)
