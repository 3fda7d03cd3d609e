"""A stuck sweep loop is found, an unreachable account is not taken for one."""

from batchaccess.telemetry.liveness import SweepDeadlines
from tests.support.clock import FakeClock


def test_a_loop_is_alive_for_three_periods() -> None:
    clock = FakeClock()
    deadlines = SweepDeadlines(clock)
    deadlines.renew("prod", period_seconds=60)
    clock.advance(180)
    assert deadlines.problems() == []
    clock.advance(1)
    assert deadlines.problems() == ["no sweep of connection prod has ended for 3 periods of 60 s"]


def test_each_ended_sweep_renews_the_deadline() -> None:
    clock = FakeClock()
    deadlines = SweepDeadlines(clock)
    for _ in range(10):
        deadlines.renew("prod", period_seconds=60)
        clock.advance(170)
        assert deadlines.problems() == []


def test_every_overdue_loop_is_named_in_order() -> None:
    clock = FakeClock()
    deadlines = SweepDeadlines(clock)
    for connection, period in (("slow", 1000), ("b", 10), ("a", 20)):
        deadlines.renew(connection, period_seconds=period)
    clock.advance(100)
    assert [problem.split()[4] for problem in deadlines.problems()] == ["a", "b"]


def test_a_forgotten_connection_is_not_waited_for() -> None:
    clock = FakeClock()
    deadlines = SweepDeadlines(clock)
    deadlines.renew("prod", period_seconds=60)
    deadlines.forget("prod")
    deadlines.forget("never-seen")
    clock.advance(10_000)
    assert deadlines.problems() == []


def test_a_longer_period_counts_from_the_next_renewal() -> None:
    clock = FakeClock()
    deadlines = SweepDeadlines(clock)
    deadlines.renew("prod", period_seconds=60)
    deadlines.renew("prod", period_seconds=3600)
    clock.advance(3 * 3600)
    assert deadlines.problems() == []
