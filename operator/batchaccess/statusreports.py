"""Statuses that no single sweep can write: policies, which span accounts, and connections that do not sweep.

Written as soon as what they say may have changed, be it by an event or by a sweep; only if they differ from what is
stored; and again if somebody edits them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchaccess.acceptances import Acceptances
from batchaccess.api import render_status, stored_conditions
from batchaccess.core.acceptance import Acceptance, invalid
from batchaccess.core.model import AccessPolicy, AccountConnection, ObjectKey
from batchaccess.core.policyreporting import invalid_policy_status, policy_status
from batchaccess.core.reasons import ConditionStatus, ConditionType, ConnectionReason, EventReason, EventType
from batchaccess.core.reporting import connection_status, invalid_connection_message
from batchaccess.core.status import Condition, ConnectionStatus, PolicyStatus
from batchaccess.core.tally import PolicyTally, merged
from batchaccess.duplicates import Assignment
from batchaccess.kube.cache import CachedObject, Key
from batchaccess.kube.catalogue import Connection, LiveCatalogue, Policy, Reading
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.kube.statuswriter import StatusWriter, WriteOutcome
from batchaccess.ports import Catalogue, Clock, InvalidObject, Recorder
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.rows import ConnectionRow, PolicyRow

_log = logging.getLogger(__name__)

_GATHER_SECONDS: Final = 0.05
"""How long changes are gathered: a policy and the namespace it is in come as two events."""

_RETRY_SECONDS: Final = 5
"""After a status could not be written."""

Tallies: TypeAlias = Mapping[ObjectKey, PolicyTally]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the last complete sweep of one connection saw: the policies it knew, and what their pools came to."""

    policies: Mapping[ObjectKey, AccessPolicy]
    tallies: Tallies


