"""MassDrift pages for drift that should have been corrected, and whenever the breaker holds back a drain."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from batchaccess.core.saga.breaker import FEWEST_DRIFTING
from tests.monitoring.promtool import Series, fire
from tests.monitoring.queries import alert_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """Some pools of one account that have drifted alike."""

    pools: int
    mode: str = "Enforce"
    compliant: str = "PoolNotEmpty"
    drifted: str = "Widening"

    def series(self) -> Iterator[Series]:
        """What the operator shows of them."""
        for number in range(self.pools):
            pool = f'connection="prod", pool="{self.mode}-{self.compliant}-{self.drifted}-{number}"'
            yield f"batchaccess_pool_drifted_since_timestamp_seconds{{{pool}}}", "0x5"
            yield f'batchaccess_pool_info{{{pool}, policy="render/ssh", mode="{self.mode}"}}', "1x5"
            for kind, status, reason in (("Compliant", "False", self.compliant), ("Drifted", "True", self.drifted)):
                condition = f'{pool}, type="{kind}", status="{status}", reason="{reason}"'
                yield f"batchaccess_pool_condition{{{condition}}}", "1x5"


def account(*drifted: Drifted, in_order: int = 0, breaker_open: bool = False) -> list[Series]:
    """An account of pools that have drifted, and others that are in order."""
    return [
        *(each for some in drifted for each in some.series()),
        ('batchaccess_pools{connection="prod", outcome="Pending"}', f"{sum(some.pools for some in drifted)}x5"),
        ('batchaccess_pools{connection="prod", outcome="Compliant"}', f"{in_order}x5"),
        ('batchaccess_breaker_open{connection="prod"}', f"{breaker_open:d}x5"),
    ]


@pytest.mark.parametrize(
    ("series", "fires"),
    [
        pytest.param(account(Drifted(pools=10)), True, id="a policy enforces them"),
        pytest.param(account(Drifted(pools=9)), False, id="too few"),
        pytest.param(account(Drifted(pools=10), in_order=10), False, id="half of the account"),
        pytest.param(account(Drifted(pools=11), in_order=10), True, id="more than half of the account"),
        pytest.param(account(Drifted(pools=30, mode="Audit", compliant="AuditOnly")), False, id="only audited"),
        pytest.param(account(Drifted(pools=30, compliant="Suspended")), False, id="suspended"),
        pytest.param(account(Drifted(pools=30, drifted="ImplicitMapping")), False, id="made by the service itself"),
        pytest.param(
            account(
                Drifted(pools=9),
                Drifted(pools=9, mode="Audit", compliant="AuditOnly"),
                Drifted(pools=9, compliant="Suspended"),
                Drifted(pools=9, drifted="ImplicitMapping"),
            ),
            False,
            id="too few that are to be corrected",
        ),
        pytest.param(
            account(
                Drifted(pools=2, compliant="BreakerOpen"),
                Drifted(pools=20, mode="Audit", compliant="AuditOnly"),
                breaker_open=True,
            ),
            True,
            id="the breaker is open and drains wait",
        ),
        pytest.param(
            account(Drifted(pools=2), Drifted(pools=20, mode="Audit", compliant="AuditOnly"), breaker_open=True),
            False,
            id="the breaker is open and no drain waits",
        ),
        pytest.param(
            account(Drifted(pools=2, compliant="BreakerOpen")), False, id="drains wait though the breaker has closed"
        ),
    ],
)
def test_mass_drift_fires(series: list[Series], fires: bool, tmp_path: Path) -> None:  # noqa: FBT001 a table
    assert fire("MassDrift", series, at="2m", directory=tmp_path) is fires


def test_no_fewer_pools_than_those_that_open_the_breaker_are_a_mass_drift() -> None:
    (rule,) = (each for each in alert_rules() if each["alert"] == "MassDrift")
    assert f"(batchaccess_pools)), {FEWEST_DRIFTING - 1})" in rule["expr"]


def test_a_page_of_mass_drift_silences_the_warning_about_the_breaker() -> None:
    path = Path(__file__).parents[2] / "deploy" / "monitoring" / "alertmanager-inhibit.yaml"
    rules = yaml.safe_load(path.read_text("utf-8"))["inhibit_rules"]
    (rule,) = (each for each in rules if each["source_matchers"] == ['alertname = "MassDrift"'])
    assert "BreakerOpen" in rule["target_matchers"][0]
    assert rule["equal"] == ["connection"]
