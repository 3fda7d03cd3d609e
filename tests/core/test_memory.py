from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.memory import (
    NOTHING_REMEMBERED,
    PoolMemory,
    after_error,
    after_observation,
    after_request,
    after_success,
    after_unexpected_result,
    back_off,
    network_digest,
)
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import CompliantReason, DriftClass, ErrorKind
from batchaccess.core.status import Difference
from tests.support.build import NOW, endpoint, policy, pool

POLICY = policy()
POOL = pool("p", endpoint("SSH"), etag="0x1")
OURS = pool("p", endpoint("SSH", "deny *"), etag="0x2")
THEIRS = pool("p", endpoint("SSH", "allow *"), etag="0x3")
HOUR = timedelta(hours=1)


def failed(
    memory: PoolMemory = NOTHING_REMEMBERED,
    kind: ErrorKind = ErrorKind.TRANSIENT,
    *,
    of: ObservedPool = POOL,
    jitter: float = 0.0,
    retry_after: float | None = None,
) -> PoolMemory:
    return after_error(
        memory,
        kind=kind,
        code="SomeCode",
        message="what it said",
        policy=POLICY,
        pool=of,
        now=NOW,
        jitter=jitter,
        retry_after=retry_after,
    )


@pytest.mark.parametrize("kind", [ErrorKind.INVALID, ErrorKind.TERMINAL])
def test_a_rejection_latches_for_good(kind: ErrorKind) -> None:
    latch = failed(kind=kind).latch
    assert latch is not None
    assert (latch.reason, latch.code, latch.retry_at) == (CompliantReason.REJECTED, "SomeCode", None)
    assert latch.message == (
        "The service rejected the network: what it said. Nothing further is tried until the policy or the pool's "
        "network changes, or batchaccess.dev/requested-at is set."
    )
    assert latch.holds(POLICY, POOL, NOW + 1000 * HOUR)


def test_a_denial_latches_for_an_hour_and_a_bit() -> None:
    latch = failed(kind=ErrorKind.DENIED, jitter=0.5).latch
    assert latch is not None
    assert (latch.reason, latch.retry_at) == (CompliantReason.ACCESS_DENIED, NOW + 1.25 * HOUR)
    assert latch.message == "The service denied the change: what it said"


def test_a_first_race_is_left_for_a_moment() -> None:
    memory = failed(kind=ErrorKind.RACE)
    assert (memory.latch, memory.races, memory.raced_etag) == (None, 1, "0x1")
    assert memory.back_off_until == NOW + timedelta(seconds=15)
    assert "Somebody else wrote" in memory.back_off_message


def test_races_with_other_writers_never_latch() -> None:
    memory = failed(kind=ErrorKind.RACE)
    for etag in ("0x2", "0x3", "0x4"):
        memory = failed(memory, ErrorKind.RACE, of=pool("p", etag=etag))
    assert (memory.latch, memory.races) == (None, 1)


def test_the_same_etag_refused_twice_running_means_that_it_is_not_understood() -> None:
    latch = failed(failed(kind=ErrorKind.RACE), ErrorKind.RACE).latch
    assert latch is not None
    assert latch.reason is CompliantReason.PRECONDITION_UNSUPPORTED
    assert "unconditional write is never made" in latch.message


def test_waiting_is_no_failure() -> None:
    memory = failed(PoolMemory(failures=3), ErrorKind.WAITING)
    assert (memory.failures, memory.back_off_until) == (3, NOW + timedelta(seconds=15))
    assert memory.back_off_message == "The service is not ready: what it said"


def test_failures_in_a_row_wait_longer_and_longer() -> None:
    memory, waits = NOTHING_REMEMBERED, []
    for _ in range(10):
        memory = failed(memory, jitter=0.999999)
        assert memory.back_off_until is not None
        waits.append(round((memory.back_off_until - NOW).total_seconds()))
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert memory.back_off_message == "The service failed: what it said"


BACK_OFF = {
    "the service asks for longer": (1, 0.0, 100.0, 100),
    "the service asks for less": (1, 0.0, 1.0, 15),
    "the service asks for a day": (1, 0.0, 86400.0, 3600),
    "the service asks for longer than time can be told": (1, 0.0, 1e20, 3600),
    "the service asks for ever": (1, 0.0, float("inf"), 3600),
    "nothing has failed": (0, 0.0, None, 15),
    "jitter spreads upwards": (2, 0.5, None, 45),
    "very many failures": (10_000, 0.0, None, 1800),
}


