"""Running an emulated cluster inside a program's own event loop.

kopf cancels every task of a loop it shares: give the emulator a loop or a process of its own (`kubeemulator.launch`)
where an operator runs in the same program.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from kubeemulator.api import Api
from kubeemulator.authn import Authenticator
from kubeemulator.builtin import SERVICE_ACCOUNTS
from kubeemulator.cluster import Cluster
from kubeemulator.control import Controls
from kubeemulator.kubeconfig import kubeconfig
from kubeemulator.persistence import SqliteJournal
from kubeemulator.serving import Frontend
from kubeemulator.store import Store
from kubeemulator.tls import Certificates, issue
from kubeemulator.watching import BOOKMARK_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kubeemulator.jsontypes import JsonObject

_MAX_BODY: Final = 3 * 1024 * 1024
_SHUTDOWN_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an emulated cluster is run."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free one."""

    store: Path | None = None
    """An SQLite file for the objects; None keeps them in memory only."""

    tls: bool = False
    enforces_roles: bool = False
    history: int = 1000
    """Over how many events of each resource a watch can be resumed, at least."""

    bookmark_seconds: float = BOOKMARK_SECONDS

    def __post_init__(self) -> None:
        if self.enforces_roles and not self.tls:
            raise ValueError("roles need TLS, because kubectl sends no token over plain http: add --tls")
        if not self.enforces_roles and not ipaddress.ip_address(self.host).is_loopback:
            raise ValueError(
                f"every caller is administrator, so it is served on loopback only, not on {self.host}: add --rbac"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A cluster that answers."""

    url: str
    cluster: Cluster
    controls: Controls
    authenticator: Authenticator
    certificates: Certificates | None

    def kubeconfig(self) -> JsonObject:
        """A kubeconfig of the administrator."""
        return kubeconfig(self.url, self.authenticator.administrator_token, self.certificates)


@contextlib.asynccontextmanager
async def running(settings: Settings | None = None) -> AsyncIterator[Running]:
    """Serve an emulated cluster as long as the context lasts."""
    chosen = settings or Settings()
    journal = SqliteJournal(chosen.store) if chosen.store is not None else None
    store = Store(history=chosen.history, journal=journal)
    fresh = secrets.token_bytes(32)
    secret = fresh
    if journal is not None:
        journal.load_into(store)
        secret = journal.secret("tokens", fresh)
    cluster = Cluster(store)
    authenticator = Authenticator(secret, lambda namespace, name: _account_uid(cluster, namespace, name))
    certificates = issue(chosen.host) if chosen.tls else None
    controls = Controls()
    api = Api(cluster, authenticator, enforces_roles=chosen.enforces_roles)
    frontend = Frontend(api, controls, bookmark_seconds=chosen.bookmark_seconds)
    runner = web.AppRunner(_application(frontend), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        context = certificates.server_context() if certificates is not None else None
        site = web.TCPSite(runner, chosen.host, chosen.port, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
        yield Running(
            url=f"{'https' if chosen.tls else 'http'}://{host}:{port}",
            cluster=cluster,
            controls=controls,
            authenticator=authenticator,
            certificates=certificates,
        )
    finally:
        controls.cut_watches()
        await runner.cleanup()
        store.close()


def _application(frontend: Frontend) -> web.Application:
    application = web.Application(client_max_size=_MAX_BODY)
    application.router.add_route("*", "/{path:.*}", frontend.serve)
    return application


def _account_uid(cluster: Cluster, namespace: str, name: str) -> str | None:
    entry = cluster.find(SERVICE_ACCOUNTS, (namespace, name))
    return None if entry is None else str(entry.obj["metadata"]["uid"])
