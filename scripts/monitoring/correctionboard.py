"""Does correction work: what drifted, how long it lasted, what stands in the way."""

from collections.abc import Mapping
from typing import Final

from scripts.monitoring.panels import HERE, RED, YELLOW, Panel, Query, Unit, lines, listing, number

NOW: Final[tuple[Panel, ...]] = (
    number(
        "Drifted",
        "Pools that are not as declared.",
        f"count(batchaccess_pool_drifted_since_timestamp_seconds{{{HERE}}}) or vector(0)",
        bad=YELLOW,
    ),
    number(
        "Waiting to be corrected",
        "Pools whose drift is to be corrected as soon as what they wait for is so.",
        f'sum(batchaccess_pools{{outcome="Pending", {HERE}}})',
        bad=YELLOW,
    ),
    number(
        "Cannot be corrected",
        "Pools the operator gave up on until somebody changes something.",
        f'sum(batchaccess_pools{{outcome="Stalled", {HERE}}})',
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
        f"(batchaccess_pool_drifted_since_timestamp_seconds{{{HERE}}} * 1000)"
        f" * on (connection, pool) group_left (policy, mode) batchaccess_pool_info{{{HERE}}}",
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
        Query(expr=f"sum by (outcome) (batchaccess_pools{{{HERE}}})", legend="{{outcome}}"),
        stacked=True,
    ),
)

ROWS: Final[Mapping[str, tuple[Panel, ...]]] = {"Now": NOW, "Over time": RATES}
