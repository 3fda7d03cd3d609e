"""Which inbound endpoints of nodes a pool's own NAT pools account for."""

from typing import Any

import pytest

from batchaccess.azurebatch.nodes import node_findings
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.core.model import (
    InboundEndpoint,
    NodeFindings,
    PortRange,
    Protocol,
)


def nat_pool(name: str, backend_port: int) -> InboundEndpoint:
    return InboundEndpoint(name=name, protocol=Protocol.TCP, backend_port=backend_port, frontend=PortRange(4000, 4100))


def node(*endpoints: tuple[str, int]) -> dict[str, Any]:
    return {
        "id": "tvm",
        "endpointConfiguration": {
            "inboundEndpoints": [
                {"name": name, "protocol": "tcp", "frontendPort": 50000, "backendPort": port}
                for name, port in endpoints
            ]
        },
    }


@pytest.mark.parametrize(
    ("nat_pools", "nodes", "implicit"),
    [
        pytest.param([], [node(("SSHRule.0", 22))], {22}, id="SSH mapped by the service"),
        pytest.param([], [node(("SSHRule.3", 3389))], {3389}, id="RDP mapped by the service, under the same name"),
        pytest.param(
            [nat_pool("app", 64444)], [node(("app.0", 64444), ("SSHRule.0", 22))], {22}, id="beside an own one"
        ),
        pytest.param([nat_pool("app", 64444)], [node(("app.17", 64444))], set(), id="own ones only"),
        pytest.param([nat_pool("rdp", 3389)], [node(("rdp.0", 3389), ("rdp-ipv6.0", 3389))], set(), id="own over IPv6"),
        pytest.param([nat_pool("a-ipv6", 22)], [node(("a-ipv6.0", 22))], set(), id="an own name ending in -ipv6"),
        pytest.param(
            [nat_pool("SSHRule", 22)], [node(("SSHRule.0", 22))], set(), id="an own one of the service's name"
        ),
        pytest.param(
            [nat_pool("SSHRule", 8080)],
            [node(("SSHRule.0", 8080), ("SSHRule.0", 22))],
            {22},
            id="the service's one under an own name",
        ),
        pytest.param([nat_pool("a.b", 22)], [node(("a.b.0", 22))], set(), id="a dot in an own name"),
        pytest.param([nat_pool("ssh", 22)], [node(("ssh", 22))], {22}, id="a name without index is not an own one"),
        pytest.param([nat_pool("ssh", 22)], [node(("ssh.x", 22))], {22}, id="nor one with another suffix"),
        pytest.param([], [{"id": "a"}, {"id": "b", "endpointConfiguration": None}], set(), id="nothing mapped"),
        pytest.param([], [node(), node(("SSHRule.1", 22))], {22}, id="one node of several"),
    ],
)
def test_implicit_ports(nat_pools: list[InboundEndpoint], nodes: list[dict[str, Any]], implicit: set[int]) -> None:
    assert node_findings(nodes, nat_pools) == NodeFindings(nodes=len(nodes), implicit_ports=frozenset(implicit))


def test_no_nodes_are_no_finding() -> None:
    assert node_findings([], []) == NodeFindings(nodes=0)


def test_an_unreadable_node_is_named() -> None:
    broken = node(("ssh.0", 22))
    del broken["endpointConfiguration"]["inboundEndpoints"][0]["backendPort"]
    with pytest.raises(Unreadable, match=r"value\[1\].*inboundEndpoints\[0\].backendPort: is missing"):
        node_findings([node(), broken], [])
