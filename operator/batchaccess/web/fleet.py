"""The whole fleet in short: each pool in a few words, how many are how, and the part of them a person asked for.

A status is read again only when it changed, so that a page of 10,000 pools costs little more than its visible part.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from batchaccess.core.model import JsonObject
from batchaccess.web.extent import NOBODY, Extent, extent_of
from batchaccess.web.readings import PoolReading
from batchaccess.web.storedjson import condition_in, entries_in, flag_in, number_in, part_in, text_in


class Exposure(StrEnum):
    """Whether a pool is reachable from the Internet; the values stand in addresses of pages."""

    OPEN = "open"
    UNDETERMINED = "undetermined"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class Standing(StrEnum):
    """Where a pool stands with its policy; the values stand in addresses of pages."""

    VIOLATING = "violating"
    STALLED = "stalled"
    CORRECTING = "correcting"
    WAITING = "waiting"
    REPORTED = "reported"
    UNKNOWN = "unknown"
    UNMANAGED = "unmanaged"
    IN_ORDER = "in-order"


@dataclass(frozen=True, slots=True)
class EndpointGlance:
    """One endpoint and who it admits, in words."""

    name: str
    protocol: str
    port: int | None
    internet: str
    admits: str
    implicit: bool


@dataclass(frozen=True, slots=True)
class PoolGlance:
    """One pool in short. `reason` is that of Compliant, `drift` that of Drifted; endpoints are the most open first."""

    name: str
    connection: str
    pool_id: str
    policy: str
    exposure: Exposure
    exposed_reason: str
    exposed_since: datetime | None
    extent: Extent
    standing: Standing
    reason: str
    compliant: str
    message: str
    drift: str
    endpoints: tuple[EndpointGlance, ...]


_EXPOSURES: Final = {
    "InternetReachable": Exposure.OPEN,
    "Undetermined": Exposure.UNDETERMINED,
    "None": Exposure.CLOSED,
}
_BY_REMEDIATING: Final = {"Stalled": Standing.STALLED, "Waiting": Standing.WAITING}
_BY_COMPLIANT: Final = {"NotManaged": Standing.UNMANAGED, "AuditOnly": Standing.REPORTED}
_BY_REACH: Final = {"Open": 0, "Undetermined": 1}
"""Verdicts in the order in which endpoints are shown; all others come after them."""

_BY_DANGER: Final = {each: rank for rank, each in enumerate(Exposure)}
_BY_TROUBLE: Final = {each: rank for rank, each in enumerate(Standing)}


def glance(reading: PoolReading) -> PoolGlance:
    """A pool in short."""
    status = reading.status()
    network = part_in(status, "network")
    exposed, compliant = condition_in(status, "Exposed"), condition_in(status, "Compliant")
    exposure = _EXPOSURES.get(exposed.reason, Exposure.UNKNOWN)
    return PoolGlance(
        name=reading.name,
        connection=reading.connection,
        pool_id=reading.pool_id,
        policy=text_in(status, "policy"),
        exposure=exposure,
        exposed_reason=exposed.reason,
        exposed_since=exposed.since,
        extent=extent_of(network) if exposure is Exposure.OPEN else NOBODY,
        standing=standing_of(status),
        reason=compliant.reason,
        compliant=compliant.status,
        message=compliant.message,
        drift=condition_in(status, "Drifted").reason,
        endpoints=tuple(_endpoint(each) for each in most_open_first(entries_in(network, "endpoints"))),
    )


def most_open_first(endpoints: Iterable[JsonObject]) -> list[JsonObject]:
    """Stored endpoints, those that the Internet reaches first; as they are stored otherwise."""
    return sorted(endpoints, key=lambda each: _BY_REACH.get(text_in(each, "internet"), len(_BY_REACH)))


def standing_of(status: JsonObject) -> Standing:
    """Where a pool stands, by its conditions; `core.reporting.pool_counts` counts by the same."""
    compliant, remediating = condition_in(status, "Compliant"), condition_in(status, "Remediating")
    if remediating.status == "True":
        return Standing.STALLED if remediating.reason == "RestorePending" else Standing.CORRECTING
    if compliant.status == "True":
        return Standing.IN_ORDER
    by_reason = _BY_REMEDIATING.get(remediating.reason) or _BY_COMPLIANT.get(compliant.reason)
    return by_reason or (Standing.VIOLATING if compliant.status == "False" else Standing.UNKNOWN)


def _endpoint(entry: JsonObject) -> EndpointGlance:
    return EndpointGlance(
        name=text_in(entry, "name"),
        protocol=text_in(entry, "protocol"),
        port=number_in(entry, "backendPort"),
        internet=text_in(entry, "internet"),
        admits=text_in(entry, "admits"),
        implicit=flag_in(entry, "implicit"),
    )


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """Which pools a person asked for; an empty part asks for nothing."""

    text: str = ""
    connection: str = ""
    policy: str = ""
    exposure: Exposure | None = None
    standing: Standing | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all pools are asked for."""
        return self == FleetFilter()

    def admits(self, pool: PoolGlance) -> bool:
        """Whether a pool is asked for."""
        return (
            (self.exposure is None or pool.exposure is self.exposure)
            and (self.standing is None or pool.standing is self.standing)
            and (not self.connection or pool.connection == self.connection)
            and (not self.policy or pool.policy == self.policy)
            and (not self.text or self._is_named_in(pool))
        )

    def _is_named_in(self, pool: PoolGlance) -> bool:
        wanted = self.text.casefold()
        return any(wanted in text.casefold() for text in (pool.pool_id, pool.name, pool.policy))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pools are how."""

    total: int
    exposures: Mapping[Exposure, int]
    standings: Mapping[Standing, int]


def tally(pools: Iterable[PoolGlance]) -> Tally:
    """Count pools."""
    exposures: Counter[Exposure] = Counter()
    standings: Counter[Standing] = Counter()
    for pool in pools:
        exposures[pool.exposure] += 1
        standings[pool.standing] += 1
    return Tally(total=exposures.total(), exposures=exposures, standings=standings)


class FleetIndex:
    """Every pool in short, the most dangerous first. Keeps what it read as long as that did not change."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, PoolGlance]] = {}
        self._ordered: tuple[PoolGlance, ...] = ()

    def look(self, readings: Iterable[PoolReading]) -> Sequence[PoolGlance]:
        """The pools as they are now; the very same sequence while nothing changed."""
        known = {reading.name: self._read(reading) for reading in readings}
        if not self._is_same(known.values()):
            self._ordered = tuple(sorted((pool for _, pool in known.values()), key=_danger))
        self._known = known
        return self._ordered

    def learn(self, readings: Iterable[PoolReading]) -> None:
        """Read some of the pools ahead of a look, so that nobody has to wait while all are read at once."""
        self._known.update((reading.name, self._read(reading)) for reading in readings)

    def _read(self, reading: PoolReading) -> tuple[object, PoolGlance]:
        before = self._known.get(reading.name)
        return before if before is not None and before[0] is reading.version else (reading.version, glance(reading))

    def _is_same(self, known: Iterable[tuple[object, PoolGlance]]) -> bool:
        """Learning has changed what is known already, so the pools in order are what tells."""
        return {id(pool) for _, pool in known} == {id(pool) for pool in self._ordered}


def _danger(pool: PoolGlance) -> tuple[int, int, int, str, str]:
    return _BY_DANGER[pool.exposure], -pool.extent.rank, _BY_TROUBLE[pool.standing], pool.connection, pool.name
