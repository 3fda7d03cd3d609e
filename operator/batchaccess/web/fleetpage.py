"""The first page: whether anybody on the Internet gets in anywhere, the accounts, and the pools, worst first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from batchaccess.web.accounts import accounts_section
from batchaccess.web.addresses import Addresses, key_of
from batchaccess.web.fleet import EndpointGlance, Exposure, FleetFilter, PoolGlance, Standing, Tally, tally
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.observation import Blindness, dimmed, last_seen, unobserved
from batchaccess.web.parts import badge, duration_since, icon, pager, plural, section, table, toned
from batchaccess.web.readings import ConnectionReading
from batchaccess.web.words import Said, Tone, said_of_condition, said_of_drift, said_of_reach

PAGE_SIZE: Final = 100
_NO_POOLS: Final = tally(())
_SHOWN_ENDPOINTS: Final = 4

EXPOSURE_WORDS: Final = {
    Exposure.OPEN: Said(Tone.DANGER, "Reachable from the Internet"),
    Exposure.UNDETERMINED: Said(Tone.WARNING, "Undetermined"),
    Exposure.UNKNOWN: Said(Tone.WARNING, "Not known"),
    Exposure.CLOSED: Said(Tone.GOOD, "Closed to the Internet"),
}
_SHORT_EXPOSURE: Final = {
    **EXPOSURE_WORDS,
    Exposure.OPEN: Said(Tone.DANGER, "Reachable"),
    Exposure.CLOSED: Said(Tone.GOOD, "Closed"),
}
"""Below a heading that names the Internet."""
STANDING_WORDS: Final = {
    Standing.VIOLATING: Said(Tone.DANGER, "Violating"),
    Standing.STALLED: Said(Tone.DANGER, "Stalled"),
    Standing.CORRECTING: Said(Tone.BUSY, "Being corrected"),
    Standing.WAITING: Said(Tone.BUSY, "Waiting"),
    Standing.REPORTED: Said(Tone.WARNING, "Drift reported"),
    Standing.UNKNOWN: Said(Tone.WARNING, "Not known"),
    Standing.UNMANAGED: Said(Tone.QUIET, "Not managed"),
    Standing.IN_ORDER: Said(Tone.GOOD, "In order"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRequest:
    """What a person asked to see."""

    wanted: FleetFilter
    page: int


def fleet_page(
    pools: Sequence[PoolGlance], connections: Sequence[ConnectionReading], request: FleetRequest, *, shell: Shell
) -> str:
    """The first page."""
    counts, blind = tally(pools), unobserved(connections)
    headline = headline_of(counts, not_observed=sum(each.counts for each in blind.values()))
    stale = tally(pool for pool in pools if pool.connection in blind) if blind else _NO_POOLS
    seen = Counter(pool.connection for pool in pools if pool.connection in blind)
    wanted = request.wanted
    shown = pools if wanted.is_empty else [pool for pool in pools if wanted.admits(pool)]
    return page(
        headline.words,
        el("h1", icon(headline.tone), el("span", headline.words), class_=f"headline {headline.tone}"),
        _tiles(counts, stale, shell.addresses),
        accounts_section(connections, seen, shell=shell),
        section(
            "Pools",
            _filter_form(wanted, connections, shell.addresses),
            _pools(shown, request, blind, total=len(pools), shell=shell),
            id="pools",
        ),
        shell=shell,
    )


def headline_of(counts: Tally, *, not_observed: int = 0) -> Said:
    """The one sentence a person came for; never good news while an account is not observed."""
    reached, unsettled = counts.exposures.get(Exposure.OPEN, 0), _unsettled(counts)
    doubts = [f"{unsettled:,} not settled"] if unsettled and not reached else []
    if not_observed:
        doubts.append(f"{plural(not_observed, 'account')} not observed")
    if not counts.total:
        said = Said(Tone.WARNING if doubts else Tone.QUIET, "No pools are observed yet")
    elif reached:
        said = Said(Tone.DANGER, f"{reached:,} of {plural(counts.total, 'pool')} reachable from the Internet")
    elif doubts:
        said = Said(Tone.WARNING, "No pool is known to be reachable from the Internet")
    else:
        said = Said(Tone.GOOD, "No pool is reachable from the Internet")
    return Said(said.tone, ", ".join([said.words, *doubts]))


def _unsettled(counts: Tally) -> int:
    return counts.exposures.get(Exposure.UNDETERMINED, 0) + counts.exposures.get(Exposure.UNKNOWN, 0)


def _tiles(counts: Tally, stale: Tally, to: Addresses) -> Element:
    """`stale` counts those of them that are shown as they were last seen."""
    exposures = [
        _tile(said, counts.exposures.get(each, 0), stale.exposures.get(each, 0), to.fleet(FleetFilter(exposure=each)))
        for each, said in EXPOSURE_WORDS.items()
        if counts.exposures.get(each, 0) or each in (Exposure.OPEN, Exposure.UNDETERMINED, Exposure.CLOSED)
    ]
    standings = [
        _tile(said, counts.standings.get(each, 0), stale.standings.get(each, 0), to.fleet(FleetFilter(standing=each)))
        for each, said in STANDING_WORDS.items()
        if counts.standings.get(each, 0)
    ]
    return el(
        "div",
        el("section", el("h2", "From the Internet", id="exposures"), el("ul", *exposures), aria_labelledby="exposures"),
        el("section", el("h2", "Against policy", id="standings"), el("ul", *standings), aria_labelledby="standings")
        if standings
        else None,
        class_="tiles",
    )


def _tile(said: Said, count: int, stale: int, address: str) -> Element:
    shown = Said(Tone.WARNING, said.words) if stale and said.tone is Tone.GOOD else said
    tone = shown.tone if count else Tone.QUIET
    number = el("strong", icon(shown.tone), f"{count:,}")
    aged = el("span", f"{'all' if stale == count else f'{stale:,}'} as last seen", class_="name") if stale else None
    return el(
        "li",
        el("a", number, el("span", shown.words, class_="name"), aged, href=f"{address}#pools", class_=f"tile {tone}"),
    )


def _filter_form(wanted: FleetFilter, connections: Sequence[ConnectionReading], to: Addresses) -> Element:
    exposures = [(each.value, said.words) for each, said in EXPOSURE_WORDS.items()]
    standings = [(each.value, said.words) for each, said in STANDING_WORDS.items()]
    names = [(each.name, each.name) for each in connections]
    return el(
        "form",
        el(
            "div",
            el("label", "Pool or policy", for_="q"),
            el("input", type="search", id="q", name="q", value=wanted.text, maxlength=200, autocomplete="off"),
        ),
        _choice("connection", "Account", "All accounts", names, wanted.connection),
        _choice("exposure", "From the Internet", "Anything", exposures, wanted.exposure or ""),
        _choice("standing", "Against policy", "Anything", standings, wanted.standing or ""),
        _governed_by(wanted),
        el(
            "div",
            el("button", "Filter", type="submit"),
            None if wanted.is_empty else el("a", "Show all", href=f"{to.fleet()}#pools"),
            class_="act",
        ),
        method="get",
        action=f"{to.fleet()}#pools",
        role="search",
        aria_label="Pools",
        class_="filter",
    )


def _governed_by(wanted: FleetFilter) -> Content:
    if not wanted.policy:
        return None
    return el(
        "div",
        el("label", "Governed by", for_="policy"),
        el("input", type="text", id="policy", name="policy", value=wanted.policy, autocomplete="off"),
    )


def _choice(name: str, label: str, nothing: str, options: Sequence[tuple[str, str]], chosen: str) -> Element:
    return el(
        "div",
        el("label", label, for_=name),
        el(
            "select",
            el("option", nothing, value=""),
            *(el("option", words, value=value, selected=value == chosen) for value, words in options),
            id=name,
            name=name,
        ),
    )


def _pools(
    shown: Sequence[PoolGlance], request: FleetRequest, blind: Mapping[str, Blindness], *, total: int, shell: Shell
) -> Content:
    to, wanted = shell.addresses, request.wanted
    if not shown:
        words = "No pools match the filter." if total else "Pools appear here once an account was listed."
        return el("p", words, class_="empty")
    pages = ceil(len(shown) / PAGE_SIZE)
    number = min(request.page, pages)
    first = (number - 1) * PAGE_SIZE
    visible = shown[first : first + PAGE_SIZE]
    neighbours = [f"{to.fleet(wanted, page=each)}#pools" for each in (number - 1, number + 1)]
    part = f"{first + 1:,} to {first + len(visible):,} of " if pages > 1 else ""
    found = plural(len(shown), "pool") if wanted.is_empty else f"{plural(len(shown), 'pool')} of {total:,}"
    columns = ("Pool", "From the Internet", "Who is let in", "Against policy", "Policy")
    rows = [_pool_row(each, blind.get(each.connection), shell) for each in visible]
    return (
        el("p", f"{part}{found}, the most exposed first", class_="note"),
        table("Pools", columns, rows, class_="pools"),
        pager(number, pages, neighbours),
    )


def _pool_row(pool: PoolGlance, blind: Blindness | None, shell: Shell) -> Sequence[Content]:
    to, now = shell.addresses, shell.now
    since = duration_since(pool.exposed_since, now) if blind is None else last_seen(blind, now)
    return (
        (
            el("a", pool.pool_id, href=to.pool(pool.name)),
            el("span", pool.connection, class_="dim below"),
        ),
        (
            badge(dimmed(_SHORT_EXPOSURE[pool.exposure], blind)),
            el("span", f"by {pool.extent.words}, " if pool.extent.words else "", since, class_="dim below"),
        ),
        _who(pool.endpoints, blind),
        _standing_cell(pool, blind),
        _policy_link(pool.policy, to),
    )


def _standing_cell(pool: PoolGlance, blind: Blindness | None) -> Content:
    """Where a pool stands, with the drift if there is any."""
    if not pool.reason:
        return badge(Said(Tone.QUIET, "Not known yet"))
    drift = said_of_drift(pool.drift)
    return (
        badge(dimmed(said_of_condition("Compliant", pool.compliant, pool.reason), blind)),
        None if pool.drift in ("None", "") else el("span", drift.words, class_="dim below"),
    )


def _policy_link(policy: str, to: Addresses) -> Content:
    key = key_of(policy)
    return el("span", "none", class_="dim") if key is None else el("a", policy, href=to.policy(key))


def _who(endpoints: Sequence[EndpointGlance], blind: Blindness | None) -> Content:
    if not endpoints:
        return el("span", "No endpoints", class_="dim")
    more = len(endpoints) - _SHOWN_ENDPOINTS
    return el(
        "ul",
        *(el("li", _endpoint_line(each, blind)) for each in endpoints[:_SHOWN_ENDPOINTS]),
        el("li", f"and {more} more", class_="dim") if more > 0 else None,
        class_="who",
    )


def _endpoint_line(endpoint: EndpointGlance, blind: Blindness | None) -> Element:
    """One endpoint and who it admits: `SSH 22: anyone on the Internet`."""
    port = "" if endpoint.port is None else f" {endpoint.port}"
    protocol = "" if endpoint.protocol == "TCP" else f"/{endpoint.protocol}"
    name = el("b", f"{endpoint.name}{port}{protocol}")
    tone = dimmed(said_of_reach(endpoint.internet), blind).tone
    return toned(tone, name, f" {endpoint.admits or 'not known'}")
