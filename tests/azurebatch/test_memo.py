"""What one listing lends to the next, and its pools to each other."""

import gc
from copy import deepcopy

import pytest

from batchaccess.azurebatch.memo import MemoBuilder, PoolMemo
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.core.model import (
    JsonObject,
    ObservedPool,
)
from batchaccess.ports import PortError
from tests.azurebatch.accounts import connected
from tests.azurebatch.scripted_service import raw, serving
from tests.contract.pools.worlds import raw_pool

NETWORK = {"subnetId": "/subscriptions/s/subnets/b", "enableAcceleratedNetworking": True}


def listed(*pools: JsonObject, before: PoolMemo | None = None) -> PoolMemo:
    builder = MemoBuilder(before or PoolMemo())
    for pool in pools:
        builder.add(pool)
    return builder.finish()


def by_id(memo: PoolMemo) -> dict[str, ObservedPool]:
    return {pool.id: pool for pool in memo}


def test_equal_content_is_the_same_object_though_parsed_anew() -> None:
    pool = raw_pool("a", networkConfiguration=NETWORK)
    first = listed(pool)
    second = listed(deepcopy(pool), before=first)
    assert by_id(second)["a"] is by_id(first)["a"]
    assert second.recall(deepcopy(pool)) is by_id(first)["a"]


@pytest.mark.parametrize(
    "change",
    [
        {"currentDedicatedNodes": 1},
        {"eTag": "0x2"},
        {"networkConfiguration": {**NETWORK, "futureKey": 1}},
        {"metadata": [{"name": "a", "value": "b"}]},
    ],
)
def test_any_change_of_content_is_another_object(change: JsonObject) -> None:
    pool = raw_pool("a", networkConfiguration=NETWORK)
    first = listed(pool)
    changed = {**pool, **change}
    assert first.recall(changed) is None
    assert by_id(listed(changed, before=first))["a"] is not by_id(first)["a"]


def test_pools_with_the_same_network_share_it() -> None:
    pools = by_id(
        listed(
            raw_pool("a", networkConfiguration=deepcopy(NETWORK)),
            raw_pool("b", networkConfiguration=deepcopy(NETWORK)),
            raw_pool("c", networkConfiguration={**NETWORK, "futureKey": 1}),
            raw_pool("d"),
        )
    )
    assert pools["b"].network is pools["a"].network
    assert pools["b"].raw_network is pools["a"].raw_network
    assert pools["c"].network == pools["a"].network
    assert pools["c"].raw_network == {**NETWORK, "futureKey": 1}
    assert pools["d"].raw_network is None


def test_a_pool_that_left_is_forgotten() -> None:
    first = listed(raw_pool("a"), raw_pool("b"))
    second = listed(raw_pool("b"), before=first)
    assert second.recall(raw_pool("a")) is None


def test_an_unreadable_network_is_refused_however_often_it_comes() -> None:
    builder = MemoBuilder(PoolMemo())
    for pool_id in ("a", "b"):
        with pytest.raises(Unreadable, match="subnetId"):
            builder.add(raw_pool(pool_id, networkConfiguration={"subnetId": 7}))


async def test_garbage_is_collected_again_after_an_answer_that_cannot_be_parsed() -> None:
    assert gc.isenabled()
    async with serving(raw("<html>")) as service, connected(service.url) as pools:
        with pytest.raises(PortError, match="not JSON"):
            await pools.list_pools()
    assert gc.isenabled()
