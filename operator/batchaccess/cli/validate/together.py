"""What only shows when objects are seen together: policies that claim the same pools, and refusals by connections."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from batchaccess.cli.manifests import Declared, Mistake, PlacedPolicy, Weight, checks
from batchaccess.core.acceptance import accept
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.overlaps import common_connection_names, common_pool, may_share_labels
from batchaccess.core.reasons import AcceptedReason
from batchaccess.core.selection import NamespaceLabels, connects, covering_grants, granted_pools, precedence


def joint_mistakes(declared: Declared) -> Iterator[Mistake]:
    """Everything to say about objects together."""
    connections = [placed.connection for placed in declared.connections]
    labels = {
        placed.policy.key.namespace: declared.labels_of(placed.policy.key.namespace) for placed in declared.policies
    }
    for placed in declared.policies:
        yield from _refusals(placed, connections, labels)
    for one, other in combinations(declared.policies, 2):
        yield from _shared(one, other, connections, labels)


def _refusals(
    placed: PlacedPolicy, connections: Sequence[AccountConnection], labels: NamespaceLabels
) -> Iterator[Mistake]:
    """Connections of the same files that refuse the policy; of others nothing is known."""
    for target in accept(placed.policy, connections, labels).targets:
        if not target.accepted:
            guarded = target.reason is AcceptedReason.GUARDRAIL_VIOLATION
            path = "spec.access.endpoints" if guarded else "spec.connections"
            message = f"connection {target.name} does not accept it ({target.reason}): {target.message}"
            yield placed.manifest.mistake(checks.NOT_ACCEPTED, path, message)


def _shared(
    one: PlacedPolicy, other: PlacedPolicy, connections: Sequence[AccountConnection], labels: NamespaceLabels
) -> Iterator[Mistake]:
    found = _meeting(one.policy, other.policy, connections, labels)
    if found is None or one.policy.key == other.policy.key:
        return
    where, pool_id = found
    winner, loser = sorted((one, other), key=lambda placed: precedence(placed.policy))
    place = f"{winner.manifest.file}:{winner.manifest.document.line('')}"
    both = f"it claims pools of {where} that {winner.policy.key} ({place}) claims too, such as '{pool_id}'"
    first, second = winner.policy.priority, loser.policy.priority
    if first == second:
        told = f"{both}; both have priority {first}, so whichever was created first governs them, entirely"
        yield loser.manifest.mistake(checks.SAME_POOLS, "spec.pools", told, Weight.WARNING)
    else:
        told = f"{both}; that one governs them, entirely, with priority {first} over {second}"
        yield loser.manifest.mistake(checks.SAME_POOLS, "spec.pools", told, Weight.NOTE)


def _meeting(
    one: AccessPolicy, other: AccessPolicy, connections: Sequence[AccountConnection], labels: NamespaceLabels
) -> tuple[str, str] | None:
    """Where two policies meet, in words, and an id of a pool there."""
    known = {connection.name for connection in connections}
    for connection in connections:
        if connects(one.connections, connection) and connects(other.connections, connection):
            granted = [granted_pools(covering_grants(policy, connection, labels)) for policy in (one, other)]
            if pool_id := common_pool(one, other, granted):
                return f"connection {connection.name}", pool_id
    unknown = [name for name in common_connection_names(one.connections, other.connections) if name not in known]
    by_labels = not known and may_share_labels(one.connections, other.connections)
    if (unknown or by_labels) and (pool_id := common_pool(one, other)):
        return f"connection {unknown[0]}" if unknown else "connections with both their labels", pool_id
    return None
