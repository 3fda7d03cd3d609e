"""What the pages read: a narrow view of what Kubernetes holds, so that tests can feed them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import JsonObject, ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReading:
    """One connection; `declared` is None if what was declared is refused."""

    name: str
    declared: AccountConnection | None
    status: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReading:
    """One policy; `declared` is None if what was declared is refused."""

    key: ObjectKey
    declared: AccessPolicy | None
    status: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReading:
    """One BatchPoolAccess. `version` is the same object while the status is; `status` unpacks it."""

    name: str
    connection: str
    pool_id: str
    version: object
    status: Callable[[], JsonObject]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentEvent:
    """One event that the operator emitted; `count` is how often, `first` and `last` are when it first and last did."""

    kind: str
    name: str
    namespace: str | None
    warning: bool
    reason: str
    message: str
    count: int
    first: datetime
    last: datetime

    def is_about(self, kind: str, name: str, namespace: str | None = None) -> bool:
        """Whether it is about that object."""
        return (self.kind, self.name, self.namespace) == (kind, name, namespace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """Another replica works. `leader` is its pod, empty if none is known to lead; `reach` is the way to its page."""

    leader: str
    reach: str


class Readings(Protocol):
    """What Kubernetes holds now. Called on the event loop: must be quick."""

    def connections(self) -> Sequence[ConnectionReading]:
        """Every connection, by name."""
        ...

    def policies(self) -> Sequence[PolicyReading]:
        """Every policy, by namespace and name."""
        ...

    def pools(self) -> Iterable[PoolReading]:
        """Every pool, in any order."""
        ...

    def connection(self, name: str) -> ConnectionReading | None:
        """One connection."""
        ...

    def policy(self, key: ObjectKey) -> PolicyReading | None:
        """One policy."""
        ...

    def pool(self, name: str) -> PoolReading | None:
        """The pool of one BatchPoolAccess."""
        ...

    def events(self) -> Sequence[RecentEvent]:
        """What the operator emitted of late, newest first."""
        ...

    def standby(self) -> Standby | None:
        """That this replica stands by; None while it works."""
        ...

    def problems(self) -> Sequence[str]:
        """What keeps the operator from its work, one sentence each."""
        ...
