"""One source as it is given on the command line: `8.8.8.8`, `8.8.8.8:40000`, `2001:db8::1`, `[2001:db8::1]:40000`."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from batchaccess.core.addresses import Address

_WITH_PORT: Final = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<ipv4>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")
_MOST_PORT: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSource:
    """An address, and the source port that packets come from; None if any will do."""

    address: Address
    port: int | None = None

    def __str__(self) -> str:
        """As it may be given again."""
        if self.port is None:
            return str(self.address)
        shown = f"[{self.address}]" if isinstance(self.address, IPv6Address) else str(self.address)
        return f"{shown}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "GivenSource":
        """Read it.

        Raises:
            ValueError: it is neither an address nor an address and a port.
        """
        found = _WITH_PORT.fullmatch(text)
        if found is None:
            return cls(address=_address(text))
        port = None if found["port"] is None else int(found["port"])
        if port is not None and port > _MOST_PORT:
            raise ValueError(f"{port} is no port: they go up to {_MOST_PORT}")
        address = _address(found["ipv6"] or found["ipv4"])
        if found["ipv6"] is not None and isinstance(address, IPv4Address):
            raise ValueError(f"{text!r}: brackets are for IPv6 addresses")
        return cls(address=address, port=port)


def _address(text: str) -> Address:
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no IP address: write it as 203.0.113.7 or [2001:db8::1]:40000") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError(f"{text!r} has a zone, which no rule can name")
    return address
