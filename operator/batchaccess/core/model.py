"""The values everything else speaks in: what a pool looks like. What people declare is in `core.declared`.

Observed values are normalised already: service defaults filled in, closed words in our spelling, lists in canonical
order (REST document "Pool - Get"; what the service omits means its default, never "nothing to compare").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

JsonObject: TypeAlias = Mapping[str, Any]

LEGACY_CUT_OVER: Final = datetime(2025, 12, 1, tzinfo=UTC)
"""Pools created before this instant may carry implicit SSH or RDP mappings (Azure/Batch issue 182)."""

LOGIN_PORTS: Final = (22, 3389)
"""Backend ports that the service mapped implicitly before the cut-over."""


class Protocol(StrEnum):
    """Transport protocol of an inbound NAT pool."""

    TCP = "TCP"
    UDP = "UDP"
    UNKNOWN = "Unknown"
    """The service answered a word this version does not know; what depends on it is Undetermined."""


class Access(StrEnum):
    """Effect of a network security group rule."""

    ALLOW = "Allow"
    DENY = "Deny"
    UNKNOWN = "Unknown"
    """The service answered a word this version does not know; what depends on it is Undetermined."""


class Provisioning(StrEnum):
    """Where the public IP addresses of a pool come from."""

    BATCH_MANAGED = "BatchManaged"
    USER_MANAGED = "UserManaged"
    NO_PUBLIC_IP_ADDRESSES = "NoPublicIPAddresses"
    UNKNOWN = "Unknown"
    """The service answered a word this version does not know; what depends on it is Undetermined."""


class IpFamily(StrEnum):
    """IP family of the public addresses of a pool."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


class PoolState(StrEnum):
    """Life cycle of a pool."""

    ACTIVE = "active"
    DELETING = "deleting"
    UNKNOWN = "unknown"


class AllocationState(StrEnum):
    """Whether the node count of a pool is changing."""

    STEADY = "steady"
    RESIZING = "resizing"
    STOPPING = "stopping"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports from `start` to `end`, both included."""

    start: int
    end: int

    def __str__(self) -> str:
        """One port as `22`, more as `4000-4100`."""
        return str(self.start) if self.start == self.end else f"{self.start}-{self.end}"


ALL_PORTS: Final = PortRange(0, 65535)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One network security group rule of an inbound NAT pool.

    `source` is an IP address, a CIDR, `*` or a service tag, as written; `source_ports` is never empty.
    """

    priority: int
    access: Access
    source: str
    source_ports: tuple[PortRange, ...] = (ALL_PORTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEndpoint:
    """One inbound NAT pool: frontend ports of the public address mapped to one backend port of every node.

    `rules` are in ascending priority. No rules at all means that the service admits everyone.
    """

    name: str
    protocol: Protocol
    backend_port: int
    frontend: PortRange
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IpTag:
    """A tag of the public IP addresses that Batch creates."""

    type: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network configuration of a pool, normalised.

    `endpoints` are sorted by name. `subnet_id` and `address_ids` keep the spelling they were read with: Azure resource
    ids compare without regard to case. `address_ids` and `ip_tags` are sorted sets.
    """

    endpoints: tuple[InboundEndpoint, ...] = ()
    provisioning: Provisioning = Provisioning.BATCH_MANAGED
    address_ids: tuple[str, ...] = ()
    ip_families: tuple[IpFamily, ...] = (IpFamily.IPV4,)
    ip_tags: tuple[IpTag, ...] = ()
    subnet_id: str | None = None
    accelerated_networking: bool = False
    dynamic_vnet_assignment_scope: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCounts:
    """Numbers of nodes, dedicated and low-priority (spot)."""

    dedicated: int = 0
    low_priority: int = 0

    @property
    def total(self) -> int:
        """All nodes of both kinds."""
        return self.dedicated + self.low_priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large a pool is and what decides it. Durations stay in the service's ISO 8601 text."""

    current: NodeCounts = field(default_factory=NodeCounts)
    target: NodeCounts = field(default_factory=NodeCounts)
    resize_timeout: str | None = None
    autoscale: bool = False
    autoscale_formula: str | None = None
    autoscale_interval: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataItem:
    """One name and value of a pool's metadata list; names may repeat."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPool:
    """A pool as the service described it.

    `raw_network` is the `networkConfiguration` object exactly as received, None where the key was absent; a PATCH is
    made from it so that no key is lost. `etag` is as in the body, without quotes.
    """

    id: str
    etag: str
    network: Network = field(default_factory=Network)
    raw_network: JsonObject | None = None
    state: PoolState = PoolState.ACTIVE
    allocation_state: AllocationState = AllocationState.STEADY
    allocation_state_transition_time: str = ""
    creation_time: datetime | None = None
    last_modified: datetime | None = None
    scale: Scale = field(default_factory=Scale)
    metadata: tuple[MetadataItem, ...] = ()

    @property
    def is_legacy(self) -> bool:
        """Whether implicit SSH or RDP mappings are possible: created before the cut-over, or at an unknown time."""
        return self.creation_time is None or self.creation_time < LEGACY_CUT_OVER

    @property
    def is_empty(self) -> bool:
        """Whether the service accepts a change of the network: active, steady, no node now or wanted, autoscale off."""
        return (
            self.state is PoolState.ACTIVE
            and self.allocation_state is AllocationState.STEADY
            and self.scale.current.total == 0
            and self.scale.target.total == 0
            and not self.scale.autoscale
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFindings:
    """What listing the nodes of a pool showed.

    `nodes` is how many were listed; with none of them nothing is known. `implicit_ports` are backend ports mapped by
    the service itself, that is by an endpoint which no NAT pool of the pool accounts for. `running_tasks` is how many
    tasks ran on them.
    """

    nodes: int
    implicit_ports: frozenset[int] = frozenset()
    running_tasks: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ObjectKey:
    """Namespace and name of a Kubernetes object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As `kubectl` users write it: `namespace/name`."""
        return f"{self.namespace}/{self.name}"
