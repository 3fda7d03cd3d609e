from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.addresses import ALL_ADDRESSES, NO_ADDRESSES, Address, AddressSet
from batchaccess.core.model import IpFamily
from tests.properties.strategies import address_sets, cidrs

points = st.one_of(
    st.integers(0, 5).map(IPv4Address),
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(2**32 - 3, 2**32 - 1).map(IPv4Address),
    st.integers(0, 5).map(IPv6Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
)


@given(a=address_sets, b=address_sets, point=points)
def test_operations_mean_what_they_mean_for_every_address(a: AddressSet, b: AddressSet, point: Address) -> None:
    assert (point in a | b) is (point in a or point in b)
    assert (point in a & b) is (point in a and point in b)
    assert (point in a - b) is (point in a and point not in b)
    assert (point in a.complement()) is (point not in a)


@given(a=address_sets, b=address_sets, c=address_sets)
def test_lattice_laws(a: AddressSet, b: AddressSet, c: AddressSet) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a | (a & b) == a
    assert a & (a | b) == a
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)


@given(a=address_sets, b=address_sets)
def test_complement_laws(a: AddressSet, b: AddressSet) -> None:
    assert a.complement().complement() == a
    assert a & a.complement() == NO_ADDRESSES
    assert a | a.complement() == ALL_ADDRESSES
    assert (a | b).complement() == a.complement() & b.complement()
    assert a - b == a & b.complement()


@given(a=address_sets, b=address_sets)
def test_order_is_the_order_of_the_lattice(a: AddressSet, b: AddressSet) -> None:
    assert (a <= b) is (a | b == b)
    assert (a <= b) is (not a - b)
    assert a & b <= a
    assert a <= a | b


@given(a=address_sets, b=address_sets)
def test_sizes_add_up(a: AddressSet, b: AddressSet) -> None:
    for family in IpFamily:
        assert (a | b).size(family) + (a & b).size(family) == a.size(family) + b.size(family)
        assert bool(a.of_family(family)) is (a.size(family) > 0)


@given(made=address_sets)
def test_networks_are_the_fewest_that_make_the_set(made: AddressSet) -> None:
    networks = made.cidrs()
    union = NO_ADDRESSES
    for network in networks:
        assert not union & AddressSet.of_network(network)
        union |= AddressSet.of_network(network)
    assert union == made
    for left, right in pairwise(networks):
        siblings = left.version == right.version and left.prefixlen == right.prefixlen > 0
        assert not (siblings and left.supernet() == right.supernet()), "two halves should have been one network"


@given(text=cidrs)
def test_parsing_agrees_with_the_standard_library(text: str) -> None:
    assert AddressSet.parse(text) == AddressSet.of_network(ip_network(text, strict=False))
    assert AddressSet.parse(text.upper()) == AddressSet.parse(text)


@given(made=address_sets)
def test_the_lowest_address_is_in_the_set(made: AddressSet) -> None:
    lowest = made.lowest()
    assert (lowest is None) is (not made)
    assert lowest is None or lowest in made
