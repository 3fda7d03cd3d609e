"""What each zone gets of one backend port, with the witness: the deciding rule and one example source.

Internet is Open if any public literal is let in from some source port, Closed if none is, Undetermined between. It is
settled by the rules and by where public addresses come from: without any, nobody on the Internet gets in.

VirtualNetwork is Open if a rule or the implicit allow admits it, Closed only if a rule denies it; where rules do not
settle it, it is Undetermined in a subnet, whose own network security group is not read, and NotApplicable without one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, assert_never

from batchaccess.core.addresses import Address, AddressSet
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    Access,
    Network,
    Provisioning,
    Rule,
)
from batchaccess.core.reach import Reach, ReachFunction, agreed
from batchaccess.core.rules import Match, Possible, matches_anywhere, matches_in_virtual_network, possible_outcomes


class ZoneVerdict(StrEnum):
    """Whether a zone reaches a backend port."""

    OPEN = "Open"
    CLOSED = "Closed"
    UNDETERMINED = "Undetermined"
    NOT_APPLICABLE = "NotApplicable"
    """The pool has no part in the zone: it is in no subnet."""


class Why(StrEnum):
    """What settles a verdict, or keeps it from being settled."""

    RULE_ALLOWS = "RuleAllows"
    RULE_DENIES = "RuleDenies"
    NO_RULES = "NoRules"
    NO_RULE_MATCHES = "NoRuleMatches"
    SERVICE_TAG = "ServiceTag"
    UNKNOWN_ACCESS = "UnknownAccess"
    ADDRESS_SPACE_UNKNOWN = "AddressSpaceUnknown"
    NO_ENDPOINT = "NoEndpoint"
    NO_PUBLIC_ADDRESSES = "NoPublicAddresses"
    PROVISIONING_UNKNOWN = "ProvisioningUnknown"
    NO_ADDRESSES_OF_FAMILY = "NoAddressesOfFamily"
    IMPLICIT_MAPPING = "ImplicitMapping"
    IMPLICIT_MAPPING_UNKNOWN = "ImplicitMappingUnknown"
    SUBNET_NOT_READ = "SubnetNotRead"
    NO_SUBNET = "NoSubnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Why a verdict is as it is: what settles it, the deciding rule if one does, and one source it happens to."""

    why: Why
    example: str
    rule: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a zone gets, and why."""

    value: ZoneVerdict
    witness: Witness


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One backend port as sources meet it."""

    function: ReachFunction
    everything: AddressSet
    """All addresses of the families that the pool has; never empty."""
    rules: tuple[Rule, ...] = ()
    settled_by: Why | None = None
    """What settles it where that is not the rules of an endpoint."""


TELLING_EXAMPLES: Final = (IPv4Address("8.8.8.8"), IPv4Address("10.0.0.4"), IPv6Address("2001:4860:4860::8888"))
"""Addresses that a reader recognises, preferred as examples over the lowest address of a set."""


def example_of(sources: AddressSet) -> Address:
    """One address of a set that is not empty, always the same, and telling if possible.

    Raises:
        ValueError: The set is empty.
    """
    found = next((address for address in TELLING_EXAMPLES if address in sources), sources.lowest())
    if found is None:
        raise ValueError("an empty set of sources has no example: ask about at least one address")
    return found


_SETTLED: Final = {
    Reach.OPEN: ZoneVerdict.OPEN,
    Reach.CLOSED: ZoneVerdict.CLOSED,
    Reach.UNDETERMINED: ZoneVerdict.UNDETERMINED,
}
_BY_EXPOSURE: Final = (ZoneVerdict.NOT_APPLICABLE, ZoneVerdict.CLOSED, ZoneVerdict.UNDETERMINED, ZoneVerdict.OPEN)


