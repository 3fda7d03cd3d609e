"""From the service's pool JSON to `ObservedPool`: defaults filled in, words in our spelling, lists in canonical order.

The form read here is the data plane's, as `GET /pools` answers it (api-version 2025-06-01). Nothing is guessed: a key
of the wrong type makes the pool unreadable, naming the key; unknown keys are left alone and stay in `raw_network`;
unknown words become the `UNKNOWN` member, on which nothing is concluded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from batchaccess.azurebatch.reading import (
    Unreadable,
    boolean,
    counted,
    each,
    inside,
    optional_text,
    part,
    port,
    text,
    words,
    wrong,
)
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    AllocationState,
    InboundEndpoint,
    IpFamily,
    IpTag,
    JsonObject,
    MetadataItem,
    Network,
    NodeCounts,
    ObservedPool,
    PoolState,
    PortRange,
    Protocol,
    Provisioning,
    Rule,
    Scale,
)

EMPTINESS_KEYS: Final = (
    "currentDedicatedNodes",
    "currentLowPriorityNodes",
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
    "enableAutoScale",
)
"""What emptiness is concluded from besides the states; the service always sends all of them."""

POOL_KEYS: Final = (
    "id",
    "eTag",
    "lastModified",
    "creationTime",
    "state",
    "allocationState",
    "allocationStateTransitionTime",
    *EMPTINESS_KEYS,
    "resizeTimeout",
    "autoScaleFormula",
    "autoScaleEvaluationInterval",
    "networkConfiguration",
    "metadata",
)
"""Every key read here, and so the `$select` of every request for pools."""

_PROTOCOLS: Final = {member.lower(): member for member in Protocol}
_ACCESS: Final = {member.lower(): member for member in Access}
_PROVISIONING: Final = {member.lower(): member for member in Provisioning}
_FAMILIES: Final = {member.lower(): member for member in IpFamily}
_POOL_STATES: Final = {member.lower(): member for member in PoolState}
_ALLOCATION_STATES: Final = {member.lower(): member for member in AllocationState}

_Word = TypeVar("_Word")


def observed_pool(raw: JsonObject, *, network: Network | None = None) -> ObservedPool:
    """The pool that one element of a pool list, or the body of a pool GET, describes.

    `network` is what its network configuration describes, where the caller knows that already.

    Raises:
        Unreadable: a key has a value this version cannot understand.
    """
    raw_network = raw.get("networkConfiguration")
    return ObservedPool(
        id=_pool_id(raw),
        etag=optional_text(raw, "eTag") or "",
        network=observed_network(raw_network) if network is None else network,
        raw_network=raw_network,
        state=_word(raw, "state", _POOL_STATES, PoolState.UNKNOWN),
        allocation_state=_allocation_state(raw),
        allocation_state_transition_time=optional_text(raw, "allocationStateTransitionTime") or "",
        creation_time=_moment(raw, "creationTime"),
        last_modified=_moment(raw, "lastModified"),
        scale=_scale(raw),
        metadata=each(raw, "metadata", _metadata_item),
    )


def _pool_id(raw: JsonObject) -> str:
    pool_id = text(raw, "id")
    if not pool_id:
        raise Unreadable("id", "is empty")
    return pool_id


def observed_network(raw: JsonObject | None) -> Network:
    """The network that a `networkConfiguration` object describes; None, as the service omits it, is all defaults.

    Raises:
        Unreadable: a key has a value this version cannot understand.
    """
    if raw is None:
        return Network()
    return inside("networkConfiguration", _network, raw)


def _network(raw: JsonObject) -> Network:
    addresses = part(raw, "publicIPAddressConfiguration", _addresses)
    return replace(
        addresses,
        endpoints=part(raw, "endpointConfiguration", _endpoints),
        subnet_id=optional_text(raw, "subnetId") or None,
        accelerated_networking=boolean(raw, "enableAcceleratedNetworking"),
        dynamic_vnet_assignment_scope=(optional_text(raw, "dynamicVNetAssignmentScope") or "none").lower(),
    )


def _addresses(raw: JsonObject) -> Network:
    return Network(
        provisioning=_provisioning(raw),
        address_ids=tuple(sorted(set(words(raw, "ipAddressIds")), key=_without_case)),
        ip_families=_families(words(raw, "ipFamilies")),
        ip_tags=tuple(sorted(set(each(raw, "ipTags", _ip_tag)), key=lambda tag: (tag.type, tag.tag))),
    )


def _endpoints(raw: JsonObject) -> tuple[InboundEndpoint, ...]:
    return tuple(sorted(each(raw, "inboundNATPools", _endpoint), key=lambda endpoint: endpoint.name))


def _endpoint(raw: JsonObject) -> InboundEndpoint:
    frontend = PortRange(port(raw, "frontendPortRangeStart"), port(raw, "frontendPortRangeEnd"))
    if frontend.start > frontend.end:
        raise wrong("frontendPortRangeEnd", f"a port not below {frontend.start}", frontend.end)
    return InboundEndpoint(
        name=text(raw, "name"),
        protocol=_PROTOCOLS.get(text(raw, "protocol").lower(), Protocol.UNKNOWN),
        backend_port=port(raw, "backendPort"),
        frontend=frontend,
        rules=tuple(sorted(each(raw, "networkSecurityGroupRules", _rule), key=lambda rule: rule.priority)),
    )


def _rule(raw: JsonObject) -> Rule:
    return Rule(
        priority=counted(raw, "priority"),
        access=_ACCESS.get(text(raw, "access").lower(), Access.UNKNOWN),
        source=text(raw, "sourceAddressPrefix").strip(),
        source_ports=_source_ports(words(raw, "sourcePortRanges")),
    )


def _source_ports(ranges: Iterable[str]) -> tuple[PortRange, ...]:
    """Sorted ranges without repeats; the service's default and `*` are all ports."""
    found = {_port_range(written) for written in ranges}
    return (ALL_PORTS,) if not found or ALL_PORTS in found else tuple(sorted(found))


