"""What only shows when objects are seen together: policies that claim the same pools, and refusals by connections."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from batchaccess.cli.manifests import Declared, Mistake, PlacedPolicy, Weight, checks
from batchaccess.core.acceptance import accept
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.globs import GlobIndex
from batchaccess.core.overlaps import common_connection_names, common_pool, may_share_labels
from batchaccess.core.reasons import AcceptedReason
from batchaccess.core.selection import NamespaceLabels, connects, covering_grants, granted_pools, precedence

_MOST_TOLD: Final = 5
"""Policies named to one that claims the same pools: of a hundred the first few say enough."""


def joint_mistakes(declared: Declared) -> Iterator[Mistake]:
    """Everything to say about objects together."""
    connections = [placed.connection for placed in declared.connections]
    labels = {
        placed.policy.key.namespace: declared.labels_of(placed.policy.key.namespace) for placed in declared.policies
    }
    for placed in declared.policies:
        yield from _refusals(placed, connections, labels)
    yield from _all_shared(declared.policies, connections, labels)


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


def _all_shared(
    placed: Sequence[PlacedPolicy], connections: Sequence[AccountConnection], labels: NamespaceLabels
) -> Iterator[Mistake]:
    """Every policy with those of higher precedence that claim the same pools; of many the first few."""
    ranked = sorted(placed, key=lambda each: precedence(each.policy))
    for rank, winners in _possible_winners(ranked):
        shared = (_shared(ranked[winner], ranked[rank], connections, labels) for winner in winners)
        yield from islice((mistake for mistake in shared if mistake is not None), _MOST_TOLD)


def _possible_winners(ranked: Sequence[PlacedPolicy]) -> Iterator[tuple[int, list[int]]]:
    """For each policy the ranks before it whose globs may match the same ids, judged by how the globs begin.

    Of thousands of policies few meet, and only those are looked at closely.
    """
    index = GlobIndex.of(each.policy.pools.ids for each in ranked)
    pairs: dict[int, set[int]] = {rank: set() for rank in range(len(ranked))}
    for rank, each in enumerate(ranked):
        for glob in each.policy.pools.ids:
            for other in index.possible(_literal_start(glob)):
                if other != rank:
                    pairs[max(rank, other)].add(min(rank, other))
    return ((rank, sorted(winners)) for rank, winners in pairs.items())


def _literal_start(glob: str) -> str:
    return glob[: min((glob.index(each) for each in "*?" if each in glob), default=len(glob))]


def _shared(
    winner: PlacedPolicy, loser: PlacedPolicy, connections: Sequence[AccountConnection], labels: NamespaceLabels
) -> Mistake | None:
    found = _meeting(winner.policy, loser.policy, connections, labels)
    if found is None or winner.policy.key == loser.policy.key:
        return None
    where, pool_id = found
    place = f"{winner.manifest.file}:{winner.manifest.document.line('')}"
    both = f"it claims pools of {where} that {winner.policy.key} ({place}) claims too, such as '{pool_id}'"
    first, second = winner.policy.priority, loser.policy.priority
    if first == second:
        told = f"{both}; both have priority {first}, so whichever was created first governs them, entirely"
        return loser.manifest.mistake(checks.SAME_POOLS, "spec.pools", told, Weight.WARNING)
    told = f"{both}; that one governs them, entirely, with priority {first} over {second}"
    return loser.manifest.mistake(checks.SAME_POOLS, "spec.pools", told, Weight.NOTE)


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
