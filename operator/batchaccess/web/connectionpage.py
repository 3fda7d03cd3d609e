"""The page of one connection: whether its account can be read, how its pools are, and who may do what to them."""

from collections.abc import Sequence

from batchaccess.core.declared import AccountConnection, Grant, NamespaceSelector
from batchaccess.web.accounts import ready_badge
from batchaccess.web.eventspage import events_table
from batchaccess.web.fleet import FleetFilter
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import Content, el
from batchaccess.web.parts import conditions_table, duration_since, facts, plural, section, table
from batchaccess.web.policypage import counts_facts
from batchaccess.web.readings import ConnectionReading, RecentEvent
from batchaccess.web.storedjson import condition_in, conditions_in, part_in
from batchaccess.web.words import spelled


def connection_page(connection: ConnectionReading, events: Sequence[RecentEvent], *, shell: Shell) -> str:
    """The page of one connection."""
    to, status = shell.addresses, connection.status
    ready = condition_in(status, "Ready")
    return page(
        f"Account {connection.name}",
        el("nav", el("a", "Pools", href=to.fleet()), " / Account", class_="crumbs", aria_label="Where this is"),
        el("h1", connection.name),
        el(
            "p",
            el("span", ready_badge(status), el("span", duration_since(ready.since, shell.now), class_="dim")),
            class_="badges",
        ),
        el("p", ready.message, class_="lead") if ready.message else None,
        section(
            "Pools",
            counts_facts(part_in(status, "pools"), otherwise="Not counted, since the account is not observed."),
            el("p", el("a", "Show its pools", href=to.fleet(FleetFilter(connection=connection.name)))),
            id="pools",
        ),
        section(
            "Declared",
            el("p", "What is declared is refused; the conditions say why.", class_="empty")
            if connection.declared is None
            else (_declared(connection.declared), _grants(connection.declared)),
            facts((("In the cluster", el("code", f"kubectl get bac {connection.name} -o yaml")),)),
            id="declared",
        ),
        section("Conditions", conditions_table(conditions_in(status), shell.now), id="conditions"),
        section("Recent events", events_table(events, shell), id="events"),
        shell=shell,
    )


def _declared(declared: AccountConnection) -> Content:
    return facts(
        (
            ("Endpoint", el("code", declared.endpoint)),
            ("Authentication", spelled(declared.auth.type)),
            ("Looked at", f"every {declared.sync_period_seconds} s"),
            ("Corrections", "suspended" if declared.suspend else "as the policies say"),
            ("Drained at the same time", f"{plural(declared.max_concurrent_drains, 'pool')} at most"),
            ("Never reachable from the Internet", ", ".join(f"port {port}" for port in declared.forbid_internet_ports)),
        )
    )


def _grants(declared: AccountConnection) -> Content:
    if not declared.grants:
        return el("p", "It grants nothing, so no policy is accepted for this account.", class_="empty")
    return table(
        "Grants",
        ("Namespaces", "Pools", "Modes", "Strategies", "Highest priority"),
        [_grant_row(each) for each in declared.grants],
    )


def _grant_row(grant: Grant) -> Sequence[Content]:
    return (
        namespace_words(grant.namespaces),
        ", ".join(grant.pools),
        ", ".join(grant.modes),
        ", ".join(spelled(each) for each in grant.strategies),
        grant.max_priority,
    )


def namespace_words(selector: NamespaceSelector) -> str:
    """The namespaces of a grant."""
    if selector.all:
        return "all"
    if selector.names is not None:
        return ", ".join(selector.names)
    return "labelled " + ", ".join(f"{name}={value}" for name, value in sorted((selector.match_labels or {}).items()))