@pytest.mark.parametrize(("failures", "jitter", "retry_after", "seconds"), BACK_OFF.values(), ids=BACK_OFF.keys())
def test_back_off_when(failures: int, jitter: float, retry_after: float | None, seconds: int) -> None:
    assert back_off(failures, jitter=jitter, retry_after=retry_after) == timedelta(seconds=seconds)


@given(st.integers(0, 100), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e6))
def test_back_off_is_bounded_and_never_shorter_than_asked(
    failures: int, jitter: float, retry_after: float | None
) -> None:
    delay = back_off(failures, jitter=jitter, retry_after=retry_after)
    assert timedelta(seconds=15) <= delay <= HOUR
    if retry_after is not None and retry_after <= 3600:
        assert delay >= timedelta(seconds=retry_after)


def test_success_forgets_trouble_and_remembers_the_write() -> None:
    memory = after_success(
        PoolMemory(
            failures=2, back_off_until=NOW, races=1, overwrites=(NOW,), latch=failed(kind=ErrorKind.INVALID).latch
        ),
        pool=OURS,
        now=NOW,
    )
    assert (memory.failures, memory.back_off_until, memory.races, memory.latch) == (0, None, 0, None)
    assert memory.overwrites == (NOW,)
    assert memory.last_write is not None
    assert (memory.last_write.etag, memory.last_write.network_digest) == ("0x2", network_digest(OURS))


def test_an_unexpected_result_latches_on_what_was_found_afterwards() -> None:
    difference = Difference(field="subnetId", kind=DriftClass.CONFIGURATION, observed="a", desired="b")
    memory = after_unexpected_result(
        PoolMemory(back_off_until=NOW, back_off_message="x"), policy=POLICY, pool=OURS, differences=[difference]
    )
    assert memory.latch is not None
    assert memory.latch.reason is CompliantReason.UNEXPECTED_RESULT
    assert "subnetId" in memory.latch.message
    assert memory.latch.holds(POLICY, OURS, NOW)
    assert not memory.latch.holds(POLICY, POOL, NOW)
    assert (memory.back_off_until, memory.back_off_message) == (None, "")


def test_an_unexpected_result_is_not_forgotten_when_what_is_declared_is_in_order() -> None:
    difference = Difference(field="future", kind=DriftClass.CONFIGURATION, observed="absent", desired="1")
    memory = after_unexpected_result(NOTHING_REMEMBERED, policy=POLICY, pool=OURS, differences=[difference])
    assert after_observation(memory, pool=OURS, drifts=False, now=NOW) is memory


def test_a_digest_sees_unknown_keys_but_not_their_order() -> None:
    digest = network_digest(pool("p", raw={"a": 1, "b": [{"c": 2, "d": 3}]}))
    assert digest == network_digest(pool("q", raw={"b": [{"d": 3, "c": 2}], "a": 1}, etag="0x9"))
    assert digest != network_digest(pool("p", raw={"a": 1, "b": [{"c": 2, "d": 4}]}))
    assert network_digest(pool("p", raw=None)) != network_digest(pool("p", raw={}))


def test_nothing_to_learn_gives_the_very_same_memory() -> None:
    assert after_observation(NOTHING_REMEMBERED, pool=THEIRS, drifts=True, now=NOW) is NOTHING_REMEMBERED
    backing_off = failed()
    assert after_observation(backing_off, pool=POOL, drifts=True, now=NOW) is backing_off
    wrote = after_success(NOTHING_REMEMBERED, pool=OURS, now=NOW)
    assert after_observation(wrote, pool=OURS, drifts=False, now=NOW + HOUR) is wrote


def test_a_pool_that_is_in_order_forgets_its_troubles() -> None:
    for kind in (ErrorKind.TRANSIENT, ErrorKind.INVALID, ErrorKind.WAITING, ErrorKind.RACE, ErrorKind.DENIED):
        memory = failed(kind=kind)
        assert after_observation(memory, pool=OURS, drifts=False, now=NOW) is NOTHING_REMEMBERED