class StatusReports:
    """Keeps the statuses of all policies, and of connections that do not sweep, as they should be."""

    def __init__(
        self,
        *,
        live: LiveCatalogue,
        acceptances: Acceptances,
        assignment: Callable[[], Assignment],
        writer: StatusWriter,
        recorder: Recorder,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._live = live
        self._acceptances = acceptances
        self._assignment = assignment
        self._writer = writer
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._looks: dict[str, _Look] = {}
        self._stale: dict[tuple[Resource, Key], None] = {}
        self._woken = asyncio.Event()

    def swept(self, connection: str, catalogue: Catalogue, tallies: Tallies) -> None:
        """Take in what a sweep that listed the account came to."""
        before = self._looks.get(connection)
        policies = {policy.key: policy for policy in catalogue.policies}
        self._looks[connection] = _Look(policies=policies, tallies=tallies)
        known: Tallies = {} if before is None else before.tallies
        seen: Mapping[ObjectKey, AccessPolicy] = {} if before is None else before.policies
        for key, policy in policies.items():
            if seen.get(key) is not policy or known.get(key) != tallies.get(key):
                self._mark(POLICIES, (key.namespace, key.name))

    def forget(self, connection: str) -> None:
        """Nothing is known of the pools of this connection any more."""
        look = self._looks.pop(connection, None)
        for key in () if look is None else look.tallies:
            self._mark(POLICIES, (key.namespace, key.name))

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
        """Look at every status again."""
        for resource, entries in ((CONNECTIONS, self._live.connections()), (POLICIES, self._live.policies())):
            for entry in entries:
                self._mark(resource, entry.key)

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
        for resource, key in stale:
            try:
                written = await self._report_one(resource, key)
            except Exception:  # noqa: BLE001 one status that cannot be derived must not hold up all others
                _log.exception("the status of %s %s could not be derived", resource.kind, key[1])
                continue
            if not written:
                self._stale[resource, key] = None
        return not self._stale

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
        return connection is None or await self._report_connection(connection)

    async def _report_policy(self, entry: CachedObject[Policy]) -> bool:
        previous = stored_conditions(entry.stored.status)
        status = self._policy_status(entry, previous)
        key = ObjectKey(namespace=entry.stored.namespace or "", name=entry.stored.name)
        if isinstance(entry.value, AccessPolicy):
            row = PolicyRow(
                policy=key, mode=entry.value.mode, suspended=entry.value.suspend, conditions=status.conditions
            )
            self._metrics.observe_policy(row)
        else:
            self._metrics.forget_policy(key)
        return await self._write(POLICIES, entry, status, ConditionType.ACCEPTED)

    def _policy_status(self, entry: CachedObject[Policy], previous: tuple[Condition, ...]) -> PolicyStatus:
        policy, now = entry.value, self._clock.now()
        if isinstance(policy, InvalidObject):
            return invalid_policy_status(
                invalid(policy.problems), generation=policy.generation, previous=previous, now=now
            )
        acceptance = self._acceptances.of(self._live.catalogue())[policy.key]
        looks = self._looks_at(policy, acceptance)
        handled = entry.stored.status.get("lastHandledRequestedAt")
        return policy_status(
            policy,
            acceptance,
            None if looks is None else merged(look.tallies[policy.key] for look in looks if policy.key in look.tallies),
            previous=previous,
            now=now,
            requested_at=handled if looks is None else policy.requested_at,
        )

    def _looks_at(self, policy: AccessPolicy, acceptance: Acceptance) -> list[_Look] | None:
        """The looks at the accounts that the policy is for; None until every one of them saw it as it is now."""
        sweeping = self._assignment().sweeping
        names = [target.name for target in acceptance.targets if target.accepted and target.name in sweeping]
        looks = [self._looks.get(name) for name in names]
        complete = [look for look in looks if look is not None and look.policies.get(policy.key) is policy]
        return complete if len(complete) == len(looks) else None

    async def _report_connection(self, entry: CachedObject[Connection]) -> bool:
        """Speak for a connection that does not sweep; one that does speaks for itself."""
        status = self._idle_status(entry)
        if status is None:
            return True
        period = entry.value.sync_period_seconds if isinstance(entry.value, AccountConnection) else 0
        suspended = isinstance(entry.value, AccountConnection) and entry.value.suspend
        name = entry.stored.name
        self._metrics.connection(name).observe(
            ConnectionRow(
                connection=name, suspended=suspended, sync_period_seconds=period, conditions=status.conditions
            )
        )
        return await self._write(CONNECTIONS, entry, status, ConditionType.READY)

    def _idle_status(self, entry: CachedObject[Connection]) -> ConnectionStatus | None:
        connection, duplicates = entry.value, self._assignment().duplicates
        if isinstance(connection, InvalidObject):
            reason, message = ConnectionReason.INVALID, invalid_connection_message(connection.problems)
            requested_at = None
        elif connection.name in duplicates:
            reason, requested_at = ConnectionReason.DUPLICATE_ENDPOINT, connection.requested_at
            message = (
                f"Connection {duplicates[connection.name]} names the same account and is older: it sweeps, this one "
                "does not. Delete one of them."
            )
        else:
            return None
        return connection_status(
            reason,
            message,
            pools=None,
            generation=connection.generation,
            previous=stored_conditions(entry.stored.status),
            now=self._clock.now(),
            requested_at=requested_at,
        )

    async def _write(
        self,
        resource: Resource,
        entry: CachedObject[Policy] | CachedObject[Connection],
        status: PolicyStatus | ConnectionStatus,
        telling: ConditionType,
    ) -> bool:
        """Write a status, and an event if the condition that tells most was flipped; False if it has to be repeated."""
        stored = entry.stored
        before = _condition(stored_conditions(stored.status), telling)
        outcome = await self._writer.write(
            resource, namespace=stored.namespace, name=stored.name, uid=stored.uid, status=render_status(status)
        )
        after = _condition(status.conditions, telling)
        if outcome is WriteOutcome.WRITTEN and after is not None and _differs(before, after):
            event_type, reason = _event(resource, after)
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


def _differs(before: Condition | None, after: Condition) -> bool:
    return before is None or (before.status, before.reason) != (after.status, after.reason)


def _event(resource: Resource, condition: Condition) -> tuple[EventType, EventReason]:
    good = condition.status is ConditionStatus.TRUE
    if resource == POLICIES:
        reason = EventReason.POLICY_ACCEPTED if good else EventReason.POLICY_REFUSED
    else:
        reason = EventReason.CONNECTED if good else EventReason.CONNECTION_FAILED
    return EventType.NORMAL if good else EventType.WARNING, reason
