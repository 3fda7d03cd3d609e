"""The two accounts that the contract is held against: a real adapter on an emulated service, and the fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol

from batchaccess.azurebatch.connect import connect
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.declared import (
    AccountConnection,
    Auth,
    AuthType,
    RequestBudget,
    SecretRef,
)
from batchaccess.core.model import (
    AllocationState,
    JsonObject,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation, Pools, PortError
from batchemulator import DEV_ACCOUNT, Emulator, Fault, FaultKind, ManualClock, running
from batchemulator.assumptions import IfMatchForm
from batchemulator.state.allocation import add_node
from batchemulator.state.nodes import NodeKind, NodeState
from tests.support.build import NOW
from tests.support.clock import FakeClock
from tests.support.fake_pools import FakePools

RECENT = "2026-01-01T00:00:00Z"
LEGACY = "2024-06-01T00:00:00Z"

_READS = frozenset({AzureOperation.LIST_POOLS, AzureOperation.GET_POOL, AzureOperation.LIST_NODES})
_OPERATIONS = {
    AzureOperation.LIST_POOLS: "list_pools",
    AzureOperation.GET_POOL: "get_pool",
    AzureOperation.LIST_NODES: "list_nodes",
    AzureOperation.PATCH_NETWORK: "update_pool",
    AzureOperation.PATCH_METADATA: "update_pool",
    AzureOperation.DISABLE_AUTOSCALE: "disable_pool_auto_scale",
    AzureOperation.ENABLE_AUTOSCALE: "enable_pool_auto_scale",
    AzureOperation.RESIZE: "resize_pool",
    AzureOperation.STOP_RESIZE: "stop_pool_resize",
}


def raw_pool(pool_id: str, *, nodes: int = 0, created: str = RECENT, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A pool as the service would show it."""
    return {
        "id": pool_id,
        "eTag": "0x8DE000000000001",
        "creationTime": created,
        "lastModified": created,
        "state": "active",
        "allocationState": "steady",
        "allocationStateTransitionTime": created,
        "resizeTimeout": "PT15M",
        "currentDedicatedNodes": nodes,
        "targetDedicatedNodes": nodes,
        "currentLowPriorityNodes": 0,
        "targetLowPriorityNodes": 0,
        "enableAutoScale": False,
        **more,
    }


class World(Protocol):
    """An account and what happens to it behind the adapter's back."""

    pools: Pools

    def seed(self, *pools: JsonObject) -> None: ...

    def edit_network(self, pool_id: str, network: JsonObject) -> None: ...

    def fill(self, pool_id: str, nodes: int) -> None: ...

    def remove(self, pool_id: str) -> None: ...

    def let_resizes_end(self) -> None: ...

    def understand_etags(self, *, unquoted: bool) -> None: ...

    def throttle(self, operation: AzureOperation, *, retry_after: int) -> None: ...

    def time_out_after_effect(self, operation: AzureOperation) -> None: ...


class FakeWorld:
    """The fake, which has no service behind it."""

    def __init__(self) -> None:
        self.fake = FakePools()
        self.pools: Pools = self.fake

    def seed(self, *pools: JsonObject) -> None:
        for pool in pools:
            self.fake.put_raw(pool)

    def edit_network(self, pool_id: str, network: JsonObject) -> None:
        self.fake.edit_network(pool_id, network)

    def fill(self, pool_id: str, nodes: int) -> None:
        self.fake.fill(pool_id, nodes)

    def remove(self, pool_id: str) -> None:
        self.fake.remove(pool_id)

    def let_resizes_end(self) -> None:
        for pool in list(self.fake.pools()):
            if pool.allocation_state is not AllocationState.STEADY:
                self.fake.settle(pool.id)

    def understand_etags(self, *, unquoted: bool) -> None:
        self.fake.refuse_quoted, self.fake.refuse_bare = unquoted, not unquoted

    def throttle(self, operation: AzureOperation, *, retry_after: int) -> None:
        error = PortError(ErrorKind.TRANSIENT, "TooManyRequests", "busy", status=429, retry_after=retry_after)
        self.fake.fail_next(operation, error)

    def time_out_after_effect(self, operation: AzureOperation) -> None:
        unknown = operation not in _READS
        error = PortError(ErrorKind.TRANSIENT, "OperationTimedOut", "slow", status=500, outcome_unknown=unknown)
        self.fake.fail_next(operation, error, after_effect=True)


class EmulatedWorld:
    """The adapter on the emulator."""

    def __init__(self, emulator: Emulator, pools: Pools) -> None:
        self.emulator = emulator
        self.pools = pools

    def seed(self, *pools: JsonObject) -> None:
        self.emulator.seed(*(dict(pool) for pool in pools))

    def edit_network(self, pool_id: str, network: JsonObject) -> None:
        self.emulator.edit(pool_id, {"networkConfiguration": dict(network)})

    def fill(self, pool_id: str, nodes: int) -> None:
        pool, now = self.emulator.pool(pool_id), self.emulator.service.clock.now()
        for _ in range(nodes):
            add_node(self.emulator.state(), pool, NodeKind.DEDICATED, NodeState.IDLE, now)
        pool.targets = type(pool.targets)(nodes, 0)
        pool.invalidate()

    def remove(self, pool_id: str) -> None:
        self.emulator.state().pools.remove(pool_id)

    def let_resizes_end(self) -> None:
        self.emulator.advance(600)

    def understand_etags(self, *, unquoted: bool) -> None:
        form = IfMatchForm.BARE if unquoted else IfMatchForm.QUOTED
        self.emulator.assume(replace(self.emulator.service.assumptions, if_match_form=form))

    def throttle(self, operation: AzureOperation, *, retry_after: int) -> None:
        fault = Fault(kind=FaultKind.THROTTLED, operation=_OPERATIONS[operation], retry_after=retry_after)
        self.emulator.fail(fault)

    def time_out_after_effect(self, operation: AzureOperation) -> None:
        self.emulator.fail(Fault(kind=FaultKind.TIMED_OUT_AFTER, operation=_OPERATIONS[operation]))


class DevAccountKey:
    """Implements SecretReader with the emulator's documented key."""

    async def read(self, name: str, key: str) -> str:
        assert (name, key) == ("dev", "value")
        return f"{DEV_ACCOUNT.name}:{DEV_ACCOUNT.key}"


def dev_connection(endpoint: str) -> AccountConnection:
    return AccountConnection(
        name="dev",
        uid="1",
        generation=1,
        created=NOW,
        endpoint=endpoint,
        auth=Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name="dev", key="value")),
        request_budget=RequestBudget(per_second=1000, burst=1000),
    )


@asynccontextmanager
async def emulated_world() -> AsyncIterator[EmulatedWorld]:
    async with running(clock=ManualClock(NOW)) as emulator:
        pools = await connect(
            dev_connection(emulator.url()),
            secrets=DevAccountKey(),
            settings=AdapterSettings(allow_endpoint_suffixes=("127.0.0.1",)),
            clock=FakeClock(),
        )
        try:
            yield EmulatedWorld(emulator, pools)
        finally:
            await pools.close()


@asynccontextmanager
async def fake_world() -> AsyncIterator[FakeWorld]:
    yield FakeWorld()
