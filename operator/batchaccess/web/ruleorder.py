"""What each rule of a stored endpoint does, in the order in which the service tries them."""

from collections.abc import Sequence
from dataclasses import dataclass

from batchaccess.core.explain import summary
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    InboundEndpoint,
    JsonObject,
    Network,
    PortRange,
    Protocol,
    Rule,
)
from batchaccess.core.reachability import reachability
from batchaccess.core.ruleexplanation import RuleExplanation, explain_rules
from batchaccess.core.sources import EVERYONE, INTERNET, VIRTUAL_NETWORK, parse_source
from batchaccess.web.storednetwork import families_in, provisioning_in, rules_in


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
    rules = rules_in(endpoint)
    if not rules:
        return ()
    explained = explain_rules(reachability(_network(rules, network), legacy=False).endpoints[0])
    return [_line(each, first=position == 0, only=len(explained) == 1) for position, each in enumerate(explained)]


def _network(rules: tuple[Rule, ...], network: JsonObject) -> Network:
    """A network of one endpoint: what its rules do depends on the address families of the pool and on nothing else."""
    endpoint = InboundEndpoint(name="", protocol=Protocol.TCP, backend_port=0, frontend=PortRange(0, 0), rules=rules)
    return Network(endpoints=(endpoint,), ip_families=families_in(network), provisioning=provisioning_in(network))


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
