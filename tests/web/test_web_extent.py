"""How much of the Internet gets into a pool, in words and in order."""

from typing import Any

import pytest

from batchaccess.web.extent import Extent, extent_of
from tests.web.feed import endpoint

IPV4 = {"ipFamilies": ["IPv4"], "provisioning": "BatchManaged"}
BOTH = {"ipFamilies": ["IPv4", "IPv6"], "provisioning": "BatchManaged"}


def rules(*sources: str, access: str = "Allow") -> list[dict[str, Any]]:
    allowed = [
        {"priority": 200 + number, "access": access, "sourceAddressPrefix": source, "sourcePortRanges": ["*"]}
        for number, source in enumerate(sources)
    ]
    deny = {"priority": 900, "access": "Deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}
    return [*allowed, deny]


def opened(*sources: str) -> dict[str, Any]:
    return endpoint(rules=rules(*sources))


@pytest.mark.parametrize(
    ("network", "words"),
    [
        pytest.param(IPV4 | {"endpoints": [endpoint(rules=[])]}, "anyone", id="no rules"),
        pytest.param(IPV4 | {"endpoints": [opened("Internet")]}, "anyone", id="the Internet"),
        pytest.param(IPV4 | {"endpoints": [endpoint(implicit=True, rules=[])]}, "anyone", id="mapped by the service"),
        pytest.param(BOTH | {"endpoints": [opened("*")]}, "anyone", id="both families"),
        pytest.param(BOTH | {"endpoints": [opened("2000::/3")]}, "anyone over IPv6", id="all that is given out"),
        pytest.param(BOTH | {"endpoints": [opened("::/0")]}, "anyone over IPv6", id="all of one of two families"),
        pytest.param(IPV4 | {"endpoints": [opened("8.8.8.0/24")]}, "256 addresses", id="one office"),
        pytest.param(IPV4 | {"endpoints": [opened("8.8.8.8")]}, "1 address", id="one address"),
        pytest.param(IPV4 | {"endpoints": [opened("8.0.0.0/8")]}, "16.8 million addresses", id="a large network"),
        pytest.param(IPV4 | {"endpoints": [opened("128.0.0.0/1")]}, "1.6 billion addresses", id="half of them"),
        pytest.param(
            IPV4 | {"endpoints": [opened("8.8.8.0/24"), opened("8.8.8.128/25"), opened("9.9.9.9")]},
            "257 addresses",
            id="whoever gets in by two ways counts once",
        ),
        pytest.param(
            IPV4 | {"endpoints": [opened("8.8.8.8", "10.0.0.0/8")]}, "1 address", id="private ones are no news"
        ),
        pytest.param(
            BOTH | {"endpoints": [opened("8.8.8.8", "2001:4860::/48")]},
            "1 address and 65,536 IPv6 networks",
            id="IPv6 is counted in networks",
        ),
        pytest.param(BOTH | {"endpoints": [opened("2001:4860::1")]}, "1 IPv6 address", id="one IPv6 address"),
        pytest.param(BOTH | {"endpoints": [opened("2001:4860::/65")]}, "part of an IPv6 network", id="half a network"),
        pytest.param(BOTH | {"endpoints": [opened("2001:4860::/64")]}, "1 IPv6 network", id="one network"),
        pytest.param(IPV4 | {"endpoints": [opened("2000::/3")]}, "", id="a family the pool does not have"),
        pytest.param(
            IPV4 | {"endpoints": [endpoint(internet="Closed", rules=[])]}, "", id="an endpoint that is closed"
        ),
        pytest.param(
            IPV4 | {"endpoints": [endpoint(rules=[*rules("8.8.8.8", access="Deny")[:1], *rules("*")])]},
            "nearly anyone",
            id="all but one",
        ),
        pytest.param({}, "", id="no network"),
    ],
)
def test_an_extent_is_said_in_words(network: dict[str, Any], words: str) -> None:
    assert extent_of(network).words == words


def test_the_more_of_the_internet_gets_in_the_higher_it_ranks() -> None:
    networks = [
        BOTH | {"endpoints": [opened("::/0")]},
        IPV4 | {"endpoints": [opened("128.0.0.0/1")]},
        IPV4 | {"endpoints": [opened("8.0.0.0/8")]},
        BOTH | {"endpoints": [opened("2001:4860::/48")]},
        IPV4 | {"endpoints": [opened("8.8.8.0/24")]},
        BOTH | {"endpoints": [opened("2001:4860::1")]},
        {},
    ]
    ranks = [extent_of(each).rank for each in networks]
    assert ranks == sorted(set(ranks), reverse=True)


def test_anyone_ranks_the_same_whatever_the_families() -> None:
    anyone = [IPV4 | {"endpoints": [opened("*")]}, BOTH | {"endpoints": [opened("*")]}]
    assert len({extent_of(each).rank for each in anyone}) == 1
    assert Extent().rank == 0
