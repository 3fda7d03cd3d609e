"""The Grafana dashboards as code; deploy/monitoring/dashboards holds the JSON."""

import json
from collections.abc import Mapping

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableRefresh

from scripts.monitoring import correctionboard, fleetboard, operatorboard
from scripts.monitoring.panels import DATASOURCE, Panel, row

TAG = "batchaccess"

BOARDS: Mapping[str, tuple[str, Mapping[str, tuple[Panel, ...]]]] = {
    "fleet": ("Azure Batch access: fleet exposure", fleetboard.ROWS),
    "correction": ("Azure Batch access: correction", correctionboard.ROWS),
    "operator": ("Azure Batch access: operator health", operatorboard.ROWS),
}
"""Title and rows of each dashboard, by file name."""


def render_dashboards() -> Mapping[str, str]:
    """The JSON of every dashboard, by file name."""
    return {f"{name}.json": _render(name, title, rows) for name, (title, rows) in BOARDS.items()}


def _render(name: str, title: str, rows: Mapping[str, tuple[Panel, ...]]) -> str:
    board = _board(f"batchaccess-{name}", title)
    for heading, panels in rows.items():
        board = board.with_row(row(heading))
        for panel in panels:
            board = board.with_panel(panel)
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _board(uid: str, title: str) -> dashboard.Dashboard:
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags([TAG])
        .link(
            dashboard.DashboardLink("Azure Batch access")
            .tags([TAG])
            .as_dropdown(as_dropdown=False)
            .keep_time(keep_time=True)
        )
        .editable()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("connection")
            .label("Account")
            .datasource(DATASOURCE)
            .query("label_values(batchaccess_sweep_period_seconds, connection)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(multi=True)
            .include_all(include_all=True)
            .all_value(".*")
        )
    )
