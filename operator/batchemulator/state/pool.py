"""One pool: what its owner configured, and what the service does with it at the moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from batchemulator.state.nodes import Node, NodeKind

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject


class PoolState(StrEnum):
    """Whether a pool is there to stay."""

    ACTIVE = "active"
    DELETING = "deleting"


class AllocationState(StrEnum):
    """Whether the number of nodes is changing."""

    STEADY = "steady"
    RESIZING = "resizing"
    STOPPING = "stopping"


class DeallocationOption(StrEnum):
    """What happens to running tasks of nodes that leave."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    TASK_COMPLETION = "taskcompletion"
    RETAINED_DATA = "retaineddata"


@dataclass(frozen=True, slots=True)
class Targets:
    """How many nodes of each kind are wanted."""

    dedicated: int = 0
    low_priority: int = 0

    def of(self, kind: NodeKind) -> int:
        """The number wanted of one kind."""
        return self.dedicated if kind is NodeKind.DEDICATED else self.low_priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscale:
    """The formula in force and its last run."""

    formula: str
    interval: timedelta
    serial: int
    run: JsonObject | None = None


DEFAULT_RESIZE_TIMEOUT = timedelta(minutes=15)


@dataclass(slots=True, kw_only=True)
class Pool:
    """A pool. Whoever changes one calls `invalidate`, or answers keep showing what was."""

    id: str
    serial: int
    """Tells this pool from an earlier one of the same id."""
    created: datetime
    modified: datetime
    etag: str
    settings: JsonObject
    """The configured properties, normalised; keys the emulator does not know are kept."""
    state_changed: datetime
    allocation_changed: datetime
    state: PoolState = PoolState.ACTIVE
    allocation: AllocationState = AllocationState.STEADY
    targets: Targets = Targets()
    nodes: list[Node] = field(default_factory=list)
    resize_timeout: timedelta = DEFAULT_RESIZE_TIMEOUT
    resize_errors: list[JsonObject] = field(default_factory=list)
    resize_serial: int = 0
    """Changes with every resize: events of an earlier one say nothing about this one."""
    deallocation: DeallocationOption = DeallocationOption.REQUEUE
    autoscale: Autoscale | None = None
    autoscale_enabled_at: datetime | None = None
    """When autoscale was last enabled, also after it was disabled: enabling is limited to once in 30 s."""
    legacy_mapping: bool = False
    """Whether nodes carry the implicit SSH or RDP endpoint of pools from before the cut-over."""
    nodes_made: int = 0
    earlier: Pool | None = field(default=None, repr=False, compare=False)
    """As it was before the last write, for stale reads; None before the first."""
    serialised: dict[object, bytes] = field(default_factory=dict, repr=False, compare=False)
    """Rendered forms by (version, keys, base URL), dropped at every change."""

    def snapshot(self) -> Pool:
        """The pool as answers show it now, whatever becomes of it."""
        nodes, errors = list(self.nodes), list(self.resize_errors)
        return replace(self, nodes=nodes, resize_errors=errors, earlier=None, serialised={})

    def invalidate(self) -> None:
        """Forget the rendered forms."""
        self.serialised.clear()

    def count(self, kind: NodeKind) -> int:
        """How many nodes of a kind there are, leaving ones included."""
        return sum(node.kind is kind for node in self.nodes)

    def staying(self, kind: NodeKind) -> list[Node]:
        """The nodes of a kind that were not told to go."""
        return [node for node in self.nodes if node.kind is kind and not node.is_leaving]

    def enter_allocation(self, state: AllocationState, now: datetime) -> None:
        """Change the allocation state and note when; the ETag stays (recorded)."""
        if self.allocation is not state:
            self.allocation = state
            self.allocation_changed = now

    @property
    def is_windows(self) -> bool:
        """Whether its nodes run Windows, as far as the configuration tells."""
        machine: JsonObject = self.settings.get("virtualMachineConfiguration", {})
        agent = str(machine.get("nodeAgentSKUId", "")).lower()
        return "windows" in agent or "cloudServiceConfiguration" in self.settings

    @property
    def task_slots(self) -> int:
        """How many tasks a node runs at a time."""
        return int(self.settings.get("taskSlotsPerNode", 1))


def pool_key(pool_id: str) -> str:
    """Pool ids differ by more than case (data-plane docs): the key under which a pool is found."""
    return pool_id.lower()
