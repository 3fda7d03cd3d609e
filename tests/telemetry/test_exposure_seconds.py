"""How long pools were reachable from the Internet: a counter that grows with the clock, and only as fast as it may."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from batchaccess.core.reasons import ConditionStatus, ConditionType, PoolOutcome
from batchaccess.core.status import Condition
from batchaccess.telemetry.exposure import ExposureMetrics
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import ExposureVerdict, PortClass, SweepResult
from tests.support.build import NOW
from tests.support.clock import FakeClock
from tests.telemetry.read_exposition import value_of

NAME = "batchaccess_exposure_seconds_total"


def row(
    pool: str, *, open_ports: Iterable[int] = (), forbidden: Iterable[int] = (), open_for: float | None = None
) -> PoolRow:
    """A pool; `open_for` is since how many seconds before `NOW` its object in Kubernetes says that it is open."""
    conditions = () if open_for is None else (_exposed(open_for),)
    return PoolRow(
        pool=pool,
        outcome=PoolOutcome.COMPLIANT,
        conditions=conditions,
        internet_open_ports=frozenset(open_ports),
        violating_ports=frozenset(forbidden),
    )


def _exposed(seconds: float) -> Condition:
    return Condition(
        type=ConditionType.EXPOSED,
        status=ConditionStatus.TRUE,
        reason="InternetReachable",
        message="",
        observed_generation=1,
        last_transition_time=NOW - timedelta(seconds=seconds),
    )


@dataclass
class Account:
    """One account under the operator, and a clock that began when the account was taken up."""

    clock: FakeClock = field(default_factory=FakeClock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.exposure = ExposureMetrics(self.registry, self.clock)
        self.exposure.begin("prod")

    def at(self, seconds: float) -> None:
        self.clock.advance(seconds - self.clock.monotonic())

    def sweep(self, at: float, *rows: PoolRow) -> None:
        self.at(at)
        self.exposure.observe("prod", rows)

    def visit(self, at: float, *rows: PoolRow) -> None:
        self.at(at)
        self.exposure.observe_some("prod", rows)

    def seconds(self, port_class: str = "login", verdict: str = "Allowed") -> float:
        labels = {"connection": "prod", "port_class": port_class, "verdict": verdict}
        found = self.registry.get_sample_value(NAME, labels)
        assert found is not None
        return found

    def everything(self) -> list[float]:
        return [self.seconds(each, verdict) for each in PortClass for verdict in ExposureVerdict]


OPEN, CLOSED = row("a", open_ports=[22]), row("a")


def test_exposure_counts_from_the_look_that_found_it_to_the_one_that_no_longer_does() -> None:
    account = Account()
    forbidden = row("a", open_ports=[22], forbidden=[22])
    account.sweep(0, CLOSED)
    account.sweep(60, forbidden)
    assert account.seconds("login", "Forbidden") == 0
    account.sweep(120, forbidden)
    account.sweep(200, CLOSED)
    account.sweep(260, CLOSED)
    assert account.seconds("login", "Forbidden") == 140
    assert account.seconds("other", "Forbidden") == 0


def test_exposure_grows_between_two_sweeps_as_the_clock_goes() -> None:
    account = Account()
    account.sweep(0, OPEN, row("b", open_ports=[22]))
    seen = []
    for second in (0, 1, 15, 59.5, 60):
        account.at(second)
        seen.append(account.seconds())
    account.sweep(60, OPEN, row("b", open_ports=[22]))
    seen.append(account.seconds())
    assert seen == [0, 2, 30, 119, 120, 120]


def test_exposure_adds_up_over_pools_and_is_told_apart_by_ports_and_verdict() -> None:
    account = Account()
    account.sweep(
        0,
        row("a", open_ports=[22, 3389, 8080], forbidden=[22]),
        row("b", open_ports=[3389]),
        row("c", open_ports=[443]),
    )
    account.sweep(10)
    assert account.seconds("login", "Forbidden") == 10
    assert account.seconds("login", "Allowed") == 10
    assert account.seconds("other", "Allowed") == 20
    assert account.seconds("other", "Forbidden") == 0


def test_a_change_of_verdict_counts_from_the_look_that_found_it() -> None:
    account = Account()
    account.sweep(0, OPEN)
    account.sweep(10, row("a", open_ports=[22], forbidden=[22]))
    account.at(15)
    assert (account.seconds(verdict="Allowed"), account.seconds(verdict="Forbidden")) == (10, 5)


def test_a_pool_that_is_gone_is_not_exposed_any_more() -> None:
    account = Account()
    account.sweep(0, OPEN, row("b", open_ports=[22]))
    account.sweep(10, row("b"))
    account.at(60)
    assert account.seconds() == 20


def test_a_visit_between_two_sweeps_counts_for_the_pools_it_looked_at_and_no_other() -> None:
    account = Account()
    account.sweep(0, OPEN, row("b", open_ports=[22]), row("c"))
    account.visit(10, CLOSED, row("c", open_ports=[22]))
    account.at(40)
    assert account.seconds() == 20 + 60


@pytest.mark.parametrize(
    ("open_for", "counted"),
    [
        pytest.param(3600, 30, id="open at the last look before the restart: since this process took up the account"),
        pytest.param(1, 30, id="the same, a moment before"),
        pytest.param(-30, 0, id="found open by this very sweep"),
        pytest.param(-10, 0, id="open for less long than this process"),
        pytest.param(0, 0, id="found open in the second in which this process took up the account"),
        pytest.param(None, 0, id="what Kubernetes says is not known"),
    ],
)
def test_the_first_look_counts_for_what_was_open_before_as_far_as_this_process_ran(
    open_for: float | None, counted: float
) -> None:
    account = Account()
    account.sweep(30, row("a", open_ports=[22], open_for=open_for))
    assert account.seconds() == counted
    account.at(40)
    assert account.seconds() == counted + 10


def test_only_the_first_look_reaches_back() -> None:
    account = Account()
    account.sweep(30)
    account.sweep(60, row("a", open_ports=[22], open_for=3600))
    assert account.seconds() == 0


def test_a_pool_that_was_closed_since_the_restart_has_no_part_in_it() -> None:
    account = Account()
    account.sweep(30, row("a", open_for=3600))
    account.at(60)
    assert account.everything() == [0, 0, 0, 0]


def exposure_in(metrics: Metrics) -> float | None:
    return value_of(metrics, NAME, connection="prod", port_class="login", verdict="Allowed")


def test_an_outage_of_the_account_counts_as_what_was_seen_before_it() -> None:
    clock = FakeClock()
    metrics = Metrics(clock)
    prod = metrics.connection("prod")
    prod.observe_pools([OPEN])
    clock.advance(60)
    prod.sweep_finished(SweepResult.FAILED, seconds=1, ended=clock.now(), writes=0)
    assert exposure_in(metrics) == 60
    clock.advance(60)
    prod.observe_some_pools([CLOSED])
    clock.advance(60)
    assert exposure_in(metrics) == 120


def test_who_leads_no_more_counts_no_more_and_begins_at_zero_when_leading_again() -> None:
    clock = FakeClock()
    metrics = Metrics(clock)
    metrics.connection("prod").observe_pools([OPEN])
    clock.advance(60)
    metrics.forget_connection("prod")
    assert exposure_in(metrics) is None
    metrics.connection("prod")
    clock.advance(40)
    assert exposure_in(metrics) == 0


ports = st.frozensets(st.sampled_from([22, 443]))
pools = st.dictionaries(st.sampled_from("abc"), st.tuples(ports, ports), max_size=3)
seconds = st.integers(0, 1000)


@given(steps=st.lists(st.tuples(seconds, st.sampled_from(["sweep", "visit", "scrape"]), pools), max_size=12))
def test_exposure_is_the_area_under_the_number_of_exposed_pools(
    steps: list[tuple[int, str, dict[str, tuple[frozenset[int], frozenset[int]]]]],
) -> None:
    """By hand: after each step, every pool adds what passed, in each class in which it was open when last looked at."""
    account = Account()
    account.sweep(0)
    known: dict[str, tuple[frozenset[int], frozenset[int]]] = {}
    area = dict.fromkeys(((each, verdict) for each in PortClass for verdict in ExposureVerdict), 0)
    for passed, kind, found in steps:
        for opened, forbidden in known.values():
            for port, port_class in ((22, PortClass.LOGIN), (443, PortClass.OTHER)):
                if port in opened:
                    verdict = ExposureVerdict.FORBIDDEN if port in forbidden else ExposureVerdict.ALLOWED
                    area[port_class, verdict] += passed
        rows = [row(pool, open_ports=opened, forbidden=opened & closed) for pool, (opened, closed) in found.items()]
        account.clock.advance(passed)
        if kind == "sweep":
            account.exposure.observe("prod", rows)
            known = dict(found)
        elif kind == "visit":
            account.exposure.observe_some("prod", rows)
            known |= found
        assert account.everything() == list(area.values())


@given(steps=st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from(["sweep", "visit", "scrape"]), pools), max_size=20))
def test_exposure_never_goes_back_and_never_grows_faster_than_there_are_pools(
    steps: list[tuple[float, str, dict[str, tuple[frozenset[int], frozenset[int]]]]],
) -> None:
    account = Account()
    account.sweep(0)
    before = account.everything()
    for passed, kind, found in steps:
        rows = [row(pool, open_ports=opened, forbidden=opened & closed) for pool, (opened, closed) in found.items()]
        account.clock.advance(passed)
        if kind == "sweep":
            account.exposure.observe("prod", rows)
        elif kind == "visit":
            account.exposure.observe_some("prod", rows)
        after = account.everything()
        for then, now in zip(before, after, strict=True):
            assert then <= now <= then + 3 * passed * (1 + 1e-9) + 1e-6
        assert account.everything() == after
        before = after
