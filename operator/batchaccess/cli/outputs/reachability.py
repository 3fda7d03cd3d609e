"""Who reaches an endpoint, as documents for machines and as words for people; the same wherever it is shown."""

from typing import Any, Final, assert_never

from rich.text import Text

from batchaccess.core.addresses import AddressSet
from batchaccess.core.explain import admits, because
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    ALL_PORTS,
    IpFamily,
    PortRange,
    Rule,
)
from batchaccess.core.reachability import BackendPort, EndpointReachability
from batchaccess.core.zones import Verdict, ZoneVerdict

_LARGE: Final = 10**15


def endpoint_document(endpoint: EndpointReachability) -> dict[str, Any]:
    """An endpoint and who reaches it."""
    return {
        "name": endpoint.name,
        "protocol": endpoint.protocol.value,
        "backendPort": endpoint.backend_port,
        "frontendPorts": ports_document(endpoint.frontend),
        "implicit": endpoint.implicit,
        "admits": admits(endpoint),
        "publicAddresses": counts_document(admitted_public(endpoint)),
        "internet": verdict_document(endpoint.internet),
        "virtualNetwork": verdict_document(endpoint.virtual_network),
    }


def ports_document(ports: PortRange | None) -> dict[str, int] | None:
    """A range of ports, both ends included."""
    return None if ports is None else {"start": ports.start, "end": ports.end}


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict with its witness."""
    rule = verdict.witness.rule
    return {
        "verdict": verdict.value.value,
        "why": verdict.witness.why.value,
        "because": because(verdict),
        "example": verdict.witness.example,
        "rule": None if rule is None else rule_document(rule),
    }


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as the Batch service names its parts."""
    return {
        "priority": rule.priority,
        "access": rule.access.value,
        "sourceAddressPrefix": rule.source,
        "sourcePortRanges": ["*" if ports == ALL_PORTS else str(ports) for ports in rule.source_ports],
    }


def counts_document(sources: AddressSet) -> dict[str, Any]:
    """Numbers of addresses; that of IPv6 as text, since most readers of JSON cannot hold it as a number."""
    return {"ipv4": sources.size(IpFamily.IPV4), "ipv6": str(sources.size(IpFamily.IPV6))}


def admitted_public(endpoint: EndpointReachability) -> AddressSet:
    """The public addresses that are let in for certain."""
    if endpoint.internet.value is not ZoneVerdict.OPEN:
        return AddressSet()
    return endpoint.function.open_sources & PUBLIC_ADDRESSES


def port_text(endpoint: EndpointReachability) -> str:
    """What is reached: `TCP/22`."""
    return str(BackendPort(endpoint.protocol, endpoint.backend_port))


def count_text(sources: AddressSet) -> str:
    """Numbers of addresses as people read them: `256`, `3,702,258,432`, `256 and 4.3e+37 IPv6`."""
    parts = []
    if ipv4 := sources.size(IpFamily.IPV4):
        parts.append(f"{ipv4:,}")
    if ipv6 := sources.size(IpFamily.IPV6):
        parts.append(f"{ipv6:,} IPv6" if ipv6 < _LARGE else f"{ipv6:.1e} IPv6")
    return " and ".join(parts) or "0"


def verdict_text(value: ZoneVerdict) -> Text:
    """A verdict in the color of its danger."""
    match value:
        case ZoneVerdict.OPEN:
            style = "bold red"
        case ZoneVerdict.UNDETERMINED:
            style = "yellow"
        case ZoneVerdict.CLOSED:
            style = "green"
        case ZoneVerdict.NOT_APPLICABLE:
            style = "dim"
        case _:
            assert_never(value)
    return Text(value.value, style=style)
