"""What a sweep feeds to the metrics: one row per object, replaced as a whole, gone when the object is gone.

Rows hold the conditions exactly as written to the objects' status, so that metrics and `kubectl` cannot disagree.
Keep handing in the same row object while nothing about its object changed: its series are then not rendered again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchaccess.core.declared import Mode
from batchaccess.core.model import (
    IpFamily,
    ObjectKey,
)
from batchaccess.core.reasons import PoolOutcome
from batchaccess.core.status import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """One live pool of a connection.

    Ports are backend ports. `violating_ports` are those reachable from the Internet although an assertion, a guardrail
    or the network declared by the governing policy closes them: what a person is paged for. `exposed_addresses` counts
    the source addresses outside the pool's own network that reach some endpoint, by family. `failed_assertions` counts
    those that fail for certain, by the policy that makes them, whoever governs; policies with none are left out.
    """

    pool: str
    outcome: PoolOutcome
    conditions: tuple[Condition, ...]
    policy: ObjectKey | None = None
    mode: Mode | None = None
    internet_open_ports: frozenset[int] = frozenset()
    internet_undetermined_ports: frozenset[int] = frozenset()
    violating_ports: frozenset[int] = frozenset()
    exposed_addresses: Mapping[IpFamily, int] = field(default_factory=dict)
    failed_assertions: Mapping[ObjectKey, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One BatchPoolAccessPolicy; `mode` is None if what was declared cannot be read."""

    policy: ObjectKey
    mode: Mode | None
    suspended: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """One BatchAccountConnection."""

    connection: str
    suspended: bool
    sync_period_seconds: int
    conditions: tuple[Condition, ...]
