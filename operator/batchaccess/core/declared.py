"""What people declare: policies, connections and their parts, as the custom resources say it.

Everything is checked and defaulted already (`batchaccess.api`); None means that something is not declared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from batchaccess.core.model import ObjectKey, PortRange, Protocol, Provisioning, Rule


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

    def leaves(self, port: int) -> bool:
        """Whether nothing is declared about who reaches a backend port that no endpoint of the pool maps."""
        return self.unlisted is Unlisted.KEEP and all(item.backend_port != port for item in self.items)


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
    """A BatchAccountConnection. `deleting` is set once Kubernetes was asked to delete it.

    `leaving_since` is when that was, or when the operator was told to leave (`batchaccess uninstall`). `abandon` asks
    to give up its open sagas as they are.
    """

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
    leaving_since: datetime | None = None
    abandon: bool = False
