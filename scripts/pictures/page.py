"""A board as one HTML page, laid out by the dashboard's own grid."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from scripts.pictures.boards import Board, Panel
from scripts.pictures.quantities import ago, told
from scripts.pictures.timeplots import legend, legend_lines, plot, sparkline

WIDTH: Final = 1320
_COLUMN: Final = 54
_ROW: Final = 30
_MARGIN: Final = 12
_GAP: Final = 6
_HEAD: Final = 64
_LEGEND_LINE: Final = 16
_MOST_ROWS: Final = 8
"""Rows of a table that its panel has room for; how many more there are is said."""

_THRESHOLD_COLOURS: Final = {"green": "#37872d", "yellow": "#b07d00", "orange": "#c15c17", "red": "#c4162a"}

_STYLE: Final = f"""
body {{ margin: 0; width: {WIDTH}px; font: 13px/1.35 system-ui, "DejaVu Sans", sans-serif; color: #1f2430;
  background: #f4f5f7; position: relative; }}
h1 {{ font-size: 18px; margin: 12px {_MARGIN}px 2px; }}
p.note {{ margin: 0 {_MARGIN}px; color: #5a6272; }}
section {{ position: absolute; box-sizing: border-box; background: #fff; border: 1px solid #dfe2e8; border-radius: 4px;
  padding: 6px 10px; overflow: hidden; }}
h2 {{ position: absolute; font-size: 14px; margin: 0; color: #3b4252; }}
h3 {{ font-size: 12.5px; font-weight: 600; margin: 0 0 2px; color: #3b4252; }}
.stat {{ font-size: 30px; font-weight: 600; }}
.spark {{ position: absolute; right: 10px; bottom: 8px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 12px; }}
th {{ text-align: left; color: #5a6272; font-weight: 600; border-bottom: 1px solid #dfe2e8; }}
td, th {{ padding: 2.5px 8px 2.5px 0; white-space: nowrap; }}
td + td.value {{ font-variant-numeric: tabular-nums; }}
svg text {{ font-size: 10.5px; fill: #5a6272; }}
svg .grid {{ stroke: #e7e9ee; }}
.legend {{ font-size: 11.5px; color: #3b4252; line-height: 1.25; }}
.key {{ margin-right: 12px; white-space: nowrap; }}
.key i {{ display: inline-block; width: 12px; height: 3px; border-radius: 2px; margin-right: 5px;
  vertical-align: 3px; }}
"""


def page(board: Board) -> str:
    """The whole page. Times count from the beginning of the story."""
    past = board.moment - board.started
    bottom = max(panel.model["gridPos"]["y"] + panel.model["gridPos"]["h"] for panel in board.panels)
    body = "".join(_placed(panel, board) for panel in board.panels)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(board.title)}</title>"
        f'<style>{_STYLE}</style><body style="height:{_HEAD + bottom * _ROW + _MARGIN}px">'
        f"<h1>{escape(board.title)}</h1>"
        f'<p class="note">The demo\'s story as a real Prometheus recorded it; numbers and tables as of '
        f"{past // 60}:{past % 60:02} after its beginning</p>{body}"
    )


def _placed(panel: Panel, board: Board) -> str:
    grid = panel.model["gridPos"]
    left, top = _MARGIN + grid["x"] * _COLUMN, _HEAD + grid["y"] * _ROW
    width, height = grid["w"] * _COLUMN - _GAP, grid["h"] * _ROW - _GAP
    title = escape(panel.model["title"])
    if panel.kind == "row":
        return f'<h2 style="left:{left}px;top:{top + 4}px">{title}</h2>'
    inside = _inside(panel, board, (width - 22, height - 34))
    place = f"left:{left}px;top:{top}px;width:{width}px;height:{height}px"
    return f'<section style="{place}"><h3>{title}</h3>{inside}</section>'


def _inside(panel: Panel, board: Board, size: tuple[int, int]) -> str:
    match panel.kind:
        case "stat":
            return _stat(panel, board)
        case "table":
            return _table(panel, board)
        case "timeseries":
            width, height = size
            room = _LEGEND_LINE * legend_lines(panel.series, width=width)
            drawn = plot(
                panel.series,
                unit=panel.unit,
                started=board.started,
                ended=board.ended,
                size=(width, height - room),
                stacked=panel.is_stacked,
            )
            return f'{drawn}<div class="legend">{legend(panel.series)}</div>'
        case other:
            raise ValueError(f"nothing is known of panels of the type {other}")


def _stat(panel: Panel, board: Board) -> str:
    (series,) = panel.series
    value = series.points.get(board.moment, 0.0)
    if panel.decimals is not None:
        value = round(value, panel.decimals)
    steps = panel.model["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", ())
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    colour = _THRESHOLD_COLOURS.get(reached[-1] if reached else "", "#1f2430")
    drawn = sparkline(series.points, started=board.started, ended=board.ended, size=(120, 44))
    return f'<div style="color:{colour}"><span class="stat">{told(value, panel.unit)}</span>{drawn}</div>'


def _table(panel: Panel, board: Board) -> str:
    columns = _columns(panel.model)
    rows = sorted(_rows(panel, board, list(columns)))
    head = "".join(f"<th>{escape(title)}</th>" for title in columns.values())
    shown = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[:_MOST_ROWS])
    more = f'<div class="legend">and {len(rows) - _MOST_ROWS} more</div>' if len(rows) > _MOST_ROWS else ""
    return f"<table><tr>{head}</tr>{shown}</table>{more}"


def _rows(panel: Panel, board: Board, fields: list[str]) -> Iterator[list[str]]:
    since = any(
        each["value"] == "dateTimeFromNow"
        for override in panel.model["fieldConfig"]["overrides"]
        for each in override["properties"]
    )
    for series, value in panel.at(board.moment):
        shown = ago(value / 1000, board.moment) if since else told(value, panel.unit)
        yield [shown if field == "Value" else series.labels.get(field, "") for field in fields]


def _columns(model: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a table in their order, each with its title."""
    (organised,) = (each["options"] for each in model["transformations"] if each["id"] == "organize")
    order: dict[str, int] = organised["indexByName"]
    return {field: organised["renameByName"][field] for field in sorted(order, key=order.__getitem__)}
