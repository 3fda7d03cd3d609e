"""A committed Grafana dashboard and what Prometheus answered to it, as values to draw."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.monitoring.queries import filled_in

RATE_INTERVAL = "5s"
"""Of a server that scrapes every second."""

Answer: TypeAlias = list[dict[str, Any]]
"""Series of a range query as Prometheus writes them."""

Ask: TypeAlias = Callable[[str], Awaitable[Answer]]
"""Asks for the whole story, a point per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a panel; `points` are values by Unix second."""

    name: str
    labels: Mapping[str, str]
    points: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel with its data. `model` is its JSON in the dashboard."""

    model: Mapping[str, Any]
    series: tuple[Series, ...] = ()

    @property
    def kind(self) -> str:
        """Of Grafana's panel types: row, stat, table or timeseries."""
        return str(self.model["type"])

    @property
    def unit(self) -> str | None:
        """In which its values are."""
        unit: str | None = self.model.get("fieldConfig", {}).get("defaults", {}).get("unit")
        return unit

    @property
    def decimals(self) -> int | None:
        """How many digits a number has behind the point; None if as many as it needs."""
        digits: int | None = self.model.get("fieldConfig", {}).get("defaults", {}).get("decimals")
        return digits

    @property
    def is_stacked(self) -> bool:
        """Whether its lines stand on each other."""
        custom: Mapping[str, Any] = self.model["fieldConfig"]["defaults"].get("custom", {})
        return bool(custom.get("stacking", {}).get("mode") == "normal")

    def at(self, second: int) -> list[tuple[Series, float]]:
        """What an instant query at that second returns."""
        return [(each, each.points[second]) for each in self.series if second in each.points]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard over a story from `started` to `ended`; stats and tables show `moment`, all Unix seconds."""

    title: str
    panels: tuple[Panel, ...]
    started: int
    ended: int
    moment: int


async def answered(model: Mapping[str, Any], ask: Ask, *, started: int, ended: int) -> Board:
    """Ask every query of a dashboard, given as its JSON."""
    panels = tuple([Panel(model=each, series=await _series(each, ask)) for each in model["panels"]])
    moment = telling_moment(panels, range(started, ended))
    return Board(title=model["title"], panels=panels, started=started, ended=ended, moment=moment)


def telling_moment(panels: tuple[Panel, ...], seconds: range) -> int:
    """The first of the seconds at which most stats and tables have something to show, and most of it."""

    def told(second: int) -> tuple[int, int]:
        shown = [
            [value for _, value in panel.at(second) if value] for panel in panels if panel.kind in ("stat", "table")
        ]
        return sum(bool(each) for each in shown), sum(len(each) for each in shown)

    return max(seconds, key=told)


async def _series(panel: Mapping[str, Any], ask: Ask) -> tuple[Series, ...]:
    return tuple(
        [
            _one(answer, target.get("legendFormat"))
            for target in panel.get("targets", ())
            for answer in await ask(filled_in(target["expr"], RATE_INTERVAL))
        ]
    )


def _one(answer: Mapping[str, Any], legend: str | None) -> Series:
    labels = dict(answer["metric"])
    name = re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), legend or "")
    # Not rounded: halves go to the even second, so that two moments would become one.
    points = {int(float(when)): float(value) for when, value in answer["values"]}
    return Series(name=name, labels=labels, points={when: value for when, value in points.items() if value == value})  # noqa: PLR0124 NaN is no data
