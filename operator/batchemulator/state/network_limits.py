"""The service's limits on networkConfiguration, answered as it answers: 400 with the bare property name and a reason.

Limits: data-plane REST doc and the SDK's model docs for InboundNatPool and NetworkSecurityGroupRule; reserved backend
ports differ by api-version. The wording of the reasons is ours: no such answer was recorded.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from typing import TYPE_CHECKING

from batchemulator.wire.errors import invalid_property, missing_property

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from batchemulator.versions import ApiVersion
    from batchemulator.wire.messages import JsonObject

MAX_NAT_POOLS = 5
MAX_RULES = 25
MIN_RANGE = 40
MAX_PORT = 65_535
MIN_PRIORITY, MAX_PRIORITY = 150, 4096
RESERVED_FRONTEND = range(50_000, 55_001)
_MAX_FRONTEND = 65_534
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,75}[A-Za-z0-9_])?")
_SERVICE_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*")
_PROVISIONS = frozenset({"batchmanaged", "usermanaged", "nopublicipaddresses"})


def check_network(network: object, version: ApiVersion) -> None:
    """Whether the service would take a networkConfiguration.

    Raises:
        ServiceError: 400 naming the first property that is missing or beyond its limit.
    """
    body = _as_object("networkConfiguration", network)
    _check_choice(body, "dynamicVNetAssignmentScope", frozenset({"none", "job"}))
    accelerated = body.get("enableAcceleratedNetworking")
    if accelerated is not None and not isinstance(accelerated, bool):
        raise invalid_property("enableAcceleratedNetworking", accelerated, "The value must be true or false")
    endpoints = body.get("endpointConfiguration")
    nat_pools: list[JsonObject] = []
    if endpoints is not None:
        nat_pools = _as_list("inboundNATPools", _as_object("endpointConfiguration", endpoints).get("inboundNATPools"))
        _check_nat_pools(nat_pools, version)
    addresses = body.get("publicIPAddressConfiguration")
    if addresses is not None:
        _check_addresses(_as_object("publicIPAddressConfiguration", addresses), body, nat_pools)


def _check_nat_pools(nat_pools: list[JsonObject], version: ApiVersion) -> None:
    if len(nat_pools) > MAX_NAT_POOLS:
        raise invalid_property(
            "inboundNATPools", len(nat_pools), f"At most {MAX_NAT_POOLS} inbound NAT pools are allowed"
        )
    for nat_pool in nat_pools:
        _check_nat_pool(nat_pool, version)
    _check_unique("name", [str(nat_pool["name"]).lower() for nat_pool in nat_pools])
    _check_unique("backendPort", [nat_pool["backendPort"] for nat_pool in nat_pools])
    ranges = sorted((nat_pool["frontendPortRangeStart"], nat_pool["frontendPortRangeEnd"]) for nat_pool in nat_pools)
    for (_, end), (start, _) in itertools.pairwise(ranges):
        if start <= end:
            raise invalid_property("frontendPortRangeStart", start, "Frontend port ranges must not overlap")
    _check_rules([rule for nat_pool in nat_pools for rule in _rules_of(nat_pool)])


def _rules_of(nat_pool: JsonObject) -> list[JsonObject]:
    return _as_list("networkSecurityGroupRules", nat_pool.get("networkSecurityGroupRules"))


def _check_nat_pool(nat_pool: JsonObject, version: ApiVersion) -> None:
    for required in ("name", "protocol", "backendPort", "frontendPortRangeStart", "frontendPortRangeEnd"):
        if nat_pool.get(required) is None:
            raise missing_property(required)
    name = nat_pool["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid_property(
            "name",
            name,
            "The name must be up to 77 letters, digits, '_', '.' or '-', start with a letter or digit and end with a"
            " letter, digit or '_'",
        )
    _check_choice(nat_pool, "protocol", frozenset({"tcp", "udp"}))
    backend = _as_port(nat_pool, "backendPort", 1, MAX_PORT)
    if backend in version.reserved_backend_ports:
        raise invalid_property("backendPort", backend, f"The port {backend} is reserved and cannot be used")
    start = _as_port(nat_pool, "frontendPortRangeStart", 1, _MAX_FRONTEND)
    end = _as_port(nat_pool, "frontendPortRangeEnd", 1, _MAX_FRONTEND)
    if start <= RESERVED_FRONTEND[-1] and end >= RESERVED_FRONTEND[0]:
        raise invalid_property("frontendPortRangeStart", start, "The ports 50000 to 55000 are reserved")
    if end - start + 1 < MIN_RANGE:
        raise invalid_property(
            "frontendPortRangeEnd",
            end,
            f"The frontend port range must have at least {MIN_RANGE} ports",
        )


def _check_rules(rules: list[JsonObject]) -> None:
    if len(rules) > MAX_RULES:
        raise invalid_property(
            "networkSecurityGroupRules",
            len(rules),
            f"At most {MAX_RULES} network security group rules are allowed over all inbound NAT pools of a pool",
        )
    for rule in rules:
        _check_rule(rule)
    _check_unique("priority", [rule["priority"] for rule in rules])


def _check_rule(rule: JsonObject) -> None:
    for required in ("priority", "access", "sourceAddressPrefix"):
        if rule.get(required) is None:
            raise missing_property(required)
    priority = rule["priority"]
    if not _is_int(priority) or not MIN_PRIORITY <= priority <= MAX_PRIORITY:
        raise invalid_property(
            "priority",
            priority,
            f"The network security group priority must be between {MIN_PRIORITY} and {MAX_PRIORITY}, inclusive",
        )
    _check_choice(rule, "access", frozenset({"allow", "deny"}))
    prefix = rule["sourceAddressPrefix"]
    if not isinstance(prefix, str) or not _is_source(prefix):
        raise invalid_property(
            "sourceAddressPrefix",
            prefix,
            "The value must be an IP address, a CIDR range, a service tag or *",
        )
    _check_port_ranges(_as_list("sourcePortRanges", rule.get("sourcePortRanges")))


def _is_source(prefix: str) -> bool:
    if prefix == "*" or _SERVICE_TAG.fullmatch(prefix):
        return True
    try:
        ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return False
    return True


def _check_port_ranges(entries: Sequence[object]) -> None:
    spans = sorted(_port_span(entry) for entry in entries)
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start <= end:
            raise invalid_property("sourcePortRanges", entries, "Source port ranges must not overlap")


def _port_span(entry: object) -> tuple[int, int]:
    if entry == "*":
        return (0, MAX_PORT)
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(entry))
    if match is not None:
        start, end = int(match.group(1)), int(match.group(2) or match.group(1))
        if start <= end <= MAX_PORT:
            return (start, end)
    raise invalid_property("sourcePortRanges", entry, "The value must be *, a port or a range of ports like 0-1023")


def _check_addresses(addresses: JsonObject, network: JsonObject, nat_pools: list[JsonObject]) -> None:
    _check_choice(addresses, "provision", _PROVISIONS)
    provision = str(addresses.get("provision", "batchmanaged")).lower()
    ids = _as_list("ipAddressIds", addresses.get("ipAddressIds"))
    if provision == "nopublicipaddresses":
        if nat_pools:
            raise invalid_property(
                "provision",
                addresses["provision"],
                "Inbound NAT pools are not allowed without public IP addresses",
            )
        if network.get("subnetId") is None:
            raise invalid_property(
                "provision", addresses["provision"], "A pool without public IP addresses needs a subnetId"
            )
    if provision == "usermanaged" and not ids:
        raise missing_property("ipAddressIds")
    if provision != "usermanaged" and ids:
        raise invalid_property("ipAddressIds", ids, "ipAddressIds are allowed with provision usermanaged only")
    families = [str(family).lower() for family in _as_list("ipFamilies", addresses.get("ipFamilies"))]
    if families and (len(set(families)) != len(families) or set(families) not in ({"ipv4"}, {"ipv4", "ipv6"})):
        raise invalid_property("ipFamilies", families, "The value must be [IPv4] or [IPv4, IPv6]")


def _check_choice(body: JsonObject, name: str, choices: frozenset[str]) -> None:
    value = body.get(name)
    if value is not None and str(value).lower() not in choices:
        raise invalid_property(name, value, f"The value must be one of {', '.join(sorted(choices))}")


def _check_unique(name: str, values: list[object]) -> None:
    for repeated in _repeated(values):
        raise invalid_property(name, repeated, f"The {name} must be unique within the pool")


def _repeated(values: list[object]) -> Iterator[object]:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _as_port(body: JsonObject, name: str, low: int, high: int) -> int:
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise invalid_property(name, value, f"The value must be between {low} and {high}, inclusive")
    return value


def _as_object(name: str, value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise invalid_property(name, value, "The value must be an object")
    return value


def _as_list(name: str, value: object) -> list[JsonObject]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_property(name, value, "The value must be a list")
    return value
