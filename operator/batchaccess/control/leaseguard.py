"""Lets nothing be written to an account that this replica may not lead any more, around any `ports.Pools`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import JsonObject, MetadataItem, NodeCounts, NodeFindings, ObservedPool
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Listing, Pools, PortError, WriteLeave

LEASE_RAN_OUT: Final = "LeaseRanOut"
"""Code of the error of a write that was cut off because it might have ended after the lease."""


class GuardedPools:
    """Implements `ports.Pools` by another one: reads pass, writes are refused or bounded by what is left of the lease.

    The limit holds for the whole call, waiting for the request budget and for a token included: nothing is sent late.
    """

    def __init__(self, pools: Pools, leave: WriteLeave) -> None:
        self._pools = pools
        self._leave = leave

    async def list_pools(self) -> Listing:
        """All pools."""
        return await self._pools.list_pools()

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now."""
        return await self._pools.get_pool(pool_id)

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        return await self._pools.list_node_endpoints(pool)

    async def patch_network(
        self, pool_id: str, network_configuration: JsonObject, *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the network configuration if the pool still has `etag`."""
        await self._write(
            lambda: self._pools.patch_network(pool_id, network_configuration, etag=etag, unquoted=unquoted)
        )

    async def patch_metadata(
        self, pool_id: str, items: Sequence[MetadataItem], *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the whole metadata list if the pool still has `etag`."""
        await self._write(lambda: self._pools.patch_metadata(pool_id, items, etag=etag, unquoted=unquoted))

    async def disable_autoscale(self, pool_id: str) -> None:
        """Turn autoscale off."""
        await self._write(lambda: self._pools.disable_autoscale(pool_id))

    async def enable_autoscale(
        self, pool_id: str, *, formula: str, interval: str | None, etag: str | None = None, unquoted: bool = False
    ) -> None:
        """Turn autoscale on, or change its formula."""
        await self._write(
            lambda: self._pools.enable_autoscale(
                pool_id, formula=formula, interval=interval, etag=etag, unquoted=unquoted
            )
        )

    async def resize(
        self,
        pool_id: str,
        targets: NodeCounts,
        *,
        resize_timeout: str,
        node_deallocation: NodeDeallocation | None,
        etag: str | None = None,
        unquoted: bool = False,
    ) -> None:
        """Begin a resize to `targets`."""
        await self._write(
            lambda: self._pools.resize(
                pool_id,
                targets,
                resize_timeout=resize_timeout,
                node_deallocation=node_deallocation,
                etag=etag,
                unquoted=unquoted,
            )
        )

    async def stop_resize(self, pool_id: str, *, etag: str | None = None, unquoted: bool = False) -> None:
        """Stop the resize that runs."""
        await self._write(lambda: self._pools.stop_resize(pool_id, etag=etag, unquoted=unquoted))

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._pools.close()

    async def _write(self, call: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self._leave()):
                await call()
        except TimeoutError as error:
            raise PortError(
                ErrorKind.TRANSIENT,
                LEASE_RAN_OUT,
                "the write was cut off so that it ends before another replica may lead; the pool is read again",
                outcome_unknown=True,
            ) from error


def guard_writes(pools: Pools, leave: WriteLeave | None) -> Pools:
    """`pools`, with every write under `leave`; the very same without one."""
    return pools if leave is None else GuardedPools(pools, leave)
