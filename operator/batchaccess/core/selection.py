"""Which policies may target which pools, and which of them governs.

A grant of the connection says what a namespace may do. One grant has to cover a policy whole: its priority, its
mode and its strategy; anything beyond is NotPermitted for that connection. The pools of the covering grants then
bound what the policy reaches: a selector that goes further simply does not select the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Grant,
    NameSelector,
    NamespaceSelector,
    PoolSelector,
)
from batchaccess.core.globs import GlobIndex, IdGlobs
from batchaccess.core.model import (
    MetadataItem,
    ObjectKey,
    ObservedPool,
)

NamespaceLabels = Mapping[str, Mapping[str, str]]
"""The labels of each namespace, by its name."""

OWN_METADATA_PREFIX: Final = "batchaccess.dev/"
"""Names of pool metadata that are ours; no selector ever matches them."""

_NO_LABELS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The policies that select one pool: the one that governs it, and the others by precedence."""

    governing: AccessPolicy | None = None
    overridden: tuple[AccessPolicy, ...] = ()

    @property
    def all(self) -> tuple[AccessPolicy, ...]:
        """All of them, the governing one first."""
        return self.overridden if self.governing is None else (self.governing, *self.overridden)


NOTHING_SELECTS: Final = Selection()


def precedence(policy: AccessPolicy) -> tuple[int, float, ObjectKey]:
    """Sort key that puts the governing policy first: highest priority, then oldest, then by namespace and name."""
    return (-policy.priority, policy.created.timestamp(), policy.key)


def connects(selector: NameSelector, connection: AccountConnection) -> bool:
    """Whether a policy's selector of connections names this one, which is so until it is gone.

    While it leaves, its pools are told apart as before; that nothing is begun there is a matter of `core.decision`.
    """
    if selector.names is not None:
        return connection.name in selector.names
    return _has_labels(connection.labels, selector.match_labels or _NO_LABELS)


def covering_grants(
    policy: AccessPolicy, connection: AccountConnection, namespace_labels: NamespaceLabels
) -> tuple[Grant, ...]:
    """The grants that permit everything the policy asks for, but for the pools."""
    return tuple(
        grant
        for grant in granted_to(policy.key.namespace, connection, namespace_labels)
        if policy.priority <= grant.max_priority
        and policy.mode in grant.modes
        and policy.remediation.strategy in grant.strategies
    )


def granted_to(namespace: str, connection: AccountConnection, namespace_labels: NamespaceLabels) -> tuple[Grant, ...]:
    """The grants of a connection that name this namespace."""
    labels = namespace_labels.get(namespace, _NO_LABELS)
    return tuple(grant for grant in connection.grants if _names(grant.namespaces, namespace, labels))


def _names(selector: NamespaceSelector, namespace: str, labels: Mapping[str, str]) -> bool:
    if selector.all:
        return True
    if selector.names is not None:
        return namespace in selector.names
    return _has_labels(labels, selector.match_labels or _NO_LABELS)


def _has_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether all wanted labels are there. Nothing wanted matches nothing: an empty selector is never "everything"."""
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def granted_pools(grants: Iterable[Grant]) -> tuple[str, ...]:
    """The id globs of these grants together, each once, sorted."""
    return tuple(sorted({glob for grant in grants for glob in grant.pools}))


def matches(
    policy: AccessPolicy, connection: AccountConnection, pool: ObservedPool, namespace_labels: NamespaceLabels
) -> bool:
    """Whether a policy selects a pool: connection, grant, ids, excluded ids and metadata all match."""
    if not connects(policy.connections, connection):
        return False
    granted = granted_pools(covering_grants(policy, connection, namespace_labels))
    return IdGlobs.of(granted).match(pool.id) and _Candidate.of(policy, granted).selects(pool)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A policy with its id globs made ready to be asked about many pools."""

    policy: AccessPolicy
    ids: IdGlobs
    excluded: IdGlobs
    granted: IdGlobs
    metadata: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, policy: AccessPolicy, granted: Iterable[str]) -> "_Candidate":
        selector: PoolSelector = policy.pools
        return cls(
            policy=policy,
            ids=IdGlobs.of(selector.ids),
            excluded=IdGlobs.of(selector.exclude_ids),
            granted=IdGlobs.of(granted),
            metadata=tuple(sorted(selector.match_metadata.items())),
        )

    def selects(self, pool: ObservedPool) -> bool:
        return (
            self.ids.match(pool.id)
            and self.granted.match(pool.id)
            and not self.excluded.match(pool.id)
            and self._matches_metadata(pool.metadata)
        )

    def _matches_metadata(self, metadata: Sequence[MetadataItem]) -> bool:
        if not self.metadata:
            return True
        theirs = {(item.name, item.value) for item in metadata if not item.name.startswith(OWN_METADATA_PREFIX)}
        return theirs.issuperset(self.metadata)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The policies that one connection accepts, indexed so that asking for a pool costs little however many there are.

    Positions in `_ranked` are ranks of precedence: the smallest one that selects a pool governs it.
    """

    _ranked: tuple[_Candidate, ...]
    _index: GlobIndex

    @classmethod
    def of(
        cls, connection: AccountConnection, policies: Iterable[AccessPolicy], namespace_labels: NamespaceLabels
    ) -> "Candidates":
        """Prepare the policies that `connection` accepted (see `core.acceptance`); those being deleted are left out."""
        ranked = tuple(
            _Candidate.of(policy, granted_pools(covering_grants(policy, connection, namespace_labels)))
            for policy in sorted(policies, key=precedence)
            if not policy.deleting and connects(policy.connections, connection)
        )
        return cls(ranked, GlobIndex.of(candidate.policy.pools.ids for candidate in ranked))

    @property
    def policies(self) -> tuple[AccessPolicy, ...]:
        """All of them, by precedence."""
        return tuple(candidate.policy for candidate in self._ranked)

    def select(self, pool: ObservedPool) -> Selection:
        """The policies that select `pool`."""
        found = [
            candidate.policy
            for position in self._index.possible(pool.id)
            if (candidate := self._ranked[position]).selects(pool)
        ]
        return Selection(governing=found[0], overridden=tuple(found[1:])) if found else NOTHING_SELECTS
