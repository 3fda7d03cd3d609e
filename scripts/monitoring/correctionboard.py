"""Does correction work: what drifted, how long it lasted, what stands in the way."""

from collections.abc import Mapping
from typing import Final

from scripts.monitoring.panels import (
    HERE,
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

NOW: Final[tuple[Panel, ...]] = (
    number(
        "Drifted",
        "Pools that are not as declared.",
        f"count({one_of('batchaccess_pool_drifted_since_timestamp_seconds', *POOL)}) or vector(0)",
        bad=YELLOW,
    ),
    number(
        "Waiting to be corrected",
        "Pools whose drift is to be corrected as soon as what they wait for is so.",
        f'sum(max by (connection) (batchaccess_pools{{outcome="Pending", {HERE}}}))',
        bad=YELLOW,
    ),
    number(
        "Cannot be corrected",
        "Pools the operator gave up on until somebody changes something.",
        f'sum(max by (connection) (batchaccess_pools{{outcome="Stalled", {HERE}}}))',
        bad=RED,
    ),
    number(
        "Corrected, 24 hours",
        "Corrections that were written and verified.",
        f'sum(increase(batchaccess_drift_corrected_total{{outcome="Verified", {HERE}}}[24h]))',
    ),
    listing(
        "Drifted pools",
        "Every pool that is not as declared, and since when.",
        with_policy(f"({one_of('batchaccess_pool_drifted_since_timestamp_seconds', *POOL)} * 1000)"),
        columns={"connection": "Account", "pool": "Pool", "policy": "Policy", "mode": "Mode", "Value": "Drifted"},
        units={"Drifted": Unit.TIME_AGO},
    ),
    listing(
        "What stands in the way",
        "Number of pools that are not as declared, or not managed, by reason.",
        "count by (reason) (max by (connection, pool, reason) "
        f'(batchaccess_pool_condition{{type="Compliant", status!="True", {HERE}}}))',
        columns={"reason": "Reason", "Value": "Pools"},
    ),
)

RATES: Final[tuple[Panel, ...]] = (
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
    lines(
        "How late drift was found",
        "Median and 95th percentile, of a day, of the seconds from the change of a pool to the sweep that found it.",
        Query(
            expr="histogram_quantile(0.5, sum by (le) "
            f"(rate(batchaccess_drift_detection_lag_seconds_bucket{{{HERE}}}[1d])))",
            legend="median",
        ),
        Query(
            expr="histogram_quantile(0.95, sum by (le) "
            f"(rate(batchaccess_drift_detection_lag_seconds_bucket{{{HERE}}}[1d])))",
            legend="95th percentile",
        ),
        unit=Unit.SECONDS,
    ),
    lines(
        "How long drift lasted",
        "Median and 95th percentile of drift that ended within a day; drift corrected at once is not among them.",
        Query(
            expr=f"histogram_quantile(0.5, sum by (le) (rate(batchaccess_drift_open_seconds_bucket{{{HERE}}}[1d])))",
            legend="median",
        ),
        Query(
            expr=f"histogram_quantile(0.95, sum by (le) (rate(batchaccess_drift_open_seconds_bucket{{{HERE}}}[1d])))",
            legend="95th percentile",
        ),
        unit=Unit.SECONDS,
    ),
    lines(
        "Pools by outcome",
        "What the last sweep of each account concluded.",
        Query(expr=f"sum by (outcome) ({one_of('batchaccess_pools', 'connection', 'outcome')})", legend="{{outcome}}"),
        unit=Unit.POOLS,
        stacked=True,
        span=24,
    ),
)

DRAINS: Final[tuple[Panel, ...]] = (
    number(
        "Under way",
        "Pools with nodes that are being drained, corrected or brought back.",
        f"sum({one_of('batchaccess_remediation_active', 'connection', 'step')})",
        span=4,
    ),
    number(
        "Scale not brought back",
        "Pools whose nodes the operator took and could not bring back yet; somebody has to look.",
        f"sum({one_of('batchaccess_restore_pending', 'connection')})",
        bad=RED,
        span=4,
    ),
    number(
        "Breakers open",
        "Accounts of which so many pools drift at once, though nobody edited their policies, that no drain begins.",
        f"sum({one_of('batchaccess_breaker_open', 'connection')})",
        bad=RED,
        span=4,
    ),
    number(
        "Nodes drained, 24 hours",
        "Nodes that corrections took out of their pools.",
        f"sum(increase(batchaccess_nodes_drained_total{{{HERE}}}[24h]))",
        span=4,
    ),
    number(
        "Capacity lost, 24 hours",
        "Nodes that were missing because of corrections, times how long.",
        f"sum(increase(batchaccess_capacity_lost_node_seconds_total{{{HERE}}}[24h]))",
        unit=Unit.SECONDS,
        span=4,
    ),
    number(
        "Tasks affected, 24 hours",
        "Tasks that ran in a pool when a correction began to take its nodes out.",
        f"sum(increase(batchaccess_tasks_affected_total{{{HERE}}}[24h]))",
        span=4,
    ),
    lines(
        "Corrections by step",
        "Pools with nodes whose correction is at this step.",
        Query(
            expr=f"sum by (step) ({one_of('batchaccess_remediation_active', 'connection', 'step')})", legend="{{step}}"
        ),
        unit=Unit.POOLS,
        stacked=True,
    ),
    lines(
        "How corrections ended",
        "Corrections of pools with nodes that are over, by how, and those found in a pool's metadata only.",
        Query(
            expr=f"sum by (outcome) (increase(batchaccess_remediation_total{{{HERE}}}[$__rate_interval]))",
            legend="{{outcome}}",
        ),
        Query(
            expr=f"sum(increase(batchaccess_remediation_resumed_total{{{HERE}}}[$__rate_interval]))",
            legend="resumed from the metadata",
        ),
    ),
    lines(
        "How long steps took, 95th percentile",
        "Of the last day, by step, over all accounts.",
        Query(
            expr="histogram_quantile(0.95, sum by (step, le) "
            "(rate(batchaccess_remediation_step_duration_seconds_bucket[1d]))) >= 0",
            legend="{{step}}",
        ),
        unit=Unit.SECONDS,
    ),
    listing(
        "Pools being corrected",
        "Every pool with nodes whose correction is under way, or waits, and why it waits.",
        "max by (connection, pool, status, reason) "
        f'(batchaccess_pool_condition{{type="Remediating", reason!="Idle", {HERE}}})',
        columns={"connection": "Account", "pool": "Pool", "status": "Under way", "reason": "Step"},
    ),
)

ROWS: Final[Mapping[str, tuple[Panel, ...]]] = {"Now": NOW, "Over time": RATES, "Pools with nodes": DRAINS}
