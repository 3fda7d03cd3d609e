"""One alert per cause: which alert tells of which reason, so that no reason is told twice and none by mistake never."""

import re
from typing import Any

import pytest

from batchaccess.core.reasons import CompliantReason, ConnectionReason
from tests.monitoring.queries import alert_rules

POOLS = {
    "CorrectionStalled": {
        CompliantReason.LIMIT_EXCEEDED,
        CompliantReason.SHARED_KEY_SUBNET,
        CompliantReason.ACCESS_DENIED,
        CompliantReason.REJECTED,
        CompliantReason.UNEXPECTED_RESULT,
        CompliantReason.PRECONDITION_UNSUPPORTED,
        CompliantReason.UNREADABLE_JOURNAL,
        CompliantReason.UNREADABLE,
    },
    "RemediationFailing": {
        CompliantReason.DRAIN_TIMED_OUT,
        CompliantReason.DRAIN_INCOMPLETE,
        CompliantReason.SCALE_CHANGED,
        CompliantReason.JOURNAL_REFUSED,
    },
    "DriftFlapping": {CompliantReason.CONTENDED},
    "BreakerOpen": {CompliantReason.BREAKER_OPEN},
}
WAITING = {
    CompliantReason.CORRECTING,
    CompliantReason.POOL_NOT_EMPTY,
    CompliantReason.POOL_DELETING,
    CompliantReason.BACKING_OFF,
    CompliantReason.OUTSIDE_WINDOW,
    CompliantReason.DRAIN_LIMIT,
    CompliantReason.FOREIGN_JOURNAL,
}
"""Waiting is in order until it takes too long, which is DriftUncorrected."""
TOLD_OTHERWISE = {
    CompliantReason.IMPLICIT_MAPPING: "PoolInternetExposed or ReachabilityUndetermined, as the nodes show",
    CompliantReason.ASSERTION_VIOLATED: "AssertionViolated, by batchaccess_pool_failed_assertions",
    CompliantReason.GUARDRAIL_VIOLATED: "PoolInternetExposed or ReachabilityUndetermined, as it forbids nobody else",
    CompliantReason.SUSPENDED: "PausedTooLong, once it takes days",
    CompliantReason.NOT_OBSERVED: "SweepStale",
}
IN_ORDER = {CompliantReason.COMPLIANT, CompliantReason.NOT_MANAGED, CompliantReason.AUDIT_ONLY}

CONNECTIONS = {
    "AzureAuthFailing": {ConnectionReason.AUTHENTICATION_FAILED, ConnectionReason.SECRET_NOT_FOUND},
    "ConnectionNotReady": {
        ConnectionReason.DUPLICATE_ENDPOINT,
        ConnectionReason.ENDPOINT_NOT_ALLOWED,
        ConnectionReason.INVALID,
    },
}
UNSWEPT = {ConnectionReason.UNREACHABLE, ConnectionReason.THROTTLED, ConnectionReason.UNREADABLE_ANSWER}
"""Nothing but sweeps that fail, which is SweepStale."""
READY = {ConnectionReason.CONNECTED, ConnectionReason.SUSPENDED}
GOING = {ConnectionReason.LEAVING, ConnectionReason.DELETING}
"""Somebody asked for it, and it ends by itself."""


def rule(name: str) -> dict[str, Any]:
    return next(each for each in alert_rules() if each["alert"] == name)


@pytest.mark.parametrize("name", POOLS)
def test_an_alert_names_exactly_its_reasons_of_pools(name: str) -> None:
    assert reasons_in(rule(name)["expr"]) == {reason.value for reason in POOLS[name]}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_an_alert_names_exactly_its_reasons_of_connections(name: str) -> None:
    assert reasons_in(rule(name)["expr"]) == {reason.value for reason in CONNECTIONS[name]}


def test_stale_sweeps_leave_out_what_another_alert_tells() -> None:
    elsewhere = set().union(*CONNECTIONS.values())
    assert reasons_in(rule("SweepStale")["expr"]) == {reason.value for reason in elsewhere}


def test_the_warning_of_lasting_drift_leaves_out_what_another_warning_tells_and_the_page_does_not() -> None:
    warning, page = (each for each in alert_rules() if each["alert"] == "DriftUncorrected")
    elsewhere = {reason.value for reason in set().union(*POOLS.values())}
    assert reasons_in(warning["expr"]) == elsewhere | {"Suspended"}
    assert reasons_in(page["expr"]) == {"Suspended"}


def test_every_reason_of_a_pool_has_one_place() -> None:
    places = [*POOLS.values(), WAITING, set(TOLD_OTHERWISE), IN_ORDER]
    assert sorted(reason for place in places for reason in place) == sorted(CompliantReason)


def test_every_reason_of_a_connection_has_one_place() -> None:
    places = [*CONNECTIONS.values(), UNSWEPT, READY, GOING]
    assert sorted(reason for place in places for reason in place) == sorted(ConnectionReason)


def reasons_in(expr: str) -> set[str]:
    """The values that the selectors of an expression want the label `reason` to have."""
    found = re.search(r'reason=~?"([^"]*)"', expr)
    assert found, expr
    return set(found[1].split("|"))
