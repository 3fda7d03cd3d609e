"""How the pictures of docs/images/dashboard-*.png are drawn from what Prometheus answered."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from scripts.pictures.boards import Answer, Ask, Series, answered
from scripts.pictures.page import page
from scripts.pictures.quantities import ago, told
from scripts.pictures.timeplots import legend_lines, plot
from tests.monitoring.queries import dashboards

STARTED, ENDED = 1_000, 1_060


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        pytest.param(3.0, "short", "3", id="a count has no digits behind the point"),
        pytest.param(0.25, "short", "0.25", id="a rate has two"),
        pytest.param(0.25, "s", "250 ms", id="a part of a second is in milliseconds"),
        pytest.param(52.5, "s", "52.5 s", id="less than a minute is in seconds"),
        pytest.param(148.0, "s", "2 min 28 s", id="more is in minutes and seconds"),
        pytest.param(7200.0, "s", "2.0 h", id="much more is in hours"),
        pytest.param(96 * 1024 * 1024, "bytes", "96 MiB", id="memory is in mebibytes"),
        pytest.param(2.0, "reqps", "2/s", id="requests are per second"),
        pytest.param(1.5, "suffix: pools", "1.5 pools", id="what a unit of its own says comes behind"),
        pytest.param(2.0**32, "short", "4,294,967,296", id="large numbers are grouped"),
        pytest.param(2.0**128, "short", "3.4e+38", id="what nobody can count is short"),
    ],
)
def test_a_number_is_told_in_its_unit(value: float, unit: str, words: str) -> None:
    assert told(value, unit) == words


def test_a_moment_is_told_as_so_long_ago() -> None:
    assert ago(1_000, 1_081) == "1 min 21 s ago"


def _always(answer: Answer) -> Ask:
    async def ask(_: str) -> Answer:
        return answer

    return ask


async def _drawn(model: Mapping[str, Any], answer: Answer) -> tuple[int, str]:
    board = await answered(model, _always(answer), started=STARTED, ended=ENDED)
    return board.moment, page(board)


def _series(labels: dict[str, str], *values: str) -> dict[str, Any]:
    return {"metric": labels, "values": [[STARTED + second, value] for second, value in enumerate(values)]}


async def test_numbers_and_tables_show_the_second_at_which_most_of_them_have_something_to_tell() -> None:
    moment, drawn = await _drawn(dashboards()["fleet"], [_series({"pool": "render-1"}, "0", "0", "7000", "0")])
    assert moment == STARTED + 2
    assert "as of 0:02 after its beginning" in drawn
    assert "<td>render-1</td>" in drawn


@pytest.mark.parametrize("name", dashboards())
async def test_every_panel_of_a_committed_dashboard_can_be_drawn(name: str) -> None:
    model = dashboards()[name]
    _, drawn = await _drawn(model, [_series({"pool": "<a>"}, "1", "NaN", "2")])
    assert all(panel["title"] in drawn for panel in model["panels"])
    assert "<a>" not in drawn


async def test_a_line_has_a_gap_where_nothing_was_scraped() -> None:
    board = await answered(
        dashboards()["operator"],
        _always([_series({}, "1", "2", "NaN", "NaN", "NaN", "3", "4")]),
        started=STARTED,
        ended=ENDED,
    )
    panel = next(each for each in board.panels if each.kind == "timeseries")
    drawn = plot(panel.series[:1], unit="s", started=STARTED, ended=ENDED, size=(300, 100))
    assert len(ET.fromstring(drawn).findall("polyline")) == 2  # noqa: S314 drawn by ourselves


@pytest.mark.parametrize("width", [300, 400, 600, 1250])
@pytest.mark.parametrize("seconds", [60, 137, 149, 150, 240])
def test_times_below_a_plot_do_not_run_into_each_other(width: int, seconds: int) -> None:
    drawn = plot([], unit="s", started=STARTED, ended=STARTED + seconds, size=(width, 100))
    times = [each for each in ET.fromstring(drawn).findall("text") if ":" in (each.text or "")]  # noqa: S314 our own
    middles = [float(each.get("x", "")) - (14 if each.get("text-anchor") == "end" else 0) for each in times]
    assert len(times) >= 3
    assert min(after - before for before, after in pairwise(middles)) >= 34


def _named(*names: str, value: float = 1.0) -> list[Series]:
    return [Series(name=name, labels={}, points={STARTED: value, STARTED + 1: value}) for name in names]


@pytest.mark.parametrize(
    ("series", "lines"),
    [
        pytest.param(_named("prod"), 1, id="one name"),
        pytest.param(
            _named("prod: refused", "dev: refused", "archive: refused"), 2, id="names that do not fit in a line"
        ),
        pytest.param(_named("prod: refused", "prod: tokens left"), 1, id="names that just do"),
        pytest.param(
            [*_named("prod: refused", "prod: tokens left"), *_named("dev", value=0)],
            2,
            id="what is at zero takes place",
        ),
        pytest.param(_named("a" * 30, "b" * 30, "c" * 30), 3, id="a name is never broken"),
        pytest.param(_named("prod", "dev", value=0), 1, id="all at zero are named"),
    ],
)
def test_the_legend_has_room_for_every_entry(series: list[Series], lines: int) -> None:
    assert legend_lines(series, width=290) == lines


def _heights(drawn: str) -> list[list[float]]:
    """How high each line is at its points, from the bottom of the picture on, the lowest line first."""
    lines = ET.fromstring(drawn).findall("polyline")  # noqa: S314 drawn by ourselves
    heights = [[100 - float(point.split(",")[1]) for point in line.get("points", "").split()] for line in lines]
    return sorted(heights)


def test_stacked_lines_stand_on_each_other_and_others_do_not() -> None:
    series = [*_named("one", value=1), *_named("two", value=2), *_named("none", value=0)]

    def drawn(*, stacked: bool) -> list[list[float]]:
        return _heights(plot(series, unit="", started=STARTED, ended=ENDED, size=(300, 100), stacked=stacked))

    zero, one, two = drawn(stacked=False)
    low, high = drawn(stacked=True)
    assert (one[0] - zero[0]) * 2 == pytest.approx(two[0] - zero[0])
    bottom = zero[0]
    assert (low[0] - bottom) * 3 == pytest.approx(high[0] - bottom, rel=0.01)


@pytest.mark.parametrize(("title", "stacked"), [("Pools by outcome", True), ("Drift detected", False)])
async def test_a_panel_is_stacked_where_its_json_says_so(title: str, stacked: bool) -> None:  # noqa: FBT001 a table
    answer = [_series({"outcome": name}, "1", "1") for name in ("Compliant", "Pending")]
    board = await answered(dashboards()["correction"], _always(answer), started=STARTED, ended=ENDED)
    (panel,) = (each for each in board.panels if each.model["title"] == title)
    assert panel.is_stacked is stacked
    assert ("<polygon" in page(replace(board, panels=(panel,)))) is stacked
