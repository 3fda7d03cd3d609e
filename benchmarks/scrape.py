"""What a scrape costs at 10,000 pools, beside producing the same text anew in the plainest way.

Run from the repository's root: `python -m benchmarks.scrape [POOLS]`.
"""

import gzip
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from batchaccess.clock import SystemClock
from batchaccess.core.declared import Mode
from batchaccess.core.model import (
    IpFamily,
    ObjectKey,
)
from batchaccess.core.reasons import ConditionStatus, ConditionType, PoolOutcome
from batchaccess.core.status import Condition
from batchaccess.telemetry.exposition import render_header
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.pools import FAMILIES, POOL_FAMILIES, PoolTable
from batchaccess.telemetry.rows import PoolRow

DEFAULT_POOLS = 10_000
ROUNDS = 7
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
CONNECTION = "prod-weu"


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_POOLS
    rows = [_row(number) for number in range(count)]
    metrics = Metrics(SystemClock())
    handle = metrics.connection(CONNECTION)
    fed_first = _seconds(lambda: handle.observe_pools(rows), rounds=1)
    fed_again = _seconds(lambda: handle.observe_pools(rows))

    table = PoolTable()
    table.replace(CONNECTION, rows)
    if table.exposition() != _plainly(rows):
        raise SystemExit("the two ways do not produce the same text: the comparison would be void")
    kept = _seconds(table.exposition)
    plain = _seconds(lambda: _plainly(rows))
    client = _client_registry(rows)
    by_client = _seconds(lambda: generate_latest(client))
    text = metrics.exposition()
    series = sum(1 for line in text.splitlines() if not line.startswith(b"#"))

    print(f"{count:,} pools: {series:,} series, {series / count:.1f} per pool; {len(text) / 1e6:.1f} MB of text")
    print(f"  a scrape                        {_seconds(metrics.exposition) * 1e3:8.1f} ms")
    print(f"  gzip of it, beside the loop     {_seconds(lambda: gzip.compress(text, 6), rounds=2) * 1e3:8.1f} ms")
    print(f"  feeding all rows the first time {fed_first * 1e3:8.1f} ms, unchanged ones {fed_again * 1e3:.1f} ms")
    print(f"  pools only: kept text {kept * 1e3:.1f} ms, the same text made anew {plain * 1e3:.1f} ms")
    print(f"  ratio to making the same text anew: {kept / plain:.2f}")
    print(f"  ratio to prometheus_client rendering only pool_info of these pools: {kept / by_client:.2f}")


def _seconds(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Median of some rounds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _row(number: int) -> PoolRow:
    exposed = number % 10 == 0
    reasons = {
        ConditionType.COMPLIANT: (ConditionStatus.TRUE, "Compliant"),
        ConditionType.DRIFTED: (ConditionStatus.FALSE, "None"),
        ConditionType.EXPOSED: (ConditionStatus.TRUE, "InternetReachable")
        if exposed
        else (ConditionStatus.FALSE, "None"),
        ConditionType.REMEDIATING: (ConditionStatus.FALSE, "Idle"),
    }
    return PoolRow(
        pool=f"render-pool-{number:05}",
        outcome=PoolOutcome.COMPLIANT,
        conditions=tuple(
            Condition(
                type=condition_type,
                status=status,
                reason=reason,
                message="",
                observed_generation=1,
                last_transition_time=SINCE,
            )
            for condition_type, (status, reason) in reasons.items()
        ),
        policy=ObjectKey(namespace="render", name="render-ssh"),
        mode=Mode.ENFORCE,
        internet_open_ports=frozenset({27000}) if exposed else frozenset(),
        exposed_addresses={IpFamily.IPV4: 2**32 if exposed else 256},
    )


def _plainly(rows: list[PoolRow]) -> bytes:
    """The same text by one f-string per line, with no escaping and nothing kept."""
    lines: list[list[str]] = [[] for _ in POOL_FAMILIES]
    info, condition, reachable, undetermined, violation, _, addresses, exposed, _ = lines
    for row in rows:
        of = f'connection="{CONNECTION}",pool="{row.pool}"'
        info.append(f'batchaccess_pool_info{{{of},policy="{row.policy}",mode="{row.mode}"}} 1.0\n')
        for c in row.conditions:
            labels = f'{of},type="{c.type}",status="{c.status}",reason="{c.reason}"'
            condition.append(f"batchaccess_pool_condition{{{labels}}} 1.0\n")
            if c.type is ConditionType.EXPOSED and c.status is ConditionStatus.TRUE:
                since = c.last_transition_time.timestamp()
                exposed.append(f"batchaccess_pool_exposed_since_timestamp_seconds{{{of}}} {since}\n")
        reachable.append(f'batchaccess_pool_internet_reachable{{{of},port_class="login"}} 0.0\n')
        other = float(bool(row.internet_open_ports))
        reachable.append(f'batchaccess_pool_internet_reachable{{{of},port_class="other"}} {other}\n')
        undetermined.append(f"batchaccess_pool_reachability_undetermined{{{of}}} 0.0\n")
        violation.append(f"batchaccess_pool_exposure_violation{{{of}}} 0.0\n")
        ipv4 = float(row.exposed_addresses[IpFamily.IPV4])
        addresses.append(f'batchaccess_pool_exposed_addresses{{{of},family="IPv4"}} {ipv4}\n')
    lines.append(
        [
            f'batchaccess_pools{{connection="{CONNECTION}",outcome="{outcome}"}} '
            f"{float(sum(row.outcome is outcome for row in rows))}\n"
            for outcome in PoolOutcome
        ]
    )
    return b"".join(
        render_header(family) + "".join(texts).encode() for family, texts in zip(FAMILIES, lines, strict=True)
    )


def _client_registry(rows: list[PoolRow]) -> CollectorRegistry:
    registry = CollectorRegistry()
    family = POOL_FAMILIES[0]
    info = Gauge(family.name, family.help, family.label_names, registry=registry)
    for row in rows:
        info.labels(CONNECTION, row.pool, str(row.policy), row.mode).set(1)
    return registry


if __name__ == "__main__":
    main()
