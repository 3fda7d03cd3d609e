"""Running the emulator inside a program: in the present event loop, or in a thread of its own for blocking clients."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from batchemulator.accounts import DEV_ACCOUNT, Account
from batchemulator.http import make_app
from batchemulator.outside_edits import edit_pool
from batchemulator.seeds import seed_pool
from batchemulator.service import BatchEmulator
from batchemulator.state.account import AccountState, Environment

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from batchemulator.assumptions import Assumptions
    from batchemulator.clocks import Clock
    from batchemulator.faults import Fault
    from batchemulator.request_log import RequestLog
    from batchemulator.state.pool import Pool
    from batchemulator.timings import Timings
    from batchemulator.tls import TlsFiles
    from batchemulator.wire.messages import JsonObject
    from batchemulator.wire.tokens import TokenPolicy

_LOOPBACK = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running emulator: where it listens, and its inside for tests and demos to look at and change.

    Used from another thread than the server's, reading is safe; changes are, as long as no request runs.
    """

    service: BatchEmulator
    urls: Mapping[str, str]

    def url(self, account: Account | str = DEV_ACCOUNT) -> str:
        """The endpoint of an account, without a trailing slash."""
        return self.urls[_name(account)]

    def state(self, account: Account | str = DEV_ACCOUNT) -> AccountState:
        """What an account holds, brought to the present."""
        self.service.pass_time()
        return self.service.accounts[_name(account)]

    def pool(self, pool_id: str, account: Account | str = DEV_ACCOUNT) -> Pool:
        """A pool by id.

        Raises:
            KeyError: the account has none of that id.
        """
        pool = self.state(account).pools.get(pool_id)
        if pool is None:
            raise KeyError(f"no pool {pool_id} in account {_name(account)}")
        return pool

    def seed(self, *pools: JsonObject, account: Account | str = DEV_ACCOUNT) -> None:
        """Put pools into an account; see `batchemulator.seeds`."""
        for document in pools:
            seed_pool(self.state(account), document, self.service.clock.now())

    def edit(self, pool_id: str, changes: JsonObject, account: Account | str = DEV_ACCOUNT) -> None:
        """Change a pool behind the clients' backs; see `batchemulator.outside_edits`."""
        edit_pool(self.state(account), self.pool(pool_id, account), changes, self.service.clock.now())

    def fail(self, fault: Fault) -> None:
        """Put a fault in force."""
        self.service.faults.add(fault)

    def assume(self, assumptions: Assumptions) -> None:
        """Change what is assumed about the service."""
        self.service.environment.assumptions = assumptions

    def advance(self, seconds: float) -> None:
        """Let time pass at once, and everything that is due happen."""
        self.service.clock.advance(seconds)
        self.service.pass_time()

    @property
    def requests(self) -> RequestLog:
        """What clients asked."""
        return self.service.requests


def _name(account: Account | str) -> str:
    return account if isinstance(account, str) else account.name


def make_service(
    accounts: Iterable[Account] = (DEV_ACCOUNT,),
    *,
    pools: Mapping[str, list[JsonObject]] | None = None,
    assumptions: Assumptions | None = None,
    timings: Timings | None = None,
    clock: Clock | None = None,
    tokens: TokenPolicy | None = None,
) -> BatchEmulator:
    """The emulator without a server, its accounts filled with the pools given by account name."""
    environment = Environment()
    if assumptions is not None:
        environment.assumptions = assumptions
    if timings is not None:
        environment.timings = timings
    service = BatchEmulator.of(accounts, clock=clock, environment=environment, tokens=tokens)
    for name, documents in (pools or {}).items():
        if name not in service.accounts:
            raise ValueError(f"pools are given for account {name}, which does not exist")
        for document in documents:
            seed_pool(service.accounts[name], document, service.clock.now())
    return service


@asynccontextmanager
async def serving(
    service: BatchEmulator,
    *,
    ports: Mapping[str, int] | None = None,
    tls: TlsFiles | None = None,
) -> AsyncIterator[Emulator]:
    """Serve a service on loopback in this event loop, every account on a port of its own (0 picks a free one)."""
    context = tls.server_context() if tls is not None else None
    urls: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for name in service.accounts:
            port = (ports or {}).get(name, 0)
            urls[name] = await stack.enter_async_context(listening(service, port, context, bound_account=name))
        yield Emulator(service=service, urls=urls)


@asynccontextmanager
async def listening(
    service: BatchEmulator,
    port: int,
    context: ssl.SSLContext | None,
    *,
    bound_account: str | None = None,
    host: str = _LOOPBACK,
) -> AsyncIterator[str]:
    """One open port; yields its URL. Without `bound_account` all accounts share it."""
    app = make_app(service, bound_account=bound_account)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=context)
        await site.start()
        scheme = "http" if context is None else "https"
        yield f"{scheme}://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(
    accounts: Iterable[Account] = (DEV_ACCOUNT,),
    *,
    pools: Mapping[str, list[JsonObject]] | None = None,
    assumptions: Assumptions | None = None,
    timings: Timings | None = None,
    clock: Clock | None = None,
    tokens: TokenPolicy | None = None,
    tls: TlsFiles | None = None,
) -> AsyncIterator[Emulator]:
    """Run an emulator in this event loop, every account on a free port of its own."""
    service = make_service(
        accounts,
        pools=pools,
        assumptions=assumptions,
        timings=timings,
        clock=clock,
        tokens=tokens,
    )
    async with serving(service, tls=tls) as emulator:
        yield emulator


@contextmanager
def serving_in_thread(service: BatchEmulator, *, tls: TlsFiles | None = None) -> Iterator[Emulator]:
    """Serve a service from a thread with an event loop of its own, for clients that block."""
    started: list[Emulator] = []
    failures: list[BaseException] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving(service, tls=tls) as emulator:
            started.append(emulator)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except OSError as error:
            failures.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="batchemulator", daemon=True)
    thread.start()
    ready.wait()
    if failures:
        raise failures[0]
    try:
        yield started[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
