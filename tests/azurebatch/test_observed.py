"""What an observer is told of calls that do not end well."""

import asyncio

import pytest

from batchaccess.azurebatch.observed import Call, observe_calls
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import AzureOperation, PortError
from tests.support.fake_pools import FakePools


async def test_a_cancelled_call_is_told_as_cancelled() -> None:
    told: list[Call] = []
    pools = observe_calls(FakePools(), told.append)
    call = asyncio.create_task(pools.list_pools())
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [(call.operation, call.code) for call in told] == [(AzureOperation.LIST_POOLS, "Cancelled")]


async def test_an_error_is_told_and_raised_unchanged() -> None:
    told: list[Call] = []
    fake = FakePools(ObservedPool(id="a", etag="0x1"))
    error = PortError(ErrorKind.TRANSIENT, "TooManyRequests", "busy", status=429)
    fake.fail_next(AzureOperation.LIST_POOLS, error)
    pools = observe_calls(fake, told.append)
    with pytest.raises(PortError) as caught:
        await pools.list_pools()
    assert caught.value is error
    assert [pool.id for pool in (await pools.list_pools()).pools] == ["a"]
    assert [(call.code, call.kind, call.status) for call in told] == [
        ("TooManyRequests", ErrorKind.TRANSIENT, 429),
        ("OK", None, None),
    ]


async def test_the_wait_an_answer_asked_for_is_told_and_one_of_our_own_is_not() -> None:
    told: list[Call] = []
    fake = FakePools()
    pools = observe_calls(fake, told.append)
    for status in (429, None):
        fake.fail_next(
            AzureOperation.LIST_POOLS,
            PortError(ErrorKind.TRANSIENT, "TooManyRequests", "busy", status=status, retry_after=7),
        )
        with pytest.raises(PortError):
            await pools.list_pools()
    assert [call.retry_after for call in told] == [7, None]


async def test_closing_reaches_the_pools_behind() -> None:
    fake = FakePools()
    await observe_calls(fake, lambda _: None).close()
    assert fake.closed
