"""Pools as the service might return them, from a seed; and changes to them that any policy must notice."""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

SUBNET = "/subscriptions/0/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub/subnets/batch"
ADDRESS = "/subscriptions/0/resourceGroups/net/providers/Microsoft.Network/publicIPAddresses/"
SOURCES = (
    "*",
    "Internet",
    "VirtualNetwork",
    "AzureCloud",
    "10.0.0.0/8",
    "192.0.2.7",
    "203.0.113.0/24",
    "2001:db8::/32",
)
NAMES = ("SSH", "RDP", "web", "license.1", "x_y")
PORTS = (22, 3389, 443, 27000, 65535)


def generated_pools(seed: int, count: int) -> list[dict[str, Any]]:
    """As many pools, each within the limits of the service."""
    random = Random(seed)  # noqa: S311 no secret depends on it
    return [_pool(random, f"pool-{index}") for index in range(count)]


def _pool(random: Random, pool_id: str) -> dict[str, Any]:
    kind = random.choice(("plain", "plain", "user", "none", "dual"))
    network: dict[str, Any] = {"enableAcceleratedNetworking": random.random() < 0.5}
    if kind == "none" or random.random() < 0.5:
        network["subnetId"] = SUBNET
    if kind != "none":
        network["endpointConfiguration"] = {"inboundNATPools": _endpoints(random)}
    network |= _public_addresses(random, kind)
    return {
        "id": pool_id,
        "creationTime": "2026-01-01T00:00:00Z",
        "url": f"https://genbatch.westeurope.batch.azure.com/pools/{pool_id}",
        "eTag": "0x8DE000000000001",
        "state": "active",
        "allocationState": "steady",
        "currentDedicatedNodes": 0,
        "networkConfiguration": network if random.random() < 0.95 else None,
    }


def _public_addresses(random: Random, kind: str) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        "plain": {},
        "user": {
            "provision": random.choice(("usermanaged", "UserManaged")),
            "ipAddressIds": [f"{ADDRESS}{name}" for name in random.sample("abcd", random.randint(1, 3))],
        },
        "none": {"provision": "NoPublicIPAddresses"},
        "dual": {"provision": "batchmanaged", "ipFamilies": ["IPv4", "IPv6"]},
    }
    return {"publicIPAddressConfiguration": found[kind]} if found[kind] else {}


def _endpoints(random: Random) -> list[dict[str, Any]]:
    slots = random.sample(range(5), random.randint(0, 5))
    priorities = iter(random.sample(range(150, 4097), 25))
    # An endpoint without rules is declared with two: together they stay within 25.
    return [_endpoint(random, slot, [next(priorities) for _ in range(random.randint(0, 4))]) for slot in slots]


def _endpoint(random: Random, slot: int, priorities: list[int]) -> dict[str, Any]:
    start = 1000 + 1000 * slot + random.randint(0, 100)
    rules = [
        {
            "priority": priority,
            "access": random.choice(("allow", "deny", "Allow")),
            "sourceAddressPrefix": random.choice(SOURCES),
            "sourcePortRanges": random.choice((["*"], ["0-1023"], ["80", "2000-65535"])),
        }
        for priority in priorities
    ]
    endpoint = {
        "name": NAMES[slot],
        "protocol": random.choice(("tcp", "udp", "TCP")),
        "backendPort": PORTS[slot],
        "frontendPortRangeStart": start,
        "frontendPortRangeEnd": start + random.randint(39, 800),
    }
    return endpoint | ({"networkSecurityGroupRules": rules} if rules else {})


def mutated(pool: dict[str, Any], random: Random) -> dict[str, Any]:
    """The pool after somebody changed it in a way that means something."""
    changed = copy.deepcopy(pool)
    changed["networkConfiguration"] = changed["networkConfiguration"] or {}
    random.choice(list(_changes(changed["networkConfiguration"], random)))()
    return changed


def _changes(network: dict[str, Any], random: Random) -> Iterator[Callable[[], object]]:
    """What somebody might do to a network."""
    nat_pools: list[dict[str, Any]] = network.get("endpointConfiguration", {}).get("inboundNATPools", [])
    accelerated = network.get("enableAcceleratedNetworking", False)
    yield lambda: network.update(enableAcceleratedNetworking=not accelerated)
    if "provision" not in network.get("publicIPAddressConfiguration", {}):
        own = {"provision": "usermanaged", "ipAddressIds": [f"{ADDRESS}z"]}
        yield lambda: network.update(publicIPAddressConfiguration=own)
    if "subnetId" in network:
        yield lambda: network.update(subnetId=SUBNET.replace("batch", "other"))
    if nat_pools:
        one = random.choice(nat_pools)
        yield lambda: nat_pools.remove(one)
        yield lambda: one.update(frontendPortRangeStart=one["frontendPortRangeStart"] - 1)
    for one in nat_pools:
        if any(rule["access"] == "deny" for rule in _to_all(one)[:1]):
            yield partial(one.pop, "networkSecurityGroupRules")
    if len(nat_pools) < len(NAMES) and "NoPublicIPAddresses" not in str(network):
        free = next(slot for slot, name in enumerate(NAMES) if name not in {each["name"] for each in nat_pools})
        more = {"inboundNATPools": [*nat_pools, _endpoint(random, free, [])]}
        yield lambda: network.update(endpointConfiguration=more)


def _to_all(nat_pool: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules by priority, if the first of them is about everyone."""
    rules = sorted(nat_pool.get("networkSecurityGroupRules", []), key=lambda rule: rule["priority"])
    return rules if rules and rules[0]["sourceAddressPrefix"] == "*" and rules[0]["sourcePortRanges"] == ["*"] else []
