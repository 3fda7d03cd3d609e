"""Creates and deletes BatchPoolAccess objects: one per live pool, owned by its connection, without a finalizer."""

import logging
from typing import Any, Final

from batchaccess.core.model import AccountConnection
from batchaccess.core.reasons import ErrorKind
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import CONNECTIONS, GROUP, POOL_ACCESSES
from batchaccess.kube.statuswriter import CountWrite, WriteOutcome
from batchaccess.ports import PortError, StoredStatus

_log = logging.getLogger(__name__)

CONNECTION_LABEL: Final = f"{GROUP}/connection"
"""Label that lets `kubectl get bpa -l` show the pools of one connection."""

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class PoolAccessObjects:
    """The BatchPoolAccess objects of all connections. Never raises: the next sweep tries again."""

    def __init__(self, client: KubeClient, live: LiveCatalogue, count: CountWrite) -> None:
        self._client = client
        self._live = live
        self._count = count

    async def ensure(self, connection: AccountConnection, *, name: str, pool_id: str) -> StoredStatus | None:
        """The stored status of the object for a pool, which is created if need be; None if that failed.

        An object of that name which belongs to an earlier connection of the same name, or stands for another pool, is
        deleted first: it is the garbage collector's already, or nobody's.
        """
        found = self._live.pool_accesses(connection.name).get(name)
        if found is not None and found.value.owner_uid == connection.uid and found.value.pool_id == pool_id:
            return found.stored
        if found is not None and not await self.delete(name):
            return None
        outcome = await self._create(connection, name, pool_id)
        self._count(POOL_ACCESSES, outcome)
        return self._live.stored(POOL_ACCESSES, namespace=None, name=name) if outcome is WriteOutcome.WRITTEN else None

    async def delete(self, name: str) -> bool:
        """Delete the object of a pool that is gone; whether it is gone now."""
        stored = self._live.stored(POOL_ACCESSES, namespace=None, name=name)
        if stored is None:
            return True
        outcome = WriteOutcome.WRITTEN
        try:
            await self._client.delete(POOL_ACCESSES.path(name=name), uid=stored.uid)
        except PortError as error:
            if error.status != _NOT_FOUND:
                _log.warning("BatchPoolAccess %s was not deleted: %s", name, error)
                outcome = WriteOutcome.CONFLICT if error.kind is ErrorKind.RACE else WriteOutcome.FAILED
        self._count(POOL_ACCESSES, outcome)
        if outcome is not WriteOutcome.WRITTEN:
            return False
        self._live.observe(POOL_ACCESSES, {"metadata": {"name": name, "uid": stored.uid}}, deleted=True)
        return True

    async def _create(self, connection: AccountConnection, name: str, pool_id: str) -> WriteOutcome:
        try:
            answer = await self._client.create(POOL_ACCESSES.path(), _manifest(connection, name, pool_id))
        except PortError as error:
            if error.status == _CONFLICT:
                return await self._adopt_unread(name)
            _log.warning("BatchPoolAccess %s was not created: %s", name, error)
            return WriteOutcome.REFUSED if error.kind is ErrorKind.INVALID else WriteOutcome.FAILED
        self._live.observe(POOL_ACCESSES, answer)
        return WriteOutcome.WRITTEN

    async def _adopt_unread(self, name: str) -> WriteOutcome:
        """It exists, but no watch has told us yet: read it, and let the next sweep judge it."""
        try:
            self._live.observe(POOL_ACCESSES, await self._client.get(POOL_ACCESSES.path(name=name)))
        except PortError as error:
            _log.warning("BatchPoolAccess %s was not read: %s", name, error)
            return WriteOutcome.FAILED
        return WriteOutcome.CONFLICT


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
