"""Who reaches the nodes of a pool: every backend port, every zone, and how two networks compare.

What is computed is what the configuration of the pool settles. Network security groups of the subnet are not read; a
pool created before the cut-over may carry SSH and RDP mappings that only its nodes show (Azure/Batch issue 182).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    LOGIN_PORTS,
    InboundEndpoint,
    IpFamily,
    Network,
    NodeFindings,
    PortRange,
    Protocol,
    Rule,
)
from batchaccess.core.reach import EQUAL, NOBODY, Order, Reach, ReachFunction
from batchaccess.core.reasons import ExposedReason
from batchaccess.core.rules import evaluate, in_order
from batchaccess.core.zones import (
    Gate,
    Verdict,
    Why,
    ZoneVerdict,
    from_internet,
    from_literals,
    from_virtual_network,
)


def _families(network: Network) -> tuple[IpFamily, ...]:
    """The address families of a pool; a pool always has public IPv4 addresses unless it has none at all."""
    return network.ip_families or (IpFamily.IPV4,)


IMPLICIT_NAMES: Final = {22: "SSH (implicit)", 3389: "RDP (implicit)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReachability:
    """Who reaches one backend port.

    `implicit` marks a mapping that the service made itself, or may have made: it has no frontend ports known to us, and
    no PATCH changes it.
    """

    name: str
    protocol: Protocol
    backend_port: int
    frontend: PortRange | None
    implicit: bool
    gate: Gate
    internet: Verdict
    virtual_network: Verdict

    @property
    def function(self) -> ReachFunction:
        """The exact function of who gets in."""
        return self.gate.function

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the endpoint in the order in which they are tried."""
        return self.gate.rules


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReachability:
    """Who reaches the nodes of a pool. `endpoints` are its own in order of name, then the implicit ones by port."""

    network: Network
    endpoints: tuple[EndpointReachability, ...]

    @property
    def _unmapped(self) -> Gate:
        everything = AddressSet.of_families(_families(self.network))
        return Gate(function=NOBODY, everything=everything, settled_by=Why.NO_ENDPOINT)

    @property
    def exposed(self) -> ExposedReason:
        """Whether the pool is reachable from the Internet: whether some public address gets in somewhere."""
        values = {endpoint.internet.value for endpoint in self.endpoints}
        if ZoneVerdict.OPEN in values:
            return ExposedReason.INTERNET_REACHABLE
        return ExposedReason.UNDETERMINED if ZoneVerdict.UNDETERMINED in values else ExposedReason.NONE

    def exposed_addresses(self, family: IpFamily) -> int:
        """How many public addresses of a family are let in for certain, by one endpoint or another."""
        return self._exposed_to.size(family)

    @property
    def exposed_share(self) -> float:
        """To which share of the Internet the pool is open, from 0 to 1: see `public_share`."""
        return public_share(self._exposed_to)

    @property
    def _exposed_to(self) -> AddressSet:
        opened = (each.function.open_sources for each in self.endpoints if each.internet.value is ZoneVerdict.OPEN)
        return reduce(or_, opened, NO_ADDRESSES) & PUBLIC_ADDRESSES

    def verdict_from(self, sources: AddressSet, endpoint: EndpointReachability) -> Verdict:
        """What a set of literal sources gets of an endpoint: the most that any of them gets.

        Raises:
            ValueError: The set is empty.
        """
        return from_literals(endpoint.gate, sources, self.network)

    def unmapped_from(self, sources: AddressSet) -> Verdict:
        """What a set of literal sources gets of the ports that no endpoint maps.

        Raises:
            ValueError: The set is empty.
        """
        return from_literals(self._unmapped, sources, self.network)

    @property
    def unmapped_internet(self) -> Verdict:
        """What the Internet gets of the ports that no endpoint maps."""
        return from_internet(self._unmapped, self.network)

    @property
    def unmapped_virtual_network(self) -> Verdict:
        """What the virtual network gets of the ports that no endpoint maps."""
        return from_virtual_network(self._unmapped, self.network)


def public_share(sources: AddressSet) -> float:
    """The share of all public addresses that a set holds, from 0 to 1; of two address families the greater one.

    An office range and everyone are both on the Internet; this is what tells them apart where pools are ranked.
    """
    public = sources & PUBLIC_ADDRESSES
    if not public:
        return 0.0
    return max(public.size(family) / PUBLIC_ADDRESSES.size(family) for family in IpFamily)


