"""The readings of the running operator: the very values its statuses are compared with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import JsonObject, ObjectKey
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.catalogue import Connection, LiveCatalogue, Policy, PoolIdentity
from batchaccess.kube.packed import PackedObject
from batchaccess.telemetry.server import Probe
from batchaccess.web.readings import ConnectionReading, PolicyReading, PoolReading, RecentEvent, Standby
from batchaccess.web.recentevents import RecentEvents


class LiveReadings:
    """Implements `web.readings.Readings`."""

    def __init__(
        self,
        live: LiveCatalogue,
        events: RecentEvents,
        *,
        probes: Sequence[Probe],
        standby: Callable[[], Standby | None] = lambda: None,
    ) -> None:
        self._live = live
        self._events = events
        self._probes = probes
        self._standby = standby

    def connections(self) -> Sequence[ConnectionReading]:
        """Every connection, by name."""
        return [_connection(entry) for entry in self._live.connections()]

    def policies(self) -> Sequence[PolicyReading]:
        """Every policy, by namespace and name."""
        return [_policy(entry) for entry in self._live.policies()]

    def pools(self) -> Iterable[PoolReading]:
        """Every pool of every connection there is."""
        for connection in self._live.connections():
            for entry in self._live.pool_accesses(connection.stored.name).values():
                yield _pool(entry)

    def connection(self, name: str) -> ConnectionReading | None:
        """One connection."""
        entry = self._live.connection(name)
        return None if entry is None else _connection(entry)

    def policy(self, key: ObjectKey) -> PolicyReading | None:
        """One policy."""
        entry = self._live.policy((key.namespace, key.name))
        return None if entry is None else _policy(entry)

    def pool(self, name: str) -> PoolReading | None:
        """The pool of one BatchPoolAccess."""
        entry = self._live.pool_access(name)
        return None if entry is None else _pool(entry)

    def events(self) -> Sequence[RecentEvent]:
        """What the operator emitted of late, newest first."""
        return self._events.newest_first()

    def standby(self) -> Standby | None:
        """That this replica stands by; None while it works."""
        return self._standby()

    def problems(self) -> Sequence[str]:
        """What the probes of the operator complain of."""
        return [problem for probe in self._probes for problem in probe()]


def _connection(entry: CachedObject[Connection]) -> ConnectionReading:
    declared = entry.value if isinstance(entry.value, AccountConnection) else None
    return ConnectionReading(name=entry.stored.name, declared=declared, status=_unpacked(entry.stored.status))


def _policy(entry: CachedObject[Policy]) -> PolicyReading:
    declared = entry.value if isinstance(entry.value, AccessPolicy) else None
    key = ObjectKey(namespace=entry.stored.namespace or "", name=entry.stored.name)
    return PolicyReading(key=key, declared=declared, status=_unpacked(entry.stored.status))


def _pool(entry: CachedObject[PoolIdentity]) -> PoolReading:
    status = entry.stored.status

    def unpacked() -> JsonObject:
        return _unpacked(status)

    return PoolReading(
        name=entry.stored.name,
        connection=entry.value.connection,
        pool_id=entry.value.pool_id,
        version=status,
        status=unpacked,
    )


def _unpacked(status: Mapping[str, Any]) -> JsonObject:
    """Decoded once instead of at each access."""
    return status.unpack() if isinstance(status, PackedObject) else status
