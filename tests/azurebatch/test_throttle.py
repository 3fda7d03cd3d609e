"""The request budget, on a clock that only moves when somebody sleeps."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.azurebatch.throttle import Throttle
from batchaccess.core.declared import RequestBudget
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError


class SleepingClock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def throttle(clock: SleepingClock, *, per_second: float = 10, burst: int = 2) -> Throttle:
    return Throttle(
        RequestBudget(per_second=per_second, burst=burst),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )


async def test_a_burst_passes_at_once_and_the_rest_at_the_sustained_rate() -> None:
    clock = SleepingClock()
    budget = throttle(clock, per_second=10, burst=2)
    times = []
    for _ in range(5):
        await budget.acquire()
        times.append(round(clock.now - 1000, 6))
    assert times == [0, 0, 0.1, 0.2, 0.3]


async def test_a_rest_fills_the_bucket_to_its_burst_and_no_further() -> None:
    clock = SleepingClock()
    budget = throttle(clock, per_second=10, burst=2)
    await budget.acquire()
    assert budget.level == pytest.approx(1)
    clock.now += 1000
    assert budget.level == 2


async def test_no_request_passes_before_the_retry_after_is_over() -> None:
    clock = SleepingClock()
    budget = throttle(clock)
    budget.pause(7)
    assert budget.level == 0
    assert budget.paused_for == 7
    await budget.acquire()
    assert clock.now == 1007
    assert budget.paused_for == 0


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    clock = SleepingClock()
    budget = throttle(clock)
    budget.pause(7)
    budget.pause(1)
    await budget.acquire()
    assert clock.now == 1007


async def test_a_pause_that_begins_while_a_caller_waits_holds_that_caller_too() -> None:
    clock = SleepingClock()
    budget = throttle(clock, per_second=1, burst=1)
    await budget.acquire()

    async def pause_soon() -> None:
        budget.pause(5)

    await asyncio.gather(budget.acquire(), pause_soon())
    assert clock.now == 1001 + 5


async def test_a_pause_longer_than_callers_wait_is_reported_at_once() -> None:
    clock = SleepingClock()
    budget = throttle(clock)
    budget.pause(600)
    with pytest.raises(PortError) as caught:
        await budget.acquire()
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "Throttled")
    assert caught.value.retry_after == 600
    assert clock.slept == []


async def test_a_cancelled_caller_takes_nothing_from_the_budget() -> None:
    loop_time = asyncio.get_running_loop().time
    budget = Throttle(RequestBudget(per_second=0.001, burst=1), monotonic=loop_time)
    await budget.acquire()
    waiting = asyncio.create_task(budget.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert 0 <= budget.level < 0.1


async def test_callers_are_served_in_the_order_they_came() -> None:
    clock = SleepingClock()
    budget = throttle(clock, per_second=10, burst=1)
    served: list[int] = []

    async def caller(number: int) -> None:
        await budget.acquire()
        served.append(number)

    await asyncio.gather(*(caller(number) for number in range(6)))
    assert served == list(range(6))


@given(
    per_second=st.floats(0.1, 1000),
    burst=st.integers(1, 50),
    rests=st.lists(st.floats(0, 10), min_size=1, max_size=40),
)
def test_no_window_of_time_sees_more_than_burst_plus_rate(per_second: float, burst: int, rests: list[float]) -> None:
    clock = SleepingClock()
    budget = throttle(clock, per_second=per_second, burst=burst)
    times: list[float] = []

    async def run() -> None:
        for rest in rests:
            clock.now += rest
            await budget.acquire()
            times.append(clock.now)

    asyncio.run(run())
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            allowed = burst + (times[last] - start) * per_second
            assert last - first + 1 <= allowed + 1e-3


async def test_however_long_a_silence_is_asked_for_the_account_is_asked_again_within_the_hour() -> None:
    clock = SleepingClock()
    budget = throttle(clock)
    budget.pause(1e20)
    assert budget.paused_for == 3600
    clock.now += 3600
    await budget.acquire()
