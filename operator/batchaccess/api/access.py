"""The network access that a policy declares, with the limits that Azure Batch sets to it.

Limits: REST documents "Pool - Add" and "Pool - Patch" of API version 2025-06-01, sections InboundNATPool and
NetworkSecurityGroupRule. Limits that need the live pool are in `core.limits`.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from batchaccess.api import grammar
from batchaccess.api.fields import EachOnce, Port, Source, Whole
from batchaccess.api.rules import ApiModel, Violation, refusal, refuse
from batchaccess.core.declared import Unlisted
from batchaccess.core.limits import (
    MAX_ENDPOINTS,
    MAX_FRONTEND_PORT,
    MAX_PRIORITY,
    MAX_RULES,
    MIN_FRONTEND_PORTS,
    MIN_PRIORITY,
    RESERVED_BACKEND_PORTS,
    RESERVED_FRONTEND_PORTS,
)

_MAX_SOURCE_PORT_RANGES: Final = 8


def _source_ports(text: str) -> str:
    if grammar.parse_source_ports(text) is None:
        raise refuse(
            f"'{text}' is no source port; write *, a port, or a range such as 1024-65535, within 0-65535",
        )
    return text


def _no_overlap(texts: list[str]) -> list[str]:
    ranges = sorted(ports for text in texts if (ports := grammar.parse_source_ports(text)) is not None)
    if any(earlier.end >= later.start for earlier, later in combinations(ranges, 2)):
        raise refuse("sourcePortRanges must not overlap, and * must stand alone")
    return texts


def _backend_port(port: int) -> int:
    if port in RESERVED_BACKEND_PORTS:
        raise refuse(
            "backendPort must not be 29876 or 29877, which Batch keeps for itself; choose another port",
        )
    return port


def _endpoint_name(name: str) -> str:
    if not grammar.is_endpoint_name(name):
        raise refuse(
            "name may have letters, digits, _ . and - only, must begin with a letter or digit and end with a letter, "
            "digit or _"
        )
    return name


def _subnet_id(text: str) -> str:
    if not grammar.is_subnet_id(text):
        raise refuse(
            "subnetId must be a resource id such as "
            "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/virtualNetworks/<network>/subnets/<name>"
        )
    return text


def _address_id(text: str) -> str:
    if not grammar.is_address_id(text):
        raise refuse(
            "must be a resource id such as "
            "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/publicIPAddresses/<name>"
        )
    return text


FrontendPort: TypeAlias = Annotated[Whole, Field(ge=1, le=MAX_FRONTEND_PORT)]
SourcePorts: TypeAlias = Annotated[str, Field(min_length=1, max_length=11), AfterValidator(_source_ports)]
EndpointName: TypeAlias = Annotated[str, Field(min_length=1, max_length=77), AfterValidator(_endpoint_name)]
ResourceId: TypeAlias = Annotated[str, Field(min_length=1, max_length=512)]


class RuleSpec(ApiModel):
    """One network security group rule, sent as it is."""

    priority: Annotated[Whole, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)]
    access: Literal["Allow", "Deny"]
    source_address_prefix: Source
    source_port_ranges: Annotated[
        list[SourcePorts], Field(min_length=1, max_length=_MAX_SOURCE_PORT_RANGES), AfterValidator(_no_overlap)
    ] = Field(default_factory=lambda: [grammar.ANYONE])


def _priorities_once(rules: list[RuleSpec]) -> list[RuleSpec]:
    priorities = [rule.priority for rule in rules]
    repeated = [index for index, priority in enumerate(priorities) if priority in priorities[:index]]
    if repeated:
        raise refusal(
            Violation((index,), f"priority {priorities[index]} is used twice; give each rule one of its own")
            for index in repeated
        )
    return rules


class FrontendPortsSpec(ApiModel):
    """Ports of the public address, one for each node."""

    start: FrontendPort
    end: FrontendPort

    def violations(self) -> Iterator[Violation]:
        """Large enough, and clear of what the service reserves."""
        if self.end < self.start + MIN_FRONTEND_PORTS - 1:
            yield Violation((), "frontendPorts must hold at least 40 ports: end must be at least start + 39")
        if self.end >= RESERVED_FRONTEND_PORTS.start and self.start <= RESERVED_FRONTEND_PORTS.end:
            yield Violation(
                (),
                "frontendPorts must not touch 50000-55000, which Batch keeps for itself; end below 50000 or start "
                "above 55000",
            )


class EndpointSpec(ApiModel):
    """One endpoint: an inbound NAT pool, and who is let in."""

    name: EndpointName
    protocol: Literal["TCP", "UDP"] = "TCP"
    backend_port: Annotated[Port, AfterValidator(_backend_port)]
    frontend_ports: FrontendPortsSpec
    allow_from: Annotated[EachOnce[Source], Field(max_length=MAX_RULES - 1)] | None = None
    rules: (
        Annotated[list[RuleSpec], Field(min_length=1, max_length=MAX_RULES), AfterValidator(_priorities_once)] | None
    ) = None

    @property
    def rule_count(self) -> int:
        """Rules the endpoint needs; sources need one each and a final Deny."""
        return len(self.rules) if self.rules is not None else len(self.allow_from or ()) + 1

    def violations(self) -> Iterator[Violation]:
        """One way of saying who is let in."""
        if (self.allow_from is None) == (self.rules is None):
            yield Violation((), "give exactly one of allowFrom and rules; to close the endpoint, write allowFrom: []")


class EndpointsSpec(ApiModel):
    """The declared endpoints, and what becomes of others."""

    unlisted: Annotated[Unlisted, Field(strict=False)] = Unlisted.REMOVE
    items: Annotated[list[EndpointSpec], Field(max_length=MAX_ENDPOINTS)]

    def violations(self) -> Iterator[Violation]:
        """What must not occur twice in a pool, and the number of rules over all of it."""
        names = [item.name for item in self.items]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Violation(("items", index), f"name {name} is used twice; names are unique in a pool")
        if len({name.lower() for name in names}) < len(set(names)):
            yield _in_items("two items have names that differ in case only; Azure takes them for one")
        yield from _shared_ports(self.items)
        if sum(item.rule_count for item in self.items) > MAX_RULES:
            yield _in_items(
                "the items need more than 25 rules, the limit of a pool (allowFrom needs one for each source and a "
                "final Deny); merge sources into wider prefixes"
            )
        if any(_priorities(one) & _priorities(other) for one, other in combinations(self.items, 2)):
            yield _in_items("rules of two items have the same priority; priorities are unique in the whole pool")


def _in_items(message: str) -> Violation:
    return Violation(("items",), message)


def _shared_ports(items: Sequence[EndpointSpec]) -> Iterator[Violation]:
    if len({item.backend_port for item in items}) < len(items):
        yield _in_items(
            "two items have the same backendPort; a pool maps each backend port once, for TCP and UDP alike"
        )
    frontends = [item.frontend_ports for item in items]
    if any(one.start <= other.end and other.start <= one.end for one, other in combinations(frontends, 2)):
        yield _in_items("frontendPorts of two items overlap; give each item a range of its own, for TCP and UDP alike")


def _priorities(item: EndpointSpec) -> set[int]:
    return {rule.priority for rule in item.rules or ()}


class PublicAddressesSpec(ApiModel):
    """Where the public IP addresses come from."""

    provisioning: Literal["BatchManaged", "UserManaged", "NoPublicIPAddresses"]
    address_ids: Annotated[EachOnce[Annotated[ResourceId, AfterValidator(_address_id)]], Field(max_length=64)] = Field(
        default_factory=list
    )

    def violations(self) -> Iterator[Violation]:
        """Addresses of the user's own go with UserManaged only."""
        if self.provisioning == "UserManaged" and not self.address_ids:
            yield Violation((), "addressIds must name at least one public IP address with provisioning UserManaged")
        if self.provisioning != "UserManaged" and self.address_ids:
            yield Violation(
                (),
                f"addressIds must be absent or empty with provisioning {self.provisioning}; only UserManaged uses them",
            )


class AccessSpec(ApiModel):
    """The network access declared; what is absent is not managed."""

    endpoints: EndpointsSpec | None = None
    public_addresses: PublicAddressesSpec | None = None
    subnet_id: Annotated[ResourceId, AfterValidator(_subnet_id)] | None = None
    accelerated_networking: bool | None = None

    def violations(self) -> Iterator[Violation]:
        """Without public addresses there is nothing to map ports to."""
        if self.public_addresses is None or self.public_addresses.provisioning != "NoPublicIPAddresses":
            return
        declared = self.endpoints
        if declared is None or declared.items or declared.unlisted is not Unlisted.REMOVE:
            yield Violation(
                (),
                "publicAddresses.provisioning NoPublicIPAddresses permits no inbound endpoints; also set "
                "endpoints.items to [] and endpoints.unlisted to Remove",
            )
