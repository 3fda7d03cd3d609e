"""What an audit of 5,000 saved pools costs, as a ratio to `json.loads` of the same file.

Run from the root of the repository: `python -m benchmarks.audit [POOLS]`. The pools are those of the demo over and
over, each with an id and, where it has rules, a source address of its own. Prints the time of parsing alone, of reading
and judging in this process, and of the whole command as a user runs it, table and JSON.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from batchaccess.cli.audit.evaluation import evaluate
from batchaccess.cli.inputs import PoolSources, read_sources
from batchaccess.core.addresses import NO_ADDRESSES
from tests.cli.demoaccounts import DEV, demo_accounts

POOLS = 5_000
REPEATS = 5
STATUS_FOUND = 1


def saved_pools(count: int) -> list[Any]:
    """Pools as `az batch pool list` saves them."""
    with demo_accounts() as demo:
        models = json.dumps([demo.saved(), demo.saved(DEV)])
    kinds = [pool for account in json.loads(models) for pool in account]
    return [_numbered(kinds[index % len(kinds)], index) for index in range(count)]


def _numbered(pool: Any, index: int) -> Any:  # noqa: ANN401 any JSON
    copy = json.loads(json.dumps(pool))
    copy["id"] = f"{pool['id']}-{index}"
    endpoints = copy.get("networkConfiguration", {}).get("endpointConfiguration", {}).get("inboundNATPools", ())
    for endpoint in endpoints:
        for rule in endpoint.get("networkSecurityGroupRules", ()):
            if "/" in rule["sourceAddressPrefix"] and ":" not in rule["sourceAddressPrefix"]:
                rule["sourceAddressPrefix"] = f"10.{index // 256}.{index % 256}.0/24"
    return copy


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def audit_command(path: Path, *extra: str) -> None:
    """The whole command, as a user runs it."""
    command = [sys.executable, "-m", "batchaccess", "audit", "--pools", str(path), *extra]
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if ended.returncode != STATUS_FOUND:
        raise SystemExit(f"the audit ended {ended.returncode}, not {STATUS_FOUND}")


def main() -> int:
    """Measure and report."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else POOLS
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pools.json"
        path.write_text(json.dumps(saved_pools(count), indent=2), encoding="utf-8")
        content = path.read_text(encoding="utf-8")
        sources = PoolSources(pool_files=(str(path),))
        parsing = best_of(REPEATS, lambda: json.loads(content))
        first = best_of(1, lambda: evaluate(read_sources(sources), trusted=NO_ADDRESSES))
        again = best_of(REPEATS, lambda: evaluate(read_sources(sources), trusted=NO_ADDRESSES))
        rows = (
            ("json.loads alone", parsing),
            ("read and judged, first time", first),
            ("read and judged, rules known", again),
            ("whole command, table", best_of(2, lambda: audit_command(path))),
            ("whole command, -o json", best_of(2, lambda: audit_command(path, "-o", "json"))),
        )
        print(f"{count:,} pools, {len(content) / 1e6:.1f} MB")
        for what, seconds in rows:
            print(f"{what:<30} {seconds * 1000:>8.0f} ms {seconds / parsing:>7.1f} x json.loads")
    return 0


if __name__ == "__main__":
    sys.exit(main())
