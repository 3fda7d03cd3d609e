"""Exact, immutable sets of IPv4 and IPv6 addresses.

Nothing here knows rules, tags or zones: `core.sources` decides which addresses a text such as `Internet` stands for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
    summarize_address_range,
)
from itertools import chain
from typing import Final, Self, TypeAlias

from batchaccess.core.model import IpFamily

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

Edges: TypeAlias = tuple[int, ...]
"""Where membership flips, strictly ascending: each range is its first address and the first address behind it."""

IPV4_SIZE: Final = 2**32
IPV6_SIZE: Final = 2**128

_ONE_RANGE: Final = 2
"""Edges of a single range, by far the most frequent operand."""


def _clip(edges: Edges, first: int, end: int) -> Edges:
    """The part of a set that lies in `first <= address < end`.

    An odd number of edges up to a point means that the point is inside a range, which the clip then cuts.
    """
    low = bisect_right(edges, first)
    high = bisect_left(edges, end)
    head = (first,) if low % 2 else ()
    tail = (end,) if high % 2 else ()
    return head + edges[low:high] + tail


def _ranges(edges: Edges) -> Iterator[tuple[int, int]]:
    return zip(edges[::2], edges[1::2], strict=True)


def _intersection(left: Edges, right: Edges) -> Edges:
    if len(left) < len(right):
        left, right = right, left
    if not right:
        return ()
    if len(right) == _ONE_RANGE:
        return _clip(left, right[0], right[1])
    return tuple(chain.from_iterable(_clip(left, first, end) for first, end in _ranges(right)))


def _complement(edges: Edges, size: int) -> Edges:
    opened = edges[1:] if edges[:1] == (0,) else (0, *edges)
    return opened[:-1] if opened[-1:] == (size,) else (*opened, size)


def _difference(left: Edges, right: Edges, size: int) -> Edges:
    return _intersection(left, _complement(right, size)) if left and right else left


def _union(left: Edges, right: Edges, size: int) -> Edges:
    if not left or not right:
        return left or right
    return _complement(_intersection(_complement(left, size), _complement(right, size)), size)


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses of both families, in the one form equal sets share.

    An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is an IPv6 address here, never the IPv4 address inside it.
    """

    ipv4: Edges = ()
    ipv6: Edges = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The addresses of one IP address or CIDR; host bits are ignored, so `10.0.0.5/8` is `10.0.0.0/8`.

        Raises:
            ValueError: The text is neither, or is a form that network security groups do not know: a netmask
                instead of a prefix length, a zone id, leading zeros, spaces.
        """
        _, slash, length = text.partition("/")
        if "%" in text or (slash and not (length.isascii() and length.isdigit())):
            raise ValueError(f"{text!r} is no IP address or CIDR: write it as 10.0.0.0/24 or 2001:db8::/32")
        try:
            network = ip_network(text, strict=False)
        except ValueError as error:
            raise ValueError(f"{text!r} is no IP address or CIDR: {error}") from error
        return cls.of_network(network)

    @classmethod
    def of_network(cls, network: Network) -> Self:
        """The addresses of one network."""
        edges = (int(network.network_address), int(network.broadcast_address) + 1)
        return cls(ipv4=edges) if isinstance(network, IPv4Network) else cls(ipv6=edges)

    @classmethod
    def of_address(cls, address: Address) -> Self:
        """The set of one address."""
        edges = (int(address), int(address) + 1)
        return cls(ipv4=edges) if isinstance(address, IPv4Address) else cls(ipv6=edges)

    @classmethod
    def of_families(cls, families: Iterable[IpFamily]) -> Self:
        """Every address of the given families."""
        wanted = frozenset(families)
        return cls(
            ipv4=(0, IPV4_SIZE) if IpFamily.IPV4 in wanted else (),
            ipv6=(0, IPV6_SIZE) if IpFamily.IPV6 in wanted else (),
        )

    def __or__(self, other: "AddressSet") -> "AddressSet":
        return AddressSet(_union(self.ipv4, other.ipv4, IPV4_SIZE), _union(self.ipv6, other.ipv6, IPV6_SIZE))

    def __and__(self, other: "AddressSet") -> "AddressSet":
        return AddressSet(_intersection(self.ipv4, other.ipv4), _intersection(self.ipv6, other.ipv6))

    def __sub__(self, other: "AddressSet") -> "AddressSet":
        return AddressSet(_difference(self.ipv4, other.ipv4, IPV4_SIZE), _difference(self.ipv6, other.ipv6, IPV6_SIZE))

    def __bool__(self) -> bool:
        return bool(self.ipv4 or self.ipv6)

    def __le__(self, other: "AddressSet") -> bool:
        """Whether every address of this set is in the other one."""
        return self & other == self

    def __contains__(self, address: Address) -> bool:
        edges = self.ipv4 if isinstance(address, IPv4Address) else self.ipv6
        return bisect_right(edges, int(address)) % 2 == 1

    def complement(self) -> "AddressSet":
        """Every address of both families that is not in this set."""
        return AddressSet(_complement(self.ipv4, IPV4_SIZE), _complement(self.ipv6, IPV6_SIZE))

    def of_family(self, family: IpFamily) -> "AddressSet":
        """The part of this set that belongs to one family."""
        return AddressSet(ipv4=self.ipv4) if family is IpFamily.IPV4 else AddressSet(ipv6=self.ipv6)

    def size(self, family: IpFamily) -> int:
        """The number of addresses of one family."""
        edges = self.ipv4 if family is IpFamily.IPV4 else self.ipv6
        return sum(end - first for first, end in _ranges(edges))

    def range_count(self) -> int:
        """The number of unbroken runs of addresses."""
        return (len(self.ipv4) + len(self.ipv6)) // 2

    def lowest(self) -> Address | None:
        """The lowest address, IPv4 before IPv6; None in the empty set."""
        if self.ipv4:
            return IPv4Address(self.ipv4[0])
        return IPv6Address(self.ipv6[0]) if self.ipv6 else None

    def cidrs(self) -> tuple[Network, ...]:
        """The fewest networks that together are this set: IPv4 before IPv6, each ascending."""
        ipv4 = (summarize_address_range(IPv4Address(first), IPv4Address(end - 1)) for first, end in _ranges(self.ipv4))
        ipv6 = (summarize_address_range(IPv6Address(first), IPv6Address(end - 1)) for first, end in _ranges(self.ipv6))
        return (*chain.from_iterable(ipv4), *chain.from_iterable(ipv6))

    def __str__(self) -> str:
        """The networks as people write them, a single address without its prefix length."""
        return ", ".join(written(network) for network in self.cidrs())


def written(network: Network) -> str:
    """A network as people write it: `10.0.0.0/8`, and a single address without its prefix length."""
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


NO_ADDRESSES: Final = AddressSet()
ALL_ADDRESSES: Final = AddressSet.of_families(IpFamily)
