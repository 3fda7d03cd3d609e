"""Inbound endpoints of nodes: the pool's NAT pools, and the implicit login mapping of pools from before the cut-over.

Recorded: frontend port = range start + node index within its kind; dedicated and Spot nodes sit behind different public
addresses and reuse the same ports; an IPv6 pool has a twin `<name>-ipv6.N`; the implicit `SSHRule.N` comes after the
pool's own endpoints, from port 50000, to 22 on Linux and 3389 on Windows.
"""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchemulator.state.nodes import Node, NodeKind
    from batchemulator.state.pool import Pool
    from batchemulator.wire.messages import JsonObject

_IMPLICIT_RANGE_START = 50_000
_LOGIN_PORTS = (22, 3389)


def node_endpoints(account: str, pool: Pool, node: Node) -> list[JsonObject]:
    """The node's inbound endpoints, in the service's order."""
    network: JsonObject = pool.settings.get("networkConfiguration", {})
    addresses: JsonObject = network.get("publicIPAddressConfiguration", {})
    if str(addresses.get("provision", "")).lower() == "nopublicipaddresses":
        return []
    families = ["ipv4", "ipv6"] if has_ipv6(pool) else ["ipv4"]
    endpoints: list[JsonObject] = []
    for nat_pool in network.get("endpointConfiguration", {}).get("inboundNATPools", []):
        frontend = nat_pool["frontendPortRangeStart"] + node.index
        if frontend > nat_pool["frontendPortRangeEnd"]:
            continue
        for family in families:
            twin = "-ipv6" if family == "ipv6" else ""
            endpoints.append(
                {
                    "name": f"{nat_pool['name']}{twin}.{node.index}",
                    "protocol": nat_pool["protocol"],
                    **_public_side(account, pool.id, node.kind, family),
                    "frontendPort": frontend,
                    "backendPort": nat_pool["backendPort"],
                },
            )
    if pool.legacy_mapping:
        endpoints.append(
            {
                "name": f"SSHRule.{node.index}",
                "protocol": "tcp",
                **_public_side(account, pool.id, node.kind, "ipv4"),
                "frontendPort": _IMPLICIT_RANGE_START + node.index,
                "backendPort": 3389 if pool.is_windows else 22,
            },
        )
    return endpoints


def login_endpoint(account: str, pool: Pool, node: Node) -> JsonObject | None:
    """The endpoint that leads to SSH or RDP, for remoteloginsettings."""
    endpoints = node_endpoints(account, pool, node)
    return next((endpoint for endpoint in endpoints if endpoint["backendPort"] in _LOGIN_PORTS), None)


def has_ipv6(pool: Pool) -> bool:
    """Whether the pool's public addresses include IPv6."""
    addresses: JsonObject = pool.settings.get("networkConfiguration", {}).get("publicIPAddressConfiguration", {})
    return "IPv6" in addresses.get("ipFamilies", [])


def _public_side(account: str, pool_id: str, kind: NodeKind, family: str) -> JsonObject:
    """An address from the documentation ranges (RFC 5737, RFC 3849), the same for the same pool and kind."""
    digest = hashlib.sha256(f"{account}/{pool_id}/{kind}".encode()).digest()
    if family == "ipv6":
        base = int(ipaddress.IPv6Address("2001:db8::"))
        address = str(ipaddress.IPv6Address(base + int.from_bytes(digest[:8])))
    else:
        network = (ipaddress.IPv4Address("198.51.100.0"), ipaddress.IPv4Address("203.0.113.0"))[digest[0] % 2]
        address = str(network + 1 + digest[1] % 254)
    name = uuid.UUID(bytes=digest[:16])
    return {
        "publicIPAddress": address,
        "publicFQDN": f"dns{name}-azurebatch-cloudservice.emulator.cloudapp.azure.com",
    }
