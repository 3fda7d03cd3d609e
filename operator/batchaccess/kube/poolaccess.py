"""The BatchPoolAccess objects: one per live pool, owned by its connection, without a finalizer.

When a connection is deleted its objects are left to the garbage collector, which follows their owner reference:
deleting them here as well would make every uninstall wait for thousands of requests of ours.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from batchaccess.api import render_part, render_status
from batchaccess.core.declared import AccountConnection
from batchaccess.core.reasons import ErrorKind
from batchaccess.core.status import DrainsStatus, JournalStatus, PoolStatus
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.catalogue import LiveCatalogue, PoolIdentity
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import CONNECTIONS, GROUP, POOL_ACCESSES
from batchaccess.kube.statuswriter import CountWrite, StatusWriter, WriteOutcome
from batchaccess.ports import PortError, ReportedPool

_log = logging.getLogger(__name__)

CONNECTION_LABEL: Final = f"{GROUP}/connection"
"""Label that lets `kubectl get bpa -l` show the pools of one connection."""

_WRITTEN_FOR_THEMSELVES: Final = ("journal", "drains")
"""Parts of the status that only `write_journal` writes: losing one to a report would lose a pool's scale."""

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class PoolAccessObjects:
    """Implements `ports.PoolReports` on the Kubernetes API."""

    def __init__(self, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, count: CountWrite) -> None:
        self._client = client
        self._live = live
        self._writer = writer
        self._count = count

    def existing(self, connection: AccountConnection) -> Mapping[str, ReportedPool]:
        """The objects that name this connection, by their own name."""
        return reported_pools(self._live, connection)

    def find(self, connection: AccountConnection, name: str) -> ReportedPool | None:
        """The object of that name, if it names this connection."""
        entry = self._live.pool_access(name)
        if entry is None or entry.value.connection != connection.name:
            return None
        return _reported(entry, owner_uid=connection.uid)

    async def create(self, connection: AccountConnection, *, name: str, pool_id: str) -> ReportedPool | None:
        """Make the object of a pool, in place of any that is not this connection's; None if that failed.

        An object that belongs to an earlier connection of the same name is the garbage collector's already, and one
        that stands for another pool is nobody's: both are deleted first.
        """
        found = self._live.pool_access(name)
        if found is not None and _stands_for(found.value, connection, pool_id):
            return _reported(found, owner_uid=connection.uid)
        if found is not None and not await self.delete(name):
            return None
        outcome = await self._create(connection, name, pool_id)
        self._count(POOL_ACCESSES, outcome)
        made = self._live.pool_access(name) if outcome is WriteOutcome.WRITTEN else None
        return None if made is None else _reported(made, owner_uid=connection.uid)

    async def write(self, reported: ReportedPool, status: PoolStatus) -> ReportedPool | None:
        """Make `status` the whole status; the object as it is then, the very same if it said so already.

        Its journal and what earlier drains taught stay as they are stored. None if the write failed.
        """
        stored = reported.stored
        outcome = await self._writer.write(
            POOL_ACCESSES,
            namespace=None,
            name=stored.name,
            uid=stored.uid,
            status=render_status(status),
            kept=_WRITTEN_FOR_THEMSELVES,
        )
        if outcome is WriteOutcome.UNCHANGED:
            return reported
        entry = self._live.pool_access(stored.name) if outcome is WriteOutcome.WRITTEN else None
        return None if entry is None else _reported(entry, owner_uid=entry.value.owner_uid)

    async def write_journal(
        self, reported: ReportedPool, *, journal: JournalStatus | None, drains: DrainsStatus | None
    ) -> ReportedPool | None:
        """Make these two parts the stored ones and leave the rest of the status alone; the object as it is then.

        None if it is not certain that they are stored, or if somebody else wrote either part since `reported`.
        """
        stored = reported.stored
        outcome = await self._writer.amend(
            POOL_ACCESSES,
            namespace=None,
            name=stored.name,
            uid=stored.uid,
            before={key: stored.status.get(key) for key in _WRITTEN_FOR_THEMSELVES},
            after={
                "journal": None if journal is None else render_part(journal),
                "drains": None if drains is None else render_part(drains),
            },
        )
        certain = outcome in (WriteOutcome.WRITTEN, WriteOutcome.UNCHANGED)
        entry = self._live.pool_access(stored.name) if certain else None
        return None if entry is None else _reported(entry, owner_uid=entry.value.owner_uid)

    async def delete(self, name: str) -> bool:
        """Delete the object of a pool that is gone; whether it is gone now."""
        stored = self._live.stored(POOL_ACCESSES, namespace=None, name=name)
        if stored is None:
            return True
        outcome = await self._delete(name, stored.uid)
        self._count(POOL_ACCESSES, outcome)
        if outcome is not WriteOutcome.WRITTEN:
            return False
        self._live.observe(POOL_ACCESSES, {"metadata": {"name": name, "uid": stored.uid}}, deleted=True)
        return True

    async def _delete(self, name: str, uid: str) -> WriteOutcome:
        try:
            await self._client.delete(POOL_ACCESSES.path(name=name), uid=uid)
        except PortError as error:
            if error.status == _NOT_FOUND:
                return WriteOutcome.WRITTEN
            _log.warning("BatchPoolAccess %s was not deleted: %s", name, error)
            return WriteOutcome.CONFLICT if error.kind is ErrorKind.RACE else WriteOutcome.FAILED
        return WriteOutcome.WRITTEN

    async def _create(self, connection: AccountConnection, name: str, pool_id: str) -> WriteOutcome:
        try:
            answer = await self._client.create(POOL_ACCESSES.path(), _manifest(connection, name, pool_id))
        except PortError as error:
            if error.status == _CONFLICT:
                return await self._read_unknown(name)
            _log.warning("BatchPoolAccess %s was not created: %s", name, error)
            return WriteOutcome.REFUSED if error.kind is ErrorKind.INVALID else WriteOutcome.FAILED
        self._live.observe(POOL_ACCESSES, answer)
        return WriteOutcome.WRITTEN

    async def _read_unknown(self, name: str) -> WriteOutcome:
        """It exists, but no watch has told us yet: read it, and let the next sweep judge it."""
        try:
            self._live.observe(POOL_ACCESSES, await self._client.get(POOL_ACCESSES.path(name=name)))
        except PortError as error:
            _log.warning("BatchPoolAccess %s was not read: %s", name, error)
            return WriteOutcome.FAILED
        return WriteOutcome.CONFLICT


