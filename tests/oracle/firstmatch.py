"""An oracle for reachability: writes out every source of a small space and asks the rules one by one.

Written from the meaning of rules alone and importing nothing of the project. Everything is a plain value:

- a rule is `(priority, access, source, port ranges)`, access one of "allow", "deny", "unknown";
- an address is its bits, as a string of 32 or 128 characters "0" and "1";
- a point is one address, one source port and one set of tags that the source carries; a set of points is an int
  with one bit per point, which is all the cleverness there is.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from ipaddress import ip_address
from operator import and_, or_

Rule = tuple[int, str, str, tuple[tuple[int, int], ...]]

CLOSED, UNDETERMINED, OPEN = "closed", "undetermined", "open"
_ORDER = [CLOSED, UNDETERMINED, OPEN]


def bits(text: str) -> str:
    """The bits of an address."""
    address = ip_address(text)
    return format(int(address), f"0{address.max_prefixlen}b")


def agreement(outcomes: Iterable[str]) -> str:
    """The one outcome, or undetermined."""
    distinct = set(outcomes)
    return distinct.pop() if len(distinct) == 1 else UNDETERMINED


class Space:
    """Some addresses, some source ports and some tags, and every point they make."""

    def __init__(
        self, public: Sequence[str], private: Sequence[str], ports: Sequence[int], tags: Sequence[str]
    ) -> None:
        self.addresses = [*public, *private]
        self.public = set(public)
        self.ports = list(ports)
        self.tags = list(tags)
        self.tag_sets = [frozenset(t for i, t in enumerate(tags) if n >> i & 1) for n in range(2 ** len(tags))]
        self._bits = [bits(address) for address in self.addresses]
        self._masks: dict[str, int] = {}
        self._port_masks: dict[tuple[tuple[int, int], ...], int] = {}

    @cached_property
    def everything(self) -> int:
        """All points."""
        return (1 << len(self.addresses) * len(self.ports) * len(self.tag_sets)) - 1

    def block(self, address: int, port: int) -> int:
        """The points of one address and port (by position): one per set of tags."""
        width = len(self.tag_sets)
        return ((1 << width) - 1) << (address * len(self.ports) + port) * width

    def point(self, address: int, port: int, tags: int) -> int:
        """One point, by positions."""
        return 1 << (address * len(self.ports) + port) * len(self.tag_sets) + tags

    def _points(self, wanted: Iterable[tuple[int, int, int]]) -> int:
        mask = 0
        for address, port, tags in wanted:
            mask |= self.point(address, port, tags)
        return mask

    def _all(self) -> Iterable[tuple[int, int, int]]:
        for address in range(len(self.addresses)):
            for port in range(len(self.ports)):
                for tags in range(len(self.tag_sets)):
                    yield address, port, tags

    def carrying(self, tag: str) -> int:
        """The points whose source carries a tag."""
        return self._points(p for p in self._all() if tag in self.tag_sets[p[2]])

    def matched(self, source: str) -> int:
        """The points that the source text of a rule matches, whatever their port."""
        if source not in self._masks:
            self._masks[source] = self._match(source.lower())
        return self._masks[source]

    def _match(self, source: str) -> int:
        if source == "*":
            return self.everything
        if source == "internet":
            return self._points(p for p in self._all() if self.addresses[p[0]] in self.public)
        if source in self.tags:
            return self.carrying(source)
        address, _, length = source.partition("/")
        pattern = bits(address)
        prefix = pattern[: int(length)] if length else pattern
        return self._points(
            p for p in self._all() if len(self._bits[p[0]]) == len(pattern) and self._bits[p[0]].startswith(prefix)
        )

    def matched_ports(self, ranges: tuple[tuple[int, int], ...]) -> int:
        """The points whose source port lies in one of the ranges."""
        if ranges not in self._port_masks:
            self._port_masks[ranges] = self._points(
                p for p in self._all() if any(low <= self.ports[p[1]] <= high for low, high in ranges)
            )
        return self._port_masks[ranges]

    def every_tag_set(self, mask: int) -> int:
        """The first point of each block (one address and port) that lies in the mask for every set of tags."""
        return reduce(and_, (mask >> i for i in range(len(self.tag_sets))))

    def some_port(self, mask: int) -> int:
        """The first point of each address of which one block's first point lies in the mask."""
        return reduce(or_, (mask >> i * len(self.tag_sets) for i in range(len(self.ports))))

    def every_port(self, mask: int) -> int:
        """The first point of each address of which all blocks' first points lie in the mask."""
        return reduce(and_, (mask >> i * len(self.tag_sets) for i in range(len(self.ports))))

    def family(self, *versions: int) -> int:
        """The points of IPv4 (4), IPv6 (6) or both."""
        lengths = [{4: 32, 6: 128}[version] for version in versions]
        return self._points(p for p in self._all() if len(self._bits[p[0]]) in lengths)


