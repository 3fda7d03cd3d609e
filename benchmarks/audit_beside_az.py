"""An audit beside the shell that a person would write today: `az batch pool list` and a filter over its output.

Run from the root of the repository: `AZ_CLI=.../az python -m benchmarks.audit_beside_az [POOLS]`;
`tests/e2e_az/install.sh` installs an az. Both read the same emulated account over TLS. The filter is the string match
of most scripts: rules that allow `*` or `Internet`. Prints wall times and how many pools each calls open.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from batchemulator import DEV_ACCOUNT, make_service, serving_in_thread
from batchemulator.certificates import self_signed
from benchmarks.audit import POOLS, saved_pools

FOUND = 1


def timed(command: list[str], environment: dict[str, str], output: Path, *, status: int) -> float:
    """Seconds that a command takes, its stdout going to a file."""
    with output.open("wb") as stream:
        started = time.perf_counter()
        ended = subprocess.run(command, env=environment, stdout=stream, check=False)
        seconds = time.perf_counter() - started
    if ended.returncode != status:
        raise SystemExit(f"{command[0]} ended {ended.returncode}, not {status}")
    return seconds


def filtered(pools: list[Any]) -> int:
    """How many pools a string match calls open."""
    return sum(any(_matches(rule) for rule in _rules(pool)) for pool in pools)


def _rules(pool: Any) -> list[Any]:  # noqa: ANN401 any JSON
    network = pool.get("networkConfiguration") or {}
    endpoints = (network.get("endpointConfiguration") or {}).get("inboundNatPools") or []
    return [rule for endpoint in endpoints for rule in endpoint.get("networkSecurityGroupRules") or []]


def _matches(rule: Any) -> bool:  # noqa: ANN401 any JSON
    return rule["access"] == "allow" and rule["sourceAddressPrefix"] in {"*", "Internet"}


def main() -> int:
    """Measure and report."""
    az = os.environ.get("AZ_CLI")
    if az is None:
        raise SystemExit("AZ_CLI does not name the real az; tests/e2e_az/install.sh installs one")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else POOLS
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        tls = self_signed(directory / "tls")
        service = make_service([DEV_ACCOUNT], pools={DEV_ACCOUNT.name: saved_pools(count)})
        with serving_in_thread(service, tls=tls) as emulator:
            environment = dict(os.environ) | {
                "AZURE_BATCH_ACCOUNT": DEV_ACCOUNT.name,
                "AZURE_BATCH_ACCESS_KEY": DEV_ACCOUNT.key,
                "AZURE_BATCH_ENDPOINT": emulator.url(),
                "AZURE_CONFIG_DIR": str(directory / "config"),
                "AZURE_CORE_COLLECT_TELEMETRY": "no",
                "REQUESTS_CA_BUNDLE": str(tls.authority),
            }
            listed, live, saved = (directory / f"{what}.json" for what in ("az", "live", "saved"))
            listing = timed([az, "batch", "pool", "list", "--output", "json"], environment, listed, status=0)
            started = time.perf_counter()
            matched = filtered(json.loads(listed.read_bytes()))
            listing += time.perf_counter() - started
            audit = [sys.executable, "-m", "batchaccess", "audit", "--no-nodes", "-o", "json"]
            endpoint = ["--endpoint", f"{DEV_ACCOUNT.name}={emulator.url()}", "--ca-file", str(tls.authority)]
            rows = (
                ("az batch pool list and a filter", listing, matched),
                ("batchaccess audit, live", timed([*audit, *endpoint], environment, live, status=FOUND), _open(live)),
                (
                    "batchaccess audit of az's output",
                    timed([*audit, "--pools", str(listed)], environment, saved, status=FOUND),
                    _open(saved),
                ),
            )
    print(f"{count:,} pools")
    for what, seconds, found in rows:
        print(f"{what:<34} {seconds:>7.1f} s  {found:>6,} pools called open")
    return 0


def _open(path: Path) -> int:
    counts: dict[str, int] = json.loads(path.read_bytes())["summary"]["poolsByExposure"]
    return counts["InternetReachable"]


if __name__ == "__main__":
    sys.exit(main())
