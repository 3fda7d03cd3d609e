"""The shortened copy of the rules differs from them in waiting times only."""

import re

from tests.e2e_prometheus.scaledrules import scaled
from tests.monitoring.queries import alert_rules


def test_only_waiting_times_are_shortened() -> None:
    for rule in alert_rules():
        shortened = scaled(rule)
        lasting = {"expr": "", "for": "", "keep_firing_for": ""}
        assert {**shortened, **lasting} == {**rule, **lasting}
        assert shortened.keys() == rule.keys()
        assert without_durations(shortened["expr"]) == without_durations(rule["expr"])


def without_durations(expr: str) -> str:
    """An expression with every wait of it taken out."""
    return re.sub(r"\[\d+[smh]\]|> \d+", "", expr)


def test_a_restart_is_bridged_for_a_second_and_nothing_fires_longer_than_that() -> None:
    expr = next(scaled(rule)["expr"] for rule in alert_rules() if rule["alert"] == "AzureAuthFailing")
    assert "[1s]" in expr
    assert "> 1\n" in expr
    assert {scaled(rule)["keep_firing_for"] for rule in alert_rules()} == {"1s"}


def test_an_hour_of_drift_becomes_five_seconds_and_a_day_two_minutes() -> None:
    ages = [scaled(rule)["expr"] for rule in alert_rules() if rule["alert"] == "DriftUncorrected"]
    assert [f" > {seconds}\n" in expr for seconds, expr in zip((5, 120), ages, strict=True)] == [True, True]


def test_half_an_hour_becomes_two_seconds_and_nothing_less_than_one() -> None:
    waits = {rule["alert"]: scaled(rule).get("for") for rule in alert_rules()}
    assert (waits["RestorePending"], waits["SweepStale"], waits["PoolInternetExposed"]) == ("2s", "1s", None)
