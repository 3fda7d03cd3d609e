"""Is anything open to the Internet, since when and where, and how much exposure has that made."""

from collections.abc import Mapping
from typing import Final

from scripts.monitoring.panels import HERE, RED, YELLOW, Panel, Query, Unit, lines, listing, number

EXPOSURE: Final[tuple[Panel, ...]] = (
    number(
        "Exposed against policy",
        "Pools where the Internet reaches a port that their policy, an assertion or a guardrail closes.",
        f"sum(batchaccess_pool_exposure_violation{{{HERE}}})",
        bad=RED,
    ),
    number(
        "Reachable from the Internet",
        "Pools with at least one port that some public address reaches, wanted or not.",
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

BUDGET: Final[tuple[Panel, ...]] = (
    number(
        "Forbidden exposure, 30 days",
        "Time that pools were reachable from the Internet against policy, added up over pools; twice for a pool while "
        "both its login ports and others were.",
        f'sum(increase(batchaccess_exposure_seconds_total{{verdict="Forbidden", {HERE}}}[30d]))',
        bad=YELLOW,
        unit=Unit.SECONDS,
    ).height(8),
    number(
        "Allowed exposure, 30 days",
        "Time that pools were reachable from the Internet with nobody forbidding it, added up as beside.",
        f'sum(increase(batchaccess_exposure_seconds_total{{verdict="Allowed", {HERE}}}[30d]))',
        unit=Unit.SECONDS,
    ).height(8),
    lines(
        "Exposure",
        "Number of pools that the Internet reaches, by account, ports and whether that is forbidden; averaged.",
        Query(
            expr="sum by (connection, port_class, verdict) "
            f"(rate(batchaccess_exposure_seconds_total{{{HERE}}}[$__rate_interval]))",
            legend="{{connection}}: {{port_class}} ports, {{verdict}}",
        ),
    ),
)

DECLARED: Final[tuple[Panel, ...]] = (
    lines(
        "Pools by outcome",
        "What the last sweep of each account concluded.",
        Query(expr=f"sum by (outcome) (batchaccess_pools{{{HERE}}})", legend="{{outcome}}"),
        stacked=True,
        span=24,
    ),
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

ROWS: Final[Mapping[str, tuple[Panel, ...]]] = {
    "Exposure": EXPOSURE,
    "Exposure over time": BUDGET,
    "What is declared": DECLARED,
}
