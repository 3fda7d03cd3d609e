"""What every implementation of `ports.Pools` promises of writes that a drain needs: metadata, autoscale, resizes."""

from collections.abc import AsyncIterator

import pytest

from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import (
    AllocationState,
    MetadataItem,
    NodeCounts,
    ObservedPool,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation, PortError
from tests.contract.pools.worlds import World, emulated_world, fake_world, raw_pool

FORMULA = "$TargetDedicatedNodes = 0;"
JOURNAL = (MetadataItem(name="team", value="x"), MetadataItem(name="journal", value="y"))


@pytest.fixture(params=[emulated_world, fake_world], ids=["adapter", "fake"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param() as made:
        yield made


async def seeded(world: World, *, nodes: int = 0, autoscale: bool = False) -> ObservedPool:
    more = {"autoScaleFormula": FORMULA, "autoScaleEvaluationInterval": "PT10M"} if autoscale else {}
    world.seed(raw_pool("a", nodes=nodes, metadata=[{"name": "team", "value": "x"}], enableAutoScale=autoscale, **more))
    return await world.pools.get_pool("a")


async def shrink(world: World, *, to: int = 0, etag: str | None = None, unquoted: bool = False) -> None:
    await world.pools.resize(
        "a",
        NodeCounts(dedicated=to),
        resize_timeout="PT20M",
        node_deallocation=NodeDeallocation.TASK_COMPLETION,
        etag=etag,
        unquoted=unquoted,
    )


@pytest.mark.parametrize("nodes", [0, 2], ids=["empty", "with nodes"])
async def test_metadata_is_replaced_whole_at_any_size_and_nothing_else_changes(world: World, nodes: int) -> None:
    before = await seeded(world, nodes=nodes)
    await world.pools.patch_metadata("a", JOURNAL, etag=before.etag)
    after = await world.pools.get_pool("a")
    assert set(after.metadata) == set(JOURNAL)
    assert (after.network, after.scale) == (before.network, before.scale)
    assert after.etag != before.etag


async def test_metadata_goes_when_the_list_is_written_empty(world: World) -> None:
    before = await seeded(world)
    await world.pools.patch_metadata("a", (), etag=before.etag)
    assert (await world.pools.get_pool("a")).metadata == ()


async def test_metadata_over_somebody_elses_write_is_a_race(world: World) -> None:
    before = await seeded(world)
    world.edit_network("a", {"enableAcceleratedNetworking": True})
    with pytest.raises(PortError) as caught:
        await world.pools.patch_metadata("a", JOURNAL, etag=before.etag)
    assert (caught.value.kind, caught.value.status) == (ErrorKind.RACE, 412)


@pytest.mark.parametrize("etag", ["", "*"])
@pytest.mark.parametrize("unquoted", [False, True], ids=["quoted", "bare"])
async def test_an_unconditional_write_is_never_made_of_a_conditional_one(
    world: World, etag: str, *, unquoted: bool
) -> None:
    await seeded(world)
    for write in (
        world.pools.patch_metadata("a", JOURNAL, etag=etag, unquoted=unquoted),
        world.pools.patch_network("a", {}, etag=etag, unquoted=unquoted),
        world.pools.enable_autoscale("a", formula=FORMULA, interval=None, etag=etag, unquoted=unquoted),
        shrink(world, etag=etag, unquoted=unquoted),
    ):
        with pytest.raises(PortError) as caught:
            await write
        assert caught.value.code == "MissingETag"


@pytest.mark.parametrize("unquoted", [False, True], ids=["quoted", "bare"])
async def test_a_service_that_knows_one_spelling_of_etags_refuses_the_other(world: World, *, unquoted: bool) -> None:
    before = await seeded(world)
    world.understand_etags(unquoted=unquoted)
    with pytest.raises(PortError) as caught:
        await world.pools.patch_network("a", {}, etag=before.etag, unquoted=not unquoted)
    assert caught.value.status == 412
    await world.pools.patch_network("a", {}, etag=before.etag, unquoted=unquoted)
    assert (await world.pools.get_pool("a")).etag != before.etag


async def test_autoscale_is_turned_off_and_on_again_as_it_was(world: World) -> None:
    before = await seeded(world, autoscale=True)
    assert (before.scale.autoscale_formula, before.scale.autoscale_interval) == (FORMULA, "PT10M")
    await world.pools.disable_autoscale("a")
    off = await world.pools.get_pool("a")
    assert (off.scale.autoscale, off.scale.autoscale_formula, off.scale.autoscale_interval) == (False, None, None)
    assert off.etag != before.etag
    await world.pools.enable_autoscale("a", formula=FORMULA, interval="PT10M", etag=off.etag)
    after = await world.pools.get_pool("a")
    assert (after.scale.autoscale, after.scale.autoscale_formula, after.scale.autoscale_interval) == (
        True,
        FORMULA,
        "PT10M",
    )


async def test_a_resize_records_its_target_and_timeout_at_once_and_ends_steady(world: World) -> None:
    before = await seeded(world, nodes=2)
    await shrink(world, etag=before.etag)
    under_way = await world.pools.get_pool("a")
    assert under_way.allocation_state is AllocationState.RESIZING
    assert under_way.scale.target == NodeCounts()
    assert under_way.scale.resize_timeout == "PT20M"
    assert under_way.etag != before.etag
    world.let_resizes_end()
    assert (await world.pools.get_pool("a")).is_empty
    await shrink(world, to=3)
    world.let_resizes_end()
    after = await world.pools.get_pool("a")
    assert (after.scale.current.total, after.allocation_state) == (3, AllocationState.STEADY)


async def test_a_resize_of_a_pool_that_somebody_changed_is_a_race(world: World) -> None:
    before = await seeded(world, nodes=2)
    world.edit_network("a", {"enableAcceleratedNetworking": True})
    with pytest.raises(PortError) as caught:
        await shrink(world, etag=before.etag)
    assert (caught.value.kind, caught.value.status) == (ErrorKind.RACE, 412)
    assert (await world.pools.get_pool("a")).scale == before.scale


async def test_a_second_resize_has_to_wait_for_the_first(world: World) -> None:
    await seeded(world, nodes=2)
    await shrink(world)
    with pytest.raises(PortError) as caught:
        await shrink(world, to=5)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.WAITING, "PoolBeingResized")


async def test_a_pool_with_autoscale_is_not_resized(world: World) -> None:
    await seeded(world, autoscale=True)
    with pytest.raises(PortError) as caught:
        await shrink(world, to=5)
    assert (caught.value.kind, caught.value.status) == (ErrorKind.WAITING, 409)


async def test_a_stopped_resize_ends_steady_and_leaves_the_etag_alone(world: World) -> None:
    await seeded(world)
    await shrink(world, to=5)
    under_way = await world.pools.get_pool("a")
    await world.pools.stop_resize("a")
    world.let_resizes_end()
    after = await world.pools.get_pool("a")
    assert after.allocation_state is AllocationState.STEADY
    assert after.etag == under_way.etag


async def test_there_is_nothing_to_stop_in_a_steady_pool(world: World) -> None:
    await seeded(world)
    with pytest.raises(PortError) as caught:
        await world.pools.stop_resize("a")
    assert (caught.value.kind, caught.value.status) == (ErrorKind.WAITING, 409)


@pytest.mark.parametrize(
    "operation",
    [AzureOperation.PATCH_METADATA, AzureOperation.RESIZE, AzureOperation.DISABLE_AUTOSCALE],
)
async def test_a_write_that_timed_out_after_its_effect_is_in_doubt(world: World, operation: AzureOperation) -> None:
    before = await seeded(world, nodes=1)
    world.time_out_after_effect(operation)
    with pytest.raises(PortError) as caught:
        await write(world, operation, etag=before.etag)
    assert caught.value.outcome_unknown
    assert (await world.pools.get_pool("a")).etag != before.etag


async def write(world: World, operation: AzureOperation, *, etag: str) -> None:
    match operation:
        case AzureOperation.PATCH_METADATA:
            await world.pools.patch_metadata("a", JOURNAL, etag=etag)
        case AzureOperation.RESIZE:
            await shrink(world)
        case _:
            await world.pools.disable_autoscale("a")
