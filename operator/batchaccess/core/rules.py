"""From the rules of an inbound endpoint to the exact function of who reaches it.

Rules are tried by ascending priority and the first that matches decides. `*` matches every source, an address or CIDR
exactly itself, `Internet` every public literal; any other tag may match any source. No rules at all: the service lets
everyone in. No match though rules exist: Undetermined for every literal, public or not, since what follows behind the
rules of Batch (the default rules of the network security group, that of the subnet) is not in the pool. A word the
service added since, for the access of a rule, leaves the sources it matches Undetermined.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, assert_never

from batchaccess.core.addresses import ALL_ADDRESSES, NO_ADDRESSES, Address, AddressSet
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    IpFamily,
    PortRange,
    Rule,
)
from batchaccess.core.reach import (
    Decision,
    Plane,
    Reach,
    ReachFunction,
    Segment,
    canonical_cells,
    canonical_plane,
)
from batchaccess.core.sources import INTERNET, VIRTUAL_NETWORK, Source, Tag, parse_source


class Match(NamedTuple):
    """A rule with its effect and the sources it is tried on."""

    position: int
    """Place in the order of trial, from 0."""
    rule: Rule
    source: Source
    reach: Reach


def _effect(access: Access) -> Reach:
    match access:
        case Access.ALLOW:
            return Reach.OPEN
        case Access.DENY:
            return Reach.CLOSED
        case Access.UNKNOWN:
            return Reach.UNDETERMINED
        case _:
            assert_never(access)


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Rules in the order in which they are tried."""
    return sorted(rules, key=lambda rule: rule.priority)


def matches_anywhere(rules: Iterable[Rule]) -> list[Match]:
    """What each rule matches, of all sources, in the order of trial."""
    return [
        Match(position, rule, parse_source(rule.source), _effect(rule.access))
        for position, rule in enumerate(in_order(rules))
    ]


def matches_in_virtual_network(rules: Iterable[Rule]) -> list[Match]:
    """What each rule matches, of the sources in the virtual network: the tag is certain, Internet is impossible."""
    certain: dict[str, Source] = {VIRTUAL_NETWORK: ALL_ADDRESSES, INTERNET: NO_ADDRESSES}
    return [
        match._replace(source=certain.get(match.rule.source.lower(), match.source)) for match in matches_anywhere(rules)
    ]


def _segments(rules: Sequence[Rule]) -> Iterator[PortRange]:
    """The longest runs of source ports over which no rule begins or ends to apply."""
    ranges = [ports for rule in rules for ports in rule.source_ports]
    cuts = {ports.start for ports in ranges} | {ports.end + 1 for ports in ranges}
    inner = sorted(cut for cut in cuts if ALL_PORTS.start < cut <= ALL_PORTS.end)
    for start, following in pairwise([ALL_PORTS.start, *inner, ALL_PORTS.end + 1]):
        yield PortRange(start, following - 1)


def applies_at(rule: Rule, port: int) -> bool:
    """Whether a rule is tried on packets from this source port."""
    return any(ports.start <= port <= ports.end for ports in rule.source_ports)


class Decided(NamedTuple):
    """What one rule decides, given those before it; `match` is None for what no rule decides for certain."""

    match: Match | None
    sources: AddressSet
    """The literals it decides: for certain, or if they carry its tag."""
    decision: Decision | None
    """What becomes of those sources; None for a tag's rule, which leaves them to those that follow."""


def first_matches(matches: Iterable[Match], everything: AddressSet) -> Iterator[Decided]:
    """Which rule decides which sources, in the order of trial; all rules given apply at one source port."""
    undecided = everything
    steps: list[tuple[str, Reach]] = []
    for match in matches:
        if isinstance(match.source, Tag):
            if all(match.source.name != tag for tag, _ in steps):
                steps.append((match.source.name, match.reach))
                yield Decided(match, undecided, None)
        elif decided := undecided & match.source:
            yield Decided(match, decided, Decision.of_steps(steps, match.reach))
            undecided -= match.source
            if not undecided:
                return
    yield Decided(None, undecided, Decision.of_steps(steps, Reach.UNDETERMINED))


def deciders_by_ports(
    matches: Sequence[Match], everything: AddressSet
) -> Iterator[tuple[PortRange, tuple[Decided, ...]]]:
    """Which rule decides which sources, for each run of source ports over which the rules are the same."""
    known: dict[tuple[int, ...], tuple[Decided, ...]] = {}
    for ports in _segments([match.rule for match in matches]):
        applying = [match for match in matches if applies_at(match.rule, ports.start)]
        positions = tuple(match.position for match in applying)
        if positions not in known:
            known[positions] = tuple(first_matches(applying, everything))
        yield ports, known[positions]


def _plane(matches: Sequence[Match], everything: AddressSet) -> Plane:
    segments: list[Segment] = []
    for ports, deciders in deciders_by_ports(matches, everything):
        found: dict[Decision, AddressSet] = {}
        for _, sources, decision in deciders:
            if decision is not None:
                found[decision] = found.get(decision, NO_ADDRESSES) | sources
        segments.append(Segment(ports, canonical_cells(found)))
    return canonical_plane(segments)


_CACHED_FUNCTIONS: Final = 4096
"""Distinct rule lists remembered: an account's pools share few, and drift asks for each of them twice."""


def evaluate(rules: Sequence[Rule], families: Iterable[IpFamily]) -> ReachFunction:
    """The exact function of who the rules of one endpoint let in, over the given address families."""
    return _evaluate(tuple(rules), AddressSet.of_families(families))


@lru_cache(maxsize=_CACHED_FUNCTIONS)
def _evaluate(rules: tuple[Rule, ...], everything: AddressSet) -> ReachFunction:
    if not rules:
        return ReachFunction.constant(Reach.OPEN, everything)
    matches, matches_inside = matches_anywhere(rules), matches_in_virtual_network(rules)
    anywhere = _plane(matches, everything)
    inside = anywhere if matches_inside == matches else _plane(matches_inside, everything)
    return ReachFunction(anywhere=anywhere, virtual_network=inside)


class Possible(NamedTuple):
    """One outcome a source may have. `rule` is None where no rule decides it."""

    reach: Reach
    rule: Rule | None


def possible_outcomes(matches: Iterable[Match], address: Address, port: int) -> tuple[Possible, ...]:
    """What may become of one source, in the order of trial; the last happens if none of its tags decides before."""
    applying = (match for match in matches if applies_at(match.rule, port))
    return tuple(
        Possible(match.reach, match.rule) if match else Possible(Reach.UNDETERMINED, None)
        for match, _, _ in first_matches(applying, AddressSet.of_address(address))
    )
