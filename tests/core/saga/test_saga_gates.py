from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.declared import Remediation, WindowKind
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.breaker import CLOSED, Breaker, PolicyGeneration, PoolStanding, next_breaker
from batchaccess.core.saga.durations import duration_text, same_duration, seconds_of
from batchaccess.core.saga.gates import OpenSagas, gate
from batchaccess.core.saga.windows import Span, WindowSpans, WindowVerdict, window_verdict
from tests.core.saga.situations import DRAINING
from tests.support.build import NOW, connection

HOUR = timedelta(hours=1)
OPEN = WindowVerdict(permitted=True)


def spans(kind: WindowKind, *hours: tuple[int, int]) -> WindowSpans:
    """Spans by hours from now."""
    return WindowSpans(kind=kind, spans=tuple(Span(start=NOW + a * HOUR, end=NOW + b * HOUR) for a, b in hours))


ALLOW, DENY = WindowKind.ALLOW, WindowKind.DENY
WINDOWS = {
    "no windows permit every moment": ((), True, None),
    "inside an Allow window": ((spans(ALLOW, (-1, 1)),), True, None),
    "any Allow window denies outside": ((spans(ALLOW, (2, 3)),), False, 2),
    "one of two Allow windows is enough": ((spans(ALLOW, (2, 3)), spans(ALLOW, (-1, 1))), True, None),
    "an Allow window begins with its first moment": ((spans(ALLOW, (0, 1)),), True, None),
    "an Allow window is over at its end": ((spans(ALLOW, (-1, 0)),), False, None),
    "Deny wins over Allow": ((spans(ALLOW, (-1, 4)), spans(DENY, (-1, 2))), False, 2),
    "Deny alone permits outside": ((spans(DENY, (2, 3)),), True, None),
    "Deny alone denies inside": ((spans(DENY, (-1, 3)),), False, 3),
    "the next moment is inside Allow and outside Deny": (
        (spans(ALLOW, (1, 2), (5, 6)), spans(DENY, (0, 3))),
        False,
        5,
    ),
    "an Allow window that is denied to its end never comes": ((spans(ALLOW, (1, 2)), spans(DENY, (0, 9))), False, None),
}


@pytest.mark.parametrize(("windows", "permitted", "hours"), WINDOWS.values(), ids=WINDOWS.keys())
def test_windows(windows: tuple[WindowSpans, ...], permitted: bool, hours: int | None) -> None:  # noqa: FBT001 a table
    until = None if hours is None else NOW + hours * HOUR
    assert window_verdict(windows, NOW) == WindowVerdict(permitted=permitted, until=until)


@given(st.lists(st.tuples(st.sampled_from(WindowKind), st.integers(-9, 9), st.integers(1, 9)), max_size=6))
def test_until_is_permitted_and_nothing_before_it_is(drawn: list[tuple[WindowKind, int, int]]) -> None:
    windows = [spans(kind, (start, start + length)) for kind, start, length in drawn]
    verdict = window_verdict(windows, NOW)
    for hour in range(30):
        instant = NOW + hour * HOUR
        if window_verdict(windows, instant).permitted:
            assert verdict.permitted if hour == 0 else verdict.permitted or verdict.until is not None
            break
    if verdict.until is not None:
        assert window_verdict(windows, verdict.until).permitted
        assert not window_verdict(windows, verdict.until - timedelta(seconds=1)).permitted


UNDER = PolicyGeneration(uid="u", generation=1)
FINE = PoolStanding(drifts=False, governed_by=UNDER, in_order_under=UNDER)
DRIFTING = replace(FINE, drifts=True)
ROLLED_OUT = replace(DRIFTING, in_order_under=PolicyGeneration(uid="u", generation=0))
NEW = replace(DRIFTING, in_order_under=None)
FLEETS = {
    "ten of nineteen drift": ([DRIFTING] * 10 + [FINE] * 9, True),
    "exactly half drift": ([DRIFTING] * 10 + [FINE] * 10, False),
    "all of nine drift": ([DRIFTING] * 9, False),
    "a policy was edited": ([ROLLED_OUT] * 50, False),
    "pools were never in order": ([NEW] * 50, False),
    "nobody governs them": ([replace(DRIFTING, governed_by=None, in_order_under=None)] * 50, False),
}


@pytest.mark.parametrize(("fleet", "trips"), FLEETS.values(), ids=FLEETS.keys())
def test_the_breaker_opens_when(fleet: list[PoolStanding], trips: bool) -> None:  # noqa: FBT001 a table
    assert next_breaker(CLOSED, fleet, requested_at=None).is_open is trips


def test_the_breaker_closes_when_the_share_falls_or_somebody_asks() -> None:
    many, few = [DRIFTING] * 11, [DRIFTING] * 9
    opened = next_breaker(CLOSED, many, requested_at="monday")
    assert next_breaker(opened, many, requested_at="monday") is opened
    assert next_breaker(opened, few, requested_at="monday") == CLOSED
    asked = next_breaker(opened, many, requested_at="tuesday")
    assert not asked.is_open
    assert next_breaker(asked, many, requested_at="tuesday") is asked
    again = next_breaker(next_breaker(asked, few, requested_at="tuesday"), many, requested_at="tuesday")
    assert again.is_open


def gated(**changes: object) -> CompliantReason | None:
    arguments = {"windows": OPEN, "open_sagas": OpenSagas(), "breaker": CLOSED, **changes}
    found = gate(DRAINING, connection(), **arguments)  # type: ignore[arg-type]
    return None if found is None else found.reason


def test_a_saga_may_start_where_nothing_forbids_it() -> None:
    assert gated() is None


def test_what_holds_a_saga_back() -> None:
    assert gated(breaker=Breaker(tripped=True)) is CompliantReason.BREAKER_OPEN
    assert gated(windows=WindowVerdict(permitted=False)) is CompliantReason.OUTSIDE_WINDOW
    assert gated(open_sagas=OpenSagas(on_connection=1)) is CompliantReason.DRAIN_LIMIT
    elsewhere = OpenSagas()
    elsewhere.by_policy[DRAINING.uid] = 1
    assert gated(open_sagas=elsewhere) is CompliantReason.DRAIN_LIMIT


def test_a_start_counts_at_once() -> None:
    running = OpenSagas()
    running.opened(DRAINING.uid)
    roomy = replace(connection(), max_concurrent_drains=5)
    assert gate(DRAINING, roomy, windows=OPEN, open_sagas=running, breaker=CLOSED) is not None
    more = replace(DRAINING, remediation=Remediation(max_concurrent=2))
    assert gate(more, roomy, windows=OPEN, open_sagas=running, breaker=CLOSED) is None


DURATIONS = [("PT15M", 900), ("PT15M00S", 900), ("P1D", 86400), ("P1DT2H", 93600), ("PT7M9.497S", 429.497)]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", [None, "", "P", "PT", "15M", "PT-1M", "PT1M\n"])
def test_what_is_no_duration_has_no_length(text: str | None) -> None:
    assert seconds_of(text) is None


@given(st.integers(0, 10**7))
def test_a_written_duration_is_read_back(seconds: int) -> None:
    assert seconds_of(duration_text(seconds)) == seconds


def test_durations_compare_by_length() -> None:
    assert same_duration("PT15M", "PT15M00S")
    assert not same_duration("PT15M", "PT16M")
    assert same_duration(None, None)
    assert not same_duration(None, "PT5M")


def test_spans_hold_their_start_and_not_their_end() -> None:
    span = Span(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC))
    assert span.contains(span.start)
    assert not span.contains(span.end)