def _endpoint(endpoint: InboundEndpoint, network: Network) -> EndpointReachability:
    gate = Gate(
        function=evaluate(endpoint.rules, _families(network)),
        everything=AddressSet.of_families(_families(network)),
        rules=tuple(in_order(endpoint.rules)),
    )
    return EndpointReachability(
        name=endpoint.name,
        protocol=endpoint.protocol,
        backend_port=endpoint.backend_port,
        frontend=endpoint.frontend,
        implicit=False,
        gate=gate,
        internet=from_internet(gate, network),
        virtual_network=from_virtual_network(gate, network),
    )


def _implicit(port: int, network: Network, *, found: bool) -> EndpointReachability:
    everything = AddressSet.of_families(_families(network))
    gate = Gate(
        function=ReachFunction.constant(Reach.OPEN if found else Reach.UNDETERMINED, everything),
        everything=everything,
        settled_by=Why.IMPLICIT_MAPPING if found else Why.IMPLICIT_MAPPING_UNKNOWN,
    )
    return EndpointReachability(
        name=IMPLICIT_NAMES.get(port, f"{port} (implicit)"),
        protocol=Protocol.TCP,
        backend_port=port,
        frontend=None,
        implicit=True,
        gate=gate,
        internet=from_internet(gate, network),
        virtual_network=from_virtual_network(gate, network),
    )


def _implicit_endpoints(
    network: Network, *, legacy: bool, nodes: NodeFindings | None
) -> Iterator[EndpointReachability]:
    """The implicit mappings found, or those possible as long as no node was seen.

    Implicit mappings are TCP, so an endpoint of another protocol on the same port does not stand in for one.
    """
    if nodes is not None and nodes.nodes > 0:
        for port in sorted(nodes.implicit_ports):
            yield _implicit(port, network, found=True)
    elif legacy:
        mapped = {endpoint.backend_port for endpoint in network.endpoints if endpoint.protocol is Protocol.TCP}
        for port in LOGIN_PORTS:
            if port not in mapped:
                yield _implicit(port, network, found=False)


def reachability(network: Network, *, legacy: bool, nodes: NodeFindings | None = None) -> PoolReachability:
    """Who reaches the nodes of a pool with this network.

    Args:
        network: The network configuration, observed or desired.
        legacy: Whether the pool may carry implicit mappings (`ObservedPool.is_legacy`).
        nodes: What listing the nodes showed; None if they were not listed.
    """
    own = (_endpoint(endpoint, network) for endpoint in network.endpoints)
    implicit = _implicit_endpoints(network, legacy=legacy, nodes=nodes)
    return PoolReachability(network=network, endpoints=(*own, *implicit))


class BackendPort(NamedTuple):
    """What drift compares by: the port of the nodes that is reached, not the name or the frontend of the way there."""

    protocol: Protocol
    port: int

    def __str__(self) -> str:
        """As `TCP/22`."""
        return f"{self.protocol}/{self.port}"


def functions_by_port(network: Network) -> Mapping[BackendPort, ReachFunction]:
    """Who reaches which backend port, implicit mappings apart.

    The service refuses two endpoints with one backend port; should it ever answer such a pool, nobody knows which of
    them counts, so that port is Undetermined.
    """
    functions: dict[BackendPort, ReachFunction] = {}
    for endpoint in network.endpoints:
        key = BackendPort(endpoint.protocol, endpoint.backend_port)
        if key in functions:
            everything = AddressSet.of_families(_families(network))
            functions[key] = ReachFunction.constant(Reach.UNDETERMINED, everything)
        else:
            functions[key] = evaluate(endpoint.rules, _families(network))
    return functions


@dataclass(frozen=True, slots=True, kw_only=True)
class PortComparison:
    """How the observed reach of one backend port stands to the desired one."""

    port: BackendPort
    order: Order
    observed: ReachFunction
    desired: ReachFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How observed reach stands to desired reach. `ports` are those that differ, sorted."""

    order: Order = EQUAL
    ports: tuple[PortComparison, ...] = ()

    @property
    def higher(self) -> bool:
        """Whether somebody gets more than desired."""
        return self.order.higher

    @property
    def lower(self) -> bool:
        """Whether somebody gets less than desired."""
        return self.order.lower


def compare_networks(observed: Network, desired: Network) -> Comparison:
    """Compare who reaches which backend port; a port that is not mapped counts as Closed.

    Where public addresses come from is configuration and not part of this; implicit mappings are not either.
    """
    here, there = functions_by_port(observed), functions_by_port(desired)
    compared = (
        PortComparison(
            port=port,
            order=here.get(port, NOBODY).compare(there.get(port, NOBODY)),
            observed=here.get(port, NOBODY),
            desired=there.get(port, NOBODY),
        )
        for port in sorted(here.keys() | there.keys())
    )
    differing = tuple(comparison for comparison in compared if comparison.order)
    order = EQUAL
    for comparison in differing:
        order |= comparison.order
    return Comparison(order=order, ports=differing)
