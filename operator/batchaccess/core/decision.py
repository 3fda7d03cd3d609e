"""What to do about one pool: exactly one of nothing, a PATCH, waiting, or giving up until somebody changes something.

The order of the checks is the order in which a person wants to hear of them: what can never work comes before what only
needs time. A decision is made on one reading of a pool; whoever performs a PATCH reads the pool again and decides again
right before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from batchaccess.core.assessment import Assessment
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    AuthType,
    Mode,
    Strategy,
)
from batchaccess.core.drift import Drift
from batchaccess.core.memory import PoolMemory
from batchaccess.core.model import (
    Network,
    ObjectKey,
    ObservedPool,
    PoolState,
)
from batchaccess.core.reasons import CompliantReason, DriftClass, PoolOutcome
from batchaccess.core.wire import network_configuration_body

NOT_EMPTY: Final = (
    "The network changes only while the pool is empty: "
    "no node exists or is wanted, nothing resizes and autoscale is off."
)
NOT_DRAINED_NOW: Final = "Strategy Drain brings that about, but no drain may start now."
LEAVING: Final = "The connection is being deleted or the operator uninstalled, so nothing is begun."


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing is to be done."""

    outcome: PoolOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchNetwork:
    """Replace the network configuration, provided that the pool still has `etag`."""

    pool_id: str
    etag: str
    body: Mapping[str, Any]
    desired: Network
    policy: ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The right thing at the wrong moment. `until` is when it is worth trying again, None for the next sweep."""

    reason: CompliantReason
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Somebody has to change something first."""

    reason: CompliantReason
    message: str


Decision: TypeAlias = Nothing | PatchNetwork | Wait | Stall


def decide(assessment: Assessment, *, connection: AccountConnection, memory: PoolMemory, now: datetime) -> Decision:
    """What to do about one pool now."""
    policy, desired = assessment.policy, assessment.desired
    if policy is None or desired is None:
        return Nothing(outcome=PoolOutcome.UNMANAGED)
    damage = _unexpected_result(policy, assessment.pool, memory, now)
    if damage is not None:
        return damage
    if assessment.drift.is_as_declared:
        return Nothing(outcome=PoolOutcome.COMPLIANT)
    if policy.mode is Mode.AUDIT:
        return Nothing(outcome=PoolOutcome.AUDIT_DRIFT)
    if not assessment.drift.is_correctable:
        return Stall(reason=CompliantReason.IMPLICIT_MAPPING, message=_implicit_message(assessment.drift))
    return (
        _held_back(policy, connection)
        or _impossible(assessment, desired, connection)
        or _refused_before(policy, assessment.pool, memory, now)
        or _too_early(policy, assessment.pool, memory, now)
        or _patch(assessment.pool, desired, policy)
    )


def _unexpected_result(policy: AccessPolicy, pool: ObservedPool, memory: PoolMemory, now: datetime) -> Stall | None:
    """A change of ours that did something else stays told, even where what is declared is in order."""
    latch = memory.latch
    if policy.mode is Mode.AUDIT or latch is None or not latch.is_unexpected_result:
        return None
    return Stall(reason=latch.reason, message=latch.message) if latch.holds(policy, pool, now) else None


def _implicit_message(drift: Drift) -> str:
    ports = ", ".join(
        difference.field for difference in drift.differences if difference.kind is DriftClass.IMPLICIT_MAPPING
    )
    return (
        f"The service itself maps ports that the policy does not open ({ports}), as it did for pools created before "
        "December 2025. No change of the network removes that; create the pool anew."
    )


def _held_back(policy: AccessPolicy, connection: AccountConnection) -> Wait | None:
    if connection.deleting:
        return Wait(reason=CompliantReason.SUSPENDED, message=LEAVING)
    if connection.suspend:
        return Wait(reason=CompliantReason.SUSPENDED, message=f"Connection {connection.name} is suspended.")
    if policy.suspend:
        return Wait(reason=CompliantReason.SUSPENDED, message=f"Policy {policy.key} is suspended.")
    return None


def _impossible(assessment: Assessment, desired: Network, connection: AccountConnection) -> Stall | None:
    """What the service would refuse for certain; refused here, before the first change."""
    if assessment.violations:
        message = "; ".join(str(violation) for violation in assessment.violations)
        return Stall(reason=CompliantReason.LIMIT_EXCEEDED, message=f"{message}.")
    if connection.auth.type is AuthType.SHARED_KEY and desired.subnet_id is not None:
        return Stall(
            reason=CompliantReason.SHARED_KEY_SUBNET,
            message="The service refuses a network with a subnet from a shared key; use an identity in spec.auth of "
            f"connection {connection.name}.",
        )
    return None


def _refused_before(policy: AccessPolicy, pool: ObservedPool, memory: PoolMemory, now: datetime) -> Stall | Wait | None:
    if memory.latch is not None and memory.latch.holds(policy, pool, now):
        return Stall(reason=memory.latch.reason, message=memory.latch.message)
    if memory.contended_until is not None and now < memory.contended_until:
        return Wait(
            reason=CompliantReason.CONTENDED,
            message="Somebody else keeps overwriting the network soon after it was corrected. Find out who; the next "
            "attempt comes within an hour, or once the annotation batchaccess.dev/requested-at gets a new value.",
            until=memory.contended_until,
        )
    return None


def _too_early(policy: AccessPolicy, pool: ObservedPool, memory: PoolMemory, now: datetime) -> Wait | None:
    if pool.state is PoolState.DELETING:
        return Wait(reason=CompliantReason.POOL_DELETING, message="The pool is being deleted.")
    if not pool.is_empty:
        drains = policy.remediation.strategy is Strategy.DRAIN
        return Wait(
            reason=CompliantReason.POOL_NOT_EMPTY, message=f"{NOT_EMPTY} {NOT_DRAINED_NOW}" if drains else NOT_EMPTY
        )
    if memory.back_off_until is not None and now < memory.back_off_until:
        return Wait(reason=CompliantReason.BACKING_OFF, message=memory.back_off_message, until=memory.back_off_until)
    return None


def _patch(pool: ObservedPool, desired: Network, policy: AccessPolicy) -> PatchNetwork:
    return PatchNetwork(
        pool_id=pool.id,
        etag=pool.etag,
        body=network_configuration_body(pool.raw_network, pool.network, desired, policy.access),
        desired=desired,
        policy=policy.key,
    )
