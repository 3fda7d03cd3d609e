"""The Grafana dashboards as code; deploy/monitoring/dashboards holds the JSON."""

import json
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableRefresh

from scripts.monitoring.panels import DATASOURCE, RED, YELLOW, Panel, Query, Unit, lines, listing, number, row

HERE: Final = 'connection=~"$connection"'
"""What keeps every panel to the accounts chosen at the top."""

EXPOSURE: Final[tuple[Panel, ...]] = (
    number(
        "Exposed against policy",
        "Pools where the Internet reaches a port that their policy, an assertion or a guardrail closes.",
        f"sum(batchaccess_pool_exposure_violation{{{HERE}}})",
        bad=RED,
    ),
    number(
        "Reachable from the Internet",
        "Pools with at least one port that anyone on the Internet reaches, wanted or not.",
        f"sum(max by (connection, pool) (batchaccess_pool_internet_reachable{{{HERE}}}))",
        bad=YELLOW,
    ),
    number(
        "Undetermined",
        "Pools for which it cannot be told whether the Internet reaches some port.",
        f"sum(batchaccess_pool_reachability_undetermined{{{HERE}}})",
        bad=YELLOW,
    ),
    number("Pools", "All pools of the connected accounts.", f"sum(batchaccess_pools{{{HERE}}})"),
    lines(
        "Pools that the Internet reaches",
        "By account. Login ports are 22 and 3389.",
        Query(
            expr=f"sum by (connection, port_class) (batchaccess_pool_internet_reachable{{{HERE}}})",
            legend="{{connection}}: {{port_class}} ports",
        ),
    ),
    listing(
        "Exposed pools",
        "Every pool that the Internet reaches, since when, and which policy governs it.",
        f"(batchaccess_pool_exposed_since_timestamp_seconds{{{HERE}}} * 1000)"
        f" * on (connection, pool) group_left (policy, mode) batchaccess_pool_info{{{HERE}}}",
        columns={"connection": "Account", "pool": "Pool", "policy": "Policy", "mode": "Mode", "Value": "Exposed"},
        units={"Exposed": Unit.TIME_AGO},
    ),
)

DRIFT: Final[tuple[Panel, ...]] = (
    lines(
        "Pools by outcome",
        "What the last sweep of each account concluded.",
        Query(expr=f"sum by (outcome) (batchaccess_pools{{{HERE}}})", legend="{{outcome}}"),
        stacked=True,
    ),
    listing(
        "Drifted pools",
        "Every pool that is not as declared, and since when.",
        f"(batchaccess_pool_drifted_since_timestamp_seconds{{{HERE}}} * 1000)"
        f" * on (connection, pool) group_left (policy, mode) batchaccess_pool_info{{{HERE}}}",
        columns={"connection": "Account", "pool": "Pool", "policy": "Policy", "mode": "Mode", "Value": "Drifted"},
        units={"Drifted": Unit.TIME_AGO},
    ),
    lines(
        "Drift detected",
        "Pools found to have drifted, by what the drift means. Widening admits more than declared.",
        Query(
            expr=f"sum by (kind) (increase(batchaccess_drift_detected_total{{{HERE}}}[$__rate_interval]))",
            legend="{{kind}}",
        ),
    ),
    lines(
        "Corrections attempted",
        "Only Verified corrected a pool.",
        Query(
            expr=f"sum by (outcome) (increase(batchaccess_drift_corrected_total{{{HERE}}}[$__rate_interval]))",
            legend="{{outcome}}",
        ),
    ),
)

DECLARED: Final[tuple[Panel, ...]] = (
    listing(
        "Policies",
        "Whether each policy is accepted and enforced.",
        'max by (policy, type, status, reason) (batchaccess_policy_condition{type=~"Accepted|Enforced"})',
        columns={"policy": "Policy", "type": "Condition", "status": "Status", "reason": "Reason"},
    ),
    listing(
        "Accounts",
        "Whether each account can be read.",
        f'max by (connection, status, reason) (batchaccess_connection_condition{{type="Ready", {HERE}}})',
        columns={"connection": "Account", "status": "Ready", "reason": "Reason"},
    ),
)

OPERATOR: Final[tuple[Panel, ...]] = (
    lines(
        "Since the last successful sweep",
        "Beyond three periods the alert SweepStale fires.",
        Query(
            expr=f"time() - max by (connection) (batchaccess_sweep_last_success_timestamp_seconds{{{HERE}}})",
            legend="{{connection}}",
        ),
        unit=Unit.SECONDS,
    ),
    lines(
        "Duration of sweeps, 95th percentile",
        "By account.",
        Query(
            expr="histogram_quantile(0.95, sum by (connection, le) "
            f"(rate(batchaccess_sweep_duration_seconds_bucket{{{HERE}}}[$__rate_interval])))",
            legend="{{connection}}",
        ),
        unit=Unit.SECONDS,
    ),
    lines(
        "Requests to Azure",
        "By operation and HTTP status.",
        Query(
            expr=f"sum by (operation, code) (rate(batchaccess_azure_requests_total{{{HERE}}}[$__rate_interval]))",
            legend="{{operation}} {{code}}",
        ),
        unit=Unit.PER_SECOND,
    ),
    lines(
        "Duration of requests to Azure, 95th percentile",
        "By operation, over all accounts.",
        Query(
            expr="histogram_quantile(0.95, sum by (operation, le) "
            "(rate(batchaccess_azure_request_duration_seconds_bucket[$__rate_interval])))",
            legend="{{operation}}",
        ),
        unit=Unit.SECONDS,
    ),
    lines(
        "Throttling",
        "Requests refused because there were too many, and what is left of the request budget.",
        Query(
            expr=f"sum by (connection) (increase(batchaccess_azure_throttled_total{{{HERE}}}[$__rate_interval]))",
            legend="{{connection}}: refused",
        ),
        Query(expr=f"min by (connection) (batchaccess_azure_budget_tokens{{{HERE}}})", legend="{{connection}}: budget"),
        span=8,
    ),
    lines(
        "Status writes",
        "Writes to Kubernetes. None are made while nothing changes.",
        Query(
            expr="sum by (kind, result) (increase(batchaccess_status_writes_total[$__rate_interval]))",
            legend="{{kind}} {{result}}",
        ),
        span=8,
    ),
    lines(
        "Memory",
        "Resident memory of the operator.",
        Query(
            expr="process_resident_memory_bytes * on (instance, job) group_left () batchaccess_build_info",
            legend="{{instance}}",
        ),
        unit=Unit.BYTES,
        span=8,
    ),
)


def render_fleet_dashboard() -> str:
    """The dashboard for all accounts: exposure first, then drift, then the operator itself."""
    board = _board("batchaccess-fleet", "Azure Batch access: fleet")
    for title, panels in (
        ("Exposure", EXPOSURE),
        ("Drift and correction", DRIFT),
        ("What is declared", DECLARED),
        ("Operator", OPERATOR),
    ):
        board = board.with_row(row(title))
        for panel in panels:
            board = board.with_panel(panel)
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _board(uid: str, title: str) -> dashboard.Dashboard:
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags(["batchaccess"])
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
