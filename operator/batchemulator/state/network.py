"""networkConfiguration as the service gives it back: defaults added, enums re-spelled, empty lists dropped.

Source: the recorded pairs of what was sent and what was read. Unknown keys stay where they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.assumptions import Assumptions, Order, Spelling

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject

_KEY_ORDER = (
    "subnetId",
    "dynamicVNetAssignmentScope",
    "endpointConfiguration",
    "publicIPAddressConfiguration",
    "enableAcceleratedNetworking",
)
_PROVISION = {
    "batchmanaged": "BatchManaged",
    "usermanaged": "UserManaged",
    "nopublicipaddresses": "NoPublicIPAddresses",
}
_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def normalise_network(sent: JsonObject, assumptions: Assumptions) -> JsonObject:
    """The stored form of a networkConfiguration; normalising it again changes nothing."""
    network = {key: value for key, value in sent.items() if value is not None}
    network["dynamicVNetAssignmentScope"] = str(network.get("dynamicVNetAssignmentScope", "none")).lower()
    if "subnetId" in network:
        network["subnetId"] = _resource_id(network["subnetId"], assumptions)
    if "endpointConfiguration" in network:
        endpoints = _normalise_endpoints(network["endpointConfiguration"], assumptions)
        if endpoints:
            network["endpointConfiguration"] = endpoints
        else:
            del network["endpointConfiguration"]
    if "publicIPAddressConfiguration" in network:
        network["publicIPAddressConfiguration"] = _normalise_addresses(
            network["publicIPAddressConfiguration"],
            assumptions,
        )
    known = {key: network[key] for key in _KEY_ORDER if key in network}
    return known | {key: value for key, value in network.items() if key not in known}


def _normalise_endpoints(sent: JsonObject, assumptions: Assumptions) -> JsonObject:
    endpoints = {key: value for key, value in sent.items() if value not in (None, [])}
    nat_pools = [_normalise_nat_pool(nat_pool, assumptions) for nat_pool in endpoints.get("inboundNATPools", [])]
    if nat_pools:
        if assumptions.nat_pool_order is Order.SORTED:
            nat_pools.sort(key=lambda nat_pool: str(nat_pool["name"]).lower())
        endpoints["inboundNATPools"] = nat_pools
    return endpoints


def _normalise_nat_pool(sent: JsonObject, assumptions: Assumptions) -> JsonObject:
    nat_pool = {key: value for key, value in sent.items() if value not in (None, [])}
    nat_pool["protocol"] = str(nat_pool["protocol"]).lower()
    rules = [_normalise_rule(rule) for rule in nat_pool.get("networkSecurityGroupRules", [])]
    if rules:
        if assumptions.nat_pool_order is Order.SORTED:
            rules.sort(key=lambda rule: int(rule["priority"]))
        nat_pool["networkSecurityGroupRules"] = rules
    return nat_pool


def _normalise_rule(sent: JsonObject) -> JsonObject:
    rule = {key: value for key, value in sent.items() if value is not None}
    rule["access"] = str(rule["access"]).lower()
    rule["sourcePortRanges"] = list(rule.get("sourcePortRanges") or ["*"])
    return rule


def _normalise_addresses(sent: JsonObject, assumptions: Assumptions) -> JsonObject:
    addresses = {key: value for key, value in sent.items() if value not in (None, [])}
    if "provision" in addresses:
        addresses["provision"] = _PROVISION.get(str(addresses["provision"]).lower(), addresses["provision"])
    if "ipAddressIds" in addresses:
        addresses["ipAddressIds"] = [_resource_id(text, assumptions) for text in addresses["ipAddressIds"]]
    if "ipFamilies" in addresses:
        families = {str(family).lower() for family in addresses["ipFamilies"]}
        addresses["ipFamilies"] = [_FAMILIES[family] for family in sorted(families)]
    return addresses


def _resource_id(text: str, assumptions: Assumptions) -> str:
    match assumptions.resource_id_spelling:
        case Spelling.AS_SENT:
            return text
        case Spelling.LOWER_CASE:
            return text.lower()
