"""The page of one pool: who gets in and by which rule, how it differs from what is declared, what was done about it."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from batchaccess.core.model import JsonObject
from batchaccess.core.texts import duration_text
from batchaccess.web.addresses import Addresses, key_of
from batchaccess.web.eventspage import events_table
from batchaccess.web.extent import extent_of
from batchaccess.web.fleet import FleetFilter, most_open_first
from batchaccess.web.journal import journal_section
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import Content, Element, el, joined
from batchaccess.web.observation import Blindness, blindness, dimmed, last_seen
from batchaccess.web.parts import badge, conditions_table, duration_since, facts, moment, ports, section, table
from batchaccess.web.readings import ConnectionReading, PoolReading, RecentEvent
from batchaccess.web.ruleorder import rule_lines
from batchaccess.web.storedjson import (
    StoredCondition,
    condition_in,
    conditions_in,
    entries_in,
    flag_in,
    number_in,
    part_in,
    text_in,
    texts_in,
    time_of,
)
from batchaccess.web.words import (
    Said,
    Tone,
    said_of_access,
    said_of_assertion,
    said_of_condition,
    said_of_drift,
    said_of_exposure,
    said_of_reach,
)

_SIGNS: Final = {"Allow": "allow", "Deny": "deny"}


def pool_page(
    pool: PoolReading, connection: ConnectionReading | None, events: Sequence[RecentEvent], *, shell: Shell
) -> str:
    """The page of one pool. `connection` is that of its account."""
    blind = blindness(connection)
    status, to, now = pool.status(), shell.addresses, shell.now
    conditions = conditions_table(conditions_in(status), now, told=partial(dimmed, blind=blind))
    return page(
        f"{pool.pool_id} of {pool.connection}",
        el(
            "nav",
            el("a", "Pools", href=to.fleet()),
            " / ",
            el("a", pool.connection, href=to.fleet(FleetFilter(connection=pool.connection))),
            class_="crumbs",
            aria_label="Where this is",
        ),
        el("h1", pool.pool_id),
        _last_seen(blind, shell),
        _summary(pool, status, blind, shell),
        journal_section(status, now),
        _endpoints(status, blind),
        _differences(status),
        _last_change(status, shell),
        _assertions(status, blind, to),
        section("Conditions", conditions, id="conditions"),
        section("Recent events", events_table(events, shell), id="events"),
        shell=shell,
    )


def _last_seen(blind: Blindness | None, shell: Shell) -> Content:
    """Says that nobody knows how the pool is now."""
    if blind is None:
        return None
    lasts = duration_since(blind.since, shell.now)
    return el(
        "div",
        el("p", el("strong", "The account is not observed", *((" ", lasts) if lasts else ()), f": {blind.reason}. ")),
        el("p", "Below is what was seen last; the pool may be otherwise now.", f" {blind.message}"),
        class_="banner warning",
    )


def _summary(pool: PoolReading, status: JsonObject, blind: Blindness | None, shell: Shell) -> Element:
    exposed, compliant = condition_in(status, "Exposed"), condition_in(status, "Compliant")
    network = part_in(status, "network")
    extent = extent_of(network).words if exposed.status == "True" else ""
    return el(
        "div",
        el(
            "p",
            _badge_with(
                dimmed(said_of_exposure(exposed.reason), blind),
                f"by {extent}" if extent else "",
                _lasts(exposed, blind, shell),
            ),
            _badge_with(dimmed(_said_of_compliance(status), blind), _lasts(compliant, blind, shell)),
            class_="badges",
        ),
        el("p", compliant.message, class_="lead") if compliant.message else None,
        facts(
            (
                ("Account", el("a", pool.connection, href=shell.addresses.connection(pool.connection))),
                ("Governed by", policy_links([text_in(status, "policy")], shell.addresses) or "no policy"),
                ("Overridden", policy_links(texts_in(status, "overridden"), shell.addresses)),
                ("Public addresses", text_in(network, "provisioning")),
                ("Address families", ", ".join(texts_in(network, "ipFamilies"))),
                ("Address ids", [el("code", each) for each in texts_in(network, "addressIds")]),
                ("Subnet", text_in(network, "subnetId")),
                ("Accelerated networking", "on" if flag_in(network, "acceleratedNetworking") else ""),
                ("In the cluster", el("code", f"kubectl get bpa {pool.name} -o yaml")),
            )
        ),
        class_="summary",
    )


def _badge_with(said: Said, *details: Content) -> Element:
    """A badge that stays together with what is told beside it."""
    return el("span", badge(said), el("span", *joined((each for each in details if each), ", "), class_="dim"))


def _lasts(condition: StoredCondition, blind: Blindness | None, shell: Shell) -> Content:
    """How long a condition has been as it is, or how long ago it was known to be so."""
    return duration_since(condition.since, shell.now) if blind is None else last_seen(blind, shell.now)


def _said_of_compliance(status: JsonObject) -> Said:
    compliant = condition_in(status, "Compliant")
    if not compliant.reason:
        return Said(Tone.QUIET, "Not known yet")
    return said_of_condition("Compliant", compliant.status, compliant.reason)


def policy_links(policies: Sequence[str], to: Addresses) -> Sequence[Content]:
    """Policies as links, in one line."""
    keys = [key for each in policies if (key := key_of(each)) is not None]
    return joined((el("a", str(key), href=to.policy(key)) for key in keys), ", ")


def _endpoints(status: JsonObject, blind: Blindness | None) -> Element:
    network = part_in(status, "network")
    endpoints = most_open_first(entries_in(network, "endpoints"))
    if not network:
        return section("Who is let in", el("p", "Nothing was found out yet.", class_="empty"), id="endpoints")
    if not endpoints:
        return section(
            "Who is let in",
            el("p", "The pool has no inbound endpoints: nobody is let in by it.", class_="empty"),
            id="endpoints",
        )
    return section(
        "Who is let in",
        *(_endpoint(each, network, blind) for each in endpoints),
        id="endpoints",
        note="Rules are tried from the lowest priority number upwards; the first that matches decides.",
    )


def _endpoint(endpoint: JsonObject, network: JsonObject, blind: Blindness | None) -> Element:
    internet = dimmed(said_of_reach(text_in(endpoint, "internet")), blind)
    neighbours = text_in(endpoint, "virtualNetwork")
    frontend = part_in(endpoint, "frontendPorts")
    heading = f"{text_in(endpoint, 'name')}: {text_in(endpoint, 'protocol')} port {number_in(endpoint, 'backendPort')}"
    return el(
        "article",
        el("h3", heading, badge(internet)),
        facts(
            (
                ("Who gets in", el("strong", text_in(endpoint, "admits") or "not known")),
                ("Because", text_in(endpoint, "because")),
                ("From the virtual network", badge(_neutral(said_of_reach(neighbours))) if neighbours else None),
                ("Frontend ports", ports(number_in(frontend, "start"), number_in(frontend, "end"))),
                ("Mapped by", "the service itself; no policy can change that" if flag_in(endpoint, "implicit") else ""),
            )
        ),
        _rules(endpoint, network),
        class_="endpoint",
    )


def _neutral(said: Said) -> Said:
    """Neighbours may well be meant to get in: no alarm."""
    return Said(Tone.QUIET if said.tone is Tone.DANGER else said.tone, said.words)


def _rules(endpoint: JsonObject, network: JsonObject) -> Content:
    if flag_in(endpoint, "implicit"):
        return None
    lines = rule_lines(endpoint, network)
    if not lines:
        return el("p", "The endpoint has no rules, and then the service lets everyone in.", class_="empty")
    rows = [
        (
            each.priority,
            badge(said_of_access(each.access), _SIGNS.get(each.access, "")),
            el("code", each.source),
            each.ports,
            el("span", each.does, class_="dim" if each.idle else None),
        )
        for each in lines
    ]
    name = text_in(endpoint, "name")
    return table(
        f"Rules of {name}", ("Priority", "Effect", "Source", "Source ports", "What it does"), rows, class_="rules"
    )


def _differences(status: JsonObject) -> Element:
    differences = entries_in(status, "differences")
    drifted = condition_in(status, "Drifted")
    if not differences:
        words = drifted.message or "Nothing was found out yet."
        return section("Drift", el("p", words, class_="empty"), id="drift")
    rows = [
        (
            el("code", text_in(each, "field")),
            badge(said_of_drift(text_in(each, "kind"))),
            el("div", text_in(each, "observed"), class_="observed"),
            el("div", text_in(each, "desired"), class_="desired"),
        )
        for each in differences
    ]
    return section(
        "Drift",
        table("Drift", ("Where", "Means", "Observed", "Declared"), rows, class_="drift"),
        id="drift",
        note=drifted.message,
    )


def _last_change(status: JsonObject, shell: Shell) -> Content:
    change = part_in(status, "lastChange")
    if not change:
        return None
    when = moment(time_of(text_in(change, "time")), shell.now)
    by = policy_links([text_in(change, "policy")], shell.addresses)
    return section(
        "Last correction",
        el("p", "Made ", when, " for policy ", by or "unknown", ".", _was_open(change)),
        el(
            "div",
            el("div", el("h3", "Before"), el("p", text_in(change, "before")), class_="observed"),
            el("div", el("h3", "After"), el("p", text_in(change, "after")), class_="desired"),
            class_="sides",
        ),
        id="last-change",
    )


def _was_open(change: JsonObject) -> str:
    """For how long a pool was exposed until it was corrected; nothing if it was not."""
    since, until = time_of(text_in(change, "exposedSince")), time_of(text_in(change, "time"))
    if since is None or until is None:
        return ""
    return f" The pool was open to the Internet for {duration_text((until - since).total_seconds())}."


def _assertions(status: JsonObject, blind: Blindness | None, to: Addresses) -> Content:
    assertions = entries_in(status, "assertions")
    if not assertions:
        return None
    rows = [
        (
            text_in(each, "name"),
            badge(dimmed(said_of_assertion(text_in(each, "holds")), blind)),
            text_in(each, "message"),
            policy_links([text_in(each, "policy")], to),
        )
        for each in assertions
    ]
    return section("Assertions", table("Assertions", ("Assertion", "Holds", "Why", "Policy"), rows), id="assertions")
