"""The dashboards: every query parses, asks for what exists, and every panel has its place."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from batchaccess.telemetry.metrics import AREAS, FAMILIES
from tests.monitoring.queries import DASHBOARDS, METRIC, panel_queries, panels
from tests.monitoring.tools import required_tool
from tests.telemetry.build_rows import populated
from tests.telemetry.read_exposition import series_of

GRID_WIDTH = 24


def test_there_is_a_dashboard() -> None:
    assert "fleet" in {path.stem for path in DASHBOARDS}


@pytest.mark.parametrize(("where", "expr"), panel_queries(), ids=[where for where, _ in panel_queries()])
def test_a_panel_asks_for_metrics_that_exist(where: str, expr: str) -> None:
    ours = {name for family in FAMILIES for name in family.series_names}
    process = {name for name, _ in series_of(populated()) if name.startswith("process_")}
    asked = set(METRIC.findall(expr))
    assert asked, where
    assert asked <= ours | process


def test_every_metric_of_corrections_with_drains_is_on_a_dashboard() -> None:
    asked = {name for _, expr in panel_queries() for name in METRIC.findall(expr)}
    assert [family.name for family in AREAS["Remediation"] if not asked & set(family.series_names)] == []


def test_what_is_counted_over_a_month_says_how_long_prometheus_keeps_it() -> None:
    monthly = [
        panel
        for dashboard in DASHBOARDS
        for panel in panels(dashboard)
        if any("[30d]" in target["expr"] for target in panel["targets"])
    ]
    assert monthly
    assert all("15 days" in panel["description"] for panel in monthly)


def test_every_query_is_promql(tmp_path: Path) -> None:
    promtool = required_tool("promtool")
    rules = [{"record": f"panel:{number}", "expr": expr} for number, (_, expr) in enumerate(panel_queries())]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    done = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
class TestEveryDashboard:
    def test_panels_neither_overlap_nor_leave_the_grid(self, dashboard: Path) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(dashboard.read_text("utf-8"))["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= GRID_WIDTH, panel["title"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, panel["title"]
            taken |= cells

    def test_every_panel_explains_itself(self, dashboard: Path) -> None:
        for panel in panels(dashboard):
            assert panel["title"]
            assert panel["description"].endswith(".")

    def test_the_data_source_is_chosen_by_the_reader(self, dashboard: Path) -> None:
        for panel in panels(dashboard):
            sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            assert {source["uid"] for source in sources} == {"${datasource}"}

    def test_variables_exist_for_all_that_is_used(self, dashboard: Path) -> None:
        content = json.loads(dashboard.read_text("utf-8"))
        assert [variable["name"] for variable in content["templating"]["list"]] == ["datasource", "connection"]
