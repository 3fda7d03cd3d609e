"""The tour's question on Prometheus' own page: which pool was reachable for how long, as numbers and as a graph."""

from typing import Final
from urllib.parse import urlencode

from tests.e2e_prometheus.telling import Told

REACHABLE: Final = "max by (connection, pool) (batchaccess_pool_internet_reachable) == 1"
SECONDS: Final = f"sort_desc(count_over_time(({REACHABLE})[15m:1s]))"
"""For how many of the last 900 seconds each pool was reachable: the query of docs/tour.md."""

_SIZE: Final = {"width": 1360, "height": 900}
_MARGIN: Final = 5
"""Seconds of the graph beyond the story."""


def exposures_visit(told: Told) -> dict[str, object]:
    """What to open in a browser, and what has to be there before a picture is taken."""
    seconds = round(told.ended - told.started) + _MARGIN
    asked = {
        "g0.expr": SECONDS,
        "g0.tab": "1",
        "g1.expr": REACHABLE,
        "g1.tab": "0",
        "g1.stacked": "1",
        "g1.range_input": f"{seconds}s",
        "g1.step_input": "1",
    }
    # Of Debian's pages; those of other builds look otherwise and show the same.
    shown = ["#console0 table tbody td", "#graph1 .graph_area svg path"]
    return {"url": f"{told.prometheus.url}/graph?{urlencode(asked)}", "shown": shown, **_SIZE}
