"""What the first page costs at 10,000 pools, beside decoding the statuses it shows.

Run from the repository's root: `python -m benchmarks.status_page [POOLS]`.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from batchaccess.kube.packed import PackedObject
from batchaccess.web.addresses import Addresses
from batchaccess.web.fleet import FleetFilter, FleetIndex
from batchaccess.web.fleetpage import FleetRequest, fleet_page
from batchaccess.web.layout import Shell
from batchaccess.web.readings import PoolReading

DEFAULT_POOLS = 10_000
ROUNDS = 7
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHANGED = 100
"""Pools whose status changes between two looks."""


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_POOLS
    statuses = [PackedObject(_status(number)) for number in range(count)]
    readings = [_reading(number, status) for number, status in enumerate(statuses)]
    fresh = _milliseconds(lambda: FleetIndex().look(readings), rounds=3)
    decoding = _milliseconds(lambda: all(status.unpack() for status in statuses), rounds=3)

    index = FleetIndex()
    index.look(readings)
    unchanged = _milliseconds(lambda: index.look(readings))
    others = [_reading(number, PackedObject(_status(number))) for number in range(CHANGED)]
    looks = [[*others, *readings[CHANGED:]], readings]
    changed = _milliseconds(lambda: index.look(looks[0]) and index.look(looks[1])) / 2

    page = _milliseconds(lambda: _page(index, readings, FleetFilter()))
    filtered = _milliseconds(lambda: _page(index, readings, FleetFilter(text="99")))
    size = len(_page(index, readings, FleetFilter()).encode())
    print(f"{count:,} pools: the first page is {size / 1e3:.0f} kB of HTML")
    print(f"  reading every status the first time {fresh:8.1f} ms, {fresh / decoding:.1f} times merely decoding them")
    print(f"  looking again, nothing changed      {unchanged:8.1f} ms; {CHANGED} pools changed {changed:.1f} ms")
    print(f"  the first page, looking included    {page:8.1f} ms; with a filter by text {filtered:.1f} ms")
    print(f"  ratio of a page to decoding all     {page / decoding:8.2f}")


def _page(index: FleetIndex, readings: Iterable[PoolReading], wanted: FleetFilter) -> str:
    request = FleetRequest(wanted=wanted, page=1)
    return fleet_page(index.look(readings), [], request, shell=Shell(addresses=Addresses(), now=NOW))


def _reading(number: int, status: PackedObject) -> PoolReading:
    name = f"render-pool-{number:05}"
    return PoolReading(name=f"prod.{name}", connection="prod", pool_id=name, version=status, status=status.unpack)


def _status(number: int) -> dict[str, Any]:
    reason = "InternetReachable" if number % 10 == 0 else "None"
    since = "2026-02-01T00:00:00Z"
    words = {"Compliant": "Compliant", "Drifted": "None", "Exposed": reason, "Remediating": "Idle"}
    rules = [
        {
            "priority": 1000 + each,
            "access": "Allow",
            "sourceAddressPrefix": f"10.{each}.0.0/16",
            "sourcePortRanges": ["*"],
        }
        for each in range(5)
    ]
    endpoint = {
        "name": "SSH",
        "protocol": "TCP",
        "backendPort": 22,
        "frontendPorts": {"start": 4000, "end": 4100},
        "rules": rules,
        "implicit": False,
        "internet": "Closed",
        "virtualNetwork": "Closed",
        "admits": "10.0.0.0/16 and 4 more",
        "because": "rule 1005 denies everyone, e.g. 8.8.8.8",
    }
    status = {
        "observedGeneration": 1,
        "conditions": [
            {"type": each, "status": "True", "reason": word, "message": "A message.", "lastTransitionTime": since}
            for each, word in words.items()
        ],
        "policy": "render/render-ssh",
        "network": {"provisioning": "BatchManaged", "ipFamilies": ["IPv4"], "endpoints": [endpoint, endpoint]},
    }
    decoded: dict[str, Any] = json.loads(json.dumps(status))
    return decoded


def _milliseconds(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Median of some rounds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3


if __name__ == "__main__":
    main()
