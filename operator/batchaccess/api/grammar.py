"""The written forms of single values: addresses, sources, ports, names and resource ids.

Each predicate has a counterpart in the CEL rules of the CRDs. `isIP` and `isCIDR` there read as Go's netip does,
without zones and without IPv4 dressed as IPv6 (Kubernetes documentation, CEL "IP address library").
"""

import ipaddress
import re
from typing import Final

from batchaccess.core.limits import MAX_PORT
from batchaccess.core.model import (
    ALL_PORTS,
    PortRange,
)

ANYONE: Final = "*"

_PREFIX_LENGTH: Final = re.compile(r"0|[1-9][0-9]*")
_SERVICE_TAG: Final = re.compile(r"[A-Za-z][0-9A-Za-z]*(\.[0-9A-Za-z]+)?")
_SOURCE_PORTS: Final = re.compile(r"(0|[1-9][0-9]{0,4})(-(0|[1-9][0-9]{0,4}))?")
_ENDPOINT_NAME: Final = re.compile(r"[0-9A-Za-z]([0-9A-Za-z_.-]*[0-9A-Za-z_])?")
_HTTPS_ENDPOINT: Final = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?")
_LOOPBACK_ENDPOINT: Final = re.compile(r"http://(([a-z0-9-]+[.])*localhost|127[.]0[.]0[.]1|\[::1\])(:[1-9][0-9]{0,4})?")
_SEGMENT: Final = r"[^/\t\n\f\r ]+"
_NETWORK_PROVIDER: Final = rf"/subscriptions/{_SEGMENT}/resourceGroups/{_SEGMENT}/providers/Microsoft\.Network"
_SUBNET_ID: Final = re.compile(rf"(?i){_NETWORK_PROVIDER}/virtualNetworks/{_SEGMENT}/subnets/{_SEGMENT}")
_ADDRESS_ID: Final = re.compile(rf"(?i){_NETWORK_PROVIDER}/publicIPAddresses/{_SEGMENT}")


def is_ip(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text and not (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped)


def is_cidr(text: str) -> bool:
    """Whether `text` is an address and a prefix length; bits behind the prefix may be set."""
    address, _, length = text.partition("/")
    if not _PREFIX_LENGTH.fullmatch(length) or not is_ip(address):
        return False
    return int(length) <= ipaddress.ip_address(address).max_prefixlen


def is_source(text: str) -> bool:
    """Whether a rule may name `text` as its source: an address, a CIDR, `*`, or what looks like a service tag.

    Azure adds service tags at any time, so there is no list of them; a host name has more dots or hyphens.
    """
    return text == ANYONE or is_ip(text) or is_cidr(text) or _SERVICE_TAG.fullmatch(text) is not None


def parse_source_ports(text: str) -> PortRange | None:
    """The source ports of `*`, `22` or `1024-65535`; None if `text` is nothing of the kind."""
    if text == ANYONE:
        return ALL_PORTS
    if not _SOURCE_PORTS.fullmatch(text):
        return None
    first, _, last = text.partition("-")
    ports = PortRange(int(first), int(last or first))
    return ports if ports.start <= ports.end <= MAX_PORT else None


def not_five_fields(schedule: str) -> str:
    """What is wrong with a schedule that has too few or too many fields, and how one looks."""
    fields = "minute, hour, day, month, weekday"
    return f"'{schedule}' is no cron expression: write five fields ({fields}), such as 0 2 * * SAT"


def source_ports_text(ports: PortRange) -> str:
    """Source ports as users write them."""
    return ANYONE if ports == ALL_PORTS else str(ports)


def is_endpoint_name(text: str) -> bool:
    """Whether an inbound NAT pool may have this name, its length apart."""
    return _ENDPOINT_NAME.fullmatch(text) is not None


def is_account_endpoint(text: str) -> bool:
    """Whether `text` is https and a bare lower-case host, or plain http to the loopback interface."""
    return _HTTPS_ENDPOINT.fullmatch(text) is not None or _LOOPBACK_ENDPOINT.fullmatch(text) is not None


def is_subnet_id(text: str) -> bool:
    """Whether `text` has the form of a subnet's resource id."""
    return _SUBNET_ID.fullmatch(text) is not None


def is_address_id(text: str) -> bool:
    """Whether `text` has the form of a public IP address's resource id."""
    return _ADDRESS_ID.fullmatch(text) is not None