def reported_pools(live: LiveCatalogue, connection: AccountConnection) -> Mapping[str, ReportedPool]:
    """The objects that name this connection, by their own name."""
    entries = live.pool_accesses(connection.name)
    return {name: _reported(entry, owner_uid=connection.uid) for name, entry in entries.items()}


def _stands_for(identity: PoolIdentity, connection: AccountConnection, pool_id: str) -> bool:
    return identity.owner_uid == connection.uid and identity.pool_id.casefold() == pool_id.casefold()


def _reported(entry: CachedObject[PoolIdentity], *, owner_uid: str | None) -> ReportedPool:
    identity = entry.value
    return ReportedPool(
        stored=entry.stored,
        pool_id=identity.pool_id,
        owned=identity.owner_uid == owner_uid,
        requested_at=identity.requested_at,
        adopt=identity.adopt,
        abandon=identity.abandon,
    )


def _manifest(connection: AccountConnection, name: str, pool_id: str) -> dict[str, Any]:
    return {
        "apiVersion": POOL_ACCESSES.api_version,
        "kind": POOL_ACCESSES.kind,
        "metadata": {
            "name": name,
            "labels": {CONNECTION_LABEL: connection.name},
            "ownerReferences": [
                {
                    "apiVersion": CONNECTIONS.api_version,
                    "kind": CONNECTIONS.kind,
                    "name": connection.name,
                    "uid": connection.uid,
                    "controller": True,
                }
            ],
        },
        "spec": {"connection": connection.name, "poolId": pool_id},
    }
