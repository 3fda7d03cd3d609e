"""The pools of one Batch account, as `ports.Pools` wants them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from batchaccess.azurebatch.convert import POOL_KEYS, observed_pool
from batchaccess.azurebatch.failures import unreadable_answer
from batchaccess.azurebatch.memo import MemoBuilder, PoolMemo
from batchaccess.azurebatch.nodes import NODE_KEYS, node_findings
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.azurebatch.throttle import Throttle
from batchaccess.azurebatch.wire import BatchWire
from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import (
    JsonObject,
    MetadataItem,
    NodeCounts,
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Listing, PortError, UnreadablePool

PAGE_SIZE: Final = 1000
"""The most the service gives at once, and its default."""

_SELECT_POOL: Final = {"$select": ",".join(POOL_KEYS)}
_LIST_POOLS: Final = {**_SELECT_POOL, "maxresults": str(PAGE_SIZE)}
_LIST_NODES: Final = {"$select": ",".join(NODE_KEYS), "maxresults": str(PAGE_SIZE)}
_MOST_PAGES: Final = 1000
_BREATH: Final = 100
"""Pools taken in without letting others run: some 10 milliseconds' worth if all are new."""


class AzureBatchPools:
    """Implements `ports.Pools` on a Batch account.

    Remembers the last listing, so that a pool whose content did not change is the same object as before.
    """

    def __init__(self, wire: BatchWire) -> None:
        self._wire = wire
        self._last = PoolMemo()

    @property
    def budget(self) -> Throttle:
        """The request budget, for its level and pauses to be shown."""
        return self._wire.throttle

    async def list_pools(self) -> Listing:
        """All pools, those being deleted included, in one paged request."""
        builder = MemoBuilder(self._last)
        unreadable: list[UnreadablePool] = []
        taken = 0
        async for raw in self._elements("/pools", _LIST_POOLS):
            try:
                builder.add(raw)
            except Unreadable as problem:
                unreadable.append(UnreadablePool(id=str(raw.get("id", "")), problem=str(problem)))
            taken += 1
            if taken % _BREATH == 0:
                await asyncio.sleep(0)
        self._last = builder.finish()
        return Listing(pools=tuple(self._last), unreadable=tuple(unreadable))

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool, read now. A pool that does not exist is a PortError with code `PoolNotFound`."""
        body = await self._wire.get(_pool_path(pool_id), _SELECT_POOL)
        raw = {key: value for key, value in body.items() if key != "odata.metadata"}
        try:
            return self._last.recall(raw) or observed_pool(raw)
        except Unreadable as problem:
            raise unreadable_answer(f"pool {pool_id}: {problem}") from None

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes of a pool expose beyond its own NAT pools."""
        nodes = [node async for node in self._elements(f"{_pool_path(pool.id)}/nodes", _LIST_NODES)]
        try:
            return node_findings(nodes, pool.network.endpoints)
        except Unreadable as problem:
            raise unreadable_answer(f"nodes of pool {pool.id}: {problem}") from None

    async def patch_network(
        self, pool_id: str, network_configuration: JsonObject, *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the network configuration if the pool still has `etag`; sends no other property."""
        body = {"networkConfiguration": network_configuration}
        await self._wire.write("PATCH", _pool_path(pool_id), body, if_match=_if_match(pool_id, etag, unquoted=unquoted))

    async def patch_metadata(
        self, pool_id: str, items: Sequence[MetadataItem], *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the whole metadata list if the pool still has `etag`; sends no other property."""
        body = {"metadata": [{"name": item.name, "value": item.value} for item in items]}
        await self._wire.write("PATCH", _pool_path(pool_id), body, if_match=_if_match(pool_id, etag, unquoted=unquoted))

    async def disable_autoscale(self, pool_id: str) -> None:
        """Turn autoscale off; the service takes no condition here."""
        await self._wire.write("POST", f"{_pool_path(pool_id)}/disableautoscale", None, if_match=None)

    async def enable_autoscale(
        self, pool_id: str, *, formula: str, interval: str | None, etag: str | None = None, unquoted: bool = False
    ) -> None:
        """Turn autoscale on, or change its formula."""
        body = {"autoScaleFormula": formula}
        if interval is not None:
            body["autoScaleEvaluationInterval"] = interval
        condition = None if etag is None else _if_match(pool_id, etag, unquoted=unquoted)
        await self._wire.write("POST", f"{_pool_path(pool_id)}/enableautoscale", body, if_match=condition)

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
        body: dict[str, str | int] = {
            "targetDedicatedNodes": targets.dedicated,
            "targetLowPriorityNodes": targets.low_priority,
            "resizeTimeout": resize_timeout,
        }
        if node_deallocation is not None:
            body["nodeDeallocationOption"] = node_deallocation.lower()
        condition = None if etag is None else _if_match(pool_id, etag, unquoted=unquoted)
        await self._wire.write("POST", f"{_pool_path(pool_id)}/resize", body, if_match=condition)

    async def stop_resize(self, pool_id: str, *, etag: str | None = None, unquoted: bool = False) -> None:
        """Stop the resize that runs, keeping the nodes there are then."""
        condition = None if etag is None else _if_match(pool_id, etag, unquoted=unquoted)
        await self._wire.write("POST", f"{_pool_path(pool_id)}/stopresize", None, if_match=condition)

    async def close(self) -> None:
        """Release connections and credentials."""
        await self._wire.close()

    async def _elements(self, path: str, parameters: Mapping[str, str]) -> AsyncIterator[JsonObject]:
        """Every element of a paged list, in the service's order."""
        page = await self._wire.get(path, parameters)
        followed: set[str] = set()
        while True:
            for element in _value(page):
                yield element
            link = page.get("odata.nextLink")
            if link is None:
                return
            if not isinstance(link, str) or link in followed or len(followed) >= _MOST_PAGES:
                raise unreadable_answer("odata.nextLink is no link, or the pages do not end")
            followed.add(link)
            page = await self._wire.follow(link)


def _if_match(pool_id: str, etag: str, *, unquoted: bool) -> str:
    """An ETag as If-Match wants it (RFC 9110): quoted, as the SDK sends it, though the service's own are bare.

    Raises:
        PortError: with code `MissingETag`, as without one, or with `*`, the write would be unconditional.
    """
    if not etag or etag == "*":
        raise PortError(
            ErrorKind.TERMINAL, "MissingETag", f"pool {pool_id} was read without an ETag, so it is not written to"
        )
    return etag if unquoted or etag.startswith(('"', "W/")) else f'"{etag}"'


def _pool_path(pool_id: str) -> str:
    return f"/pools/{quote(pool_id, safe='')}"


def _value(page: JsonObject) -> list[JsonObject]:
    """The elements of one page; a page without them is no empty account."""
    value = page.get("value")
    if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
        raise unreadable_answer('"value" is not a list of objects')
    return value
