"""Writes the statuses of policies and connections: as soon as what they say may have changed, by an event or a sweep.

Written only if they differ from what is stored, and again if somebody edits them. Pools are the sweeps' own matter.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from typing import Final

from batchaccess.api import render_status, stored_conditions
from batchaccess.control.statusviews import StatusViews
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import ConditionStatus, ConditionType, ConnectionReason, EventReason, EventType
from batchaccess.core.status import Condition, ConnectionStatus, PolicyStatus
from batchaccess.kube.cache import CachedObject, Key
from batchaccess.kube.catalogue import Connection, LiveCatalogue, Policy, Reading
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.kube.statuswriter import StatusWriter, WriteOutcome
from batchaccess.ports import Clock, Recorder, StoredStatus
from batchaccess.sweep.summary import SweepSummary
from batchaccess.telemetry.logcontext import log_context
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.rows import ConnectionRow, PolicyRow

_log = logging.getLogger(__name__)

_GATHER_SECONDS: Final = 0.05
"""How long changes are gathered: a policy and the connection it names often come together."""

_AT_ONCE: Final = 16
"""Statuses written at the same time; the API server's own fairness does the rest."""

_RETRY_SECONDS: Final = 5
"""After a status could not be written."""


class StatusReports:
    """Keeps the statuses of all policies and connections as they should be."""

    def __init__(
        self,
        *,
        live: LiveCatalogue,
        views: StatusViews,
        writer: StatusWriter,
        recorder: Recorder,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._live = live
        self._views = views
        self._writer = writer
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._stale: dict[tuple[Resource, Key], None] = {}
        self._woken = asyncio.Event()

    def swept(self, summary: SweepSummary) -> None:
        """Take in the end of a sweep."""
        self._mark(CONNECTIONS, (None, summary.connection.name))
        self._mark_policies(self._views.swept(summary))

    def forget(self, connection: str) -> None:
        """A connection is no longer swept: nothing is known of its pools any more."""
        self._mark_policies(self._views.forget(connection))

    def sagas_changed(self, connection: str, policies: Collection[ObjectKey]) -> None:
        """Sagas were opened or ended: who is being deleted says for which pools it stays."""
        self._mark(CONNECTIONS, (None, connection))
        self._mark_policies(policies)

    def notice(self, reading: Reading) -> None:
        """Take in a change in Kubernetes."""
        if reading.resource == POOL_ACCESSES:
            return
        entry = reading.change.after or reading.change.before
        if entry is not None and reading.resource != NAMESPACES:
            self._mark(reading.resource, entry.key)
        if reading.resource != POLICIES and reading.change.is_of_value:
            self.mark_all()

    def mark_all(self) -> None:
        """Look at every status again: who is a duplicate and which policies are accepted may have changed."""
        for connection in self._live.connections():
            self._mark(CONNECTIONS, connection.key)
        for policy in self._live.policies():
            self._mark(POLICIES, policy.key)

    async def run(self) -> None:
        """Write what has to be written, for ever."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._woken.clear()
            if not await self.report():
                await asyncio.sleep(_RETRY_SECONDS)
                self._woken.set()

    async def report(self) -> bool:
        """Bring everything that changed up to date once; False if something has to be tried again."""
        stale, self._stale = self._stale, {}
        # Connections first: one line of them tells more than thousands of policies, which may take a while.
        ordered = sorted(stale, key=lambda each: each[0] != CONNECTIONS)
        again: dict[tuple[Resource, Key], None] = {}
        for start in range(0, len(ordered), _AT_ONCE):
            several = ordered[start : start + _AT_ONCE]
            written = await asyncio.gather(*(self._attempt(resource, key) for resource, key in several))
            again |= {each: None for each, done in zip(several, written, strict=True) if not done}
        self._stale.update(again)
        return not again

    async def _attempt(self, resource: Resource, key: Key) -> bool:
        """Bring one status up to date; False if it has to be tried again."""
        try:
            return await self._report_one(resource, key)
        except Exception:  # noqa: BLE001 one status that cannot be derived must not hold up all others
            _log.exception("the status of %s %s could not be derived", resource.kind, key[1])
            return True

    def _mark_policies(self, keys: Iterable[ObjectKey]) -> None:
        for key in keys:
            self._mark(POLICIES, (key.namespace, key.name))

    def _mark(self, resource: Resource, key: Key) -> None:
        self._stale[resource, key] = None
        self._woken.set()

    async def _report_one(self, resource: Resource, key: Key) -> bool:
        if resource == POLICIES:
            policy = self._live.policy(key)
            if policy is None:
                self._metrics.forget_policy(ObjectKey(namespace=key[0] or "", name=key[1]))
                return True
            return await self._report_policy(policy)
        connection = self._live.connection(key[1])
        if connection is None:
            self._metrics.forget_connection(key[1])
            return True
        return await self._report_connection(connection)

    async def _report_policy(self, entry: CachedObject[Policy]) -> bool:
        status = self._views.policy_status(entry, self._live.catalogue(), now=self._clock.now())
        policy = entry.value if isinstance(entry.value, AccessPolicy) else None
        self._metrics.observe_policy(
            PolicyRow(
                policy=ObjectKey(namespace=entry.stored.namespace or "", name=entry.stored.name),
                mode=None if policy is None else policy.mode,
                suspended=policy is not None and policy.suspend,
                conditions=status.conditions,
            )
        )
        return await self._write(POLICIES, entry, status, ConditionType.ACCEPTED)

    async def _report_connection(self, entry: CachedObject[Connection]) -> bool:
        status = self._views.connection_status(entry, now=self._clock.now())
        if status is None:
            return True
        name = entry.stored.name
        connection = entry.value if isinstance(entry.value, AccountConnection) else None
        self._metrics.connection(name).observe(
            ConnectionRow(
                connection=name,
                suspended=connection is not None and connection.suspend,
                sync_period_seconds=0 if connection is None else connection.sync_period_seconds,
                conditions=status.conditions,
            )
        )
        return await self._write(CONNECTIONS, entry, status, ConditionType.READY)

    async def _write(
        self,
        resource: Resource,
        entry: CachedObject[Policy] | CachedObject[Connection],
        status: PolicyStatus | ConnectionStatus,
        telling: ConditionType,
    ) -> bool:
        """Write a status, and an event if the condition that tells most changed; False if it has to be tried again."""
        stored = entry.stored
        before = _condition(stored_conditions(stored.status), telling)
        outcome = await self._writer.write(
            resource, namespace=stored.namespace, name=stored.name, uid=stored.uid, status=render_status(status)
        )
        after = _condition(status.conditions, telling)
        if outcome is WriteOutcome.WRITTEN and after is not None and _differs(before, after):
            event_type, reason = _event(resource, after)
            level = logging.WARNING if event_type is EventType.WARNING else logging.INFO
            with _logged(resource, stored):
                _log.log(level, "%s: %s: %s", reason, after.reason, after.message)
            await self._recorder.record(
                kind=resource.kind,
                name=stored.name,
                namespace=stored.namespace,
                uid=stored.uid,
                event_type=event_type,
                reason=reason,
                message=f"{after.reason}: {after.message}",
            )
        return outcome not in (WriteOutcome.FAILED, WriteOutcome.CONFLICT)


def _condition(conditions: tuple[Condition, ...], type: ConditionType) -> Condition | None:
    return next((condition for condition in conditions if condition.type is type), None)


def _logged(resource: Resource, stored: StoredStatus) -> AbstractContextManager[None]:
    """Lines logged inside are about this policy or connection."""
    if resource == POLICIES:
        return log_context(policy=f"{stored.namespace}/{stored.name}")
    return log_context(connection=stored.name)


def _differs(before: Condition | None, after: Condition) -> bool:
    return before is None or (before.status, before.reason) != (after.status, after.reason)


def _event(resource: Resource, condition: Condition) -> tuple[EventType, EventReason]:
    good = condition.status is ConditionStatus.TRUE
    if resource == POLICIES:
        reason = EventReason.POLICY_ACCEPTED if good else EventReason.POLICY_REFUSED
    elif condition.reason in (ConnectionReason.LEAVING, ConnectionReason.DELETING):
        return EventType.NORMAL, EventReason.CONNECTION_LEAVING
    else:
        reason = EventReason.CONNECTED if good else EventReason.CONNECTION_FAILED
    return EventType.NORMAL if good else EventType.WARNING, reason
