"""Counting and timing of what is asked of an account, around any `ports.Pools` and unknown to it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import (
    JsonObject,
    MetadataItem,
    NodeCounts,
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation, Listing, Pools, PortError

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call and how it ended.

    `code` is `OK`, `Cancelled`, or the code of the PortError; `kind` and `status` are None without one. `seconds`
    include waiting for the request budget. `retry_after` is how many seconds the answer asked us to wait, None if none
    did: a call that an earlier answer's wish held back is not asked again.
    """

    operation: AzureOperation
    code: str
    kind: ErrorKind | None
    status: int | None
    seconds: float
    retry_after: float | None = None


class ObservedPools:
    """Implements `ports.Pools` by another one, and tells `on_call` of every call when it has ended."""

    def __init__(
        self, pools: Pools, on_call: Callable[[Call], None], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pools = pools
        self._on_call = on_call
        self._monotonic = monotonic

    async def list_pools(self) -> Listing:
        """All pools."""
        return await self._told(AzureOperation.LIST_POOLS, self._pools.list_pools())

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now."""
        return await self._told(AzureOperation.GET_POOL, self._pools.get_pool(pool_id))

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        return await self._told(AzureOperation.LIST_NODES, self._pools.list_node_endpoints(pool))

    async def patch_network(
        self, pool_id: str, network_configuration: JsonObject, *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the network configuration if the pool still has `etag`."""
        patched = self._pools.patch_network(pool_id, network_configuration, etag=etag, unquoted=unquoted)
        await self._told(AzureOperation.PATCH_NETWORK, patched)

    async def patch_metadata(
        self, pool_id: str, items: Sequence[MetadataItem], *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the whole metadata list if the pool still has `etag`."""
        patched = self._pools.patch_metadata(pool_id, items, etag=etag, unquoted=unquoted)
        await self._told(AzureOperation.PATCH_METADATA, patched)

    async def disable_autoscale(self, pool_id: str) -> None:
        """Turn autoscale off."""
        await self._told(AzureOperation.DISABLE_AUTOSCALE, self._pools.disable_autoscale(pool_id))

    async def enable_autoscale(
        self, pool_id: str, *, formula: str, interval: str | None, etag: str | None = None, unquoted: bool = False
    ) -> None:
        """Turn autoscale on, or change its formula."""
        enabled = self._pools.enable_autoscale(
            pool_id, formula=formula, interval=interval, etag=etag, unquoted=unquoted
        )
        await self._told(AzureOperation.ENABLE_AUTOSCALE, enabled)

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
        begun = self._pools.resize(
            pool_id,
            targets,
            resize_timeout=resize_timeout,
            node_deallocation=node_deallocation,
            etag=etag,
            unquoted=unquoted,
        )
        await self._told(AzureOperation.RESIZE, begun)

    async def stop_resize(self, pool_id: str, *, etag: str | None = None, unquoted: bool = False) -> None:
        """Stop the resize that runs."""
        await self._told(AzureOperation.STOP_RESIZE, self._pools.stop_resize(pool_id, etag=etag, unquoted=unquoted))

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._pools.close()

    async def _told(self, operation: AzureOperation, answer: Awaitable[_Answer]) -> _Answer:
        started = self._monotonic()
        code, error = "Cancelled", None
        try:
            result = await answer
            code = "OK"
        except PortError as failure:
            code, error = failure.code, failure
            raise
        finally:
            self._on_call(
                Call(
                    operation=operation,
                    code=code,
                    kind=error.kind if error else None,
                    status=error.status if error else None,
                    seconds=self._monotonic() - started,
                    retry_after=error.retry_after if error and error.status else None,
                )
            )
        return result


def observe_calls(pools: Pools, on_call: Callable[[Call], None]) -> Pools:
    """`pools`, with every call told to `on_call` once it has ended; what `on_call` raises would reach the caller."""
    return ObservedPools(pools, on_call)
