"""Words a person understands for what reachability computed; stable text, so that statuses and events do not flap."""

from collections.abc import Iterator
from typing import Final, assert_never

from batchaccess.core.addresses import AddressSet, written
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    Access,
    Rule,
)
from batchaccess.core.reach import Reach
from batchaccess.core.reachability import EndpointReachability
from batchaccess.core.rules import Possible, matches_anywhere, possible_outcomes
from batchaccess.core.sources import EVERYONE, VIRTUAL_NETWORK
from batchaccess.core.zones import Verdict, Why, ZoneVerdict, example_of, unsettling

SUBNET_NOTE: Final = "network security groups of the subnet are not read"
"""To be said wherever verdicts are shown."""


def effect(rule: Rule) -> str:
    """A rule as a clause: `rule 170 denies Internet`."""
    match rule.access:
        case Access.ALLOW:
            verb = "allows"
        case Access.DENY:
            verb = "denies"
        case Access.UNKNOWN:
            verb = "does something unknown to"
        case _:
            assert_never(rule.access)
    return f"rule {rule.priority} {verb} {'everyone' if rule.source == EVERYONE else rule.source}"


_OF_THE_POOL: Final = {
    Why.NO_ENDPOINT: "no endpoint maps the port",
    Why.NO_PUBLIC_ADDRESSES: "the pool has no public IP addresses",
    Why.PROVISIONING_UNKNOWN: "the provisioning of public addresses is a word this version does not know",
    Why.IMPLICIT_MAPPING: "the service itself mapped the port, and admits everyone",
    Why.IMPLICIT_MAPPING_UNKNOWN: (
        "the pool was created before 2025-12-01, so the service itself may have mapped the port, and no node was seen"
    ),
    Why.SUBNET_NOT_READ: "no endpoint maps the port, and the network security group of the subnet is not read",
    Why.NO_SUBNET: "the pool is in no subnet",
}
"""Reasons that hold for every source, so that no example is needed."""

_OF_A_SOURCE: Final = {
    Why.NO_RULES: "an endpoint without rules admits everyone",
    Why.NO_RULE_MATCHES: "no rule matches",
    Why.NO_ADDRESSES_OF_FAMILY: "the pool has no public addresses of that family",
}
_OF_A_RULE: Final = {
    Why.RULE_ALLOWS: "{}",
    Why.RULE_DENIES: "{}",
    Why.SERVICE_TAG: "{}, whose addresses are not known",
    Why.UNKNOWN_ACCESS: "{}, since its access is a word this version does not know",
    Why.ADDRESS_SPACE_UNKNOWN: "{}, which may or may not be in the virtual network",
}


def because(verdict: Verdict) -> str:
    """What settles a verdict or keeps it from being settled: `rule 170 denies Internet, e.g. 8.8.8.8`."""
    witness = verdict.witness
    if witness.why in _OF_THE_POOL:
        return _OF_THE_POOL[witness.why]
    if witness.rule is not None:
        reason = _OF_A_RULE[witness.why].format(effect(witness.rule))
    else:
        reason = _OF_A_SOURCE[witness.why]
    return f"{reason}, e.g. {witness.example}"


def admits(endpoint: EndpointReachability) -> str:
    """Who gets in: `anyone on the Internet`, `10.0.0.0/8 and 1 more`, `VirtualNetwork only`, `nobody`...

    What is not settled is added by its cause: `undetermined: tag AzureCloud`.
    """
    who = _admitted(endpoint)
    causes = list(dict.fromkeys(_causes(endpoint)))
    if not causes:
        return " and ".join(who) or "nobody"
    if not who and endpoint.internet.value is ZoneVerdict.CLOSED:
        who = ["nobody on the Internet"]
    return "; ".join([*who, f"undetermined: {', '.join(causes)}"])


def _admitted(endpoint: EndpointReachability) -> list[str]:
    open_to = endpoint.function.open_sources
    if endpoint.internet.value is not ZoneVerdict.OPEN:
        open_to -= PUBLIC_ADDRESSES
    who = [_described(open_to, endpoint)] if open_to else []
    if endpoint.virtual_network.value is ZoneVerdict.OPEN and open_to != endpoint.gate.everything:
        who.append("VirtualNetwork" if who else "VirtualNetwork only")
    return who


def _described(sources: AddressSet, endpoint: EndpointReachability) -> str:
    left_out = (endpoint.gate.everything & PUBLIC_ADDRESSES) - sources
    ports = "" if sources <= endpoint.function.always_open_sources else " from some source ports"
    if not left_out:
        return f"anyone on the Internet{ports}"
    if left_out.range_count() < sources.range_count():
        return f"anyone on the Internet except {summary(left_out)}{ports}"
    return f"{summary(sources)}{ports}"


def summary(sources: AddressSet) -> str:
    """A set by its first network and the number of others: `10.0.0.0/8 and 1 more`."""
    networks = sources.cidrs()
    if not networks:
        return "no addresses"
    return written(networks[0]) + (f" and {len(networks) - 1} more" if len(networks) > 1 else "")


def _causes(endpoint: EndpointReachability) -> Iterator[str]:
    """What keeps the reach of literals from being settled, leaving out what a zone has settled."""
    if endpoint.gate.settled_by is Why.IMPLICIT_MAPPING_UNKNOWN:
        yield "implicit mapping, no node was seen"
        return
    if endpoint.internet.witness.why is Why.PROVISIONING_UNKNOWN:
        yield "provisioning of public addresses"
    unsettled = endpoint.function.undetermined_sources
    if endpoint.internet.value is ZoneVerdict.CLOSED:
        unsettled -= PUBLIC_ADDRESSES
    matches = matches_anywhere(endpoint.rules)
    for ports, cells in endpoint.function.anywhere:
        for decision, sources in cells:
            if decision.reach is Reach.UNDETERMINED and sources & unsettled:
                outcomes = possible_outcomes(matches, example_of(sources & unsettled), ports.start)
                yield from _unsettled_by(outcomes, endpoint)


def _unsettled_by(outcomes: tuple[Possible, ...], endpoint: EndpointReachability) -> Iterator[str]:
    for reach, rule in unsettling(outcomes):
        if rule is None:
            yield "sources that no rule matches"
        elif rule.access is Access.UNKNOWN:
            yield f"access of rule {rule.priority}"
        elif not _settled_as_zone(rule, reach, endpoint):
            yield f"tag {rule.source}"


def _settled_as_zone(rule: Rule, reach: Reach, endpoint: EndpointReachability) -> bool:
    """Whether a rule lets in the virtual network, which the zone's own verdict says already."""
    return (
        rule.source.lower() == VIRTUAL_NETWORK
        and reach is Reach.OPEN
        and endpoint.virtual_network.value is ZoneVerdict.OPEN
    )
