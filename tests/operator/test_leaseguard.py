"""Writes to an account: refused without the Lease, cut off before it ends."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from batchaccess.control.leadership import NOT_LEADING
from batchaccess.control.leaseguard import LEASE_RAN_OUT, GuardedPools, guard_writes
from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import NodeCounts
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError
from tests.support.fake_pools import FakePools

WRITES: dict[str, Callable[[GuardedPools], Any]] = {
    "patch_network": lambda pools: pools.patch_network("p", {}, etag="e"),
    "patch_metadata": lambda pools: pools.patch_metadata("p", [], etag="e"),
    "disable_autoscale": lambda pools: pools.disable_autoscale("p"),
    "enable_autoscale": lambda pools: pools.enable_autoscale("p", formula="f", interval=None),
    "resize": lambda pools: pools.resize(
        "p",
        NodeCounts(dedicated=0, low_priority=0),
        resize_timeout="PT5M",
        node_deallocation=NodeDeallocation.REQUEUE,
    ),
    "stop_resize": lambda pools: pools.stop_resize("p"),
}


class HangingPools(FakePools):
    """Never answers a write."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 any method
        if name not in WRITES:
            return super().__getattribute__(name)

        async def hang(*_: object, **__: object) -> None:
            self.begun.append(name)
            await asyncio.Event().wait()

        return hang


def refuse() -> float:
    raise PortError(ErrorKind.TRANSIENT, NOT_LEADING, "no")


@pytest.mark.parametrize("operation", WRITES)
async def test_a_write_without_the_lease_is_never_begun(operation: str) -> None:
    pools = HangingPools()
    with pytest.raises(PortError) as caught:
        await WRITES[operation](GuardedPools(pools, refuse))
    assert (caught.value.code, caught.value.outcome_unknown) == (NOT_LEADING, False)
    assert pools.begun == []


@pytest.mark.parametrize("operation", WRITES)
async def test_a_write_is_cut_off_before_the_lease_ends_and_its_outcome_is_unknown(operation: str) -> None:
    pools = HangingPools()
    with pytest.raises(PortError) as caught:
        await WRITES[operation](GuardedPools(pools, lambda: 0.01))
    assert (caught.value.code, caught.value.outcome_unknown) == (LEASE_RAN_OUT, True)
    assert pools.begun == [operation]


async def test_reading_needs_no_lease() -> None:
    pools = FakePools()
    assert (await GuardedPools(pools, refuse).list_pools()).pools == (await pools.list_pools()).pools
    assert guard_writes(pools, None) is pools
