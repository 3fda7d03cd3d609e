"""Pages made for tests, and judged."""

from typing import Any

from batchaccess.web.fleet import FleetFilter, FleetIndex
from batchaccess.web.fleetpage import FleetRequest, fleet_page
from batchaccess.web.readings import PoolReading
from tests.web.feed import (
    connection,
    shell,
)
from tests.web.wellformed import Judged, judged


def good(html: str) -> Judged:
    """The page, which has nothing wrong in its markup."""
    page = judged(html)
    assert page.problems == []
    return page


def nowhere(_: str) -> PoolReading | None:
    """No pool is known."""
    return None


def fleet_html(*pools: PoolReading, wanted: FleetFilter | None = None, number: int = 1, **around: Any) -> str:  # noqa: ANN401
    request = FleetRequest(wanted=wanted or FleetFilter(), page=number)
    connections = around.pop("connections", [connection()])
    return fleet_page(FleetIndex().look(pools), connections, request, shell=shell(**around))
