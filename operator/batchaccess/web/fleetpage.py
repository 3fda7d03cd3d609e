"""The first page: whether anybody on the Internet gets in anywhere, the accounts, and the pools, worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Final

from batchaccess.web.addresses import Addresses, key_of
from batchaccess.web.fleet import EndpointGlance, Exposure, FleetFilter, PoolGlance, Standing, Tally, tally
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.parts import badge, duration_since, icon, pager, plural, section, table, toned
from batchaccess.web.readings import ConnectionReading
from batchaccess.web.storedjson import condition_in, number_in, part_in
from batchaccess.web.words import Said, Tone, said_of_condition, said_of_drift, said_of_reach

PAGE_SIZE: Final = 100
_MANY_ACCOUNTS: Final = 8
"""From here on the accounts are folded up, unless one of them is in trouble."""
_SHOWN_ENDPOINTS: Final = 4
NOT_KNOWN: Final = el("span", "not known", class_="dim")

EXPOSURE_WORDS: Final = {
    Exposure.OPEN: Said(Tone.DANGER, "Open to the Internet"),
    Exposure.UNDETERMINED: Said(Tone.WARNING, "Undetermined"),
    Exposure.UNKNOWN: Said(Tone.WARNING, "Not known"),
    Exposure.CLOSED: Said(Tone.GOOD, "Closed to the Internet"),
}
_SHORT_EXPOSURE: Final = {
    **EXPOSURE_WORDS,
    Exposure.OPEN: Said(Tone.DANGER, "Open"),
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
    counts = tally(pools)
    headline = headline_of(counts)
    wanted = request.wanted
    shown = pools if wanted.is_empty else [pool for pool in pools if wanted.admits(pool)]
    return page(
        headline.words,
        el("h1", icon(headline.tone), el("span", headline.words), class_=f"headline {headline.tone}"),
        _tiles(counts, shell.addresses),
        _accounts(connections, shell.addresses),
        section(
            "Pools",
            _filter_form(wanted, connections, shell.addresses),
            _pools(shown, request, total=len(pools), shell=shell),
            id="pools",
        ),
        shell=shell,
    )


def headline_of(counts: Tally) -> Said:
    """The one sentence a person came for."""
    if not counts.total:
        return Said(Tone.QUIET, "No pools are observed yet")
    reached, unsettled = counts.exposures.get(Exposure.OPEN, 0), _unsettled(counts)
    if reached:
        return Said(Tone.DANGER, f"{reached:,} of {plural(counts.total, 'pool')} open to the Internet")
    if unsettled:
        return Said(Tone.WARNING, f"No pool is known to be open to the Internet, {unsettled:,} not settled")
    return Said(Tone.GOOD, "No pool is open to the Internet")


def _unsettled(counts: Tally) -> int:
    return counts.exposures.get(Exposure.UNDETERMINED, 0) + counts.exposures.get(Exposure.UNKNOWN, 0)


def _tiles(counts: Tally, to: Addresses) -> Element:
    exposures = [
        _tile(said, counts.exposures.get(each, 0), to.fleet(FleetFilter(exposure=each)))
        for each, said in EXPOSURE_WORDS.items()
        if counts.exposures.get(each, 0) or each in (Exposure.OPEN, Exposure.UNDETERMINED, Exposure.CLOSED)
    ]
    standings = [
        _tile(said, counts.standings.get(each, 0), to.fleet(FleetFilter(standing=each)))
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


def _tile(said: Said, count: int, address: str) -> Element:
    tone = said.tone if count else Tone.QUIET
    number = el("strong", icon(said.tone), f"{count:,}")
    return el(
        "li", el("a", number, el("span", said.words, class_="name"), href=f"{address}#pools", class_=f"tile {tone}")
    )


def _accounts(connections: Sequence[ConnectionReading], to: Addresses) -> Content:
    if not connections:
        return section("Accounts", el("p", "No BatchAccountConnection is declared yet.", class_="empty"), id="accounts")
    rows = [_account_row(each, to) for each in connections]
    columns = ("Account", "Connection", "Pools", "Open to the Internet", "Not in order")
    listing = table("Accounts", columns, rows, class_="accounts")
    if len(connections) < _MANY_ACCOUNTS:
        return section("Accounts", listing, id="accounts")
    troubled = sum(condition_in(each.status, "Ready").status != "True" for each in connections)
    summary = (
        f"{plural(len(connections), 'account')}, {troubled} not ready"
        if troubled
        else f"{len(connections)} accounts, all ready"
    )
    return section("Accounts", el("details", el("summary", summary), listing, id="all-accounts"), id="accounts")


def _account_row(connection: ConnectionReading, to: Addresses) -> Sequence[Content]:
    pools = part_in(connection.status, "pools")
    total, reached = number_in(pools, "total"), number_in(pools, "internetReachable") or 0
    troubled = sum(number_in(pools, each) or 0 for each in ("drifted", "pending", "stalled", "violating", "unknown"))
    of_account = FleetFilter(connection=connection.name)
    opened = to.fleet(replace(of_account, exposure=Exposure.OPEN))
    return (
        el("a", connection.name, href=to.connection(connection.name)),
        ready_badge(connection.status),
        NOT_KNOWN if total is None else el("a", plural(total, "pool"), href=f"{to.fleet(of_account)}#pools"),
        NOT_KNOWN
        if total is None
        else el("a", toned(Tone.DANGER, f"{reached:,}"), href=f"{opened}#pools")
        if reached
        else toned(Tone.GOOD, "none"),
        NOT_KNOWN if total is None else f"{troubled:,}" if troubled else "none",
    )


def ready_badge(status: Mapping[str, object]) -> Element:
    """Whether a connection or policy is ready."""
    ready = condition_in(status, "Ready")
    return badge(
        said_of_condition("Ready", ready.status, ready.reason) if ready.reason else Said(Tone.QUIET, "Not known yet")
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


def _pools(shown: Sequence[PoolGlance], request: FleetRequest, *, total: int, shell: Shell) -> Content:
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
    return (
        el("p", f"{part}{found}, the most exposed first", class_="note"),
        table("Pools", columns, [_pool_row(each, to, shell.now) for each in visible], class_="pools"),
        pager(number, pages, neighbours),
    )


def _pool_row(pool: PoolGlance, to: Addresses, now: datetime) -> Sequence[Content]:
    return (
        (
            el("a", pool.pool_id, href=to.pool(pool.name)),
            el("span", pool.connection, class_="dim below"),
        ),
        (
            badge(_SHORT_EXPOSURE[pool.exposure]),
            el("span", duration_since(pool.exposed_since, now), class_="dim below"),
        ),
        _who(pool.endpoints),
        standing_cell(pool),
        _policy_link(pool.policy, to),
    )


def standing_cell(pool: PoolGlance) -> Content:
    """Where a pool stands, with the drift if there is any."""
    if not pool.reason:
        return badge(Said(Tone.QUIET, "Not known yet"))
    drift = said_of_drift(pool.drift)
    return (
        badge(said_of_condition("Compliant", pool.compliant, pool.reason)),
        None if pool.drift in ("None", "") else el("span", drift.words, class_="dim below"),
    )


def _policy_link(policy: str, to: Addresses) -> Content:
    key = key_of(policy)
    return el("span", "none", class_="dim") if key is None else el("a", policy, href=to.policy(key))


def _who(endpoints: Sequence[EndpointGlance]) -> Content:
    if not endpoints:
        return el("span", "No endpoints", class_="dim")
    more = len(endpoints) - _SHOWN_ENDPOINTS
    return el(
        "ul",
        *(el("li", endpoint_line(each)) for each in endpoints[:_SHOWN_ENDPOINTS]),
        el("li", f"and {more} more", class_="dim") if more > 0 else None,
        class_="who",
    )


def endpoint_line(endpoint: EndpointGlance) -> Element:
    """One endpoint and who it admits: `SSH 22: anyone on the Internet`."""
    port = "" if endpoint.port is None else f" {endpoint.port}"
    protocol = "" if endpoint.protocol == "TCP" else f"/{endpoint.protocol}"
    name = el("b", f"{endpoint.name}{port}{protocol}")
    return toned(said_of_reach(endpoint.internet).tone, name, f" {endpoint.admits or 'not known'}")
