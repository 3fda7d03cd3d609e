"""Counting and timing of what is asked of an account, around any `ports.Pools` and unknown to it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from batchaccess.core.model import JsonObject, NodeFindings, ObservedPool
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Listing, Pools, PortError

_Answer = TypeVar("_Answer")


class Operation(StrEnum):
    """What was asked of an account."""

    LIST_POOLS = "ListPools"
    GET_POOL = "GetPool"
    LIST_NODE_ENDPOINTS = "ListNodeEndpoints"
    PATCH_NETWORK = "PatchNetwork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call and how it ended.

    `code` is `OK`, `Cancelled`, or the code of the PortError; `kind` and `status` are None without one. `seconds`
    include waiting for the request budget.
    """

    operation: Operation
    code: str
    kind: ErrorKind | None
    status: int | None
    seconds: float


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
        return await self._told(Operation.LIST_POOLS, self._pools.list_pools())

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now."""
        return await self._told(Operation.GET_POOL, self._pools.get_pool(pool_id))

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        return await self._told(Operation.LIST_NODE_ENDPOINTS, self._pools.list_node_endpoints(pool))

    async def patch_network(self, pool_id: str, network_configuration: JsonObject, *, etag: str) -> None:
        """Replace the network configuration if the pool still has `etag`."""
        patched = self._pools.patch_network(pool_id, network_configuration, etag=etag)
        await self._told(Operation.PATCH_NETWORK, patched)

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._pools.close()

    async def _told(self, operation: Operation, answer: Awaitable[_Answer]) -> _Answer:
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
                )
            )
        return result


def observe_calls(pools: Pools, on_call: Callable[[Call], None]) -> Pools:
    """`pools`, with every call told to `on_call` once it has ended; what `on_call` raises would reach the caller."""
    return ObservedPools(pools, on_call)
