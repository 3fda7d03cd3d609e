"""Compares core with the oracle on whole rule lists, at every point of the reduced space and in both zones.

One case is one random rule list and a neighbour of it. Checked are: the reach of every (address, source port, set of
tags) of the reduced space, for sources anywhere and in the virtual network; the sets of open and undetermined sources;
the verdicts of both zones; one literal query; and how the list compares with its neighbour.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address
from random import Random

from batchaccess.core.addresses import AddressSet
from batchaccess.core.model import (
    Access,
    InboundEndpoint,
    IpFamily,
    Network,
    PortRange,
    Protocol,
    Rule,
)
from batchaccess.core.reach import Decision, Plane, Reach
from batchaccess.core.reachability import reachability
from batchaccess.core.rules import evaluate
from tests.oracle.firstmatch import OPEN, UNDETERMINED, Outcomes
from tests.oracle.firstmatch import Rule as PlainRule
from tests.oracle.reducedspace import CARRIED, SPACE, neighbour, rule_list

_ACCESS = {"allow": Access.ALLOW, "deny": Access.DENY, "unknown": Access.UNKNOWN}
_FAMILIES = {4: (IpFamily.IPV4,), 46: (IpFamily.IPV4, IpFamily.IPV6)}
_ADDRESSES = [ip_address(text) for text in SPACE.addresses]


def _model(rules: tuple[PlainRule, ...]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            priority=priority,
            access=_ACCESS[access],
            source=source,
            source_ports=tuple(PortRange(low, high) for low, high in ranges),
        )
        for priority, access, source, ranges in rules
    )


def _network(rules: tuple[PlainRule, ...], families: int, subnet: str | None) -> Network:
    endpoint = InboundEndpoint(
        name="SSH", protocol=Protocol.TCP, backend_port=22, frontend=PortRange(4000, 4100), rules=_model(rules)
    )
    return Network(endpoints=(endpoint,), ip_families=_FAMILIES[families], subnet_id=subnet)


@lru_cache(maxsize=100_000)
def _members(sources: AddressSet) -> tuple[int, ...]:
    """Positions of the addresses of the space that a set holds."""
    return tuple(i for i, address in enumerate(_ADDRESSES) if address in sources)


@lru_cache(maxsize=100_000)
def _address_bits(sources: AddressSet) -> int:
    """The first point of each address of the space that a set holds."""
    return sum(SPACE.point(i, 0, 0) for i in _members(sources))


@lru_cache(maxsize=100_000)
def _port_bits(ports: PortRange) -> int:
    """How far the ports of a range lie from the first point of their address."""
    return sum(SPACE.point(0, j, 0) for j, port in enumerate(SPACE.ports) if ports.start <= port <= ports.end)


@lru_cache(maxsize=100_000)
def _tag_bits(decision: Decision, reach: Reach) -> int:
    """How far the sets of tags for which a decision has a reach lie from the first point of their block."""
    return sum(SPACE.point(0, 0, s) for s, tags in enumerate(SPACE.tag_sets) if decision.for_tags(tags) is reach)


def _masks(plane: Plane) -> tuple[int, int]:
    """The points that a function says are open, and those it says are undetermined.

    Cells of a segment are disjoint, so multiplying their bit patterns writes out each point exactly once.
    """
    opened = undetermined = 0
    for ports, cells in plane:
        for decision, sources in cells:
            blocks = _address_bits(sources) * _port_bits(ports)
            opened += blocks * _tag_bits(decision, Reach.OPEN)
            undetermined += blocks * _tag_bits(decision, Reach.UNDETERMINED)
    return opened, undetermined


def _network_verdict(outcome: str, subnet: str | None) -> str:
    if outcome != UNDETERMINED:
        return outcome
    return "undetermined" if subnet else "notapplicable"


def disagreements(random: Random) -> Iterator[str]:
    """What core and the oracle see differently in one random case; nothing if all is well."""
    rules = rule_list(random)
    families = random.choice([4, 46])
    subnet = random.choice([None, "subnet"])
    observed = _network(rules, families, subnet)
    pool = reachability(observed, legacy=False)
    (endpoint,) = pool.endpoints
    anywhere = Outcomes(SPACE, rules, CARRIED[families], in_network=False)
    inside = Outcomes(SPACE, rules, CARRIED[families], in_network=True)

    for label, plane, expected in (
        ("anywhere", endpoint.function.anywhere, anywhere),
        ("in the virtual network", endpoint.function.virtual_network, inside),
    ):
        if _masks(plane) != (expected.open, expected.undetermined):
            yield f"{label}: {rules}"
    for wanted, sources in (
        (OPEN, endpoint.function.open_sources),
        (UNDETERMINED, endpoint.function.undetermined_sources),
    ):
        if _members(sources) != tuple(i for i, outcome in enumerate(anywhere.by_address) if outcome == wanted):
            yield f"{wanted} sources: {rules}"
    if endpoint.internet.value.lower() != anywhere.of_internet:
        yield f"Internet is {endpoint.internet.value}: {rules}"
    if endpoint.virtual_network.value.lower() != _network_verdict(inside.of_network, subnet):
        yield f"VirtualNetwork is {endpoint.virtual_network.value}: {rules}"

    i, j = random.randrange(len(_ADDRESSES)), random.randrange(len(SPACE.ports))
    if endpoint.function.at(_ADDRESSES[i], SPACE.ports[j]).name.lower() != anywhere.of_literal(i, j):
        yield f"{_ADDRESSES[i]} from {SPACE.ports[j]}: {rules}"

    others = neighbour(random, rules)
    compared = endpoint.function.compare(evaluate(_model(others), _FAMILIES[families]))
    other_anywhere = Outcomes(SPACE, others, CARRIED[families], in_network=False)
    other_inside = Outcomes(SPACE, others, CARRIED[families], in_network=True)
    higher = anywhere.higher_than(other_anywhere) or inside.higher_than(other_inside)
    lower = other_anywhere.higher_than(anywhere) or other_inside.higher_than(inside)
    if (compared.higher, compared.lower) != (higher, lower):
        yield f"higher {compared.higher}, lower {compared.lower}, not {higher}, {lower}: {rules} to {others}"
