"""The four examples of the article "Configure or disable remote access to compute nodes in an Azure Batch pool"."""

from ipaddress import ip_address

import pytest

from batchaccess.core.addresses import AddressSet
from batchaccess.core.explain import admits, because
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import InboundEndpoint
from batchaccess.core.reach import Reach
from batchaccess.core.reachability import EndpointReachability, reachability
from tests.support.build import SUBNET, endpoint, network

ALLOW_RDP_FROM_ONE = endpoint(
    "RDP", "allow 198.168.100.7 priority 179", "deny * priority 180", port=3389, frontend="7500-8000"
)
ALLOW_SSH_FROM_SUBNET = endpoint(
    "SSH", "allow 192.168.1.0/24 priority 170", "deny * priority 175", port=22, frontend="4000-4100"
)
DENY_RDP = endpoint("RDP", "deny * priority 162", port=3389, frontend="60000-60099")
DENY_SSH_FROM_INTERNET = endpoint("SSH", "deny Internet priority 170", port=22, frontend="4000-4100")


def evaluated(example: InboundEndpoint, subnet: str | None = None) -> EndpointReachability:
    (found,) = reachability(network(example, subnet_id=subnet), legacy=False).endpoints
    return found


@pytest.mark.parametrize(
    ("example", "internet", "network_without_subnet", "network_in_subnet"),
    [
        pytest.param(ALLOW_RDP_FROM_ONE, "Open", "NotApplicable", "Undetermined", id="RDP from 198.168.100.7 only"),
        pytest.param(
            ALLOW_SSH_FROM_SUBNET, "Closed", "NotApplicable", "Undetermined", id="SSH from 192.168.1.0/24 only"
        ),
        pytest.param(DENY_RDP, "Closed", "Closed", "Closed", id="no RDP at all"),
        pytest.param(DENY_SSH_FROM_INTERNET, "Closed", "NotApplicable", "Undetermined", id="no SSH from the Internet"),
    ],
)
def test_zones(example: InboundEndpoint, internet: str, network_without_subnet: str, network_in_subnet: str) -> None:
    assert evaluated(example).internet.value == internet
    assert evaluated(example, SUBNET).internet.value == internet
    assert evaluated(example).virtual_network.value == network_without_subnet
    assert evaluated(example, SUBNET).virtual_network.value == network_in_subnet


@pytest.mark.parametrize(
    ("example", "admitted", "why"),
    [
        (ALLOW_RDP_FROM_ONE, "198.168.100.7", "rule 179 allows 198.168.100.7, e.g. 198.168.100.7"),
        (ALLOW_SSH_FROM_SUBNET, "192.168.1.0/24", "rule 175 denies everyone, e.g. 8.8.8.8"),
        (DENY_RDP, "nobody", "rule 162 denies everyone, e.g. 8.8.8.8"),
        (
            DENY_SSH_FROM_INTERNET,
            "nobody on the Internet; undetermined: sources that no rule matches",
            "rule 170 denies Internet, e.g. 8.8.8.8",
        ),
    ],
)
def test_words(example: InboundEndpoint, admitted: str, why: str) -> None:
    assert admits(evaluated(example)) == admitted
    assert because(evaluated(example).internet) == why


@pytest.mark.parametrize(
    ("example", "opened"),
    [(ALLOW_RDP_FROM_ONE, "198.168.100.7"), (ALLOW_SSH_FROM_SUBNET, "192.168.1.0/24")],
)
def test_exactly_the_named_sources_get_in(example: InboundEndpoint, opened: str) -> None:
    function = evaluated(example).function
    assert function.open_sources == AddressSet.parse(opened)
    assert not function.undetermined_sources


def test_denying_the_internet_leaves_private_sources_undetermined() -> None:
    function = evaluated(DENY_SSH_FROM_INTERNET).function
    assert not function.open_sources
    assert function.undetermined_sources == AddressSet.parse("0.0.0.0/0") - PUBLIC_ADDRESSES
    assert function.at(ip_address("8.8.8.8"), 50000) is Reach.CLOSED
