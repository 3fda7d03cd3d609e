"""Compute nodes: their life from creating to gone, and what the service shows of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from batchemulator.wire.times import format_instant

if TYPE_CHECKING:
    from datetime import datetime

    from batchemulator.wire.messages import JsonObject


_AGENT_VERSION = "1.12.39"


class NodeKind(StrEnum):
    """Dedicated or Spot (which the API still calls low-priority)."""

    DEDICATED = "dedicated"
    LOW_PRIORITY = "low-priority"

    @property
    def suffix(self) -> str:
        """The last letter of a node id."""
        return "d" if self is NodeKind.DEDICATED else "p"


class NodeState(StrEnum):
    """The node states the emulator goes through, spelled as on the wire."""

    CREATING = "creating"
    STARTING = "starting"
    IDLE = "idle"
    RUNNING = "running"
    LEAVING_POOL = "leavingpool"


class Departure(StrEnum):
    """Why a node that is to leave is still there."""

    WAITING_FOR_TASKS = "waiting-for-tasks"
    WAITING_FOR_RETENTION = "waiting-for-retention"
    LEAVING = "leaving"


@dataclass(slots=True, kw_only=True)
class Node:
    """One node. `index` counts from 0 within its kind and decides its frontend ports."""

    id: str
    kind: NodeKind
    index: int
    address: str
    state: NodeState
    state_changed: datetime
    allocated: datetime
    booted: datetime | None = None
    """When its operating system was up; before that it has no agent."""
    scheduling_enabled: bool = True
    departure: Departure | None = None
    wait_for_retention: bool = False
    """Whether, once its tasks are done, it stays for their data's retention time (option retaineddata)."""
    retained_until: datetime | None = None
    """Until when the data of a task that ran here is retained."""
    running: list[tuple[str, str]] = field(default_factory=list)
    """(job key, task key) of what runs now."""
    tasks_run: int = 0
    tasks_succeeded: int = 0

    def enter(self, state: NodeState, now: datetime) -> None:
        """Change the state and note when."""
        if self.state is not state:
            self.state = state
            self.state_changed = now

    @property
    def is_leaving(self) -> bool:
        """Whether the node has been told to go."""
        return self.departure is not None

    @property
    def takes_tasks(self) -> bool:
        """Whether the scheduler may give it a task."""
        return self.scheduling_enabled and not self.is_leaving and self.state in {NodeState.IDLE, NodeState.RUNNING}


def node_id(account: str, pool_id: str, kind: NodeKind, serial: int) -> str:
    """A node id in the service's form, the same for the same history."""
    digest = hashlib.sha256(f"{account}/{pool_id}/{kind}/{serial}".encode()).hexdigest()
    return f"tvmps_{digest}_{kind.suffix}"


def render_node(
    node: Node,
    *,
    url: str,
    vm_size: str,
    image: JsonObject | None,
    endpoints: list[JsonObject],
    has_ipv6: bool,
) -> JsonObject:
    """The node as GET shows it."""
    document: JsonObject = {
        "id": node.id,
        "url": url,
        "state": node.state.value,
        "schedulingState": "enabled" if node.scheduling_enabled else "disabled",
        "stateTransitionTime": format_instant(node.state_changed),
    }
    if node.booted is not None:
        document["lastBootTime"] = format_instant(node.booted)
    document |= {
        "allocationTime": format_instant(node.allocated),
        "ipAddress": node.address,
    }
    if has_ipv6:
        document["ipv6Address"] = f"fd00::{node.address.rpartition('.')[2]}"
    document |= {
        "affinityId": f"TVM:{node.id}",
        "vmSize": vm_size,
        "totalTasksRun": node.tasks_run,
        "totalTasksSucceeded": node.tasks_succeeded,
        "runningTasksCount": len(node.running),
        "runningTaskSlotsCount": len(node.running),
        "isDedicated": node.kind is NodeKind.DEDICATED,
    }
    if endpoints:
        document["endpointConfiguration"] = {"inboundEndpoints": endpoints}
    if node.booted is not None:
        document["nodeAgentInfo"] = {"lastUpdateTime": format_instant(node.booted), "version": _AGENT_VERSION}
    if image is not None:
        document["virtualMachineInfo"] = {"imageReference": {**image, "exactVersion": "latest"}}
    return document
