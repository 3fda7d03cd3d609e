"""Is anything open to the Internet, since when and where, and how much exposure has that made."""

from collections.abc import Mapping
from typing import Final

from scripts.monitoring.panels import (
    HERE,
    KEPT,
    POOL,
    RED,
    YELLOW,
    Panel,
    Query,
    Unit,
    lines,
    listing,
    number,
    one_of,
    with_policy,
)

EXPOSURE: Final[tuple[Panel, ...]] = (
    number(
        "Exposed against policy",
        "Pools with a port reachable from the Internet that their policy, an assertion or a guardrail closes.",
        f"sum({one_of('batchaccess_pool_exposure_violation', *POOL)})",
        bad=RED,
    ),
    number(
        "Reachable from the Internet",
        "Pools with at least one port that some public address reaches, wanted or not.",
        f"sum({one_of('batchaccess_pool_internet_reachable', *POOL)})",
        bad=YELLOW,
    ),
    number(
        "Undetermined",
        "Pools for which it cannot be told whether the Internet reaches some port.",
        f"sum({one_of('batchaccess_pool_reachability_undetermined', *POOL)})",
        bad=YELLOW,
    ),
    number(
        "Pools", "All pools of the connected accounts.", f"sum({one_of('batchaccess_pools', 'connection', 'outcome')})"
    ),
    listing(
        "Exposed pools",
        "Every pool that is reachable from the Internet, since when, and which policy governs it.",
        with_policy(f"({one_of('batchaccess_pool_exposed_since_timestamp_seconds', *POOL)} * 1000)"),
        columns={"connection": "Account", "pool": "Pool", "policy": "Policy", "mode": "Mode", "Value": "Exposed"},
        units={"Exposed": Unit.TIME_AGO},
    ),
    listing(
        "Who reaches exposed pools",
        "How many source addresses get in at some port: an office has some hundreds, the whole Internet billions.",
        f"{one_of('batchaccess_pool_exposed_addresses', *POOL, 'family')}"
        f" and on (connection, pool) batchaccess_pool_exposed_since_timestamp_seconds{{{HERE}}}",
        columns={"connection": "Account", "pool": "Pool", "family": "Family", "Value": "Addresses"},
        units={"Addresses": Unit.NUMBER},
    ),
    lines(
        "Pools reachable from the Internet",
        "Number of pools, by account. Login ports are 22 and 3389.",
        Query(
            expr="sum by (connection, port_class) "
            f"({one_of('batchaccess_pool_internet_reachable', *POOL, 'port_class')})",
            legend="{{connection}}: {{port_class}} ports",
        ),
        unit=Unit.POOLS,
        span=24,
    ),
)

BUDGET: Final[tuple[Panel, ...]] = (
    number(
        "Forbidden exposure, 30 days",
        "Time that pools were reachable from the Internet against policy, added up over pools; twice for a pool while "
        f"both its login ports and others were. {KEPT}",
        f'sum(increase(batchaccess_exposure_seconds_total{{verdict="Forbidden", {HERE}}}[30d]))',
        bad=YELLOW,
        unit=Unit.SECONDS,
    ).height(8),
    number(
        "Allowed exposure, 30 days",
        "Time that pools were reachable from the Internet as declared, or with nobody forbidding it, added up as "
        f"beside. {KEPT}",
        f'sum(increase(batchaccess_exposure_seconds_total{{verdict="Allowed", {HERE}}}[30d]))',
        unit=Unit.SECONDS,
    ).height(8),
    lines(
        "Pools reachable over time",
        "Number of pools that the Internet reaches, by account, ports and whether that is forbidden; averaged.",
        Query(
            expr="sum by (connection, port_class, verdict) "
            f"(rate(batchaccess_exposure_seconds_total{{{HERE}}}[$__rate_interval]))",
            legend="{{connection}}: {{port_class}} ports, {{verdict}}",
        ),
        unit=Unit.POOLS,
    ),
)

DECLARED: Final[tuple[Panel, ...]] = (
    lines(
        "Pools by outcome",
        "What the last sweep of each account concluded.",
        Query(expr=f"sum by (outcome) ({one_of('batchaccess_pools', 'connection', 'outcome')})", legend="{{outcome}}"),
        unit=Unit.POOLS,
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
