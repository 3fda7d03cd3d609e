"""What each rule of a stored endpoint does, in the order in which the service tries them."""

from collections.abc import Sequence
from dataclasses import dataclass

from batchaccess.core.explain import summary
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    InboundEndpoint,
    IpFamily,
    JsonObject,
    Network,
    PortRange,
    Protocol,
    Provisioning,
    Rule,
)
from batchaccess.core.reachability import reachability
from batchaccess.core.ruleexplanation import RuleExplanation, explain_rules
from batchaccess.core.sources import EVERYONE, INTERNET, VIRTUAL_NETWORK, parse_source
from batchaccess.web.storedjson import entries_in, number_in, text_in, texts_in


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule as shown. `idle` is set if the rule changes nothing."""

    priority: int
    access: str
    source: str
    ports: str
    does: str
    idle: bool


def rule_lines(endpoint: JsonObject, network: JsonObject) -> Sequence[RuleLine]:
    """The rules of one endpoint of a stored network; those that cannot be understood are left out."""
    rules = tuple(rule for entry in entries_in(endpoint, "rules") if (rule := _rule(entry)) is not None)
    if not rules:
        return ()
    explained = explain_rules(reachability(_network(rules, network), legacy=False).endpoints[0])
    return [_line(each, first=position == 0, only=len(explained) == 1) for position, each in enumerate(explained)]


def _network(rules: tuple[Rule, ...], network: JsonObject) -> Network:
    """A network of one endpoint: what its rules do depends on the address families of the pool and on nothing else."""
    families = tuple(family for family in IpFamily if family.value in texts_in(network, "ipFamilies"))
    endpoint = InboundEndpoint(name="", protocol=Protocol.TCP, backend_port=0, frontend=PortRange(0, 0), rules=rules)
    provisioning = text_in(network, "provisioning")
    return Network(
        endpoints=(endpoint,),
        ip_families=families,
        provisioning=Provisioning(provisioning) if provisioning in set(Provisioning) else Provisioning.UNKNOWN,
    )


def _rule(entry: JsonObject) -> Rule | None:
    priority, source, access = (
        number_in(entry, "priority"),
        text_in(entry, "sourceAddressPrefix"),
        text_in(entry, "access"),
    )
    if priority is None or not source:
        return None
    return Rule(
        priority=priority,
        access=Access(access) if access in set(Access) else Access.UNKNOWN,
        source=source,
        source_ports=tuple(_ports(text) for text in texts_in(entry, "sourcePortRanges")) or (ALL_PORTS,),
    )


def _ports(text: str) -> PortRange:
    first, _, last = text.partition("-")
    try:
        return PortRange(int(first), int(last or first))
    except ValueError:
        return ALL_PORTS


def _line(explained: RuleExplanation, *, first: bool, only: bool) -> RuleLine:
    rule = explained.rule
    return RuleLine(
        priority=rule.priority,
        access=rule.access.value,
        source=rule.source,
        ports=", ".join("*" if each == ALL_PORTS else str(each) for each in rule.source_ports),
        does=_does(explained, first=first, only=only),
        idle=explained.shadowed or explained.redundant,
    )


def _does(explained: RuleExplanation, *, first: bool, only: bool) -> str:
    if explained.shadowed:
        return "Never decides: the rules before it take everything it matches."
    if not explained.decides:
        return "Decides for neighbours in the virtual network at most: rules before it take everyone else it matches."
    match explained.rule.access:
        case Access.ALLOW:
            text = f"Lets in {_who(explained, first=first)}"
        case Access.DENY:
            text = f"Keeps out {_who(explained, first=first)}"
        case Access.UNKNOWN:
            text = f"Does something unknown to {_who(explained, first=first)}"
    if explained.rule.source_ports != (ALL_PORTS,):
        text += ", from these source ports"
    if not explained.redundant:
        return f"{text}."
    otherwise = "without any rule everyone is let in too" if only else "the other rules come to the same"
    return f"{text}. It makes no difference: {otherwise}."


def _who(explained: RuleExplanation, *, first: bool) -> str:
    source = explained.rule.source
    match source.lower():
        case word if word == EVERYONE:
            return "everyone" if first else "everyone else"
        case word if word == INTERNET:
            return "everyone on the Internet" if first else "everyone else on the Internet"
        case word if word == VIRTUAL_NETWORK:
            return "neighbours in the virtual network"
    if explained.tag:
        return f"whoever the service tag {source} stands for, whose addresses are not known here"
    if explained.decides == parse_source(source):
        return source
    return f"the rest of {source}: {summary(explained.decides)}"
