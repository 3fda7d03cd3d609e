"""The accounts on the first page: whether each is observed, and how its pools are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from batchaccess.web.fleet import Exposure, FleetFilter
from batchaccess.web.layout import Shell
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.observation import Blindness, unobserved
from batchaccess.web.parts import badge, duration_since, plural, section, table, toned
from batchaccess.web.readings import ConnectionReading
from batchaccess.web.storedjson import condition_in, number_in, part_in
from batchaccess.web.words import Said, Tone, said_of_condition

_MANY_ACCOUNTS: Final = 8
"""From here on the accounts are folded up, unless one of them is in trouble."""
NOT_KNOWN: Final = el("span", "not known", class_="dim")


def accounts_section(connections: Sequence[ConnectionReading], seen: Mapping[str, int], *, shell: Shell) -> Element:
    """The accounts, those that are not observed first. `seen` counts the pools that were ever seen of each."""
    if not connections:
        return section("Accounts", el("p", "No BatchAccountConnection is declared yet.", class_="empty"), id="accounts")
    blind = unobserved(connections)
    ordered = sorted(connections, key=lambda each: (each.name not in blind, each.name))
    rows = [_account_row(each, blind.get(each.name), seen.get(each.name, 0), shell) for each in ordered]
    columns = ("Account", "Connection", "Pools", "Reachable from the Internet", "Not in order")
    listing = table("Accounts", columns, rows, class_="accounts")
    if len(connections) < _MANY_ACCOUNTS:
        return section("Accounts", listing, id="accounts")
    summary = f"{len(connections)} accounts, {f'{len(blind)} not observed' if blind else 'all observed'}"
    folded = el(
        "details",
        el("summary", summary),
        listing,
        id="all-accounts",
        open=bool(blind),
        data_default="open" if blind else "folded",
    )
    return section("Accounts", folded, id="accounts")


def _account_row(connection: ConnectionReading, blind: Blindness | None, seen: int, shell: Shell) -> Sequence[Content]:
    to, of_account = shell.addresses, FleetFilter(connection=connection.name)
    pools = part_in(connection.status, "pools")
    total, reached = number_in(pools, "total"), number_in(pools, "internetReachable") or 0
    troubled = sum(number_in(pools, each) or 0 for each in ("drifted", "pending", "stalled", "violating", "unknown"))
    known = total is not None and blind is None
    opened = to.fleet(replace(of_account, exposure=Exposure.OPEN))
    return (
        el("a", connection.name, href=to.connection(connection.name)),
        (
            ready_badge(connection.status),
            el("span", duration_since(blind.since, shell.now), class_="dim below") if blind else None,
        ),
        _pools_cell(total if known else None, seen, f"{to.fleet(of_account)}#pools"),
        NOT_KNOWN
        if not known
        else el("a", toned(Tone.DANGER, f"{reached:,}"), href=f"{opened}#pools")
        if reached
        else toned(Tone.GOOD, "none"),
        NOT_KNOWN if not known else f"{troubled:,}" if troubled else "none",
    )


def _pools_cell(total: int | None, seen: int, address: str) -> Content:
    if total is not None:
        return el("a", plural(total, "pool"), href=address)
    return (
        (el("a", plural(seen, "pool"), href=address), el("span", " as last seen", class_="dim")) if seen else NOT_KNOWN
    )


def ready_badge(status: Mapping[str, object]) -> Element:
    """Whether a connection or policy is ready."""
    ready = condition_in(status, "Ready")
    return badge(
        said_of_condition("Ready", ready.status, ready.reason) if ready.reason else Said(Tone.QUIET, "Not known yet")
    )
