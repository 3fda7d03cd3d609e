"""A Batch account in memory, for tests of what stands on `ports.Pools`; the contract suite holds it to the real one."""

import asyncio
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from batchaccess.azurebatch.convert import observed_network, observed_pool
from batchaccess.azurebatch.observed import Operation
from batchaccess.core.model import JsonObject, NodeCounts, NodeFindings, ObservedPool, PoolState
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Listing, PortError, UnreadablePool


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCall:
    """One call as it arrived; `body` and `etag` are those of a PATCH."""

    operation: Operation
    pool_id: str | None = None
    body: JsonObject | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    operation: Operation
    error: PortError
    after_effect: bool


class FakePools:
    """Implements `batchaccess.ports.Pools`. An ETag moves with every write and every `edit`, never with nodes."""

    def __init__(self, *pools: ObservedPool) -> None:
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

    def find_on_nodes(self, pool_id: str, findings: NodeFindings) -> None:
        """What listing the nodes of the pool will show; else legacy pools show port 22 on every node."""
        self._findings[pool_id] = findings

    def fail_next(self, operation: Operation, error: PortError, *, times: int = 1, after_effect: bool = False) -> None:
        """The next calls of `operation` raise `error`; with `after_effect` what they ask for happens all the same."""
        failure = _Failure(operation=operation, error=error, after_effect=after_effect)
        self._failures.extend([failure] * times)

    def pool(self, pool_id: str) -> ObservedPool:
        """The pool as it is, without a call."""
        return self._pools[pool_id]

    def calls_of(self, operation: Operation) -> list[FakeCall]:
        """The calls of one operation."""
        return [call for call in self.calls if call.operation is operation]

    # The port.

    async def list_pools(self) -> Listing:
        """All pools."""
        await self._called(FakeCall(operation=Operation.LIST_POOLS))
        return Listing(pools=tuple(self._pools.values()), unreadable=tuple(self.unreadable))

    async def get_pool(self, pool_id: str) -> ObservedPool:
        """One pool."""
        await self._called(FakeCall(operation=Operation.GET_POOL, pool_id=pool_id))
        return self._found(pool_id)

    async def list_node_endpoints(self, pool: ObservedPool) -> NodeFindings:
        """What the nodes expose."""
        await self._called(FakeCall(operation=Operation.LIST_NODE_ENDPOINTS, pool_id=pool.id))
        found = self._found(pool.id)
        nodes = found.scale.current.total
        implicit = frozenset({22}) if found.is_legacy and nodes else frozenset[int]()
        return self._findings.get(pool.id, NodeFindings(nodes=nodes, implicit_ports=implicit))

    async def patch_network(self, pool_id: str, network_configuration: JsonObject, *, etag: str) -> None:
        """Replace the network configuration of an empty pool that still has `etag`."""
        body = deepcopy(dict(network_configuration))
        call = FakeCall(operation=Operation.PATCH_NETWORK, pool_id=pool_id, body=body, etag=etag)
        await self._called(call, effect=lambda: self._patch(pool_id, body, etag))

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

    def _patch(self, pool_id: str, body: dict[str, Any], etag: str) -> None:
        if not etag or etag == "*":
            raise PortError(ErrorKind.TERMINAL, "MissingETag", f"pool {pool_id} was read without an ETag")
        pool = self._found(pool_id)
        if pool.state is PoolState.DELETING:
            raise _refused(409, "PoolBeingDeleted", ErrorKind.WAITING)
        if etag != pool.etag:
            raise _refused(412, "ConditionNotMet", ErrorKind.RACE)
        if not pool.is_empty:
            raise _refused(409, "OperationInvalidForCurrentState", ErrorKind.WAITING)
        self.edit_network(pool_id, body)

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
