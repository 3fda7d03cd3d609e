"""A Batch account in memory, for tests of what stands on `ports.Pools`; the contract suite holds it to the real one."""

import asyncio
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from batchaccess.azurebatch.convert import observed_network, observed_pool
from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import (
    AllocationState,
    JsonObject,
    MetadataItem,
    NodeCounts,
    NodeFindings,
    ObservedPool,
    PoolState,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation, Listing, PortError, UnreadablePool


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCall:
    """One call as it arrived; `body` and `etag` are those of a write, `unquoted` how the ETag was to be sent."""

    operation: AzureOperation
    pool_id: str | None = None
    body: JsonObject | None = None
    etag: str | None = None
    unquoted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    operation: AzureOperation
    error: PortError
    after_effect: bool


class FakePools:
    """Implements `batchaccess.ports.Pools`. An ETag moves with every write and every `edit`, never with nodes.

    A resize runs until `settle` ends it. With `refuse_quoted` the account understands only bare ETags, with
    `refuse_bare` only quoted ones.
    """

    def __init__(self, *pools: ObservedPool) -> None:
        self.refuse_quoted = False
        self.refuse_bare = False
        self.calls: list[FakeCall] = []
        self.closed = False
        self.unreadable: list[UnreadablePool] = []
        self._pools: dict[str, ObservedPool] = {}
        self._findings: dict[str, NodeFindings] = {}
        self._failures: list[_Failure] = []
        self._etags = 0
        for pool in pools:
            self.put(pool)

    # What a test does behind the caller's back.

    def put(self, pool: ObservedPool) -> None:
        """Add a pool, or replace the one of its id."""
        self._pools[pool.id] = pool

    def put_raw(self, raw: JsonObject) -> None:
        """Add the pool that this answer of the service describes."""
        self.put(observed_pool(raw))

    def remove(self, pool_id: str) -> None:
        """The pool is gone."""
        del self._pools[pool_id]

    def edit(self, pool_id: str, **changes: Any) -> ObservedPool:  # noqa: ANN401 fields of ObservedPool
        """Somebody else's write: the fields named change, and the ETag with them."""
        return self._store(replace(self._pools[pool_id], etag=self._next_etag(), **changes))

    def edit_network(self, pool_id: str, raw: JsonObject | None) -> ObservedPool:
        """Somebody else's write of the network configuration."""
        returned = None if raw is None else _as_returned(raw)
        return self.edit(pool_id, raw_network=returned, network=observed_network(returned))

    def fill(self, pool_id: str, nodes: int) -> ObservedPool:
        """The pool gets that many nodes, which leaves its ETag alone."""
        pool = self._pools[pool_id]
        counts = NodeCounts(dedicated=nodes)
        return self._store(replace(pool, scale=replace(pool.scale, current=counts, target=counts)))

    def settle(self, pool_id: str, *, nodes_left: int = 0) -> ObservedPool:
        """The resize ends; `nodes_left` dedicated nodes stay although the targets say otherwise."""
        pool = self._pools[pool_id]
        current = pool.scale.target if not nodes_left else NodeCounts(dedicated=nodes_left)
        scale = replace(pool.scale, current=current)
        return self._store(replace(pool, scale=scale, allocation_state=AllocationState.STEADY))

    def find_on_nodes(self, pool_id: str, findings: NodeFindings) -> None:
        """What listing the nodes of the pool will show; else legacy pools show port 22 on every node."""
        self._findings[pool_id] = findings

    def fail_next(
        self, operation: AzureOperation, error: PortError, *, times: int = 1, after_effect: bool = False
    ) -> None:
        """The next calls of `operation` raise `error`; with `after_effect` what they ask for happens all the same."""
        failure = _Failure(operation=operation, error=error, after_effect=after_effect)
        self._failures.extend([failure] * times)

    def pool(self, pool_id: str) -> ObservedPool:
        """The pool as it is, without a call."""
        return self._pools[pool_id]

    def pools(self) -> Sequence[ObservedPool]:
        """All pools as they are, without a call."""
        return tuple(self._pools.values())

    def calls_of(self, operation: AzureOperation) -> list[FakeCall]:
        """The calls of one operation."""
        return [call for call in self.calls if call.operation is operation]

    # The port.

    async def list_pools(self) -> Listing:
        """All pools."""
        await self._called(FakeCall(operation=AzureOperation.LIST_POOLS))
        return Listing(pools=tuple(self._pools.values()), unreadable=tuple(self.unreadable))

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool."""
        await self._called(FakeCall(operation=AzureOperation.GET_POOL, pool_id=pool_id))
        return self._found(pool_id)

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes expose."""
        await self._called(FakeCall(operation=AzureOperation.LIST_NODES, pool_id=pool.id))
        found = self._found(pool.id)
        nodes = found.scale.current.total
        implicit = frozenset({22}) if found.is_legacy and nodes else frozenset[int]()
        return self._findings.get(pool.id, NodeFindings(nodes=nodes, implicit_ports=implicit))

    async def patch_network(
        self, pool_id: str, network_configuration: JsonObject, *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the network configuration of an empty pool that still has `etag`."""
        body = deepcopy(dict(network_configuration))
        await self._write(
            AzureOperation.PATCH_NETWORK, pool_id, lambda pool: self._patch(pool, body), body, etag, unquoted=unquoted
        )

    async def patch_metadata(
        self, pool_id: str, items: Sequence[MetadataItem], *, etag: str, unquoted: bool = False
    ) -> None:
        """Replace the metadata of a pool that still has `etag`, whatever its size."""
        body = {"metadata": [{"name": item.name, "value": item.value} for item in items]}
        await self._write(
            AzureOperation.PATCH_METADATA,
            pool_id,
            lambda pool: self.edit(pool.id, metadata=tuple(items)),
            body,
            etag,
            unquoted=unquoted,
        )

    async def disable_autoscale(self, pool_id: str) -> None:
        """Turn autoscale off."""
        await self._write(AzureOperation.DISABLE_AUTOSCALE, pool_id, self._disable_autoscale)

    async def enable_autoscale(
        self, pool_id: str, *, formula: str, interval: str | None, etag: str | None = None, unquoted: bool = False
    ) -> None:
        """Turn autoscale on, in a pool that does not resize."""
        body = {"autoScaleFormula": formula, "autoScaleEvaluationInterval": interval}
        await self._write(
            AzureOperation.ENABLE_AUTOSCALE,
            pool_id,
            lambda pool: self._enable_autoscale(pool, formula, interval or "PT15M"),
            body,
            etag,
            unquoted=unquoted,
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
        """Begin a resize of a steady pool without autoscale."""
        body = {
            "targetDedicatedNodes": targets.dedicated,
            "targetLowPriorityNodes": targets.low_priority,
            "resizeTimeout": resize_timeout,
            "nodeDeallocationOption": None if node_deallocation is None else node_deallocation.lower(),
        }
        await self._write(
            AzureOperation.RESIZE,
            pool_id,
            lambda pool: self._resize(pool, targets, resize_timeout),
            body,
            etag,
            unquoted=unquoted,
        )

    async def stop_resize(self, pool_id: str, *, etag: str | None = None, unquoted: bool = False) -> None:
        """Stop a resize, which leaves the ETag alone; what was removed or added until then is not told."""
        await self._write(AzureOperation.STOP_RESIZE, pool_id, self._stop_resize, None, etag, unquoted=unquoted)

    async def close(self) -> None:
        """Nothing is held."""
        self.closed = True

    async def _called(self, call: FakeCall, effect: Any = None) -> None:  # noqa: ANN401 a callable or nothing
        self.calls.append(call)
        await asyncio.sleep(0)
        failure = next((failure for failure in self._failures if failure.operation is call.operation), None)
        if failure is not None:
            self._failures.remove(failure)
        if effect is not None and (failure is None or failure.after_effect):
            effect()
        if failure is not None:
            raise failure.error

    async def _write(
        self,
        operation: AzureOperation,
        pool_id: str,
        effect: Callable[[ObservedPool], object],
        body: JsonObject | None = None,
        etag: str | None = None,
        *,
        unquoted: bool = False,
    ) -> None:
        def checked() -> None:
            effect(self._writable(pool_id, etag, unquoted=unquoted))

        call = FakeCall(operation=operation, pool_id=pool_id, body=body, etag=etag, unquoted=unquoted)
        await self._called(call, effect=checked)

    def _writable(self, pool_id: str, etag: str | None, *, unquoted: bool) -> ObservedPool:
        if etag is not None and (not etag or etag == "*"):
            raise PortError(ErrorKind.TERMINAL, "MissingETag", f"pool {pool_id} was read without an ETag")
        pool = self._found(pool_id)
        if pool.state is PoolState.DELETING:
            raise _refused(409, "PoolBeingDeleted", ErrorKind.WAITING)
        spelled_wrongly = self.refuse_bare if unquoted else self.refuse_quoted
        if etag is not None and (etag != pool.etag or spelled_wrongly):
            raise _refused(412, "ConditionNotMet", ErrorKind.RACE)
        return pool

    def _patch(self, pool: ObservedPool, body: dict[str, Any]) -> None:
        if not pool.is_empty:
            raise _refused(409, "OperationInvalidForCurrentState", ErrorKind.WAITING)
        self.edit_network(pool.id, body)

    def _disable_autoscale(self, pool: ObservedPool) -> None:
        self.edit(pool.id, scale=replace(pool.scale, autoscale=False, autoscale_formula=None, autoscale_interval=None))

    def _enable_autoscale(self, pool: ObservedPool, formula: str, interval: str) -> None:
        if pool.allocation_state is not AllocationState.STEADY:
            raise _refused(409, "PoolBeingResized", ErrorKind.WAITING)
        scale = replace(pool.scale, autoscale=True, autoscale_formula=formula, autoscale_interval=interval)
        self.edit(pool.id, scale=scale)

    def _resize(self, pool: ObservedPool, targets: NodeCounts, resize_timeout: str) -> None:
        if pool.scale.autoscale:
            raise _refused(409, "OperationInvalidForCurrentState", ErrorKind.WAITING)
        if pool.allocation_state is not AllocationState.STEADY:
            raise _refused(409, "PoolBeingResized", ErrorKind.WAITING)
        scale = replace(pool.scale, target=targets, resize_timeout=resize_timeout)
        self.edit(pool.id, scale=scale, allocation_state=AllocationState.RESIZING)

    def _stop_resize(self, pool: ObservedPool) -> None:
        if pool.allocation_state is not AllocationState.RESIZING:
            raise _refused(409, "OperationInvalidForCurrentState", ErrorKind.WAITING)
        scale = replace(pool.scale, target=pool.scale.current)
        self._store(replace(pool, scale=scale, allocation_state=AllocationState.STEADY))

    def _found(self, pool_id: str) -> ObservedPool:
        try:
            return self._pools[pool_id]
        except KeyError:
            raise _refused(404, "PoolNotFound", ErrorKind.WAITING) from None

    def _store(self, pool: ObservedPool) -> ObservedPool:
        self._pools[pool.id] = pool
        return pool

    def _next_etag(self) -> str:
        self._etags += 1
        return f"0x8DF{self._etags:012X}"


def _refused(status: int, code: str, kind: ErrorKind) -> PortError:
    return PortError(kind, code, f"the service answered {code}", status=status)


def _as_returned(raw: JsonObject) -> dict[str, Any]:
    """A written network configuration as the service gives it back: defaults added, empty lists left out."""
    returned: dict[str, Any] = _without_empty_lists(deepcopy(dict(raw)))
    returned.setdefault("dynamicVNetAssignmentScope", "none")
    returned.setdefault("enableAcceleratedNetworking", False)
    for nat_pool in returned.get("endpointConfiguration", {}).get("inboundNATPools", []):
        for rule in nat_pool.get("networkSecurityGroupRules", []):
            rule.setdefault("sourcePortRanges", ["*"])
    return returned


def _without_empty_lists(value: Any) -> Any:  # noqa: ANN401 any JSON
    if isinstance(value, dict):
        return {key: _without_empty_lists(member) for key, member in value.items() if member != []}
    return [_without_empty_lists(element) for element in value] if isinstance(value, list) else value
