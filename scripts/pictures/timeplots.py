"""Time series as SVG: axes with round steps, a line per series, a legend below."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final, TypeAlias

from scripts.pictures.boards import Series
from scripts.pictures.quantities import told

COLOURS: Final = (
    "#3274d9",
    "#e0752d",
    "#37872d",
    "#c4162a",
    "#8f3bb8",
    "#0f8fa3",
    "#b58900",
    "#6b7280",
    "#e24d99",
    "#1b4f9c",
    "#7aa116",
    "#7c4a1e",
)

Scale: TypeAlias = Callable[[float], float]
"""Where something is on the picture, in pixels."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 10, 8, 22
_LETTER, _MARGIN = 7, 12
"""Pixels of a letter of the legend, which DejaVu Sans needs on average, and behind each entry."""

_ENTRY: Final = _MARGIN + 17
"""Pixels of an entry without its letters: its colour is shown before them."""

_MEBIBYTE: Final = 1024 * 1024
_LABEL: Final = 14
"""Half the width of a time, in pixels."""

_BETWEEN_LABELS: Final = 48
"""Pixels between the middles of two times at least, so that the last one may stand to the left of its place."""

_STEPS: Final = (15, 30, 60)
"""Seconds between two times."""

_TICKS: Final = 4
_GAP_SECONDS: Final = 2
"""A longer gap between two points is a gap in the line."""


def plot(
    series: Sequence[Series],
    *,
    unit: str | None,
    started: int,
    ended: int,
    size: tuple[int, int],
    stacked: bool = False,
) -> str:
    """An SVG of `size` (width, height) in pixels. The time axis counts from `started`."""
    width, height = size
    scale = _MEBIBYTE if unit == "bytes" else 1
    layers = _stack(series) if stacked else [_Layer(number, each.points, {}) for number, each in enumerate(series)]
    top = scale * _round_top(max((value for each in layers for value in each.points.values()), default=1.0) / scale)

    def x(second: float) -> float:
        return _LEFT + (second - started) / (ended - started) * (width - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return height - _BOTTOM - value / top * (height - _TOP - _BOTTOM)

    drawn = [*_grid(top, unit, width, y), *_clock(started, ended, height, x)]
    for layer in layers:
        colour = _colour(layer.number)
        for run in _runs(layer.points):
            path = " ".join(f"{x(when):.1f},{y(value):.1f}" for when, value in run)
            if stacked:
                back = " ".join(f"{x(when):.1f},{y(layer.below[when]):.1f}" for when, _ in reversed(run))
                drawn.append(f'<polygon points="{path} {back}" fill="{colour}" fill-opacity="0.25"/>')
            if len(run) == 1:
                drawn.append(f'<circle cx="{x(run[0][0]):.1f}" cy="{y(run[0][1]):.1f}" r="1.6" fill="{colour}"/>')
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    return f'<svg width="{width}" height="{height}" role="img">{"".join(drawn)}</svg>'


def sparkline(points: Mapping[int, float], *, started: int, ended: int, size: tuple[int, int]) -> str:
    """The course of one value without axes, for a stat."""
    width, height = size
    top = max([*points.values(), 1.0])
    path = " ".join(
        f"{(when - started) / (ended - started) * width:.1f},{height - 1 - value / top * (height - 3):.1f}"
        for when, value in sorted(points.items())
    )
    return (
        f'<svg class="spark" width="{width}" height="{height}"><polyline points="{path}" fill="none" '
        'stroke="currentColor" stroke-width="1.4" opacity="0.55"/></svg>'
    )


def legend(series: Sequence[Series]) -> str:
    """Names and colours of the lines; those that never leave zero are only counted, unless there are no others."""
    named, quiet = _told(series)
    keys = "".join(
        f'<span class="key"><i style="background:{_colour(number)}"></i>{escape(series[number].name)}</span>'
        for number in named
    )
    return f'{keys}<span class="key">{_at_zero(quiet)}</span>' if quiet else keys


def legend_lines(series: Sequence[Series], *, width: int) -> int:
    """How many lines the legend takes in so many pixels; an entry is never broken."""
    named, quiet = _told(series)
    entries = [_ENTRY + _LETTER * len(series[number].name) for number in named]
    if quiet:
        entries.append(_MARGIN + _LETTER * len(_at_zero(quiet)))
    lines, taken = 1, 0
    for entry in entries:
        if taken and taken + entry > width:
            lines, taken = lines + 1, 0
        taken += entry
    return lines


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _told(series: Sequence[Series]) -> tuple[list[int], int]:
    """The numbers of the series that a legend names, and how many it does not."""
    busy = [number for number, each in enumerate(series) if any(each.points.values())]
    return (busy, len(series) - len(busy)) if busy else (list(range(len(series))), 0)


def _at_zero(quiet: int) -> str:
    return f"and {quiet} at zero"


@dataclass(frozen=True, slots=True)
class _Layer:
    """A line of a stack, or one of its own: its number in the panel, where it is and what it stands on."""

    number: int
    points: Mapping[int, float]
    below: Mapping[int, float]


def _stack(series: Sequence[Series]) -> list[_Layer]:
    """Each series on top of those before it, the topmost first: a lower line is not to be hidden by a higher one.

    What never leaves zero would only hide the line below it.
    """
    height: dict[int, float] = {}
    layers = []
    for number, each in enumerate(series):
        if not any(each.points.values()):
            continue
        below = {when: height.get(when, 0.0) for when in each.points}
        points = {when: below[when] + value for when, value in each.points.items()}
        height |= points
        layers.append(_Layer(number, points, below))
    return layers[::-1]


def _grid(top: float, unit: str | None, width: int, y: Scale) -> Iterator[str]:
    for step in range(_TICKS + 1):
        value = top * step / _TICKS
        at = y(value)
        yield f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" class="grid"/>'
        yield f'<text x="{_LEFT - 6}" y="{at + 3.5:.1f}" text-anchor="end">{escape(told(value, unit))}</text>'


def _clock(started: int, ended: int, height: int, x: Scale) -> Iterator[str]:
    fitting = (x(ended) - x(started)) / _BETWEEN_LABELS
    step = next((each for each in _STEPS if (ended - started) / each <= fitting), _STEPS[-1])
    for second in range(started, ended + 1, step):
        past = second - started
        anchor = "end" if x(second) > x(ended) - _LABEL else "middle"
        yield f'<text x="{x(second):.1f}" y="{height - 6}" text-anchor="{anchor}">{past // 60}:{past % 60:02}</text>'


def _runs(points: Mapping[int, float]) -> Iterator[list[tuple[int, float]]]:
    ordered = sorted(points.items())
    if not ordered:
        return
    run = ordered[:1]
    for (before, _), (when, value) in pairwise(ordered):
        if when - before > _GAP_SECONDS:
            yield run
            run = []
        run.append((when, value))
    yield run


def _round_top(most: float) -> float:
    """A round number not below `most` that four steps divide well."""
    if most <= 0:
        return 1.0
    scale: float = 10.0 ** math.floor(math.log10(most))
    return next(factor * scale for factor in (1, 1.2, 1.6, 2, 4, 6, 8, 10) if factor * scale >= most)
