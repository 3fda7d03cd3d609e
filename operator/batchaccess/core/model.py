"""The values everything else speaks in: what a pool looks like and what people declared.

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
    the service itself, that is by an endpoint which no NAT pool of the pool accounts for.
    """

    nodes: int
    implicit_ports: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ObjectKey:
    """Namespace and name of a Kubernetes object."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As `kubectl` users write it: `namespace/name`."""
        return f"{self.namespace}/{self.name}"


class Mode(StrEnum):
    """Whether a policy only reports or also corrects."""

    AUDIT = "Audit"
    ENFORCE = "Enforce"


class Unlisted(StrEnum):
    """What a policy wants of endpoints it does not name."""

    REMOVE = "Remove"
    KEEP = "Keep"


class Strategy(StrEnum):
    """How a policy lets a pool be corrected."""

    WHEN_EMPTY = "WhenEmpty"
    DRAIN = "Drain"


class NodeDeallocation(StrEnum):
    """What happens to running tasks when nodes are drained."""

    TASK_COMPLETION = "TaskCompletion"
    REQUEUE = "Requeue"
    TERMINATE = "Terminate"


class WindowKind(StrEnum):
    """Whether a window permits or forbids the start of a drain."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredEndpoint:
    """One endpoint as declared. Exactly one of `allow_from` and `rules` is set; an empty `allow_from` means closed."""

    name: str
    protocol: Protocol
    backend_port: int
    frontend: PortRange
    allow_from: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredEndpoints:
    """The declared endpoints and what happens to others."""

    unlisted: Unlisted = Unlisted.REMOVE
    items: tuple[DesiredEndpoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredPublicAddresses:
    """The declared provisioning of public addresses; `address_ids` only with UserManaged."""

    provisioning: Provisioning
    address_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredAccess:
    """What a policy declares. None means: not managed, and never drift."""

    endpoints: DesiredEndpoints | None = None
    public_addresses: DesiredPublicAddresses | None = None
    subnet_id: str | None = None
    accelerated_networking: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A property that must hold whatever the configuration.

    `not_reachable_from` holds `Internet`, `VirtualNetwork` and CIDRs; `ports` are backend ports, empty meaning all.
    """

    name: str
    not_reachable_from: tuple[str, ...]
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A recurring time span that permits or forbids the start of a drain."""

    kind: WindowKind
    schedule: str
    duration_seconds: int
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """How a policy lets its pools be corrected."""

    strategy: Strategy = Strategy.WHEN_EMPTY
    pause_autoscale: bool = False
    node_deallocation: NodeDeallocation = NodeDeallocation.TASK_COMPLETION
    drain_timeout_seconds: int = 7200
    max_concurrent: int = 1
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSelector:
    """Objects selected by name or by labels; exactly one of the two is set."""

    names: tuple[str, ...] | None = None
    match_labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSelector:
    """Pools selected by id globs, excluded ids and metadata; all given parts must match. No ids means every id."""

    ids: tuple[str, ...] = ("*",)
    exclude_ids: tuple[str, ...] = ()
    match_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """A BatchPoolAccessPolicy. `deleting` is set once Kubernetes was asked to delete it."""

    key: ObjectKey
    uid: str
    generation: int
    created: datetime
    connections: NameSelector
    pools: PoolSelector = field(default_factory=PoolSelector)
    priority: int = 0
    mode: Mode = Mode.AUDIT
    suspend: bool = False
    access: DesiredAccess = field(default_factory=DesiredAccess)
    assertions: tuple[Assertion, ...] = ()
    remediation: Remediation = field(default_factory=Remediation)
    deleting: bool = False
    requested_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceSelector:
    """Namespaces selected by name, by labels, or all of them; exactly one of the three is set."""

    names: tuple[str, ...] | None = None
    match_labels: Mapping[str, str] | None = None
    all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What policies of some namespaces may do to some pools of an account."""

    namespaces: NamespaceSelector
    pools: tuple[str, ...] = ("*",)
    max_priority: int = 0
    modes: tuple[Mode, ...] = (Mode.AUDIT,)
    strategies: tuple[Strategy, ...] = (Strategy.WHEN_EMPTY,)


class AuthType(StrEnum):
    """How the operator proves who it is to a Batch account."""

    WORKLOAD_IDENTITY = "WorkloadIdentity"
    MANAGED_IDENTITY = "ManagedIdentity"
    CLIENT_SECRET = "ClientSecret"  # noqa: S105 the word of the CRD, not a secret
    SHARED_KEY = "SharedKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """A key of a Secret in the operator's own namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How to authenticate; never the secret itself."""

    type: AuthType
    client_id: str | None = None
    tenant_id: str | None = None
    secret_ref: SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBudget:
    """A token bucket: sustained requests per second, and how many may come at once."""

    per_second: float = 10
    burst: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConnection:
    """A BatchAccountConnection. `deleting` is set once Kubernetes was asked to delete it."""

    name: str
    uid: str
    generation: int
    created: datetime
    endpoint: str
    auth: Auth
    labels: Mapping[str, str] = field(default_factory=dict)
    sync_period_seconds: int = 60
    request_budget: RequestBudget = field(default_factory=RequestBudget)
    max_concurrent_drains: int = 1
    grants: tuple[Grant, ...] = ()
    forbid_internet_ports: tuple[int, ...] = ()
    suspend: bool = False
    deleting: bool = False
    requested_at: str | None = None
