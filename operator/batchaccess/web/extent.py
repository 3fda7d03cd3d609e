"""How much of the Internet gets into a pool: one office and everybody are both reachable, and not the same."""

from dataclasses import dataclass
from typing import Final

from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import IpFamily, JsonObject
from batchaccess.core.rules import evaluate
from batchaccess.web.parts import plural
from batchaccess.web.storedjson import entries_in, flag_in, text_in
from batchaccess.web.storednetwork import families_in, rules_in

_ASSIGNED: Final = PUBLIC_ADDRESSES & (AddressSet.of_families((IpFamily.IPV4,)) | AddressSet.parse("2000::/3"))
"""Public addresses that somebody can have: of IPv6, IANA has given out nothing but parts of 2000::/3 (RFC 4291)."""

_ALL: Final = {family: _ASSIGNED.size(family) for family in IpFamily}
_NETWORK: Final = 2**64
"""Addresses of one IPv6 network: what a single household or office has."""

_NEARLY: Final = 0.99
_MILLION: Final = 1_000_000
_BILLION: Final = 1000 * _MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many public addresses get in somewhere, by family. `families` are those that the pool has."""

    ipv4: int = 0
    ipv6: int = 0
    families: tuple[IpFamily, ...] = (IpFamily.IPV4,)

    @property
    def rank(self) -> int:
        """The more get in the higher; an IPv6 network counts as one address, and a whole family as everybody."""
        if any(self._share(family) == 1 for family in self.families):
            return _ALL[IpFamily.IPV6]
        return self.ipv4 + -(-self.ipv6 // _NETWORK)

    @property
    def words(self) -> str:
        """`anyone`, `256 addresses`, `anyone over IPv6`; empty if nobody gets in."""
        parts = {family: self._words_of(family) for family in self.families if self._count(family)}
        if not parts:
            return ""
        if len(set(parts.values())) == 1 and len(parts) == len(self.families):
            return next(iter(parts.values()))
        return " and ".join(
            f"{words} over {family.value}" if self._share(family) >= _NEARLY else words
            for family, words in parts.items()
        )

    def _count(self, family: IpFamily) -> int:
        return self.ipv4 if family is IpFamily.IPV4 else self.ipv6

    def _share(self, family: IpFamily) -> float:
        return self._count(family) / _ALL[family]

    def _words_of(self, family: IpFamily) -> str:
        count = self._count(family)
        if count == _ALL[family]:
            return "anyone"
        if self._share(family) >= _NEARLY:
            return "nearly anyone"
        if family is IpFamily.IPV4:
            return _counted(count, "address", "addresses")
        if count < _NETWORK:
            return "1 IPv6 address" if count == 1 else "part of an IPv6 network"
        return _counted(count // _NETWORK, "IPv6 network", "IPv6 networks")


NOBODY: Final = Extent()


def extent_of(network: JsonObject) -> Extent:
    """What gets in by those endpoints of a stored network that are said to be open to the Internet."""
    families = families_in(network)
    everything = AddressSet.of_families(families)
    admitted = NO_ADDRESSES
    for endpoint in entries_in(network, "endpoints"):
        if text_in(endpoint, "internet") == "Open":
            rules = () if flag_in(endpoint, "implicit") else rules_in(endpoint)
            admitted |= everything if not rules else evaluate(rules, families).open_sources
    public = admitted & _ASSIGNED
    return Extent(ipv4=public.size(IpFamily.IPV4), ipv6=public.size(IpFamily.IPV6), families=families)


def _counted(count: int, one: str, many: str) -> str:
    if count < _MILLION:
        return plural(count, one, many)
    number, unit = (count / _MILLION, "million") if count < _BILLION else (count / _BILLION, "billion")
    return f"{number:,.1f} {unit} {many}"
