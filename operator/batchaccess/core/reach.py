"""The exact function (source address, source port) -> Closed < Undetermined < Open, and its order.

The model
---------
A source is a literal address, a source port and the set of service tags it carries. Which addresses carry a tag is not
published to us, so tags are opaque atoms: any address may carry any of them. For one address and port a first-match
rule list is then a short ladder of tags, "carries AzureCloud: Open; else carries Storage: Closed; else Closed", which
is a `Decision`. A tag that repeats further down the ladder can never be what decides, so tags in it are distinct, and
each rung is reachable by a source that carries just its tag.

- A literal's reach is what all rungs agree on, Undetermined if they do not: a maybe-match leaves both its effect and
  what follows possible.
- Two ladders are compared for every set of tags a source might carry. One source carrying at most two tags (the one
  that decides on the left, the one that decides on the right) shows every pair of rungs that can meet, so this is
  exact without enumerating sets of tags. Replacing `Allow VirtualNetwork` by `Allow AzureLoadBalancer` is thus higher
  for one kind of source and lower for another, although both leave every literal Undetermined.

The function holds that for all sources (`anywhere`) and once more for the sources known to be in the virtual network
(`virtual_network`): those carry the tag VirtualNetwork and never the tag Internet, which Azure defines as the address
space outside the virtual network; which addresses they have is not known.

Equal functions are equal values: ladders, cells and port segments are in canonical form, and what is plainly Closed is
left out. So an endpoint that denies everyone equals no endpoint, and an address family the pool has not is Closed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from itertools import groupby
from operator import and_, itemgetter, or_
from typing import Final, NamedTuple, Self, TypeAlias

from batchaccess.core.addresses import NO_ADDRESSES, Address, AddressSet
from batchaccess.core.model import (
    ALL_PORTS,
    PortRange,
)


class Reach(IntEnum):
    """Whether a source gets in, ordered by how much that exposes."""

    CLOSED = 0
    UNDETERMINED = 1
    OPEN = 2


def agreed(possible: Iterable[Reach]) -> Reach:
    """What all possible outcomes agree on, Undetermined if they differ."""
    distinct = frozenset(possible)
    return next(iter(distinct)) if len(distinct) == 1 else Reach.UNDETERMINED


@dataclass(frozen=True, slots=True)
class Order:
    """How one function stands to another: higher somewhere, lower somewhere, both, or equal."""

    higher: bool = False
    lower: bool = False

    def __or__(self, other: "Order") -> "Order":
        return Order(higher=self.higher or other.higher, lower=self.lower or other.lower)

    def __bool__(self) -> bool:
        return self.higher or self.lower


EQUAL: Final = Order()


class Rung(NamedTuple):
    """One step of a ladder: a source carrying one of `tags`, and none of `before`, has this reach."""

    tags: frozenset[str] | None
    """None on the last rung, which needs no tag."""
    before: frozenset[str]
    reach: Reach


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the sources of one address and port, by the tags they carry."""

    tagged: tuple[tuple[frozenset[str], Reach], ...]
    """In order; neighbours differ in reach, and so does the last from `otherwise`. Each tag appears once."""
    otherwise: Reach

    @classmethod
    def of_steps(cls, steps: Sequence[tuple[str, Reach]], otherwise: Reach) -> Self:
        """The canonical decision of a ladder of distinct tags."""
        groups = [(frozenset(tag for tag, _ in group), reach) for reach, group in groupby(steps, key=itemgetter(1))]
        if groups and groups[-1][1] is otherwise:
            groups.pop()
        return cls(tuple(groups), otherwise)

    @property
    def reach(self) -> Reach:
        """The reach of the literal address, whatever tags it carries."""
        return agreed((self.otherwise, *(reach for _, reach in self.tagged)))

    def rungs(self) -> Iterator[Rung]:
        """The steps of the ladder, each with the tags that would have decided before it."""
        before: frozenset[str] = frozenset()
        for tags, reach in self.tagged:
            yield Rung(tags, before, reach)
            before |= tags
        yield Rung(None, before, self.otherwise)

    def compare(self, other: "Decision") -> Order:
        """How this stands to the other, over every set of tags that a source may carry."""
        meetings = ((mine, theirs) for mine in self.rungs() for theirs in other.rungs() if _can_meet(mine, theirs))
        return reduce(or_, (Order(a.reach > b.reach, a.reach < b.reach) for a, b in meetings), EQUAL)


def _can_meet(left: Rung, right: Rung) -> bool:
    """Whether one source exists that both rungs decide: a tag of each that no earlier rung of the other takes."""
    return (left.tags is None or bool(left.tags - right.before)) and (
        right.tags is None or bool(right.tags - left.before)
    )


PLAINLY_CLOSED: Final = Decision((), Reach.CLOSED)


class Cell(NamedTuple):
    """The addresses that share one decision."""

    decision: Decision
    sources: AddressSet


class Segment(NamedTuple):
    """Source ports over which nothing changes. `cells` are disjoint; addresses in none of them are plainly Closed."""

    ports: PortRange
    cells: tuple[Cell, ...]


Plane: TypeAlias = tuple[Segment, ...]
"""Segments in ascending order that cover all source ports; neighbours differ."""


def canonical_cells(sources_by_decision: Mapping[Decision, AddressSet]) -> tuple[Cell, ...]:
    """Cells in their one order, without the plainly Closed and the empty."""
    cells = (
        Cell(decision, sources)
        for decision, sources in sources_by_decision.items()
        if sources and decision != PLAINLY_CLOSED
    )
    return tuple(sorted(cells, key=lambda cell: (cell.sources.ipv4, cell.sources.ipv6)))


