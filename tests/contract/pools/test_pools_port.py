"""What every implementation of `ports.Pools` promises, shown on the adapter over the emulator and on the fake."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from batchaccess.azurebatch.convert import observed_network
from batchaccess.azurebatch.observed import Call, observe_calls
from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import (
    Network,
    NodeCounts,
    NodeFindings,
    ObservedPool,
    PoolState,
    Provisioning,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation, PortError
from tests.contract.pools.worlds import LEGACY, World, emulated_world, fake_world, raw_pool

DENY_ALL = {"priority": 162, "access": "deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}
CLOSED_SSH: dict[str, Any] = {
    "endpointConfiguration": {
        "inboundNATPools": [
            {
                "name": "ssh",
                "protocol": "tcp",
                "backendPort": 22,
                "frontendPortRangeStart": 4000,
                "frontendPortRangeEnd": 4100,
                "networkSecurityGroupRules": [DENY_ALL],
            }
        ]
    }
}
NETWORKS = [
    pytest.param({}, id="nothing but defaults"),
    pytest.param({"endpointConfiguration": {"inboundNATPools": []}}, id="an empty list of NAT pools"),
    pytest.param(CLOSED_SSH, id="a closed endpoint"),
    pytest.param({"enableAcceleratedNetworking": True}, id="acceleration"),
    pytest.param(
        {"publicIPAddressConfiguration": {"provision": "batchmanaged", "ipFamilies": ["IPv4", "IPv6"]}},
        id="two address families",
    ),
]


@pytest.fixture(params=[emulated_world, fake_world], ids=["adapter", "fake"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param() as made:
        yield made


async def listed(world: World) -> dict[str, ObservedPool]:
    return {pool.id: pool for pool in (await world.pools.list_pools()).pools}


async def test_a_listing_holds_every_pool_those_being_deleted_included(world: World) -> None:
    world.seed(raw_pool("a"), raw_pool("b", state="deleting"))
    found = await listed(world)
    assert {pool_id: pool.state for pool_id, pool in found.items()} == {
        "a": PoolState.ACTIVE,
        "b": PoolState.DELETING,
    }


async def test_an_empty_account_is_an_empty_listing(world: World) -> None:
    assert await listed(world) == {}


async def test_an_account_of_more_pools_than_one_page_is_listed_whole(world: World) -> None:
    world.seed(*(raw_pool(f"pool-{number:04}") for number in range(2001)))
    assert sorted(await listed(world)) == [f"pool-{number:04}" for number in range(2001)]


async def test_a_pool_is_listed_and_read_alike(world: World) -> None:
    world.seed(raw_pool("a", nodes=2, networkConfiguration=CLOSED_SSH, metadata=[{"name": "team", "value": "x"}]))
    found = await listed(world)
    assert await world.pools.get_pool("a") == found["a"]
    assert found["a"].scale.current.total == 2
    assert found["a"].network == observed_network(CLOSED_SSH)
    assert [(item.name, item.value) for item in found["a"].metadata] == [("team", "x")]


async def test_an_unchanged_pool_is_listed_as_the_same_object(world: World) -> None:
    world.seed(raw_pool("a", networkConfiguration=CLOSED_SSH), raw_pool("b"))
    first = await listed(world)
    world.edit_network("b", CLOSED_SSH)
    second = await listed(world)
    assert second["a"] is first["a"]
    assert second["b"] is not first["b"]
    assert second["b"].etag != first["b"].etag


async def test_a_pool_that_is_gone_is_no_longer_listed(world: World) -> None:
    world.seed(raw_pool("a"), raw_pool("b"))
    await listed(world)
    world.remove("a")
    assert set(await listed(world)) == {"b"}


async def test_nodes_that_come_change_the_counts_and_not_the_etag(world: World) -> None:
    world.seed(raw_pool("a"))
    before = await world.pools.get_pool("a")
    world.fill("a", 3)
    after = await world.pools.get_pool("a")
    assert (before.is_empty, after.is_empty) == (True, False)
    assert after.etag == before.etag
    assert after.scale.current.total == 3


@pytest.mark.parametrize("network", NETWORKS)
async def test_a_patched_network_is_read_back_with_a_new_etag(world: World, network: dict[str, Any]) -> None:
    world.seed(raw_pool("a", networkConfiguration={"enableAcceleratedNetworking": True}))
    before = await world.pools.get_pool("a")
    await world.pools.patch_network("a", network, etag=before.etag)
    after = await world.pools.get_pool("a")
    assert after.network == observed_network(network)
    assert after.etag != before.etag


async def test_a_patch_leaves_everything_but_the_network_alone(world: World) -> None:
    world.seed(raw_pool("a", metadata=[{"name": "team", "value": "x"}], resizeTimeout="PT20M"))
    before = await world.pools.get_pool("a")
    await world.pools.patch_network("a", CLOSED_SSH, etag=before.etag)
    after = await world.pools.get_pool("a")
    assert after.metadata == before.metadata
    assert after.scale == before.scale
    assert after.creation_time == before.creation_time


async def test_the_network_read_can_be_written_again(world: World) -> None:
    world.seed(raw_pool("a", networkConfiguration=CLOSED_SSH))
    before = await world.pools.get_pool("a")
    assert before.raw_network is not None
    await world.pools.patch_network("a", before.raw_network, etag=before.etag)
    assert (await world.pools.get_pool("a")).network == before.network


async def refused(world: World, pool_id: str, etag: str) -> PortError:
    """The error of a PATCH, which has had no effect on what is listed."""
    before = {found.id: found.network for found in (await listed(world)).values()}
    with pytest.raises(PortError) as caught:
        await world.pools.patch_network(pool_id, CLOSED_SSH, etag=etag)
    assert {found.id: found.network for found in (await listed(world)).values()} == before
    return caught.value


async def test_a_patch_over_somebody_elses_write_is_a_race(world: World) -> None:
    world.seed(raw_pool("a"))
    before = await world.pools.get_pool("a")
    world.edit_network("a", {"enableAcceleratedNetworking": True})
    error = await refused(world, "a", before.etag)
    assert (error.kind, error.code, error.status) == (ErrorKind.RACE, "ConditionNotMet", 412)
    assert not error.outcome_unknown


async def test_a_patch_of_a_pool_with_nodes_has_to_wait(world: World) -> None:
    world.seed(raw_pool("a"))
    before = await world.pools.get_pool("a")
    world.fill("a", 1)
    error = await refused(world, "a", before.etag)
    assert (error.kind, error.status) == (ErrorKind.WAITING, 409)


async def test_a_patch_of_a_pool_being_deleted_has_to_wait(world: World) -> None:
    world.seed(raw_pool("a", state="deleting"))
    before = await world.pools.get_pool("a")
    error = await refused(world, "a", before.etag)
    assert (error.kind, error.code) == (ErrorKind.WAITING, "PoolBeingDeleted")


@pytest.mark.parametrize("etag", ["", "*"])
async def test_an_unconditional_patch_is_never_made(world: World, etag: str) -> None:
    world.seed(raw_pool("a"))
    error = await refused(world, "a", etag)
    assert (error.kind, error.code) == (ErrorKind.TERMINAL, "MissingETag")


async def ask(world: World, operation: AzureOperation, pool: ObservedPool) -> None:
    match operation:
        case AzureOperation.LIST_POOLS:
            await world.pools.list_pools()
        case AzureOperation.GET_POOL:
            await world.pools.get_pool(pool.id)
        case AzureOperation.LIST_NODES:
            await world.pools.list_node_endpoints(pool)
        case AzureOperation.PATCH_NETWORK:
            await world.pools.patch_network(pool.id, {}, etag=pool.etag)
        case AzureOperation.PATCH_METADATA:
            await world.pools.patch_metadata(pool.id, (), etag=pool.etag)
        case AzureOperation.DISABLE_AUTOSCALE:
            await world.pools.disable_autoscale(pool.id)
        case AzureOperation.ENABLE_AUTOSCALE:
            await world.pools.enable_autoscale(pool.id, formula="$TargetDedicatedNodes = 0;", interval=None)
        case AzureOperation.RESIZE:
            await world.pools.resize(
                pool.id, NodeCounts(), resize_timeout="PT5M", node_deallocation=NodeDeallocation.REQUEUE
            )
        case AzureOperation.STOP_RESIZE:
            await world.pools.stop_resize(pool.id)


@pytest.mark.parametrize("operation", [each for each in AzureOperation if each is not AzureOperation.LIST_POOLS])
async def test_a_pool_that_does_not_exist_is_told_as_such(world: World, operation: AzureOperation) -> None:
    world.seed(raw_pool("a"))
    pool = await world.pools.get_pool("a")
    world.remove("a")
    with pytest.raises(PortError) as caught:
        await ask(world, operation, pool)
    assert (caught.value.kind, caught.value.code, caught.value.status) == (ErrorKind.WAITING, "PoolNotFound", 404)


async def test_nodes_of_a_legacy_pool_show_the_mapping_of_the_service(world: World) -> None:
    world.seed(raw_pool("a", nodes=2, created=LEGACY), raw_pool("b", nodes=2))
    found = await listed(world)
    legacy = await world.pools.list_node_endpoints(found["a"])
    assert legacy == NodeFindings(nodes=2, implicit_ports=frozenset({22}))
    assert await world.pools.list_node_endpoints(found["b"]) == NodeFindings(nodes=2)


async def test_a_pool_without_nodes_gives_no_finding(world: World) -> None:
    world.seed(raw_pool("a", created=LEGACY))
    assert await world.pools.list_node_endpoints(await world.pools.get_pool("a")) == NodeFindings(nodes=0)


@pytest.mark.parametrize("operation", list(AzureOperation))
async def test_throttling_reaches_the_caller_with_its_retry_after(world: World, operation: AzureOperation) -> None:
    world.seed(raw_pool("a"))
    pool = await world.pools.get_pool("a")
    world.throttle(operation, retry_after=120)
    with pytest.raises(PortError) as caught:
        await ask(world, operation, pool)
    assert (caught.value.kind, caught.value.code, caught.value.status) == (
        ErrorKind.TRANSIENT,
        "TooManyRequests",
        429,
    )
    assert caught.value.retry_after == 120
    assert not caught.value.outcome_unknown


async def test_a_write_that_timed_out_is_in_doubt_and_a_reading_settles_it(world: World) -> None:
    world.seed(raw_pool("a"))
    before = await world.pools.get_pool("a")
    world.time_out_after_effect(AzureOperation.PATCH_NETWORK)
    with pytest.raises(PortError) as caught:
        await world.pools.patch_network("a", CLOSED_SSH, etag=before.etag)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "OperationTimedOut")
    assert caught.value.outcome_unknown
    assert (await world.pools.get_pool("a")).network == observed_network(CLOSED_SSH)


async def test_every_call_is_told_to_an_observer_with_how_it_ended(world: World) -> None:
    told: list[Call] = []
    world.seed(raw_pool("a"))
    pools = observe_calls(world.pools, told.append)
    pool = (await pools.list_pools()).pools[0]
    await pools.patch_network("a", {}, etag=pool.etag)
    await pools.list_node_endpoints(pool)
    with pytest.raises(PortError):
        await pools.get_pool("missing")
    assert [(call.operation, call.code, call.kind, call.status) for call in told] == [
        (AzureOperation.LIST_POOLS, "OK", None, None),
        (AzureOperation.PATCH_NETWORK, "OK", None, None),
        (AzureOperation.LIST_NODES, "OK", None, None),
        (AzureOperation.GET_POOL, "PoolNotFound", ErrorKind.WAITING, 404),
    ]
    assert all(call.seconds >= 0 for call in told)


async def test_closing_twice_is_no_error(world: World) -> None:
    await world.pools.list_pools()
    await world.pools.close()
    await world.pools.close()


def test_a_default_network_is_what_the_service_means_by_silence() -> None:
    assert observed_network({}) == Network(provisioning=Provisioning.BATCH_MANAGED)
