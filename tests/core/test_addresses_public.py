from ipaddress import ip_address

import pytest

from batchaccess.core.addresses import AddressSet
from batchaccess.core.internet import MULTICAST, NOT_GLOBALLY_REACHABLE, PUBLIC_ADDRESSES, REACHABLE_WITHIN


@pytest.mark.parametrize(
    "text",
    [
        *("1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.32.0.0"),
        *("198.168.100.7", "192.0.0.9", "192.88.99.1", "223.255.255.255", "168.63.129.16"),
        *("2600::", "2001:4860:4860::8888", "2001:200::", "2001:20::1", "2001::1", "64:ff9b::808:808", "2002::1"),
    ],
)
def test_the_internet_holds(text: str) -> None:
    assert ip_address(text) in PUBLIC_ADDRESSES


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.1", "10.0.0.4", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
        *("192.0.0.1", "192.0.2.1", "192.168.1.1", "198.19.255.255", "198.51.100.1", "203.0.113.5"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:8.8.8.8", "64:ff9b:1::1", "100::1", "2001:2::1", "2001:db8::1", "3fff::1"),
        *("5f00::1", "fc00::1", "fd00::1", "fe80::1", "ff02::1"),
    ],
)
def test_the_internet_does_not_hold(text: str) -> None:
    assert ip_address(text) not in PUBLIC_ADDRESSES


def test_every_entry_of_the_tables_has_its_effect() -> None:
    for block in (*NOT_GLOBALLY_REACHABLE, *MULTICAST):
        first = AddressSet.parse(block).lowest()
        assert first is not None
        if all(first not in AddressSet.parse(exception) for exception in REACHABLE_WITHIN):
            assert first not in PUBLIC_ADDRESSES, block
    closed = [AddressSet.parse(block) for block in NOT_GLOBALLY_REACHABLE]
    for block in REACHABLE_WITHIN:
        assert AddressSet.parse(block) <= PUBLIC_ADDRESSES, block
        assert any(AddressSet.parse(block) <= outer for outer in closed), f"{block} is in none of the blocks"
