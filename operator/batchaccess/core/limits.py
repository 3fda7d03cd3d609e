"""The limits the Batch service sets to a network configuration, checked before anything is sent.

CRDs refuse what a policy alone gets wrong. What only shows together with the live pool (endpoints kept, a subnet
missing, tags of addresses) is found here, on the merged network. Sources: REST documents "Pool - Patch" and "Pool -
Add" of API version 2025-06-01, and "Create a simplified node communication pool without public IP addresses".
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from batchaccess.core.model import (
    InboundEndpoint,
    IpFamily,
    Network,
    PortRange,
    Provisioning,
    Rule,
)

MAX_ENDPOINTS: Final = 5
MAX_RULES: Final = 25
MIN_PRIORITY: Final = 150
MAX_PRIORITY: Final = 4096
MIN_FRONTEND_PORTS: Final = 40
MAX_FRONTEND_PORT: Final = 65534
MAX_PORT: Final = 65535
RESERVED_BACKEND_PORTS: Final = (29876, 29877)
RESERVED_FRONTEND_PORTS: Final = PortRange(50000, 55000)

_WITHOUT_OWN_ADDRESSES: Final = (Provisioning.BATCH_MANAGED, Provisioning.NO_PUBLIC_IP_ADDRESSES)
_WITHOUT_BATCH_ADDRESSES: Final = (Provisioning.USER_MANAGED, Provisioning.NO_PUBLIC_IP_ADDRESSES)
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,75}[A-Za-z0-9_])?")
_SERVICE_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Violation:
    """One limit that a network breaks: where, and which limit with its remedy."""

    field: str
    message: str

    def __str__(self) -> str:
        """One sentence that starts with the field."""
        return f"{self.field}: {self.message}"


def limit_violations(network: Network) -> tuple[Violation, ...]:
    """Every limit of the service that `network` breaks, sorted by field; empty if the service should accept it."""
    found = [
        *_endpoint_counts(network.endpoints),
        *_unique_names(network.endpoints),
        *_unique_backend_ports(network.endpoints),
        *_separate_frontends(network.endpoints),
        *_unique_priorities(network.endpoints),
        *_public_addresses(network),
        *_virtual_network(network),
    ]
    for endpoint in network.endpoints:
        found.extend(_endpoint(endpoint))
    return tuple(sorted(found))


def _endpoint_counts(endpoints: Sequence[InboundEndpoint]) -> Iterator[Violation]:
    if len(endpoints) > MAX_ENDPOINTS:
        yield Violation(
            field="endpoints",
            message=f"{len(endpoints)} endpoints, a pool has at most {MAX_ENDPOINTS}; remove some, or do not keep "
            "unlisted ones",
        )
    total = sum(len(endpoint.rules) for endpoint in endpoints)
    if total > MAX_RULES:
        yield Violation(
            field="endpoints",
            message=f"{total} rules over all endpoints, a pool has at most {MAX_RULES}; allow fewer or wider sources "
            "(each endpoint with allowFrom also needs one rule that denies the rest)",
        )


def _unique_names(endpoints: Sequence[InboundEndpoint]) -> Iterator[Violation]:
    for name, count in sorted(Counter(endpoint.name.casefold() for endpoint in endpoints).items()):
        if count > 1:
            yield Violation(
                field=f"endpoints[{_first_spelling(endpoints, name)}].name",
                message=f"{count} endpoints have this name; names are unique in a pool, whatever their case",
            )


def _first_spelling(endpoints: Sequence[InboundEndpoint], folded: str) -> str:
    return min(endpoint.name for endpoint in endpoints if endpoint.name.casefold() == folded)


def _unique_backend_ports(endpoints: Sequence[InboundEndpoint]) -> Iterator[Violation]:
    by_port = sorted(endpoints, key=lambda endpoint: (endpoint.backend_port, endpoint.name))
    for earlier, later in pairwise(by_port):
        if earlier.backend_port == later.backend_port:
            yield Violation(
                field=f"endpoints[{later.name}].backendPort",
                message=f"{later.backend_port} is the backend port of endpoint {earlier.name} already; backend ports "
                "are unique in a pool, TCP and UDP alike",
            )


def _separate_frontends(endpoints: Sequence[InboundEndpoint]) -> Iterator[Violation]:
    by_start = sorted(endpoints, key=lambda endpoint: (endpoint.frontend, endpoint.name))
    widest: InboundEndpoint | None = None
    for endpoint in by_start:
        if widest is not None and endpoint.frontend.start <= widest.frontend.end:
            yield Violation(
                field=f"endpoints[{endpoint.name}].frontendPorts",
                message=f"{endpoint.frontend} overlaps {widest.frontend} of endpoint {widest.name}; choose ports "
                "that no other endpoint uses",
            )
        if widest is None or endpoint.frontend.end > widest.frontend.end:
            widest = endpoint


def _unique_priorities(endpoints: Sequence[InboundEndpoint]) -> Iterator[Violation]:
    owner: dict[int, str] = {}
    for endpoint in endpoints:
        for index, rule in enumerate(endpoint.rules):
            if rule.priority in owner:
                yield Violation(
                    field=f"endpoints[{endpoint.name}].rules[{index}].priority",
                    message=f"{rule.priority} is used by a rule of endpoint {owner[rule.priority]} already; "
                    "priorities are unique over all endpoints of a pool",
                )
            owner.setdefault(rule.priority, endpoint.name)


def _endpoint(endpoint: InboundEndpoint) -> Iterator[Violation]:
    where = f"endpoints[{endpoint.name}]"
    if not _NAME.fullmatch(endpoint.name):
        yield Violation(
            field=f"{where}.name",
            message="a name has at most 77 letters, digits, '_', '.' and '-', starts with a letter or digit and ends "
            "with a letter, digit or '_'",
        )
    if not 1 <= endpoint.backend_port <= MAX_PORT or endpoint.backend_port in RESERVED_BACKEND_PORTS:
        yield Violation(
            field=f"{where}.backendPort",
            message=f"{endpoint.backend_port} is not between 1 and {MAX_PORT} or is reserved by the service "
            "(29876 and 29877 are)",
        )
    yield from _frontend(f"{where}.frontendPorts", endpoint.frontend)
    for index, rule in enumerate(endpoint.rules):
        yield from _rule(f"{where}.rules[{index}]", rule)


def _frontend(where: str, ports: PortRange) -> Iterator[Violation]:
    if not 1 <= ports.start <= ports.end <= MAX_FRONTEND_PORT:
        yield Violation(
            field=where, message=f"{ports} is not a range from low to high between 1 and {MAX_FRONTEND_PORT}"
        )
    elif ports.end - ports.start + 1 < MIN_FRONTEND_PORTS:
        yield Violation(field=where, message=f"{ports} holds fewer than {MIN_FRONTEND_PORTS} ports; widen it")
    if _overlap(ports, RESERVED_FRONTEND_PORTS):
        yield Violation(
            field=where,
            message=f"{ports} reaches into {RESERVED_FRONTEND_PORTS}, which the service reserves; choose ports "
            "outside of it",
        )


def _rule(where: str, rule: Rule) -> Iterator[Violation]:
    if not MIN_PRIORITY <= rule.priority <= MAX_PRIORITY:
        yield Violation(
            field=f"{where}.priority",
            message=f"{rule.priority} is not between {MIN_PRIORITY} and {MAX_PRIORITY}",
        )
    if not _is_source(rule.source):
        yield Violation(
            field=f"{where}.sourceAddressPrefix",
            message=f"{rule.source!r} is neither an IP address, a CIDR, '*' nor a service tag",
        )
    if _any_invalid(rule.source_ports) or _any_overlap(rule.source_ports):
        yield Violation(
            field=f"{where}.sourcePortRanges",
            message=f"source ports are '*', a port or a range within 0-{MAX_PORT}, and do not overlap",
        )


def _is_source(text: str) -> bool:
    if text == "*" or _SERVICE_TAG.fullmatch(text):
        return True
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _any_invalid(ranges: Iterable[PortRange]) -> bool:
    return any(not 0 <= ports.start <= ports.end <= MAX_PORT for ports in ranges)


def _any_overlap(ranges: Iterable[PortRange]) -> bool:
    return any(_overlap(earlier, later) for earlier, later in pairwise(sorted(ranges)))


def _overlap(one: PortRange, other: PortRange) -> bool:
    return one.start <= other.end and other.start <= one.end


def _public_addresses(network: Network) -> Iterator[Violation]:
    where = "publicAddresses"
    if network.provisioning is Provisioning.NO_PUBLIC_IP_ADDRESSES:
        if network.endpoints:
            names = ", ".join(endpoint.name for endpoint in network.endpoints)
            yield Violation(
                field=f"{where}.provisioning",
                message=f"a pool without public IP addresses has no endpoints, but {names} would be there; declare "
                "endpoints with no items and unlisted: Remove",
            )
        if network.subnet_id is None:
            yield Violation(
                field=f"{where}.provisioning",
                message="a pool without public IP addresses needs a subnet; declare subnetId",
            )
    if network.provisioning is Provisioning.USER_MANAGED and not network.address_ids:
        yield Violation(
            field=f"{where}.addressIds", message="UserManaged needs at least one public IP address; list its id"
        )
    if network.provisioning in _WITHOUT_OWN_ADDRESSES and network.address_ids:
        yield Violation(
            field=f"{where}.addressIds",
            message=f"public IP addresses are listed only with UserManaged, not with {network.provisioning}",
        )
    if network.provisioning in _WITHOUT_BATCH_ADDRESSES and network.ip_tags:
        yield Violation(
            field=f"{where}.provisioning",
            message="the pool has IP tags, which only public addresses made by Batch can have; keep BatchManaged",
        )
    if IpFamily.IPV4 not in network.ip_families:
        yield Violation(field=f"{where}.ipFamilies", message="IP families are IPv4 alone or IPv4 with IPv6")


def _virtual_network(network: Network) -> Iterator[Violation]:
    if network.dynamic_vnet_assignment_scope.casefold() == "job" and network.subnet_id is None:
        yield Violation(
            field="subnetId", message="a pool that assigns virtual networks per job needs a subnet; declare subnetId"
        )