def _port_range(written: str) -> PortRange:
    if written.strip() == "*":
        return ALL_PORTS
    start, dash, end = (part.strip() for part in written.partition("-"))
    end = end if dash else start
    # More digits than a port has could otherwise be a number too long for int() to take.
    if start.isascii() and start.isdigit() and end.isascii() and end.isdigit() and max(len(start), len(end)) <= 5:  # noqa: PLR2004
        ports = PortRange(int(start), int(end))
        if ports.start <= ports.end <= ALL_PORTS.end:
            return ports
    raise wrong("sourcePortRanges", "`*`, a port or `from-to`", written)


def _provisioning(addresses: JsonObject) -> Provisioning:
    written = optional_text(addresses, "provision")
    return Provisioning.BATCH_MANAGED if not written else _PROVISIONING.get(written.lower(), Provisioning.UNKNOWN)


def _families(written: Iterable[str]) -> tuple[IpFamily, ...]:
    """The families known here, IPv4 first; the default is IPv4 alone."""
    known = {_FAMILIES[word.lower()] for word in written if word.lower() in _FAMILIES}
    return tuple(sorted(known)) or (IpFamily.IPV4,)


def _ip_tag(raw: JsonObject) -> IpTag:
    return IpTag(type=text(raw, "ipTagType"), tag=text(raw, "tag"))


def _metadata_item(raw: JsonObject) -> MetadataItem:
    return MetadataItem(name=text(raw, "name"), value=text(raw, "value"))


def _allocation_state(raw: JsonObject) -> AllocationState:
    """The allocation state; unknown if anything is missing that emptiness is concluded from.

    A count taken for 0 because it was not sent could let a network be changed under running nodes.
    """
    if any(raw.get(key) is None for key in EMPTINESS_KEYS):
        return AllocationState.UNKNOWN
    return _word(raw, "allocationState", _ALLOCATION_STATES, AllocationState.UNKNOWN)


def _scale(raw: JsonObject) -> Scale:
    return Scale(
        current=NodeCounts(
            dedicated=counted(raw, "currentDedicatedNodes", 0),
            low_priority=counted(raw, "currentLowPriorityNodes", 0),
        ),
        target=NodeCounts(
            dedicated=counted(raw, "targetDedicatedNodes", 0),
            low_priority=counted(raw, "targetLowPriorityNodes", 0),
        ),
        resize_timeout=optional_text(raw, "resizeTimeout"),
        autoscale=boolean(raw, "enableAutoScale"),
        autoscale_formula=optional_text(raw, "autoScaleFormula"),
        autoscale_interval=optional_text(raw, "autoScaleEvaluationInterval"),
    )


def _moment(raw: JsonObject, key: str) -> datetime | None:
    """A time stamp with up to seven decimals, of which six are kept; without a zone it is UTC."""
    written = optional_text(raw, key)
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise wrong(key, "a time such as 2026-02-03T00:00:21.2341036Z", written) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _word(raw: JsonObject, key: str, known: Mapping[str, _Word], otherwise: _Word) -> _Word:
    written = optional_text(raw, key)
    return otherwise if written is None else known.get(written.lower(), otherwise)


def _without_case(resource_id: str) -> tuple[str, str]:
    return resource_id.lower(), resource_id
