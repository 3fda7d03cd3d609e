"""Has the running operator bring back what it drained, and lets go of everything it holds, so that it may be removed.

Bounded in time whatever happens: what is not back by then stays recorded in the metadata of its pool.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from batchaccess.api import LEAVING_SINCE
from batchaccess.core.saga.copies import stored_journal
from batchaccess.core.saga.scale import scale_line
from batchaccess.core.saga.steps import KubernetesJournal
from batchaccess.core.texts import listed
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.finalizers import LiveFinalizers
from batchaccess.kube.resources import CONNECTIONS
from batchaccess.kube.resync import resync
from batchaccess.ports import PortError

_LOOK_SECONDS: Final = 2
_HEAR_SECONDS: Final = 3
"""For a running operator to hear that it leaves, and to write down what it had just begun."""

_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """A pool whose scale is not back."""

    name: str
    saga_id: str
    scale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What came of leaving: pools whose scale is not back, and what could not be done."""

    left_behind: Sequence[LeftBehind]
    problems: Sequence[str]


async def leave(
    client: KubeClient,
    live: LiveCatalogue,
    *,
    seconds: float,
    tell: Callable[[str], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Departure:
    """Tell the operator to leave, wait for open sagas, release all finalizers.

    Args:
        client: of the API server.
        live: an empty reading, to be filled.
        seconds: how long open sagas are waited for.
        tell: what is said meanwhile.
        sleep: waits.
    """
    problems = [
        failure.explanation for failure in (await resync(client, live)).failures if not _is_missing(failure.error)
    ]
    if not live.connections():
        return Departure(left_behind=await _released(client, live, problems), problems=problems)
    await _mark(client, live, problems)
    await sleep(_HEAR_SECONDS)
    waited = 0.0
    while True:
        await resync(client, live)
        still_open = open_sagas(live)
        if not still_open or waited >= seconds:
            break
        tell(restoring_line([each.name for each in still_open]))
        await sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
    return Departure(left_behind=await _released(client, live, problems), problems=problems)


def restoring_line(names: Sequence[str]) -> str:
    """What is said while pools, by their objects, are brought back."""
    counted = "1 pool is" if len(names) == 1 else f"{len(names)} pools are"
    return f"{counted} being restored: {listed(names)}"


def open_sagas(live: LiveCatalogue) -> list[LeftBehind]:
    """Every open saga that Kubernetes knows of, by name."""
    found: list[LeftBehind] = []
    for connection in live.connections():
        for name, entry in sorted(live.pool_accesses(connection.stored.name).items()):
            journal = stored_journal(dict(entry.stored.status))
            if isinstance(journal, KubernetesJournal):
                scale = scale_line(journal.journal.recorded)
                found.append(LeftBehind(name=name, saga_id=journal.journal.saga_id, scale=scale))
    return found


async def _mark(client: KubeClient, live: LiveCatalogue, problems: list[str]) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for connection in live.connections():
        name = connection.stored.name
        try:
            body = {"metadata": {"annotations": {LEAVING_SINCE: now}}}
            live.observe(CONNECTIONS, await client.merge_patch(CONNECTIONS.path(name=name), body))
        except PortError as error:
            if error.status != _NOT_FOUND:
                problems.append(f"connection {name} was not told to leave: {error}")


async def _released(client: KubeClient, live: LiveCatalogue, problems: list[str]) -> list[LeftBehind]:
    """Let go of everything; the sagas that were open then."""
    finalizers, left_behind = LiveFinalizers(client, live), open_sagas(live)
    problems += [
        f"connection {connection.stored.name} still carries the finalizer"
        for connection in live.connections()
        if not await finalizers.release_connection(connection.stored.name)
    ]
    problems += [
        f"policy {key} still carries the finalizer"
        for key in list(finalizers.held_policies())
        if not await finalizers.release_policy(key)
    ]
    return left_behind


def _is_missing(error: PortError) -> bool:
    """Whether the CRDs are gone, and with them everything there was to let go of."""
    return error.status == _NOT_FOUND