def most_exposed(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that exposes most, the first of equals.

    Raises:
        ValueError: There is none.
    """
    return max(verdicts, key=lambda verdict: _BY_EXPOSURE.index(verdict.value))


def unsettling(outcomes: Sequence[Possible]) -> tuple[Possible, ...]:
    """The outcomes that keep those of one source from agreeing; empty where they agree on Open or Closed.

    That is every tag that changes what would happen without it. Where no rule decides without tags, a tag that denies
    is no news, but one that lets in is, and so is that nothing is certain.
    """
    *tagged, last = outcomes
    if last.reach is Reach.UNDETERMINED:
        return (*(outcome for outcome in tagged if outcome.reach is Reach.OPEN), last)
    return tuple(outcome for outcome in tagged if outcome.reach is not last.reach)


def _why(outcomes: Sequence[Possible]) -> tuple[Why, Rule | None]:
    decider = next(iter(unsettling(outcomes)), outcomes[-1])
    reach = agreed(outcome.reach for outcome in outcomes)
    if decider.rule is None:
        return Why.NO_RULE_MATCHES, None
    if decider.rule.access is Access.UNKNOWN:
        return Why.UNKNOWN_ACCESS, decider.rule
    match reach:
        case Reach.OPEN:
            return Why.RULE_ALLOWS, decider.rule
        case Reach.CLOSED:
            return Why.RULE_DENIES, decider.rule
        case Reach.UNDETERMINED:
            return Why.SERVICE_TAG, decider.rule
        case _:
            assert_never(reach)


def witness_at(gate: Gate, matches: Iterable[Match], address: Address, port: int) -> Witness:
    """Why one source gets what it gets."""
    if gate.settled_by is not None:
        return Witness(why=gate.settled_by, example=str(address))
    if not gate.rules:
        return Witness(why=Why.NO_RULES, example=str(address))
    why, rule = _why(possible_outcomes(matches, address, port))
    return Witness(why=why, rule=rule, example=str(address))


def _from_rules(gate: Gate, sources: AddressSet) -> Verdict:
    reach = gate.function.reach_from(sources)
    shown, port = next(gate.function.spots(sources, reach))
    witness = witness_at(gate, matches_anywhere(gate.rules), example_of(shown), port)
    return Verdict(value=_SETTLED[reach], witness=witness)


def _closed(why: Why, sources: AddressSet) -> Verdict:
    return Verdict(value=ZoneVerdict.CLOSED, witness=Witness(why=why, example=str(example_of(sources))))


def _from_public(gate: Gate, sources: AddressSet, network: Network) -> Verdict:
    match network.provisioning:
        case Provisioning.NO_PUBLIC_IP_ADDRESSES:
            return _closed(Why.NO_PUBLIC_ADDRESSES, sources)
        case Provisioning.UNKNOWN:
            verdict = _from_rules(gate, sources)
            if verdict.value is not ZoneVerdict.OPEN:
                return verdict
            witness = replace(verdict.witness, why=Why.PROVISIONING_UNKNOWN)
            return Verdict(value=ZoneVerdict.UNDETERMINED, witness=witness)
        case Provisioning.BATCH_MANAGED | Provisioning.USER_MANAGED:
            return _from_rules(gate, sources)
        case _:
            assert_never(network.provisioning)


def _from_private(gate: Gate, sources: AddressSet, network: Network) -> Verdict:
    if gate.settled_by is Why.NO_ENDPOINT and network.subnet_id is not None:
        witness = Witness(why=Why.SUBNET_NOT_READ, example=str(example_of(sources)))
        return Verdict(value=ZoneVerdict.UNDETERMINED, witness=witness)
    return _from_rules(gate, sources)


def from_literals(gate: Gate, sources: AddressSet, network: Network) -> Verdict:
    """What a set of literal sources gets: the most that any of them gets.

    Raises:
        ValueError: The set is empty.
    """
    carried = sources & gate.everything
    if not carried:
        return _closed(Why.NO_ADDRESSES_OF_FAMILY, sources)
    public, private = carried & PUBLIC_ADDRESSES, carried - PUBLIC_ADDRESSES
    verdicts = [_from_public(gate, public, network)] if public else []
    verdicts += [_from_private(gate, private, network)] if private else []
    return most_exposed(verdicts)


def from_internet(gate: Gate, network: Network) -> Verdict:
    """What the zone Internet gets."""
    return _from_public(gate, PUBLIC_ADDRESSES & gate.everything, network)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Sources in the virtual network that share one reach, at one source port."""

    sources: AddressSet
    port: int
    reach: Reach


def _virtual_network_spots(gate: Gate) -> Iterator[tuple[Reach, list[_Spot]]]:
    """Per run of source ports: what all addresses agree on, and the kinds of addresses there are."""
    for ports, cells in gate.function.virtual_network:
        spots = [_Spot(cell.sources, ports.start, cell.decision.reach) for cell in cells]
        closed = gate.everything
        for cell in cells:
            closed -= cell.sources
        if closed:
            spots.append(_Spot(closed, ports.start, Reach.CLOSED))
        yield agreed(spot.reach for spot in spots), spots


def from_virtual_network(gate: Gate, network: Network) -> Verdict:
    """What the zone VirtualNetwork gets."""
    if gate.settled_by is Why.NO_ENDPOINT:
        return _by_subnet(network, Witness(why=Why.SUBNET_NOT_READ, example=str(TELLING_EXAMPLES[1])))
    reach, spots = max(_virtual_network_spots(gate), key=lambda found: found[0])
    spot = max(spots, key=lambda spot: spot.reach)
    address = example_of(spot.sources - PUBLIC_ADDRESSES or spot.sources)
    witness = witness_at(gate, matches_in_virtual_network(gate.rules), address, spot.port)
    if reach is not Reach.UNDETERMINED:
        return Verdict(value=_SETTLED[reach], witness=witness)
    if spot.reach is not Reach.UNDETERMINED:
        witness = replace(witness, why=Why.ADDRESS_SPACE_UNKNOWN)
    return _by_subnet(network, witness)


def _by_subnet(network: Network, witness: Witness) -> Verdict:
    if network.subnet_id is None:
        return Verdict(value=ZoneVerdict.NOT_APPLICABLE, witness=replace(witness, why=Why.NO_SUBNET, rule=None))
    return Verdict(value=ZoneVerdict.UNDETERMINED, witness=witness)
