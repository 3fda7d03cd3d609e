from ipaddress import ip_address, ip_network

import pytest

from batchaccess.core.addresses import ALL_ADDRESSES, NO_ADDRESSES, AddressSet, written
from batchaccess.core.model import IpFamily


def addresses(*texts: str) -> AddressSet:
    union = NO_ADDRESSES
    for text in texts:
        union |= AddressSet.parse(text)
    return union


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        pytest.param("10.0.0.5", ["10.0.0.5/32"], id="one IPv4 address"),
        pytest.param("2001:db8::5", ["2001:db8::5/128"], id="one IPv6 address"),
        pytest.param("10.0.0.0/8", ["10.0.0.0/8"], id="an IPv4 CIDR"),
        pytest.param("10.1.2.3/8", ["10.0.0.0/8"], id="host bits are ignored"),
        pytest.param("2001:DB8::1/32", ["2001:db8::/32"], id="case and host bits of IPv6 are ignored"),
        pytest.param("0.0.0.0/0", ["0.0.0.0/0"], id="all of IPv4 is nothing of IPv6"),
        pytest.param("::/0", ["::/0"], id="all of IPv6 is nothing of IPv4"),
        pytest.param("255.255.255.255", ["255.255.255.255/32"], id="the last IPv4 address"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:a00:1/128"], id="an IPv4-mapped address stays IPv6"),
    ],
)
def test_parse_reads(text: str, networks: list[str]) -> None:
    assert AddressSet.parse(text).cidrs() == tuple(ip_network(network) for network in networks)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("*", id="the asterisk, which is no address"),
        pytest.param("Internet", id="a tag"),
        pytest.param("10.0.0.0/33", id="a prefix longer than the address"),
        pytest.param("10.0.0.0/", id="a slash without a length"),
        pytest.param("10.0.0.0/255.0.0.0", id="a netmask"),
        pytest.param("10.0.0.0/0.255.255.255", id="a host mask"),
        pytest.param("10.0.0.0/\N{SUPERSCRIPT TWO}", id="a digit that is no ASCII digit"),
        pytest.param("10.0.0.0/8/8", id="two lengths"),
        pytest.param("010.0.0.1", id="leading zeros"),
        pytest.param("10.0.0.1-10.0.0.9", id="a range"),
        pytest.param(" 10.0.0.1", id="a space"),
        pytest.param("fe80::1%eth0", id="a zone id"),
        pytest.param("300.0.0.1", id="an octet too large"),
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="is no IP address or CIDR"):
        AddressSet.parse(text)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(addresses("10.0.0.0/25") | addresses("10.0.0.128/25"), "10.0.0.0/24", id="halves join"),
        pytest.param(addresses("10.0.0.1") | addresses("10.0.0.3"), "10.0.0.1, 10.0.0.3", id="a gap stays"),
        pytest.param(addresses("10.0.0.0/8") | addresses("10.1.0.0/16"), "10.0.0.0/8", id="a part adds nothing"),
        pytest.param(addresses("10.0.0.0/8") & addresses("10.1.0.0/16"), "10.1.0.0/16", id="a part is shared"),
        pytest.param(addresses("10.0.0.0/8") & addresses("11.0.0.0/8"), "", id="neighbours share nothing"),
        pytest.param(addresses("10.0.0.0/8") & addresses("a::/16"), "", id="families share nothing"),
        pytest.param(addresses("10.0.0.0/30") - addresses("10.0.0.1"), "10.0.0.0, 10.0.0.2/31", id="a hole"),
        pytest.param(addresses("10.0.0.1") - addresses("10.0.0.0/8"), "", id="nothing is left of a part"),
        pytest.param(
            addresses("10.0.0.1", "10.0.0.3", "10.0.0.5") & addresses("10.0.0.1", "10.0.0.5", "10.0.0.7"),
            "10.0.0.1, 10.0.0.5",
            id="many ranges meet many",
        ),
        pytest.param(addresses("128.0.0.0/1", "::/0").complement(), "0.0.0.0/1", id="what is not there"),
        pytest.param(ALL_ADDRESSES, "0.0.0.0/0, ::/0", id="IPv4 is written before IPv6"),
        pytest.param(addresses("10.0.0.0/8", "9.0.0.0/8", "a::/16"), "9.0.0.0/8, 10.0.0.0/8, a::/16", id="ascending"),
    ],
)
def test_operations_give_the_fewest_networks(made: AddressSet, expected: str) -> None:
    assert str(made) == expected


@pytest.mark.parametrize(
    ("address", "inside"),
    [("9.255.255.255", False), ("10.0.0.0", True), ("10.255.255.255", True), ("11.0.0.0", False), ("::a00:0", False)],
)
def test_membership_holds_exactly_between_the_ends(address: str, inside: bool) -> None:  # noqa: FBT001 a table's column
    assert (ip_address(address) in addresses("10.0.0.0/8")) is inside


def test_sizes_count_per_family() -> None:
    both = addresses("10.0.0.0/24", "10.0.2.0/24", "2001:db8::/64")
    assert both.size(IpFamily.IPV4) == 512
    assert both.size(IpFamily.IPV6) == 2**64
    assert both.of_family(IpFamily.IPV6) == addresses("2001:db8::/64")
    assert both.range_count() == 3
    assert ALL_ADDRESSES.size(IpFamily.IPV6) == 2**128


@pytest.mark.parametrize(
    ("made", "lowest"),
    [
        (addresses("a::/16", "10.0.0.0/8"), "10.0.0.0"),
        (addresses("b::/16", "a::/16"), "a::"),
        (NO_ADDRESSES, None),
    ],
)
def test_lowest_prefers_ipv4(made: AddressSet, lowest: str | None) -> None:
    assert made.lowest() == (ip_address(lowest) if lowest else None)


def test_a_set_of_families_has_nothing_of_the_others() -> None:
    assert AddressSet.of_families([IpFamily.IPV4]) == addresses("0.0.0.0/0")
    assert AddressSet.of_families([]) == NO_ADDRESSES
    assert AddressSet.of_address(ip_address("2001:db8::1")) == addresses("2001:db8::1")


def test_single_addresses_are_written_without_a_length() -> None:
    assert written(ip_network("10.0.0.1/32")) == "10.0.0.1"
    assert written(ip_network("10.0.0.0/31")) == "10.0.0.0/31"
