"""What each rule of an endpoint contributes, and which rule decides one source.

`explain` on the command line prints this rule by rule. A rule is *shadowed* if it never decides anything, since earlier
rules take all it matches, and *redundant* if the endpoint admits exactly the same sources without it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchaccess.core.addresses import NO_ADDRESSES, Address, AddressSet
from batchaccess.core.model import (
    IpFamily,
    Rule,
)
from batchaccess.core.reach import Reach
from batchaccess.core.reachability import EndpointReachability
from batchaccess.core.rules import Match, deciders_by_ports, evaluate, matches_anywhere, matches_in_virtual_network
from batchaccess.core.sources import Tag, parse_source
from batchaccess.core.zones import Why, Witness, witness_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExplanation:
    """What one rule contributes, given those before it."""

    rule: Rule
    decides: AddressSet
    """The literals it decides from some source port; for a tag's rule, those it decides if they carry the tag."""
    tag: bool
    """Whether the rule matches a service tag, so that nobody knows which literals it applies to."""
    shadowed: bool
    redundant: bool


def explain_rules(endpoint: EndpointReachability) -> tuple[RuleExplanation, ...]:
    """What each rule contributes, in the order in which they are tried."""
    everything = endpoint.gate.everything
    matches = matches_anywhere(endpoint.rules)
    decided = _decided(matches, everything)
    in_network = _decided(matches_in_virtual_network(endpoint.rules), everything)
    return tuple(
        RuleExplanation(
            rule=match.rule,
            decides=decided.get(match.position, NO_ADDRESSES),
            tag=isinstance(parse_source(match.rule.source), Tag),
            shadowed=match.position not in decided and match.position not in in_network,
            redundant=_is_redundant(endpoint, match.position),
        )
        for match in matches
    )


def _decided(matches: Sequence[Match], everything: AddressSet) -> dict[int, AddressSet]:
    """What each rule decides at one source port or another, by its position; rules that decide nothing are absent."""
    decided: dict[int, AddressSet] = {}
    for _, deciders in deciders_by_ports(matches, everything):
        for match, sources, _ in deciders:
            if match is not None:
                decided[match.position] = decided.get(match.position, NO_ADDRESSES) | sources
    return decided


def _is_redundant(endpoint: EndpointReachability, position: int) -> bool:
    others = endpoint.rules[:position] + endpoint.rules[position + 1 :]
    return evaluate(others, _families(endpoint.gate.everything)) == endpoint.function


def _families(everything: AddressSet) -> Iterator[IpFamily]:
    return (family for family in IpFamily if everything.of_family(family))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDecision:
    """What becomes of one source at one endpoint; `port` is the source port it was asked for or fares best from."""

    reach: Reach
    port: int
    witness: Witness


def decide_source(endpoint: EndpointReachability, address: Address, port: int | None = None) -> SourceDecision:
    """What the rules of an endpoint make of one source, and which rule decides.

    Args:
        endpoint: The endpoint.
        address: A literal source address, of a family that the pool has or not.
        port: The source port; None for the one from which the source gets most.
    """
    function = endpoint.function
    if port is None:
        source = AddressSet.of_address(address)
        _, port = next(function.spots(source, function.reach_from(source)))
    if address in endpoint.gate.everything:
        witness = witness_at(endpoint.gate, matches_anywhere(endpoint.rules), address, port)
    else:
        witness = Witness(why=Why.NO_ADDRESSES_OF_FAMILY, example=str(address))
    return SourceDecision(reach=function.at(address, port), port=port, witness=witness)
