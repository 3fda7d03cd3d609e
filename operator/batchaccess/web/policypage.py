"""The list of policies, and the page of one: what it declares, where it is accepted, which pools are not in order."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Final, TypeAlias

from batchaccess.core.declared import AccessPolicy, DesiredEndpoint, NameSelector, Unlisted
from batchaccess.core.model import JsonObject
from batchaccess.web.accounts import NOT_KNOWN, ready_badge
from batchaccess.web.addresses import Addresses
from batchaccess.web.correction import correction_section
from batchaccess.web.eventspage import events_table
from batchaccess.web.fleet import FleetFilter
from batchaccess.web.layout import Shell, page
from batchaccess.web.markup import Content, Element, el
from batchaccess.web.parts import badge, conditions_table, facts, pager, plural, section, table
from batchaccess.web.readings import PolicyReading, PoolReading, RecentEvent
from batchaccess.web.storedjson import condition_in, conditions_in, entries_in, flag_in, number_in, part_in, text_in
from batchaccess.web.words import Said, Tone, said_of_condition, spelled

PAGE_SIZE: Final = 100
PoolOf: TypeAlias = Callable[[str], PoolReading | None]

_CUT: Final = "..."
"""How `core.texts.shortened` ends a text that was too long."""

_SWITCH: Final = {None: "", True: "on", False: "off"}
_UNLISTED: Final = {Unlisted.REMOVE: "removed", Unlisted.KEEP: "kept"}
COUNT_WORDS: Final = {
    "total": "Pools",
    "compliant": "In order",
    "drifted": "Drift reported",
    "pending": "Waiting",
    "stalled": "Stalled",
    "violating": "Violating",
    "unmanaged": "Not managed",
    "unknown": "Not known",
    "internetReachable": "Reachable from the Internet",
}


def policies_page(policies: Sequence[PolicyReading], number: int, *, shell: Shell) -> str:
    """The list of policies."""
    to = shell.addresses
    pages = max(1, ceil(len(policies) / PAGE_SIZE))
    number = min(number, pages)
    visible = policies[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    columns = ("Policy", "State", "Mode", "Priority", "Pools", "Not in order")
    neighbours = [to.policies(page=each) for each in (number - 1, number + 1)]
    return page(
        "Policies",
        el("h1", "Policies"),
        el("p", plural(len(policies), "policy", "policies"), class_="note"),
        table("Policies", columns, [_policy_row(each, to) for each in visible], class_="policies")
        if visible
        else el("p", "No BatchPoolAccessPolicy is declared yet.", class_="empty"),
        pager(number, pages, neighbours),
        shell=shell,
    )


def _policy_row(policy: PolicyReading, to: Addresses) -> Sequence[Content]:
    pools = part_in(policy.status, "pools")
    total = number_in(pools, "total")
    troubled = sum(number_in(pools, each) or 0 for each in ("drifted", "pending", "stalled", "violating", "unknown"))
    declared = policy.declared
    return (
        el("a", str(policy.key), href=to.policy(policy.key)),
        policy_badge(policy.status),
        NOT_KNOWN if declared is None else mode_words(declared),
        NOT_KNOWN if declared is None else declared.priority,
        NOT_KNOWN if total is None else f"{total:,}",
        NOT_KNOWN if total is None else f"{troubled:,}" if troubled else "none",
    )


def policy_badge(status: JsonObject) -> Element:
    """Where a policy stands: refused, or how far it is enforced."""
    accepted, enforced = condition_in(status, "Accepted"), condition_in(status, "Enforced")
    if accepted.reason and accepted.status != "True":
        return badge(said_of_condition("Accepted", accepted.status, accepted.reason))
    if not enforced.reason:
        return ready_badge(status)
    return badge(said_of_condition("Enforced", enforced.status, enforced.reason))


def mode_words(policy: AccessPolicy) -> str:
    """What a policy does about drift."""
    return f"{policy.mode}, suspended" if policy.suspend else policy.mode.value


def policy_page(policy: PolicyReading, pool_of: PoolOf, events: Sequence[RecentEvent], *, shell: Shell) -> str:
    """The page of one policy. `pool_of` finds the pool of a BatchPoolAccess by name."""
    to, status = shell.addresses, policy.status
    ready = condition_in(status, "Ready")
    return page(
        f"Policy {policy.key}",
        el("nav", el("a", "Policies", href=to.policies()), class_="crumbs", aria_label="Where this is"),
        el("h1", str(policy.key)),
        el("p", policy_badge(status), class_="badges"),
        el("p", ready.message, class_="lead") if ready.message else None,
        _declared(policy),
        correction_section(policy.declared, shell.now) if policy.declared else None,
        _pools(policy, pool_of, to),
        _connections(status, to),
        section("Conditions", conditions_table(conditions_in(status), shell.now), id="conditions"),
        section("Recent events", events_table(events, shell), id="events"),
        shell=shell,
    )


def _declared(policy: PolicyReading) -> Element:
    declared = policy.declared
    command = el("code", f"kubectl get bpap {policy.key.name} --namespace {policy.key.namespace} -o yaml")
    if declared is None:
        return section(
            "Declared",
            el("p", "What is declared is refused; the conditions say why.", class_="empty"),
            facts((("In the cluster", command),)),
            id="declared",
        )
    pools, access = declared.pools, declared.access
    addresses = access.public_addresses
    return section(
        "Declared",
        facts(
            (
                ("Mode", mode_words(declared)),
                ("Priority", str(declared.priority)),
                ("Accounts", selector_words(declared.connections)),
                ("Pools", ", ".join(pools.ids)),
                ("Not the pools", ", ".join(pools.exclude_ids)),
                ("With metadata", ", ".join(f"{name}={value}" for name, value in sorted(pools.match_metadata.items()))),
                ("Public addresses", "" if addresses is None else addresses.provisioning.value),
                ("Address ids", [] if addresses is None else [el("code", each) for each in addresses.address_ids]),
                ("Subnet", access.subnet_id or ""),
                ("Accelerated networking", _SWITCH[access.accelerated_networking]),
                ("In the cluster", command),
            )
        ),
        _endpoints(declared),
        _assertions(declared),
        id="declared",
    )


def selector_words(selector: NameSelector) -> str:
    """Names, or labels."""
    if selector.names is not None:
        return ", ".join(selector.names)
    return "labelled " + ", ".join(f"{name}={value}" for name, value in sorted((selector.match_labels or {}).items()))


def _endpoints(policy: AccessPolicy) -> Content:
    endpoints = policy.access.endpoints
    if endpoints is None:
        return None
    rest = f"Endpoints that it does not name are {_UNLISTED[endpoints.unlisted]}."
    if not endpoints.items:
        return el("p", f"No endpoints. {rest}")
    rows = [
        (each.name, f"{each.protocol} {each.backend_port}", str(each.frontend), declared_words(each))
        for each in endpoints.items
    ]
    return table("Declared endpoints", ("Endpoint", "Port", "Frontend ports", "Who may get in"), rows), el(
        "p", rest, class_="note"
    )


def declared_words(endpoint: DesiredEndpoint) -> str:
    """Who a policy wants to be let in."""
    if endpoint.allow_from is not None:
        return ", ".join(endpoint.allow_from) or "nobody"
    return "; ".join(f"{rule.priority} {rule.access} {rule.source}" for rule in endpoint.rules or ())


def _assertions(policy: AccessPolicy) -> Content:
    if not policy.assertions:
        return None
    rows = [
        (each.name, ", ".join(each.not_reachable_from), ", ".join(str(port) for port in each.ports) or "all")
        for each in policy.assertions
    ]
    return table("Declared assertions", ("Assertion", "Not reachable from", "Ports"), rows)


def counts_facts(pools: JsonObject, *, otherwise: str = "Not counted yet.") -> Content:
    """Numbers of pools by outcome, those that are not zero; `otherwise` is said if there are no numbers."""
    counts = {key: number_in(pools, key) for key in COUNT_WORDS}
    shown = [
        (COUNT_WORDS[key], f"{count:,}") for key, count in counts.items() if count or (key == "total" and count == 0)
    ]
    return facts(shown) if shown else el("p", otherwise, class_="empty")


def _whole(text: str, pool: PoolReading | None) -> str:
    """What the status of a policy cuts off for want of room is in that of the pool."""
    if pool is None or not text.endswith(_CUT):
        return text
    begun, status = text.removesuffix(_CUT), pool.status()
    told = [condition_in(status, "Compliant").message]
    told += [
        f"Assertion {text_in(each, 'name')}: {text_in(each, 'message')}" for each in entries_in(status, "assertions")
    ]
    return next((each for each in told if each.startswith(begun)), text)


def _pools(policy: PolicyReading, pool_of: PoolOf, to: Addresses) -> Element:
    rows = [
        (
            el("a", text_in(each, "poolId"), href=to.pool(text_in(each, "name"))),
            text_in(each, "connection"),
            badge(said_of_condition("Compliant", "False", text_in(each, "reason"))),
            _whole(text_in(each, "message"), pool_of(text_in(each, "name"))),
        )
        for each in entries_in(policy.status, "notInOrder")
        if text_in(each, "name")
    ]
    return section(
        "Pools",
        counts_facts(part_in(policy.status, "pools")),
        el("p", el("a", "Show the pools it governs", href=to.fleet(FleetFilter(policy=str(policy.key))))),
        (
            el("h3", "Not in order"),
            table("Pools not in order", ("Pool", "Account", "State", "Why"), rows, class_="trouble"),
        )
        if rows
        else None,
        id="pools",
    )


def _connections(status: JsonObject, to: Addresses) -> Content:
    rows = [
        (
            el("a", text_in(each, "name"), href=to.connection(text_in(each, "name"))),
            badge(Said(Tone.GOOD if flag_in(each, "accepted") else Tone.DANGER, spelled(text_in(each, "reason")))),
            text_in(each, "message"),
        )
        for each in entries_in(status, "connections")
        if text_in(each, "name")
    ]
    if not rows:
        return None
    return section("Accounts", table("Accounts of the policy", ("Account", "Accepted", "Why"), rows), id="connections")
