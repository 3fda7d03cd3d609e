"""The borders of the imperative shell: what the sweep needs of the outside world, as narrow Protocols.

Adapters convert every foreign exception at their edge into `PortError`; nothing else crosses these borders.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from batchaccess.core.declared import AccessPolicy, AccountConnection, NodeDeallocation
from batchaccess.core.model import JsonObject, MetadataItem, NodeCounts, NodeFindings, ObjectKey, ObservedPool
from batchaccess.core.reasons import ErrorKind, EventReason, EventType
from batchaccess.core.status import DrainsStatus, JournalStatus, PoolStatus

WriteLeave: TypeAlias = Callable[[], float]
"""Seconds that a write begun now may take; raises a `PortError` if another replica may lead by then."""


class PortError(Exception):
    """An outside party refused, failed or did not answer.

    Attributes:
        kind: how it is answered.
        code: the Batch error code or a stable word of ours, such as `ConnectionFailed`; a closed set is not promised.
        status: the HTTP status, None if there was no answer.
        retry_after: seconds the service asked us to wait, None if it did not.
        message: stable text for conditions and events: no request ids, no times.
        outcome_unknown: the request may have taken effect; re-read before anything else.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.kind = kind
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadablePool:
    """A pool whose description could not be understood; `problem` names the key. Never treated as absent."""

    id: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All pools of an account. A pool whose content did not change since the last listing is the same object."""

    pools: Sequence[ObservedPool]
    unreadable: Sequence[UnreadablePool] = ()


class AzureOperation(StrEnum):
    """What is asked of a Batch account: one member for each method of `Pools` that makes requests."""

    LIST_POOLS = "ListPools"
    GET_POOL = "GetPool"
    LIST_NODES = "ListNodes"
    PATCH_NETWORK = "PatchNetwork"
    PATCH_METADATA = "PatchMetadata"
    DISABLE_AUTOSCALE = "DisableAutoscale"
    ENABLE_AUTOSCALE = "EnableAutoscale"
    RESIZE = "Resize"
    STOP_RESIZE = "StopResize"


class Pools(Protocol):
    """The pools of one Batch account. Every method raises `PortError` and nothing else.

    A write that is given an ETag takes effect only if the pool still has it. With `unquoted` the ETag is sent as the
    service itself spells it, not in the quotes that RFC 9110 asks for.
    """

    async def list_pools(self) -> Listing:
        """All pools, those being deleted included, in one paged request."""
        ...

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now. A pool that does not exist is a PortError with code `PoolNotFound`."""
        ...

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        ...

    async def patch_network(
        self, pool_id: str, network_configuration: JsonObject, *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the network configuration if the pool still has `etag`; sends no other property."""
        ...

    async def patch_metadata(
        self, pool_id: str, items: Sequence[MetadataItem], *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the whole metadata list if the pool still has `etag`; sends no other property."""
        ...

    async def disable_autoscale(self, pool_id: str) -> None:
        """Turn autoscale off; the targets stay as the formula left them. The service takes no condition here."""
        ...

    async def enable_autoscale(
        self, pool_id: str, *, formula: str, interval: str | None, etag: str | None = None, unquoted: bool = False
    ) -> None:
        """Turn autoscale on, or change its formula; `interval` as the service spells it, None for its default."""
        ...

    async def resize(
        self,
        pool_id: str,
        targets: NodeCounts,
        *,
        resize_timeout: str,
        node_deallocation: NodeDeallocation | None,
        etag: str | None = None,
        unquoted: bool = False,
    ) -> None:
        """Begin a resize to `targets`; `resize_timeout` is an ISO 8601 duration of at least five minutes.

        `node_deallocation` says what becomes of tasks on nodes that go; None where none shall go.
        """
        ...

    async def stop_resize(self, pool_id: str, *, etag: str | None = None, unquoted: bool = False) -> None:
        """Stop the resize that runs, keeping the nodes there are then."""
        ...

    async def close(self) -> None:
        """Release connections and credentials."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidObject:
    """A custom resource that the API server stored but we refuse, with every problem found as (path, message).

    `requested_at` is the sweep that somebody asked for: there is none to make, so it is answered at once.
    """

    uid: str
    generation: int
    problems: tuple[tuple[str, str], ...]
    requested_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStatus:
    """What is in Kubernetes now for one object: its status as JSON, and what is needed to write it again.

    `held` says that our finalizer keeps the object from going, `deleting` that it was asked to go.
    """

    name: str
    namespace: str | None
    uid: str
    generation: int
    status: Mapping[str, Any]
    held: bool = False
    deleting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPool:
    """The BatchPoolAccess of one pool as it is in Kubernetes now; `stored` is the same object while nothing changed.

    `owned` is false for what an earlier connection of the same name left behind. `adopt` is the id of the saga that a
    person wants taken over, `abandon` whether they want an open one given up without restoring anything.
    """

    stored: StoredStatus
    pool_id: str
    owned: bool = True
    requested_at: str | None = None
    adopt: str | None = None
    abandon: bool = False


class PoolReports(Protocol):
    """The BatchPoolAccess objects, one per live pool. Never raises: failures are logged and tried again next time."""

    def existing(self, connection: AccountConnection) -> Mapping[str, ReportedPool]:
        """The objects that name this connection, by their own name."""
        ...

    def find(self, connection: AccountConnection, name: str) -> ReportedPool | None:
        """The object of that name, if it names this connection."""
        ...

    async def create(self, connection: AccountConnection, *, name: str, pool_id: str) -> ReportedPool | None:
        """Make the object of a pool, in place of one that is not this connection's; None if that failed."""
        ...

    async def write(self, reported: ReportedPool, status: PoolStatus) -> ReportedPool | None:
        """Make `status` the whole status; the object as it is then, the very same if it said so already.

        Its journal and what earlier drains taught stay as they are stored. None if the write failed.
        """
        ...

    async def write_journal(
        self, reported: ReportedPool, *, journal: JournalStatus | None, drains: DrainsStatus | None
    ) -> ReportedPool | None:
        """Make these two parts the stored ones and leave the rest of the status alone; the object as it is then.

        None if it is not certain that they are stored, or if somebody else wrote either part since `reported`.
        """
        ...

    async def delete(self, name: str) -> bool:
        """Delete the object of a pool that is gone; whether it is gone now."""
        ...


class Finalizers(Protocol):
    """Keeps connections and policies from going while a saga of theirs is open. Never raises; failures are logged."""

    def cluster_uid(self) -> str | None:
        """The UID of the cluster, which is that of its namespace kube-system; None while that is not known."""
        ...

    async def hold(self, connection: AccountConnection, policy: AccessPolicy | None) -> bool:
        """Put our finalizer on both; whether it is there now. What is being deleted cannot be held any more."""
        ...

    async def release_connection(self, name: str) -> bool:
        """Take our finalizer off a connection; whether it is gone now."""
        ...

    async def release_policy(self, key: ObjectKey) -> bool:
        """Take our finalizer off a policy; whether it is gone now."""
        ...

    def held_policies(self) -> Collection[ObjectKey]:
        """The policies that carry our finalizer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One consistent reading of what is declared. A changed `version` means that anything may have changed."""

    version: int
    connections: Sequence[AccountConnection]
    policies: Sequence[AccessPolicy]
    namespace_labels: Mapping[str, Mapping[str, str]]


class PolicyStore(Protocol):
    """What people declared, from Kubernetes or from files."""

    def catalogue(self) -> Catalogue:
        """The latest reading; the same object while nothing changed."""
        ...


class Recorder(Protocol):
    """Kubernetes events on one object; repeats are aggregated, failures are logged and never raised."""

    async def record(
        self,
        *,
        kind: str,
        name: str,
        namespace: str | None,
        uid: str,
        event_type: EventType,
        reason: EventReason,
        message: str,
    ) -> None:
        """Emit one event."""
        ...


class Clock(Protocol):
    """Time, so that tests can pass it."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...
