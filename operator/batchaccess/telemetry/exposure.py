"""How long pools were reachable from the Internet, added up: what a security team budgets by the month.

The counter grows by the clock for every pool that is open as far as is known, and is computed when it is asked for. A
counter that only grew with each sweep would jump by a whole period, and `rate` over a window of few sweeps would tell
of pools that do not exist.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from batchaccess.core.reasons import ConditionType
from batchaccess.ports import Clock
from batchaccess.telemetry.conditions import true_since
from batchaccess.telemetry.families import Family, Label, counter
from batchaccess.telemetry.labels import CONNECTION, PORT_CLASS
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import ExposureVerdict, PortClass

EXPOSURE_SECONDS = counter(
    "exposure_seconds_total",
    "Seconds that pools were reachable from the Internet, added up over pools: each from the look that found it open, "
    "or from when this process took up the account if it was open before, to the look that found it closed or gone. A "
    "pool whose login and other ports are open counts in both classes. The time in which no operator ran is not "
    "counted; batchaccess_pool_exposed_since_timestamp_seconds reaches over it.",
    [
        CONNECTION,
        PORT_CLASS,
        Label(name="verdict", meaning="whether policy, assertions and guardrails allow it", values=ExposureVerdict),
    ],
)

FAMILIES: tuple[Family, ...] = (EXPOSURE_SECONDS,)

Exposure = tuple[PortClass, ExposureVerdict]
"""One way in which a pool is exposed."""

ALL_EXPOSURES: Final = tuple(product(PortClass, ExposureVerdict))

Exposed = Mapping[str, tuple[Exposure, ...]]
"""The pools that are open, by id, and how each is."""


@dataclass(slots=True)
class _Account:
    """What was counted of one account up to the time `at` of the clock, and which pools have been open since.

    `began` is when this process took the account up, by the time of day.
    """

    began: datetime
    at: float
    looked: bool = False
    counted: dict[Exposure, float] = field(default_factory=dict)
    exposed: Exposed = field(default_factory=dict)
    pools: Mapping[Exposure, int] = field(default_factory=dict)

    def seconds(self, exposure: Exposure, now: float) -> float:
        """What is counted by now."""
        return self.counted.get(exposure, 0.0) + self.pools.get(exposure, 0) * (now - self.at)

    def until(self, now: float) -> None:
        """Count up to now."""
        self.counted = {exposure: self.seconds(exposure, now) for exposure in ALL_EXPOSURES}
        self.at = now

    def expose(self, exposed: Exposed) -> None:
        """Take in which pools are open from the time counted up to."""
        self.exposed = exposed
        self.pools = Counter(exposure for exposures in exposed.values() for exposure in exposures)


class ExposureMetrics(Collector):
    """The counter of all connections' exposure. It never goes back, whatever looks and scrapes find in what order."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        registry.register(self)

    def begin(self, connection: str) -> None:
        """Start the counters of a connection at zero, so that their first increase is seen by `rate`."""
        self._accounts[connection] = _Account(began=self._clock.now(), at=self._clock.monotonic())

    def observe(self, connection: str, rows: Sequence[PoolRow]) -> None:
        """Take in what all pools look like; one that is not among them is gone."""
        account = self._accounts[connection]
        exposed = _exposed(rows)
        if not account.looked:
            account.looked = True
            account.expose(_exposed(row for row in rows if _was_open_before(row, account.began)))
        account.until(self._clock.monotonic())
        account.expose(exposed)

    def observe_some(self, connection: str, rows: Sequence[PoolRow]) -> None:
        """Take in what some pools look like; the others are as they were."""
        account = self._accounts[connection]
        account.until(self._clock.monotonic())
        looked_at = {row.pool for row in rows}
        others = {pool: exposures for pool, exposures in account.exposed.items() if pool not in looked_at}
        account.expose({**others, **_exposed(rows)})

    def forget(self, connection: str) -> None:
        """Remove every series of a connection."""
        self._accounts.pop(connection, None)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What the registry asks for at each scrape."""
        family = CounterMetricFamily(
            EXPOSURE_SECONDS.name, EXPOSURE_SECONDS.help, labels=list(EXPOSURE_SECONDS.label_names)
        )
        now = self._clock.monotonic()
        for connection, account in self._accounts.items():
            for port_class, verdict in ALL_EXPOSURES:
                family.add_metric([connection, port_class, verdict], account.seconds((port_class, verdict), now))
        yield family


def _exposed(rows: Iterable[PoolRow]) -> Exposed:
    return {row.pool: exposures for row in rows if (exposures := tuple(_exposures(row)))}


def _exposures(row: PoolRow) -> Iterator[Exposure]:
    """Each class of ports the Internet reaches, once; forbidden if one of its ports is."""
    forbidden = {PortClass.of(port) for port in row.violating_ports}
    for port_class in sorted({PortClass.of(port) for port in row.internet_open_ports} | forbidden):
        yield port_class, ExposureVerdict.FORBIDDEN if port_class in forbidden else ExposureVerdict.ALLOWED


def _was_open_before(row: PoolRow, began: datetime) -> bool:
    """Whether a process before this one saw the pool open: times of conditions are whole seconds."""
    since = true_since(row.conditions, ConditionType.EXPOSED)
    return since is not None and since < int(began.timestamp())
