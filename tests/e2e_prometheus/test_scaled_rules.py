"""The shortened copy of the rules differs from them in waiting times only."""

from tests.e2e_prometheus.scaledrules import scaled
from tests.monitoring.queries import alert_rules


def test_only_waiting_times_are_shortened() -> None:
    for rule in alert_rules():
        shortened = scaled(rule)
        assert {**shortened, "expr": "", "for": ""} == {**rule, "expr": "", "for": ""}
        assert ("for" in shortened) == ("for" in rule)
        if rule["alert"] != "DriftUncorrected":
            assert shortened["expr"] == rule["expr"]


def test_an_hour_of_drift_becomes_five_seconds_and_a_day_two_minutes() -> None:
    ages = [scaled(rule)["expr"] for rule in alert_rules() if rule["alert"] == "DriftUncorrected"]
    assert [f" > {seconds}\n" in expr for seconds, expr in zip((5, 120), ages, strict=True)] == [True, True]


def test_half_an_hour_becomes_two_seconds_and_nothing_less_than_one() -> None:
    waits = {rule["alert"]: scaled(rule).get("for") for rule in alert_rules()}
    assert (waits["RestorePending"], waits["SweepStale"], waits["PoolInternetExposed"]) == ("2s", "1s", None)
