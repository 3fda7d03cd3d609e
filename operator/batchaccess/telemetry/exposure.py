"""How long pools were reachable from the Internet, added up: what a security team budgets by the month."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry

from batchaccess.telemetry.families import Family, Label, counter
from batchaccess.telemetry.labels import CONNECTION, PORT_CLASS
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import ExposureVerdict, PortClass

EXPOSURE_SECONDS = counter(
    "exposure_seconds_total",
    "Seconds that pools were reachable from the Internet, added up over pools and counted from sweep to sweep.",
    [
        CONNECTION,
        PORT_CLASS,
        Label(name="verdict", meaning="whether policy, assertions and guardrails allow it", values=ExposureVerdict),
    ],
)

FAMILIES: tuple[Family, ...] = (EXPOSURE_SECONDS,)

Exposures = Mapping[tuple[PortClass, ExposureVerdict], int]
"""Number of pools exposed in each way."""


@dataclass(slots=True)
class _Account:
    """What the last successful sweep saw, when, and what the present one sees."""

    seen: Exposures = field(default_factory=dict)
    at: datetime | None = None
    latest: Exposures = field(default_factory=dict)


class ExposureMetrics:
    """The live counter of all connections' exposure."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = EXPOSURE_SECONDS.live_counter(registry)
        self._accounts: dict[str, _Account] = {}

    def begin(self, connection: str) -> None:
        """Start the counters of a connection at zero, so that their first increase is seen by `rate`."""
        self._accounts[connection] = _Account()
        for port_class in PortClass:
            for verdict in ExposureVerdict:
                self._seconds.labels(connection, port_class, verdict)

    def observe(self, connection: str, rows: Iterable[PoolRow]) -> None:
        """Note what the sweep under way sees; it counts from the end of that sweep on."""
        self._accounts[connection].latest = Counter(exposure for row in rows for exposure in _exposures(row))

    def swept(self, connection: str, ended: datetime) -> None:
        """Add the time since the last successful sweep for every pool that was exposed then."""
        account = self._accounts[connection]
        if account.at is not None:
            seconds = max(0.0, (ended - account.at).total_seconds())
            for (port_class, verdict), pools in account.seen.items():
                self._seconds.labels(connection, port_class, verdict).inc(pools * seconds)
        account.seen, account.at = account.latest, ended

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        self._accounts.pop(connection, None)
        self._seconds.remove_by_labels({CONNECTION.name: connection})


def _exposures(row: PoolRow) -> Iterator[tuple[PortClass, ExposureVerdict]]:
    """Each class of ports the Internet reaches, once; forbidden if one of its ports is."""
    forbidden = {PortClass.of(port) for port in row.violating_ports}
    for port_class in sorted({PortClass.of(port) for port in row.internet_open_ports} | forbidden):
        yield port_class, ExposureVerdict.FORBIDDEN if port_class in forbidden else ExposureVerdict.ALLOWED