def overwritten(memory: PoolMemory, after: timedelta = timedelta(minutes=1)) -> PoolMemory:
    """We write, and somebody writes something else some time later."""
    wrote = after_success(memory, pool=OURS, now=NOW)
    return after_observation(wrote, pool=THEIRS, drifts=True, now=NOW + after)


def test_overwritten_three_times_soon_after_is_contention_for_an_hour() -> None:
    once = overwritten(NOTHING_REMEMBERED)
    twice = overwritten(once)
    assert (len(once.overwrites), len(twice.overwrites)) == (1, 2)
    assert once.contended_until is twice.contended_until is None
    thrice = overwritten(twice)
    assert thrice.contended_until == NOW + timedelta(minutes=61)
    assert thrice.overwrites == ()


def test_contention_ends_by_itself() -> None:
    contended = overwritten(overwritten(overwritten(NOTHING_REMEMBERED)))
    until = contended.contended_until
    assert until is not None
    assert after_observation(contended, pool=THEIRS, drifts=True, now=until - timedelta(seconds=1)) is contended
    assert after_observation(contended, pool=THEIRS, drifts=True, now=until) is NOTHING_REMEMBERED


def test_an_overwrite_long_after_starts_counting_anew() -> None:
    twice = overwritten(overwritten(NOTHING_REMEMBERED))
    assert overwritten(twice, HOUR + timedelta(seconds=1)) is NOTHING_REMEMBERED
    assert len(overwritten(twice, HOUR).overwrites) == 0
    assert overwritten(twice, HOUR).contended_until is not None


def test_a_write_that_stood_for_an_hour_ends_the_counting() -> None:
    wrote = after_success(overwritten(NOTHING_REMEMBERED), pool=OURS, now=NOW)
    stood = after_observation(wrote, pool=OURS, drifts=False, now=NOW + HOUR + timedelta(seconds=1))
    assert stood is NOTHING_REMEMBERED


def test_a_foreign_change_that_is_no_drift_is_no_contention() -> None:
    wrote = after_success(overwritten(NOTHING_REMEMBERED), pool=OURS, now=NOW)
    assert after_observation(wrote, pool=THEIRS, drifts=False, now=NOW) is NOTHING_REMEMBERED


def test_an_etag_that_moved_for_another_reason_is_no_overwrite() -> None:
    wrote = after_success(NOTHING_REMEMBERED, pool=OURS, now=NOW)
    resized = pool("p", endpoint("SSH", "deny *"), etag="0x9", nodes=4)
    assert after_observation(wrote, pool=resized, drifts=True, now=NOW) is wrote


def test_a_clock_set_back_by_a_day_prolongs_no_pause() -> None:
    tomorrow = NOW + 24 * HOUR
    denied = failed(kind=ErrorKind.DENIED)
    assert denied.latch is not None
    memory = PoolMemory(
        latch=replace(denied.latch, retry_at=tomorrow),
        back_off_until=tomorrow,
        contended_until=tomorrow,
        last_write=replace(after_success(denied, pool=OURS, now=tomorrow).last_write, time=tomorrow),  # type: ignore[type-var] # set by a success
    )
    assert after_observation(memory, pool=POOL, drifts=True, now=NOW) is NOTHING_REMEMBERED


@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind is not ErrorKind.RACE])
def test_no_pause_of_ours_is_taken_for_that_of_a_clock_set_back(kind: ErrorKind) -> None:
    memory = failed(failed(kind=kind, retry_after=7200, jitter=0.99), kind=kind, retry_after=7200, jitter=0.99)
    assert after_observation(memory, pool=POOL, drifts=True, now=NOW) == memory


def test_a_request_ends_pauses_and_forgets_what_was_refused() -> None:
    paused = failed(failed(), kind=ErrorKind.DENIED)
    contended = replace(paused, contended_until=NOW + HOUR, overwrites=(NOW,))
    assert after_request(contended) is not contended
    assert after_request(contended) == NOTHING_REMEMBERED
    assert after_request(failed(kind=ErrorKind.INVALID)) == NOTHING_REMEMBERED
    written = after_success(NOTHING_REMEMBERED, pool=OURS, now=NOW)
    assert after_request(written) == written
