"""The values written into the status subresource of the three kinds; `core.reporting` derives them.

Field names are those of the CRDs in snake case; None and empty optional parts are left out when rendered. Nothing here
changes by itself: no sweep times, no node counts. Metrics carry those.
"""

from dataclasses import dataclass
from datetime import datetime

from batchaccess.core.model import (
    Access,
    IpFamily,
    ObjectKey,
    PortRange,
    Protocol,
    Provisioning,
)
from batchaccess.core.reasons import (
    AcceptedReason,
    ConditionStatus,
    ConditionType,
    DriftClass,
)
from batchaccess.core.saga.breaker import PolicyGeneration


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition as the Kubernetes API conventions define it; `reason` is a member of `core.reasons`."""

    type: ConditionType
    status: ConditionStatus
    reason: str
    message: str
    observed_generation: int
    last_transition_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStatus:
    """One rule in the words of the CRD."""

    priority: int
    access: Access
    source_address_prefix: str
    source_port_ranges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """One observed endpoint and who reaches it.

    `internet` and `virtual_network` are zone verdicts: Open, Closed, Undetermined, NotApplicable. `admits` says it in
    words a person understands, `because` names the deciding rule and one example source. `implicit` marks a mapping
    that the service made itself and no PATCH can change.
    """

    name: str
    protocol: Protocol
    backend_port: int
    frontend_ports: PortRange | None
    rules: tuple[RuleStatus, ...]
    implicit: bool
    internet: str
    virtual_network: str
    admits: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus:
    """The observed network configuration of a pool, normalised."""

    provisioning: Provisioning
    address_ids: tuple[str, ...]
    ip_families: tuple[IpFamily, ...]
    subnet_id: str | None
    accelerated_networking: bool
    endpoints: tuple[EndpointStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between observed and desired, with what it means. `field` is a path such as `endpoints[SSH]`."""

    field: str
    kind: DriftClass
    observed: str
    desired: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionStatus:
    """Whether one assertion of one policy holds: True, False, or Unknown where reachability is undetermined."""

    policy: ObjectKey
    name: str
    holds: ConditionStatus
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last change we made to a pool's network, in one line before and one after.

    `exposed_since` is since when the pool is known to have been reachable from the Internet; None if it was not.
    """

    policy: ObjectKey
    time: datetime
    before: str
    after: str
    exposed_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScaleStatus:
    """The scale that a restore brings back. The formula is in parts, so that no bound on a text cuts it."""

    target_dedicated_nodes: int
    target_low_priority_nodes: int
    current_dedicated_nodes: int
    current_low_priority_nodes: int
    resize_timeout: str
    autoscale_formula: tuple[str, ...] = ()
    autoscale_interval: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStatus:
    """The Kubernetes copy of an open saga's journal, `status.journal` of a BatchPoolAccess.

    `step` is a step of the saga and `since` when it was begun; `etag` the pool's when the step was; `standing_...` the
    targets right before a resize to no nodes was to be sent, absent if none can have been; `emptied` that the pool was
    found empty; `restore_etag` the pool's right before its restore was to be sent and `restore_allocated` since when it
    was steady then; `ending` and `message` how the correction ended, once that is known.
    """

    version: int
    saga_id: str
    cluster_uid: str
    connection_uid: str
    pool_id: str
    pool_created: str | None
    policy: ObjectKey
    policy_uid: str
    policy_generation: int
    started: datetime
    scale: RecordedScaleStatus
    step: str
    since: datetime
    etag: str | None = None
    standing_dedicated_nodes: int | None = None
    standing_low_priority_nodes: int | None = None
    emptied: bool | None = None
    restore_etag: str | None = None
    restore_allocated: str | None = None
    ending: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainsStatus:
    """What earlier sagas of a pool teach, `status.drains` of a BatchPoolAccess; kept after they ended.

    `started` holds the last few starts. A saga that did not correct the pool leaves `reason`, `message` and the
    `network_digest` it holds for; that counts for one generation of one policy and one `requested` mark.
    """

    policy_uid: str
    policy_generation: int
    pool_created: str | None = None
    requested: str | None = None
    started: tuple[datetime, ...] = ()
    network_digest: str | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """Status of a BatchPoolAccess. `overridden` is capped, sorted by precedence.

    `in_order_under` is what governed the pool when it was last as declared; the breaker goes by it after a restart.
    `journal` and `drains` are written for themselves, before what they announce is done; None leaves them as they are.
    """

    observed_generation: int
    conditions: tuple[Condition, ...]
    policy: ObjectKey | None = None
    overridden: tuple[ObjectKey, ...] = ()
    network: NetworkStatus | None = None
    differences: tuple[Difference, ...] = ()
    assertions: tuple[AssertionStatus, ...] = ()
    last_change: Change | None = None
    in_order_under: PolicyGeneration | None = None
    journal: JournalStatus | None = None
    drains: DrainsStatus | None = None
    last_handled_requested_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTarget:
    """What one connection makes of a policy."""

    name: str
    accepted: bool
    reason: AcceptedReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCounts:
    """Exact numbers of pools, by what was concluded for them.

    Every pool is in `total` and in exactly one of the others but `internet_reachable`, which is counted beside them.
    `drifted` is drift that an Audit policy only reports; drift that is to be corrected is `pending` or `stalled`.
    """

    total: int = 0
    compliant: int = 0
    drifted: int = 0
    pending: int = 0
    stalled: int = 0
    violating: int = 0
    unmanaged: int = 0
    unknown: int = 0
    internet_reachable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolNotInOrder:
    """One pool that a policy governs and that is not as declared. `name` is that of its BatchPoolAccess."""

    name: str
    connection: str
    pool_id: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """Status of a BatchPoolAccessPolicy. `not_in_order` is capped, `pools` is exact."""

    observed_generation: int
    conditions: tuple[Condition, ...]
    connections: tuple[ConnectionTarget, ...] = ()
    pools: PoolCounts | None = None
    overridden: int = 0
    not_in_order: tuple[PoolNotInOrder, ...] = ()
    last_handled_requested_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """Status of a BatchAccountConnection."""

    observed_generation: int
    conditions: tuple[Condition, ...]
    pools: PoolCounts | None = None
    last_handled_requested_at: str | None = None
