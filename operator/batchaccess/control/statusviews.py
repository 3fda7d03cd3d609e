"""What the statuses of policies and connections have to say, from the last sweep of every account; writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from batchaccess.api import stored_conditions
from batchaccess.control.duplicates import Assignment
from batchaccess.core.acceptance import Acceptance, invalid
from batchaccess.core.declared import AccessPolicy
from batchaccess.core.departing import departing_connection
from batchaccess.core.model import ObjectKey
from batchaccess.core.policyreporting import invalid_policy_status, policy_status
from batchaccess.core.reasons import ConnectionReason
from batchaccess.core.reporting import connection_status, invalid_connection_message
from batchaccess.core.status import ConnectionStatus, PolicyStatus
from batchaccess.core.tally import NOTHING_TALLIED, PolicyTally, merged
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.catalogue import Connection, Policy
from batchaccess.ports import Catalogue, InvalidObject
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.sweep.summary import SweepSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The last sweep of one connection, and the policies it knew."""

    summary: SweepSummary
    policies: Mapping[ObjectKey, AccessPolicy]

    def at(self, policy: AccessPolicy) -> PolicyTally | ConnectionReason | None:
        """What the pools of the connection come to for one policy, or why they could not be looked at.

        None if the sweep did not know the policy as it is now; equal policies of a catalogue are the same object.
        """
        if self.policies.get(policy.key) is not policy:
            return None
        if self.summary.tallies is None:
            return self.summary.reason
        return self.summary.tallies.get(policy.key, NOTHING_TALLIED)

    @property
    def is_leaving(self) -> bool:
        """Whether the sweep began nothing, as the connection is being deleted or the operator was told to leave."""
        return self.summary.connection.deleting


class StatusViews:
    """Derives statuses. `assignment` tells which connections sweep, `register` which sagas are open."""

    def __init__(self, acceptances: Acceptances, assignment: Callable[[], Assignment], register: SagaRegister) -> None:
        self._acceptances = acceptances
        self._assignment = assignment
        self._register = register
        self._looks: dict[str, _Look] = {}
        self._catalogue: Catalogue | None = None
        self._policies: Mapping[ObjectKey, AccessPolicy] = {}

    def swept(self, summary: SweepSummary) -> list[ObjectKey]:
        """Take in the end of a sweep; the policies whose status may have to say something else now."""
        name = summary.connection.name
        before = self._looks.get(name)
        after = _Look(summary=summary, policies=self._policies_of(summary.catalogue))
        self._looks[name] = after
        if before is None or before.is_leaving is not after.is_leaving:
            return list(after.policies)
        return [key for key, policy in after.policies.items() if before.at(policy) != after.at(policy)]

    def _policies_of(self, catalogue: Catalogue) -> Mapping[ObjectKey, AccessPolicy]:
        """The policies of a catalogue by key, shared by all looks that went by it."""
        if catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._policies = {policy.key: policy for policy in catalogue.policies}
        return self._policies

    def forget(self, connection: str) -> list[ObjectKey]:
        """Nothing is known of a connection any more; the policies whose status that may concern."""
        look = self._looks.pop(connection, None)
        return [] if look is None else list(look.policies)

    def policy_status(self, entry: CachedObject[Policy], catalogue: Catalogue, *, now: datetime) -> PolicyStatus:
        """The status that a policy should have."""
        policy, previous = entry.value, stored_conditions(entry.stored.status)
        if isinstance(policy, InvalidObject):
            return invalid_policy_status(
                invalid(policy.problems),
                generation=policy.generation,
                previous=previous,
                now=now,
                deleting=entry.stored.deleting,
                restoring=self._register.pools_of(
                    ObjectKey(namespace=entry.stored.namespace or "", name=entry.stored.name)
                ),
                requested_at=policy.requested_at,
            )
        acceptance = self._acceptances.of(catalogue)[policy.key]
        found = self._found(policy, acceptance)
        tallies = [each for each in found.values() if isinstance(each, PolicyTally)]
        unobserved = {name: each for name, each in found.items() if isinstance(each, ConnectionReason)}
        looked = None not in found.values()
        handled = entry.stored.status.get("lastHandledRequestedAt")
        return policy_status(
            policy,
            acceptance,
            merged(tallies) if looked and (tallies or not unobserved) else None,
            previous=previous,
            now=now,
            unobserved=unobserved,
            leaving=[name for name in found if name in self._looks and self._looks[name].is_leaving],
            restoring=self._register.pools_of(policy.key),
            requested_at=policy.requested_at if looked else handled,
        )

    def _found(
        self, policy: AccessPolicy, acceptance: Acceptance
    ) -> Mapping[str, PolicyTally | ConnectionReason | None]:
        """What the last sweeps of the accounts that the policy is for made of it; None where it was not seen yet."""
        sweeping = self._assignment().sweeping
        names = [target.name for target in acceptance.targets if target.accepted and target.name in sweeping]
        looks = {name: self._looks.get(name) for name in names}
        return {name: None if look is None else look.at(policy) for name, look in looks.items()}

    def connection_status(self, entry: CachedObject[Connection], *, now: datetime) -> ConnectionStatus | None:
        """The status that a connection should have; None as long as nothing can be said of it."""
        connection = entry.value
        if isinstance(connection, InvalidObject):
            reason, message = ConnectionReason.INVALID, invalid_connection_message(connection.problems)
            return _idle_status(
                entry,
                reason,
                message,
                generation=connection.generation,
                now=now,
                requested_at=connection.requested_at,
            )
        owner = self._assignment().duplicates.get(connection.name)
        if owner is not None:
            message = (
                f"Connection {owner} names the same account and is older: it sweeps, this one does not. Delete one."
            )
            return _idle_status(
                entry,
                ConnectionReason.DUPLICATE_ENDPOINT,
                message,
                generation=connection.generation,
                now=now,
                requested_at=connection.requested_at,
            )
        look = self._looks.get(connection.name)
        if look is None or look.summary.connection.uid != connection.uid:
            return None
        reason, message = look.summary.reason, look.summary.message
        if connection.deleting or look.is_leaving:
            reason, message = departing_connection(
                reason, message, deleting=connection.deleting, restoring=self._register.pools_on(connection.name)
            )
        return connection_status(
            reason,
            message,
            pools=look.summary.counts,
            generation=look.summary.connection.generation,
            previous=stored_conditions(entry.stored.status),
            now=now,
            requested_at=look.summary.connection.requested_at,
        )


def _idle_status(
    entry: CachedObject[Connection],
    reason: ConnectionReason,
    message: str,
    *,
    generation: int,
    now: datetime,
    requested_at: str | None = None,
) -> ConnectionStatus:
    return connection_status(
        reason,
        message,
        pools=None,
        generation=generation,
        previous=stored_conditions(entry.stored.status),
        now=now,
        requested_at=requested_at,
    )