def canonical_plane(segments: Iterable[Segment]) -> Plane:
    """Segments with equal neighbours merged."""
    merged: list[Segment] = []
    for ports, cells in segments:
        if merged and merged[-1].cells == cells:
            merged[-1] = Segment(PortRange(merged[-1].ports.start, ports.end), cells)
        else:
            merged.append(Segment(ports, cells))
    return tuple(merged)


def _together(sets: Iterable[AddressSet]) -> AddressSet:
    return reduce(or_, sets, NO_ADDRESSES)


def _open_in(cells: Iterable[Cell]) -> AddressSet:
    """The literals let in at one source port."""
    return _together(cell.sources for cell in cells if cell.decision.reach is Reach.OPEN)


def _compare_cells(left: Sequence[Cell], right: Sequence[Cell]) -> Order:
    order = EQUAL
    for mine in left:
        for theirs in right:
            if mine.decision != theirs.decision and mine.sources & theirs.sources:
                order |= mine.decision.compare(theirs.decision)
    return order | _compare_rest(left, right) | _swapped(_compare_rest(right, left))


def _compare_rest(cells: Sequence[Cell], others: Sequence[Cell]) -> Order:
    """How the sources that are in none of the other cells, where they are plainly Closed, compare."""
    elsewhere = _together(cell.sources for cell in others)
    rest = (cell.decision for cell in cells if cell.sources - elsewhere)
    return reduce(or_, (decision.compare(PLAINLY_CLOSED) for decision in rest), EQUAL)


def _swapped(order: Order) -> Order:
    return Order(higher=order.lower, lower=order.higher)


def _overlaps(left: Plane, right: Plane) -> Iterator[tuple[Segment, Segment]]:
    """Each pair of segments that have a port in common."""
    i = j = 0
    while i < len(left) and j < len(right):
        yield left[i], right[j]
        left_end, right_end = left[i].ports.end, right[j].ports.end
        i += left_end <= right_end
        j += right_end <= left_end


def _compare_planes(left: Plane, right: Plane) -> Order:
    differing = ((mine.cells, theirs.cells) for mine, theirs in _overlaps(left, right) if mine.cells != theirs.cells)
    return reduce(or_, (_compare_cells(mine, theirs) for mine, theirs in differing), EQUAL)


@dataclass(frozen=True, slots=True)
class ReachFunction:
    """Who reaches one backend port: see the top of this module."""

    anywhere: Plane
    virtual_network: Plane

    @classmethod
    def constant(cls, reach: Reach, everything: AddressSet) -> Self:
        """The function that treats all the given addresses alike, and closes every other."""
        plane = (Segment(ALL_PORTS, canonical_cells({Decision((), reach): everything})),)
        return cls(plane, plane)

    def compare(self, other: "ReachFunction") -> Order:
        """How this stands to the other: pointwise over addresses, ports and tags."""
        if self == other:
            return EQUAL
        return _compare_planes(self.anywhere, other.anywhere) | _compare_planes(
            self.virtual_network, other.virtual_network
        )

    def at(self, address: Address, port: int) -> Reach:
        """The reach of one literal source from one source port."""
        return self.decision_at(address, port).reach

    def decision_at(self, address: Address, port: int) -> Decision:
        """What becomes of one literal source from one source port, by the tags it may carry."""
        segment = next(segment for segment in self.anywhere if port <= segment.ports.end)
        return next((cell.decision for cell in segment.cells if address in cell.sources), PLAINLY_CLOSED)

    @property
    def open_sources(self) -> AddressSet:
        """The literals let in from some source port."""
        return self._somewhere(Reach.OPEN)

    @property
    def always_open_sources(self) -> AddressSet:
        """The literals let in from every source port."""
        return reduce(and_, (_open_in(cells) for _, cells in self.anywhere))

    def open_beyond(self, other: "ReachFunction") -> AddressSet:
        """The literals let in from some source port from which the other function does not let them in for certain."""
        if self == other:
            return NO_ADDRESSES
        return _together(
            _open_in(mine.cells) - _open_in(theirs.cells) for mine, theirs in _overlaps(self.anywhere, other.anywhere)
        )

    @property
    def undetermined_sources(self) -> AddressSet:
        """The literals that may be let in from some source port, and are let in for certain from none."""
        return self._somewhere(Reach.UNDETERMINED) - self._somewhere(Reach.OPEN)

    def reach_from(self, sources: AddressSet) -> Reach:
        """The most that any literal of the set gets, from any source port; Closed for the empty set."""
        reaches = (cell.decision.reach for cell in self._cells() if cell.sources & sources)
        return max(reaches, default=Reach.CLOSED)

    def spots(self, sources: AddressSet, reach: Reach) -> Iterator[tuple[AddressSet, int]]:
        """Where literals of the set have this reach: their addresses and one source port, by ascending port."""
        for ports, cells in self.anywhere:
            shown = _together(cell.sources for cell in cells if cell.decision.reach is reach) & sources
            if reach is Reach.CLOSED:
                shown = sources - _together(cell.sources for cell in cells if cell.decision.reach is not reach)
            if shown:
                yield shown, ports.start

    def _cells(self) -> Iterator[Cell]:
        return (cell for _, cells in self.anywhere for cell in cells)

    def _somewhere(self, reach: Reach) -> AddressSet:
        return _together(cell.sources for cell in self._cells() if cell.decision.reach is reach)


NOBODY: Final = ReachFunction.constant(Reach.CLOSED, NO_ADDRESSES)
"""The function of a port that nothing maps."""
