"""Compares core with the oracle on whole rule lists, at every point of the reduced space and in both zones.

One case is one random rule list. Checked are: the reach of every (address, source port, set of tags) of the reduced
space, for sources anywhere and in the virtual network; the sets of open and undetermined sources; the verdicts of both
zones; one literal query; how the list compares with the one before, and that only equals are equal; whom it lets in
that the one before does not, and whether the Internet is exposed by that.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address
from random import Random

from batchaccess.core.addresses import AddressSet
from batchaccess.core.declared import DesiredAccess, DesiredEndpoints
from batchaccess.core.exposure import exposed_by_policy
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
from tests.oracle.firstmatch import OPEN, UNDETERMINED, Outcomes
from tests.oracle.firstmatch import Rule as PlainRule
from tests.oracle.reducedspace import CARRIED, SPACE, neighbour, rule_list

_ACCESS = {"allow": Access.ALLOW, "deny": Access.DENY, "unknown": Access.UNKNOWN}
_FAMILIES = {4: (IpFamily.IPV4,), 46: (IpFamily.IPV4, IpFamily.IPV6)}
_FRESH = 0.25
_ENDPOINTS_MANAGED = DesiredAccess(endpoints=DesiredEndpoints())
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
    return sum(SPACE.point(0, 0, s) for s, tags in enumerate(SPACE.tag_sets) if _reach(decision, tags) is reach)


def _reach(decision: Decision, tags: frozenset[str]) -> Reach:
    """The reach of a source that carries exactly these tags: the first group that has one of them decides."""
    return next((reach for group, reach in decision.tagged if group & tags), decision.otherwise)


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


class _Case:
    """One rule list, as core and as the oracle see it."""

    def __init__(self, rules: tuple[PlainRule, ...], families: int, subnet: str | None) -> None:
        self.rules, self.families, self.subnet = rules, families, subnet
        self.network = _network(rules, families, subnet)
        self.reach = reachability(self.network, legacy=False)
        (self.endpoint,) = self.reach.endpoints
        self.function = self.endpoint.function
        self.anywhere = Outcomes(SPACE, rules, CARRIED[families], in_network=False)
        self.inside = Outcomes(SPACE, rules, CARRIED[families], in_network=True)

    def disagreements(self, random: Random) -> Iterator[str]:
        """What is seen differently."""
        for plane, expected in ((self.function.anywhere, self.anywhere), (self.function.virtual_network, self.inside)):
            if _masks(plane) != (expected.open, expected.undetermined):
                yield f"points: {self.rules}"
        for wanted, sources in (
            (OPEN, self.function.open_sources),
            (UNDETERMINED, self.function.undetermined_sources),
        ):
            if _members(sources) != tuple(i for i, outcome in enumerate(self.anywhere.by_address) if outcome == wanted):
                yield f"{wanted} sources: {self.rules}"
        if self.endpoint.internet.value.lower() != self.anywhere.of_internet:
            yield f"Internet is {self.endpoint.internet.value}: {self.rules}"
        if self.endpoint.virtual_network.value.lower() != _network_verdict(self.inside.of_network, self.subnet):
            yield f"VirtualNetwork is {self.endpoint.virtual_network.value}: {self.rules}"
        i, j = random.randrange(len(_ADDRESSES)), random.randrange(len(SPACE.ports))
        if self.function.at(_ADDRESSES[i], SPACE.ports[j]).name.lower() != self.anywhere.of_literal(i, j):
            yield f"{_ADDRESSES[i]} from {SPACE.ports[j]}: {self.rules}"

    def disagreements_with(self, other: "_Case") -> Iterator[str]:
        """What is seen differently in how this case stands to another of the same families."""
        compared = self.function.compare(other.function)
        higher = self.anywhere.higher_than(other.anywhere) or self.inside.higher_than(other.inside)
        lower = other.anywhere.higher_than(self.anywhere) or other.inside.higher_than(self.inside)
        if (compared.higher, compared.lower) != (higher, lower):
            yield f"higher {compared.higher}, lower {compared.lower}: {self.rules} to {other.rules}"
        if (self.function == other.function) is (higher or lower):
            yield f"equal or not: {self.rules} to {other.rules}"
        beyond = self.anywhere.let_in_beyond(other.anywhere)
        if list(_members(self.function.open_beyond(other.function))) != beyond:
            yield f"open beyond: {self.rules} to {other.rules}"
        exposed = any(SPACE.addresses[i] in SPACE.public for i in beyond)
        if bool(exposed_by_policy(self.reach, other.network, _ENDPOINTS_MANAGED)) is not exposed:
            yield f"exposed against policy: {self.rules} to {other.rules}"


def disagreements(random: Random, cases: int) -> Iterator[str]:
    """What core and the oracle see differently in a number of random cases; nothing if all is well.

    Every case is a random rule list or, three times of four, a neighbour of the case before, which it is compared with.
    """
    previous = None
    for _ in range(cases):
        if previous is None or random.random() < _FRESH:
            previous = None
            case = _Case(rule_list(random), random.choice([4, 46]), random.choice([None, "subnet"]))
        else:
            case = _Case(neighbour(random, previous.rules), previous.families, previous.subnet)
        yield from case.disagreements(random)
        if previous is not None:
            yield from case.disagreements_with(previous)
        previous = case
