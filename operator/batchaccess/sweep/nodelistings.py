"""Lists the nodes of pools old enough to carry implicit SSH or RDP mappings, once per state that nodes can be in.

Such mappings are invisible in the pool itself. A listing stays valid until the pool is written to or its allocation
state moves, that is while (eTag, allocationStateTransitionTime) stays the same.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from batchaccess.core.model import (
    NodeFindings,
    ObservedPool,
    PoolState,
)
from batchaccess.ports import Clock, Pools, PortError
from batchaccess.sweep.listingtroubles import ListingTroubles

_log = logging.getLogger(__name__)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Listed:
    key: Key
    findings: NodeFindings


class NodeListings:
    """What listing the nodes of one account's legacy pools showed."""

    def __init__(self, pools: Pools, clock: Clock) -> None:
        self._pools = pools
        self._clock = clock
        self._listed: dict[str, _Listed] = {}
        self._troubles = ListingTroubles(_log)

    def findings(self, pool: ObservedPool) -> NodeFindings | None:
        """What is known of the nodes of a pool as it was read; the same object while it stays valid."""
        listed = self._listed.get(pool.id)
        return listed.findings if listed is not None and listed.key == _key(pool) else None

    async def refresh(self, pools: Sequence[ObservedPool], *, seconds: float, beat: Callable[[], None]) -> None:
        """List the nodes of every pool that calls for it and is not known, for at most so many seconds.

        What does not fit in is left to later sweeps: until then login ports of those pools are Undetermined.
        """
        present = {pool.id for pool in pools}
        for gone in self._listed.keys() - present:
            del self._listed[gone]
        deadline = self._clock.monotonic() + seconds
        wanting = [pool for pool in pools if _calls_for_listing(pool)]
        self._troubles.keep_only({_the_nodes(pool) for pool in wanting})
        for pool in wanting:
            if self.findings(pool) is None:
                if self._clock.monotonic() >= deadline:
                    _log.info("more legacy pools than the request budget lists in one sweep; the rest follows")
                    return
                await self._list(pool)
                beat()

    async def _list(self, pool: ObservedPool) -> None:
        try:
            findings = await self._pools.list_node_endpoints(pool)
        except PortError as error:
            self._troubles.failed(_the_nodes(pool), error)
            return
        self._troubles.listed(_the_nodes(pool))
        self._listed[pool.id] = _Listed(_key(pool), findings)


def _calls_for_listing(pool: ObservedPool) -> bool:
    """Only nodes show implicit mappings, so a pool without any has nothing to list."""
    return pool.is_legacy and pool.state is not PoolState.DELETING and pool.scale.current.total > 0


def _the_nodes(pool: ObservedPool) -> str:
    return f"the nodes of pool {pool.id}"


def _key(pool: ObservedPool) -> Key:
    return pool.etag, pool.allocation_state_transition_time
