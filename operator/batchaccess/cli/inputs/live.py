"""Live accounts: one listing each, and the nodes of those pools whose age calls for it."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from batchaccess.cli.inputs.identities import EnvironmentSecrets
from batchaccess.cli.inputs.reading import Failure, ReadAccount, Reading, ReadPool, Steps, no_steps
from batchaccess.cli.inputs.readonly import ReadOnlyPools
from batchaccess.clock import SystemClock
from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import (
    ObservedPool,
    PoolState,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
"""Accounts read at the same time: enough to hide the service's latency, few enough for one machine's tokens."""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""Hosts that can only be this machine are allowed: an emulator, or a tunnel that the user made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """How live accounts are read.

    Attributes:
        list_nodes: whether the nodes of legacy pools are listed; without, their login ports stay Undetermined.
        wanted: which pools matter, so that no nodes of others are listed.
        allow_endpoint_suffixes: host suffixes allowed besides those of Azure and loopback.
        ca_file: PEM file of authorities trusted besides the system's.
        environment: where secrets come from.
    """

    list_nodes: bool = True
    wanted: Callable[[ObservedPool], bool] = field(default=lambda _: True)
    allow_endpoint_suffixes: tuple[str, ...] = ()
    ca_file: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


async def gather(
    connections: Iterable[AccountConnection], settings: LiveSettings, steps: Steps | None = None
) -> Reading:
    """Read accounts, several at once. Never raises: what could not be read is among the failures."""
    shown = steps or no_steps()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(connection: AccountConnection) -> Reading:
        async with gate:
            return await _account(connection, settings, shown)

    readings = await asyncio.gather(*(one(connection) for connection in connections))
    return Reading(
        accounts=tuple(account for reading in readings for account in reading.accounts),
        failures=tuple(failure for reading in readings for failure in reading.failures),
    )


async def _account(connection: AccountConnection, settings: LiveSettings, steps: Steps) -> Reading:
    source = connection.endpoint
    try:
        pools = await _open(connection, settings)
        try:
            steps.begin(f"listing the pools of {connection.name}")
            survey = await pools.survey()
            found = tuple(
                ReadPool(pool=each.pool, traits=each.traits)
                for each in sorted(survey.pools, key=lambda each: each.pool.id)
            )
            listed, failures = await _with_nodes(pools, found, settings, steps, source)
        finally:
            await pools.close()
    except PortError as error:
        _log.debug("account %s was not read", connection.name, exc_info=True)
        return Reading(failures=(Failure(source=source, message=advised(error)),))
    account = ReadAccount(
        name=connection.name,
        source=source,
        pools=listed,
        unreadable=survey.unreadable,
        connection=connection,
        live=True,
    )
    return Reading(accounts=(account,), failures=failures)


async def count_running_tasks(
    connection: AccountConnection, pool_ids: Iterable[str], settings: LiveSettings
) -> tuple[dict[str, int], tuple[Failure, ...]]:
    """Tasks that run in some pools of an account now, and why they could not be counted. Never raises."""
    counts: dict[str, int] = {}
    try:
        pools = await _open(connection, settings)
        try:
            for pool_id in pool_ids:
                counts[pool_id] = await pools.running_tasks(pool_id)
        finally:
            await pools.close()
    except PortError as error:
        return counts, (Failure(source=f"{connection.endpoint}: running tasks", message=advised(error)),)
    return counts, ()


async def _open(connection: AccountConnection, settings: LiveSettings) -> ReadOnlyPools:
    # The Azure SDK takes a second to import, which saved pools need not wait for.
    from batchaccess.azurebatch.chain import connect_default  # noqa: PLC0415 as said
    from batchaccess.azurebatch.settings import AdapterSettings  # noqa: PLC0415 as said

    pools = await connect_default(
        connection,
        secrets=EnvironmentSecrets(settings.environment),
        settings=AdapterSettings(
            allow_endpoint_suffixes=(*settings.allow_endpoint_suffixes, *_LOOPBACK), ca_file=settings.ca_file
        ),
        clock=SystemClock(),
    )
    return ReadOnlyPools(pools)


async def _with_nodes(
    pools: ReadOnlyPools, found: tuple[ReadPool, ...], settings: LiveSettings, steps: Steps, source: str
) -> tuple[tuple[ReadPool, ...], tuple[Failure, ...]]:
    """The pools with what their nodes show, where their age calls for it."""
    old = [each for each in found if settings.list_nodes and calls_for_nodes(each.pool) and settings.wanted(each.pool)]
    if not old:
        return found, ()
    steps.begin("listing the nodes of pools created before 2025-12-01", len(old))
    listed: dict[str, ReadPool] = {}
    failures: list[Failure] = []
    for each in old:
        try:
            nodes = await pools.list_node_endpoints(each.pool)
            listed[each.pool.id] = replace(each, nodes=nodes)
        except PortError as error:
            if error.code != "PoolNotFound":
                failures.append(Failure(source=f"{source}: nodes of pool {each.pool.id}", message=advised(error)))
        steps.advance()
    return tuple(listed.get(each.pool.id, each) for each in found), tuple(failures)


def calls_for_nodes(pool: ObservedPool) -> bool:
    """Whether only nodes can tell who gets in: an old pool with nodes (Azure/Batch issue 182)."""
    return pool.is_legacy and pool.state is not PoolState.DELETING and pool.scale.current.total > 0


_REMEDIES: Final = {
    ErrorKind.DENIED: (
        "check the key, or that the identity may read the account, as the role Azure Batch Account Reader lets it"
    ),
    ErrorKind.TRANSIENT: "check the endpoint and the network, then try again",
}
_OPERATORS_OPTION: Final = "that the operator was started with (--allow-endpoint-suffix)"
_SELF_EXPLAINING: Final = frozenset({"NoCredential", "SecretNotFound", "EndpointNotAllowed", "Invalid"})


def advised(error: PortError) -> str:
    """What happened and what a person at a terminal can do about it."""
    if error.code in _SELF_EXPLAINING:
        return error.message.replace(_OPERATORS_OPTION, "given with --allow-endpoint-suffix")
    # The adapter's own advice after the semicolon speaks of the cluster.
    told = error.message.partition("; ")[0] if error.code == "ConnectionFailed" else error.message
    remedy = _REMEDIES.get(error.kind)
    return f"{error.code}: {told}" + (f"; {remedy}" if remedy else "")
