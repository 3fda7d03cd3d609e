"""Whether a PATCH did what it should, seen on the pool as read again: an accepted request is not yet a changed pool.

Microsoft's documents do not say whether a PATCH merges or replaces below `networkConfiguration`, nor what an empty list
does, so nothing is taken on trust.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from batchaccess.core.declared import DesiredAccess
from batchaccess.core.desired import kept_endpoints
from batchaccess.core.drift import drift_between
from batchaccess.core.model import (
    InboundEndpoint,
    Network,
    ObservedPool,
)
from batchaccess.core.reasons import DriftClass
from batchaccess.core.status import Difference
from batchaccess.core.texts import shortened
from batchaccess.core.wire import folded, nat_pools_by_name, object_at

_KNOWN_KEYS: Final = frozenset(
    {
        "subnetId",
        "dynamicVNetAssignmentScope",
        "endpointConfiguration",
        "publicIPAddressConfiguration",
        "enableAcceleratedNetworking",
    }
)
_KNOWN_PUBLIC_KEYS: Final = frozenset({"provision", "ipAddressIds", "ipFamilies", "ipTags"})
_KNOWN_NAT_POOL_KEYS: Final = frozenset(
    {
        "name",
        "protocol",
        "backendPort",
        "frontendPortRangeStart",
        "frontendPortRangeEnd",
        "networkSecurityGroupRules",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The pool is as desired, and nothing else about its network changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnexpectedResult:
    """What is not as desired, or changed though it was not managed; never empty."""

    differences: tuple[Difference, ...]


Verification: TypeAlias = Verified | UnexpectedResult


def verify(before: ObservedPool, after: ObservedPool, *, desired: Network, access: DesiredAccess) -> Verification:
    """Compare a pool read after a PATCH with what it should be.

    Args:
        before: the pool from which the body was made.
        after: the pool as read again.
        desired: the network that the body described.
        access: what the policy manages; everything else has to be as it was.
    """
    differences = (
        *_not_as_desired(after.network, desired),
        *_unmanaged_fields(before.network, after.network, access),
        *_unknown_keys(before.raw_network or {}, after.raw_network or {}),
    )
    return UnexpectedResult(differences=differences) if differences else Verified()


def _not_as_desired(after: Network, desired: Network) -> Iterator[Difference]:
    for difference in drift_between(after, desired).differences:
        if difference.kind is not DriftClass.NEUTRAL:
            yield difference


def _unmanaged_fields(before: Network, after: Network, access: DesiredAccess) -> Iterator[Difference]:
    """Fields that drift does not see, or sees by meaning only, and that no one asked to change."""
    here = {endpoint.name.casefold(): endpoint for endpoint in after.endpoints}
    for endpoint in kept_endpoints(before, access.endpoints):
        found = here.get(endpoint.name.casefold())
        if found != endpoint:
            yield _changed(f"endpoints[{endpoint.name}]", _endpoint_text(endpoint), _endpoint_text(found))
    for field, old, new in _other_fields(before, after, access):
        if old != new:
            yield _changed(field, old, new)


def _other_fields(before: Network, after: Network, access: DesiredAccess) -> Iterator[tuple[str, object, object]]:
    yield "publicAddresses.ipFamilies", before.ip_families, after.ip_families
    yield "publicAddresses.ipTags", _tags(before), _tags(after)
    yield (
        "dynamicVNetAssignmentScope",
        before.dynamic_vnet_assignment_scope,
        after.dynamic_vnet_assignment_scope,
    )
    if access.subnet_id is None:
        yield "subnetId", _folded(before.subnet_id), _folded(after.subnet_id)
    if access.public_addresses is None:
        yield "publicAddresses.provisioning", before.provisioning, after.provisioning
        yield "publicAddresses.addressIds", folded(before.address_ids), folded(after.address_ids)
    if access.accelerated_networking is None:
        yield "acceleratedNetworking", before.accelerated_networking, after.accelerated_networking


def _tags(network: Network) -> frozenset[str]:
    return frozenset(f"{tag.type}={tag.tag}" for tag in network.ip_tags)


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _endpoint_text(endpoint: InboundEndpoint | None) -> str | None:
    if endpoint is None:
        return None
    rules = ", ".join(f"{rule.priority} {rule.access} {rule.source}" for rule in endpoint.rules)
    return f"{endpoint.protocol}/{endpoint.backend_port} on {endpoint.frontend}: {rules or 'no rules'}"


def _unknown_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Keys we do not know that are gone or different; one that was not there before may be a default and is let be."""
    yield from _lost(before, after, _KNOWN_KEYS, "networkConfiguration")
    yield from _lost(
        object_at(before, "publicIPAddressConfiguration"),
        object_at(after, "publicIPAddressConfiguration"),
        _KNOWN_PUBLIC_KEYS,
        "publicIPAddressConfiguration",
    )
    yield from _lost(
        object_at(before, "endpointConfiguration"),
        object_at(after, "endpointConfiguration"),
        frozenset({"inboundNATPools"}),
        "endpointConfiguration",
    )
    there = nat_pools_by_name(after)
    for name, pool in sorted(nat_pools_by_name(before).items()):
        if name in there:
            yield from _lost(pool, there[name], _KNOWN_NAT_POOL_KEYS, f"endpoints[{pool.get('name')}]")


def _lost(
    before: Mapping[str, Any], after: Mapping[str, Any], known: frozenset[str], where: str
) -> Iterator[Difference]:
    for key in sorted(before.keys() - known):
        if key not in after or after[key] != before[key]:
            yield _changed(f"{where}.{key}", before[key], after.get(key))


def _changed(field: str, before: object, after: object) -> Difference:
    return Difference(
        field=field,
        kind=DriftClass.CONFIGURATION,
        observed=_text(after),
        desired=_text(before),
    )


def _text(value: object) -> str:
    match value:
        case None:
            return "absent"
        case tuple() | frozenset():
            return shortened(", ".join(sorted(str(each) for each in value)) or "none")
        case _:
            return shortened(str(value))