class Outcomes:
    """What becomes of every point of a space under one rule list."""

    def __init__(self, space: Space, rules: Sequence[Rule], carried: int, *, in_network: bool) -> None:
        """`carried` are the points of the pool's address families; all others are closed.

        With `in_network` the sources are those of the virtual network: they carry its tag and are never Internet.
        """
        self.space = space
        decided = {"allow": 0, "deny": 0, "unknown": 0}
        undecided = carried
        for _, access, source, ranges in sorted(rules, key=lambda rule: rule[0]):
            match = space.matched(source) & space.matched_ports(ranges)
            if in_network and source.lower() == "internet":
                match = 0
            if in_network and source.lower() == "virtualnetwork":
                match = space.matched_ports(ranges)
            decided[access] |= undecided & match
            undecided &= ~match
        self.open = decided["allow"] if rules else carried
        self.undetermined = decided["unknown"] | undecided if rules else 0
        self.closed = space.everything & ~self.open & ~self.undetermined
        self.carried = carried

    def _within(self, points: int) -> list[str]:
        found = ((CLOSED, self.closed), (UNDETERMINED, self.undetermined), (OPEN, self.open))
        return [outcome for outcome, mask in found if mask & points]

    def of_literal(self, address: int, port: int) -> str:
        """One address and port, whatever tags the source carries."""
        return agreement(self._within(self.space.block(address, port)))

    @cached_property
    def by_address(self) -> list[str]:
        """Each address of the space, from the source port that lets in most."""
        ever_open = self.space.some_port(self.space.every_tag_set(self.open))
        never_in = self.space.every_port(self.space.every_tag_set(self.closed))
        blocks = [self.space.point(i, 0, 0) for i in range(len(self.space.addresses))]
        return [OPEN if b & ever_open else CLOSED if b & never_in else UNDETERMINED for b in blocks]

    @property
    def of_internet(self) -> str:
        """The most that any public address gets."""
        reaches = zip(self.space.addresses, self.by_address, strict=True)
        return max((reach for address, reach in reaches if address in self.space.public), key=_ORDER.index)

    @property
    def of_network(self) -> str:
        """What all addresses agree on (any may be the virtual network's), at the port that lets in most."""
        by_port = (self.space.matched_ports(((port, port),)) & self.carried for port in self.space.ports)
        return max((agreement(self._within(points)) for points in by_port), key=_ORDER.index)

    def higher_than(self, other: "Outcomes") -> bool:
        """Whether some point gets more here than there."""
        return bool(self.open & ~other.open | self.undetermined & other.closed)

    def let_in_beyond(self, other: "Outcomes") -> list[int]:
        """The addresses, by position, that some source port lets in here for certain, but not there."""
        beyond = self.space.every_tag_set(self.open) & ~self.space.every_tag_set(other.open)
        somewhere = self.space.some_port(beyond)
        return [i for i in range(len(self.space.addresses)) if somewhere & self.space.point(i, 0, 0)]
