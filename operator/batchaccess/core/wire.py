"""Turns a desired network into the `networkConfiguration` object of a PATCH.

The object starts as what the service returned and keeps every key of it, unknown ones too, because a PATCH replaces the
whole property (REST document "Pool - Patch": it "only replaces the Pool properties specified with the request").
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from batchaccess.core.declared import DesiredAccess
from batchaccess.core.desired import kept_endpoints
from batchaccess.core.model import (
    ALL_PORTS,
    InboundEndpoint,
    JsonObject,
    Network,
    PortRange,
    Provisioning,
    Rule,
)

_SENT_WORDS: Final = {
    "protocol": frozenset({"tcp", "udp"}),
    "access": frozenset({"allow", "deny"}),
    "provision": frozenset({"batchmanaged", "usermanaged", "nopublicipaddresses"}),
    "dynamicVNetAssignmentScope": frozenset({"none", "job"}),
}
"""Keys whose words are sent in lower case, whatever case they are returned in; words not listed stay as they are."""


def network_configuration_body(
    raw: JsonObject | None, observed: Network, desired: Network, access: DesiredAccess
) -> dict[str, Any]:
    """The body of `networkConfiguration` that makes `observed` become `desired`.

    Args:
        raw: the object as the service returned it, None if the pool has none.
        observed: the same, normalised.
        desired: `desired_network(observed, access)`.
        access: what the policy declares; only this is overlaid on `raw`.
    """
    body = _as_sent(raw or {})
    if access.endpoints is not None:
        kept = kept_endpoints(observed, access.endpoints)
        body["endpointConfiguration"] = _endpoint_configuration(body, desired, kept)
    if access.public_addresses is not None and _addresses_differ(observed, desired):
        body["publicIPAddressConfiguration"] = _public_address_configuration(body, desired)
    if access.subnet_id is not None and not same_resource(observed.subnet_id, access.subnet_id):
        body["subnetId"] = access.subnet_id
    if access.accelerated_networking is not None:
        body["enableAcceleratedNetworking"] = access.accelerated_networking
    return body


def same_resource(one: str | None, other: str | None) -> bool:
    """Whether two Azure resource ids name the same thing: they compare without regard to case."""
    return (one or "").casefold() == (other or "").casefold()


def _addresses_differ(observed: Network, desired: Network) -> bool:
    return (observed.provisioning, folded(observed.address_ids)) != (
        desired.provisioning,
        folded(desired.address_ids),
    )


def folded(texts: Iterable[str]) -> frozenset[str]:
    """A set of texts that compare without regard to case."""
    return frozenset(text.casefold() for text in texts)


def _as_sent(value: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy with the closed words in their sent spelling (REST enums: `tcp`, `allow`, `batchmanaged`, `none`)."""
    return {key: _item_as_sent(key, item) for key, item in value.items()}


def _item_as_sent(key: str, item: Any) -> Any:  # noqa: ANN401 any JSON value
    if isinstance(item, Mapping):
        return _as_sent(item)
    if isinstance(item, list | tuple):
        return [_item_as_sent(key, each) for each in item]
    if isinstance(item, str) and item.lower() in _SENT_WORDS.get(key, ()):
        return item.lower()
    return item


def _endpoint_configuration(
    body: Mapping[str, Any], desired: Network, kept: Iterable[InboundEndpoint]
) -> dict[str, Any]:
    configuration = object_at(body, "endpointConfiguration")
    returned = nat_pools_by_name(body)
    kept_names = {endpoint.name.casefold() for endpoint in kept}
    pools = [
        returned[name] if (name := endpoint.name.casefold()) in kept_names else _nat_pool(returned.get(name), endpoint)
        for endpoint in desired.endpoints
    ]
    return {**configuration, "inboundNATPools": pools}


def _nat_pool(returned: Mapping[str, Any] | None, endpoint: InboundEndpoint) -> dict[str, Any]:
    returned = returned or {}
    unused = _objects_at(returned, "networkSecurityGroupRules")
    return {
        **returned,
        "name": endpoint.name,
        "protocol": endpoint.protocol.value.lower(),
        "backendPort": endpoint.backend_port,
        "frontendPortRangeStart": endpoint.frontend.start,
        "frontendPortRangeEnd": endpoint.frontend.end,
        "networkSecurityGroupRules": [_rule(unused, rule) for rule in endpoint.rules],
    }


def _rule(unused: list[Mapping[str, Any]], rule: Rule) -> dict[str, Any]:
    """A rule over the returned one of the same effect, source and source ports, if there is one left in `unused`."""
    sent = {
        "priority": rule.priority,
        "access": rule.access.value.lower(),
        "sourceAddressPrefix": rule.source,
        "sourcePortRanges": [_ports(ports) for ports in rule.source_ports],
    }
    for index, candidate in enumerate(unused):
        if _meaning(candidate) == _meaning(sent):
            return {**unused.pop(index), **sent}
    return sent


def _meaning(rule: Mapping[str, Any]) -> tuple[object, ...]:
    ports = frozenset(str(text) for text in rule.get("sourcePortRanges") or ("*",))
    return (rule.get("access"), str(rule.get("sourceAddressPrefix")).casefold(), ports)


def _ports(ports: PortRange) -> str:
    return "*" if ports == ALL_PORTS else str(ports)


def _public_address_configuration(body: Mapping[str, Any], desired: Network) -> dict[str, Any]:
    returned = object_at(body, "publicIPAddressConfiguration")
    others = {key: value for key, value in returned.items() if key != "ipAddressIds"}
    sent: dict[str, Any] = {**others, "provision": desired.provisioning.value.lower()}
    if desired.provisioning is Provisioning.USER_MANAGED:
        sent["ipAddressIds"] = list(desired.address_ids)
    return sent


def nat_pools_by_name(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The NAT pools of a `networkConfiguration`, by their name in lower case."""
    pools = _objects_at(object_at(body, "endpointConfiguration"), "inboundNATPools")
    return {str(pool.get("name")).casefold(): pool for pool in pools}


def object_at(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at a key, an empty one if there is none."""
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}


def _objects_at(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = body.get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
