"""What listing pools through the adapter costs beside merely fetching and parsing the same bytes.

    python benchmarks/sweep_fetch.py [POOLS ...]

A server in another process answers prepared pages of pools of 2.9 KB, whatever is selected. Printed per size: fetching
and parsing alone, the first listing (every pool converted) and a steady one (nothing changed) with their ratios to
that, the longest time each held up the event loop, and the peak memory of this process. All times are processor time of
this process, so that neither the server nor other programs count.
"""

import asyncio
import multiprocessing
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import aiohttp
import orjson
from aiohttp import web

from batchaccess.azurebatch.connect import connect
from batchaccess.azurebatch.pools import PAGE_SIZE, AzureBatchPools
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.declared import (
    AccountConnection,
    Auth,
    AuthType,
    RequestBudget,
    SecretRef,
)

SIZES = (1_000, 10_000)
ROUNDS = 5
TEMPLATES = 50
"""How many different networks the pools have."""


class RealClock:
    """Implements `batchaccess.ports.Clock`."""

    def now(self) -> datetime:
        """The time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()


class AnyKey:
    """Implements SecretReader; the server looks at no signature."""

    async def read(self, name: str, key: str) -> str:
        """A key that is none."""
        return f"{name}{key}:a2V5"


def pool(number: int) -> dict[str, object]:
    """A pool with three endpoints, padded to the size of a full answer."""
    endpoints = [
        {
            "name": f"endpoint{index}",
            "protocol": "tcp",
            "backendPort": port,
            "frontendPortRangeStart": 4000 + index * 200,
            "frontendPortRangeEnd": 4100 + index * 200,
            "networkSecurityGroupRules": [
                {
                    "priority": 150 + index * 10 + rule,
                    "access": "allow" if rule else "deny",
                    "sourceAddressPrefix": f"10.{number % TEMPLATES}.{rule}.0/24",
                    "sourcePortRanges": ["*"],
                }
                for rule in range(3)
            ],
        }
        for index, port in enumerate((22, 3389, 8080))
    ]
    return {
        "id": f"pool-{number}",
        "eTag": f"0x{number:015X}",
        "lastModified": "2026-02-03T00:00:21.2341036Z",
        "creationTime": "2026-02-03T00:00:21.2341036Z",
        "state": "active",
        "allocationState": "steady",
        "allocationStateTransitionTime": "2026-02-03T00:00:21.2341036Z",
        "resizeTimeout": "PT15M",
        "currentDedicatedNodes": 0,
        "targetDedicatedNodes": 0,
        "currentLowPriorityNodes": 0,
        "targetLowPriorityNodes": 0,
        "enableAutoScale": False,
        "metadata": [{"name": "team", "value": "render"}, {"name": "note", "value": "x" * 700}],
        "networkConfiguration": {
            "subnetId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/b",
            "dynamicVNetAssignmentScope": "none",
            "enableAcceleratedNetworking": False,
            "endpointConfiguration": {"inboundNATPools": endpoints},
        },
    }


def serve(size: int, ready: Connection) -> None:
    """Answer pages of `size` pools until killed; the port goes through `ready`."""
    asyncio.run(_serve(size, ready))


async def _serve(size: int, ready: Connection) -> None:
    pages: list[bytes] = []

    async def page(request: web.Request) -> web.Response:
        number = int(request.query.get("$skiptoken", "0"))
        return web.Response(body=pages[number], content_type="application/json")

    application = web.Application()
    application.router.add_get("/pools", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    count = -(-size // PAGE_SIZE)
    for number in range(count):
        first = number * PAGE_SIZE
        body: dict[str, object] = {"value": [pool(each) for each in range(first, min(size, first + PAGE_SIZE))]}
        if number + 1 < count:
            body["odata.nextLink"] = f"http://127.0.0.1:{port}/pools?$skiptoken={number + 1}&api-version=2025-06-01"
        pages.append(orjson.dumps(body))
    ready.send(port)
    await asyncio.Event().wait()


@contextmanager
def server(size: int) -> Iterator[str]:
    """The URL of a server of `size` pools in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(size, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


async def fetch_and_parse(url: str) -> int:
    """The same bytes with nothing but a session and a parser; the number of pools."""
    count = 0
    link: str | None = f"{url}/pools"
    async with aiohttp.ClientSession() as session:
        while link is not None:
            async with session.get(link) as response:
                page = orjson.loads(await response.read())
            count += len(page["value"])
            link = page.get("odata.nextLink")
    return count


async def list_pools(pools: AzureBatchPools) -> int:
    """One listing; the number of pools."""
    return len((await pools.list_pools()).pools)


async def longest_stall(pools: AzureBatchPools) -> float:
    """The longest time in which one listing let nobody else run."""
    longest = 0.0
    listing = asyncio.create_task(pools.list_pools())
    before = time.process_time()
    while not listing.done():
        await asyncio.sleep(0)
        now = time.process_time()
        longest = max(longest, now - before)
        before = now
    await listing
    return longest


@asynccontextmanager
async def connected(connection: AccountConnection) -> AsyncIterator[AzureBatchPools]:
    """The pools of an account that nothing was asked of yet."""
    settings = AdapterSettings(allow_endpoint_suffixes=("127.0.0.1",))
    pools = await connect(connection, secrets=AnyKey(), settings=settings, clock=RealClock())
    try:
        yield pools
    finally:
        await pools.close()


async def best_of(rounds: int, measured: Callable[[], Awaitable[int]], size: int) -> float:
    """Seconds of processor time of the fastest of `rounds`."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        found = await measured()
        times.append(time.process_time() - started)
        if found != size:
            raise RuntimeError(f"{found} pools were listed, {size} expected")
    return min(times)


async def measure(url: str, size: int) -> None:
    """Print one line."""
    connection = AccountConnection(
        name="bench",
        uid="1",
        generation=1,
        created=datetime.now(UTC),
        endpoint=url,
        auth=Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name="a", key="b")),
        request_budget=RequestBudget(per_second=1000, burst=1000),
    )
    bare = await best_of(ROUNDS, lambda: fetch_and_parse(url), size)
    async with connected(connection) as pools:
        first = await best_of(1, lambda: list_pools(pools), size)
        steady = await best_of(ROUNDS, lambda: list_pools(pools), size)
    async with connected(connection) as pools:
        first_stall = await longest_stall(pools)
        steady_stall = await longest_stall(pools)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size:>6} pools: fetch and parse {bare * 1000:6.0f} ms, first listing {first * 1000:6.0f} ms "
        f"({first / bare:.1f} x, longest stall {first_stall * 1000:.0f} ms), "
        f"steady {steady * 1000:6.0f} ms ({steady / bare:.1f} x, longest stall {steady_stall * 1000:.0f} ms), "
        f"peak {peak:.0f} MiB"
    )


def measure_each(arguments: list[str], measure: Callable[[str, int], Coroutine[None, None, None]]) -> None:
    """Measure every size asked for, each against a server of its own."""
    for size in [int(argument) for argument in arguments] or SIZES:
        with server(size) as url:
            asyncio.run(measure(url, size))


if __name__ == "__main__":
    measure_each(sys.argv[1:], measure)
