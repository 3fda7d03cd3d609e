"""Is the operator itself well: sweeps, the Azure API, Kubernetes, its memory."""

from collections.abc import Mapping
from typing import Final

from scripts.monitoring.panels import HERE, Panel, Query, Unit, lines, listing

HEALTH: Final[tuple[Panel, ...]] = (
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
    lines(
        "Leader",
        "1 for the replica that works. None for minutes is the alert LeaderAbsent.",
        Query(expr="max by (instance) (batchaccess_leader)", legend="{{instance}}"),
    ),
    listing(
        "Replicas",
        "Every operator process that is scraped, what it runs, and whether it leads.",
        "max by (instance, version) "
        "(batchaccess_leader * on (instance, job) group_left (version) batchaccess_build_info)",
        columns={"instance": "Instance", "version": "Version", "Value": "Leads"},
    ),
)

ROWS: Final[Mapping[str, tuple[Panel, ...]]] = {"Operator": HEALTH}
