"""Hypothesis strategies biased to overlaps and edges: few blocks, close together, in both families."""

from hypothesis import strategies as st

from batchaccess.core.addresses import IPV4_SIZE, IPV6_SIZE, NO_ADDRESSES, AddressSet
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    IpFamily,
    PortRange,
    Rule,
)

BOTH_FAMILIES = (IpFamily.IPV4, IpFamily.IPV6)

_V4_EDGES = [0, 1, 2, 3, 4, 2**24, 2**31, IPV4_SIZE - 2, IPV4_SIZE - 1, IPV4_SIZE]
_V6_EDGES = [0, 1, 2, 3, 2**64, 2**127, IPV6_SIZE - 1, IPV6_SIZE]


def _edges(choices: list[int]) -> st.SearchStrategy[tuple[int, ...]]:
    cuts = st.sets(st.sampled_from(choices) | st.integers(0, choices[-1]), max_size=6).map(sorted)
    return cuts.map(lambda points: tuple(points[: len(points) // 2 * 2]))


address_sets = st.builds(AddressSet, ipv4=_edges(_V4_EDGES), ipv6=_edges(_V6_EDGES)) | st.just(NO_ADDRESSES)

cidrs = st.one_of(
    st.builds(lambda octet, length: f"10.0.0.{octet}/{length}", st.integers(0, 7), st.integers(28, 32)),
    st.builds(lambda octet, length: f"20.0.0.{octet}/{length}", st.integers(0, 7), st.integers(28, 32)),
    st.builds(lambda group, length: f"2a00::{group}/{length}", st.integers(0, 3), st.integers(125, 128)),
    st.sampled_from(["0.0.0.0/0", "::/0", "0.0.0.0/1", "10.0.0.0/8", "255.255.255.255", "::"]),
)
tags = st.sampled_from(["VirtualNetwork", "AzureCloud", "azurecloud", "Storage", "no tag at all"])
sources = st.one_of(st.just("*"), st.just("Internet"), tags, cidrs, cidrs)

port_ranges = st.one_of(
    st.just((ALL_PORTS,)),
    st.lists(st.sampled_from([0, 1, 2, 3, 1000, 65534, 65535]), min_size=2, max_size=2).map(
        lambda ends: (PortRange(min(ends), max(ends)),)
    ),
)


@st.composite
def rule_lists(draw: st.DrawFn, max_size: int = 6) -> tuple[Rule, ...]:
    """Rules with ascending, unique priorities."""
    size = draw(st.integers(0, max_size))
    access = st.sampled_from([Access.ALLOW, Access.ALLOW, Access.DENY, Access.DENY, Access.UNKNOWN])
    return tuple(
        Rule(priority=200 + 10 * i, access=draw(access), source=draw(sources), source_ports=draw(port_ranges))
        for i in range(size)
    )
