"""Pool reports and events in memory, for tests of the sweep."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from batchaccess.api import render_part, render_status
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import EventReason, EventType
from batchaccess.core.status import DrainsStatus, JournalStatus, PoolStatus
from batchaccess.ports import ReportedPool, StoredStatus


@dataclass
class FakeReports:
    """Implements `ports.PoolReports`; `writes` names every object made, written or deleted, in order."""

    objects: dict[str, ReportedPool] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    refuse: frozenset[str] = frozenset()
    """Names whose writes fail."""

    def existing(self, connection: AccountConnection) -> Mapping[str, ReportedPool]:
        return {name: each for name, each in self.objects.items() if name.startswith(f"{connection.name}.")}

    def find(self, connection: AccountConnection, name: str) -> ReportedPool | None:
        return self.objects.get(name) if name.startswith(f"{connection.name}.") else None

    async def create(
        self,
        connection: AccountConnection,  # noqa: ARG002 the port's signature
        *,
        name: str,
        pool_id: str,
    ) -> ReportedPool | None:
        found = self.objects.get(name)
        if found is not None and found.owned and found.pool_id == pool_id:
            return found
        self.writes.append(f"create {name}")
        if name in self.refuse:
            return None
        stored = StoredStatus(name=name, namespace=None, uid=f"uid-{name}", generation=1, status={})
        self.objects[name] = ReportedPool(stored=stored, pool_id=pool_id)
        return self.objects[name]

    async def write(self, reported: ReportedPool, status: PoolStatus) -> ReportedPool | None:
        name = reported.stored.name
        reported = replace(self.objects.get(name, reported), requested_at=reported.requested_at)
        kept = {key: value for key, value in reported.stored.status.items() if key in ("journal", "drains")}
        rendered = render_status(status) | kept
        if rendered == reported.stored.status:
            return reported
        self.writes.append(f"write {name}")
        if name in self.refuse:
            return None
        self.objects[name] = replace(reported, stored=replace(reported.stored, status=rendered))
        return self.objects[name]

    async def write_journal(
        self, reported: ReportedPool, *, journal: JournalStatus | None, drains: DrainsStatus | None
    ) -> ReportedPool | None:
        name = reported.stored.name
        present = self.objects.get(name)
        parts = {"journal": journal, "drains": drains}
        wanted = {key: render_part(part) for key, part in parts.items() if part is not None}
        if present is None or not _says(present, reported.stored.status, wanted):
            return None
        rest = {key: value for key, value in present.stored.status.items() if key not in parts}
        if {**rest, **wanted} == present.stored.status:
            return present
        self.writes.append(f"journal {name}")
        if name in self.refuse:
            return None
        self.objects[name] = replace(present, stored=replace(present.stored, status={**rest, **wanted}))
        return self.objects[name]

    async def delete(self, name: str) -> bool:
        self.writes.append(f"delete {name}")
        return self.objects.pop(name, None) is not None

    def status(self, name: str) -> Mapping[str, Any]:
        """The status stored for an object."""
        return self.objects[name].stored.status

    def condition(self, name: str, type: str) -> tuple[str, str]:
        """Status and reason of one condition of an object."""
        found = next(each for each in self.status(name)["conditions"] if each["type"] == type)
        return found["status"], found["reason"]

    def message(self, name: str, type: str) -> str:
        """Message of one condition of an object."""
        found = next(each for each in self.status(name)["conditions"] if each["type"] == type)
        return str(found["message"])

    def request(self, name: str, at: str) -> None:
        """Somebody annotates the object with `requested-at`."""
        self.objects[name] = replace(self.objects[name], requested_at=at)

    def overwrite(self, name: str, status: Mapping[str, Any]) -> None:
        """Somebody edits the status by hand."""
        found = self.objects[name]
        self.objects[name] = replace(found, stored=replace(found.stored, status=status))


def _says(present: ReportedPool, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the journal of an object is what a writer knew, or what it wants already."""
    stored = present.stored.status
    return all(stored.get(key) in (before.get(key), wanted.get(key)) for key in ("journal", "drains"))


@dataclass
class FakeFinalizers:
    """Implements `ports.Finalizers`; `failing` makes every change fail."""

    connections: set[str] = field(default_factory=set)
    policies: set[ObjectKey] = field(default_factory=set)
    cluster: str | None = "cluster-1"
    failing: bool = False
    changes: int = 0

    def cluster_uid(self) -> str | None:
        return self.cluster

    async def hold(self, connection: AccountConnection, policy: AccessPolicy | None) -> bool:
        if self.failing:
            return False
        before = len(self.connections) + len(self.policies)
        self.connections.add(connection.name)
        if policy is not None:
            self.policies.add(policy.key)
        self.changes += len(self.connections) + len(self.policies) - before
        return True

    async def release_connection(self, name: str) -> bool:
        self.changes += name in self.connections
        self.connections.discard(name)
        return not self.failing

    async def release_policy(self, key: ObjectKey) -> bool:
        self.changes += key in self.policies
        self.policies.discard(key)
        return not self.failing

    def held_policies(self) -> Collection[ObjectKey]:
        return tuple(self.policies)


@dataclass
class FakeRecorder:
    """Implements `ports.Recorder`; `warnings` are the messages of the events of that type."""

    events: list[tuple[str, EventReason, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    async def record(
        self,
        *,
        kind: str,  # noqa: ARG002 the port's signature
        name: str,
        namespace: str | None,  # noqa: ARG002
        uid: str,  # noqa: ARG002
        event_type: EventType,
        reason: EventReason,
        message: str,
    ) -> None:
        self.events.append((name, reason, message))
        if event_type is EventType.WARNING:
            self.warnings.append(message)

    def reasons(self, name: str) -> list[EventReason]:
        """Reasons of the events about one object, in order."""
        return [reason for about, reason, _ in self.events if about == name]

    def told(self, name: str, *reasons: EventReason) -> list[str]:
        """Messages of the events about one object for one of these reasons, in order."""
        return [message for about, reason, message in self.events if about == name and reason in reasons]
