"""A small vocabulary of panels, so that a dashboard reads as titles, units and queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")

HERE: Final = 'connection=~"$connection"'
"""Keeps a query to the accounts chosen at the top of the dashboard."""

KEPT: Final = "Prometheus itself keeps 15 days, unless told otherwise: what it has dropped is not counted."
"""Belongs to the description of what is counted over a month."""

POOL: Final = ("connection", "pool")
"""The labels that name a pool."""

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"

Panel = stat.Panel | timeseries.Panel | table.Panel


class Unit(StrEnum):
    """Grafana's ids of the units we show."""

    NUMBER = "short"
    SECONDS = "s"
    BYTES = "bytes"
    PER_SECOND = "reqps"
    TIME_AGO = "dateTimeFromNow"
    POOLS = "suffix: pools"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One PromQL expression and how its series are named."""

    expr: str
    legend: str = ""


def one_of(family: str, *labels: str) -> str:
    """A gauge by these labels: of an old and a new process beside each other the greater value counts, once."""
    return f"max by ({', '.join(labels)}) ({family}{{{HERE}}})"


def with_policy(expr: str) -> str:
    """Pools with the policy that governs them, and its mode; processes that disagree on it do no harm."""
    governing = one_of("batchaccess_pool_info", "connection", "pool", "policy", "mode")
    return f"{expr} * on (connection, pool) group_left (policy, mode) topk by (connection, pool) (1, {governing})"


def number(
    title: str,
    description: str,
    expr: str,
    *,
    bad: str | None = None,
    unit: Unit = Unit.NUMBER,
    span: int = 6,
) -> stat.Panel:
    """One figure; with `bad`, the colour of every value above zero. `increase` extrapolates, so counts are rounded."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .height(4)
        .span(span)
        .color_mode(BigValueColorMode.VALUE)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .with_target(_target("A", Query(expr=expr), instant=True))
    )
    steps = [Threshold(value=None, color=GREEN if bad else BLUE)]
    if unit is Unit.NUMBER:
        panel = panel.decimals(0)
    if bad:
        steps.append(Threshold(value=0.0001, color=bad))
    return panel.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))


def lines(
    title: str,
    description: str,
    *queries: Query,
    unit: Unit = Unit.NUMBER,
    stacked: bool = False,
    span: int = 12,
) -> timeseries.Panel:
    """Curves over time, from zero upwards."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .min(0)
        .height(8)
        .span(span)
        .fill_opacity(25 if stacked else 8)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
    )
    for ref, query in zip("ABCDEF", queries, strict=False):
        panel = panel.with_target(_target(ref, query, instant=False))
    return panel


def listing(
    title: str,
    description: str,
    expr: str,
    *,
    columns: Mapping[str, str],
    units: Mapping[str, Unit] | None = None,
    span: int = 12,
) -> table.Panel:
    """A table of what holds now.

    Args:
        title: heading.
        description: what a reader may need to know.
        expr: query whose labels, and whose `Value`, become columns.
        columns: label (or `Value`) -> heading, in the order shown; what is not named is hidden.
        units: heading -> unit.
        span: width of 24.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .height(8)
        .span(span)
        .no_value("none")
        .with_target(_target("A", Query(expr=expr), instant=True).format(PromQueryFormat.TABLE))
        .with_transformation(
            DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": list(columns)}})
        )
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "indexByName": {name: index for index, name in enumerate(columns)},
                    "renameByName": dict(columns),
                },
            )
        )
    )
    for heading, unit in (units or {}).items():
        panel = panel.override_by_name(heading, [DynamicConfigValue(id_val="unit", value=unit.value)])
    return panel


def row(title: str) -> dashboard.Row:
    """A heading over the panels that follow."""
    return dashboard.Row(title)


def _target(ref: str, query: Query, *, instant: bool) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(ref).datasource(DATASOURCE).expr(query.expr)
    if instant:
        return target.instant()
    return target.range().legend_format(query.legend or "__auto")
