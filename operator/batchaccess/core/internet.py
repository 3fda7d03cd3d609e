"""Which literal addresses the tag and zone `Internet` holds.

Azure describes the service tag Internet as the address space outside the virtual network that the public Internet
reaches. For a literal address we take that as: not in a block which the IANA special-purpose address registries (IPv4
and IPv6, RFC 6890 and its successors) mark "Globally Reachable: False", and no multicast address, which is never the
source of a packet. What a virtual network uses inside is not known here.
"""

from functools import reduce
from operator import or_
from typing import Final

from batchaccess.core.addresses import AddressSet

NOT_GLOBALLY_REACHABLE: Final = (
    "0.0.0.0/8",  # this network (RFC 791)
    "10.0.0.0/8",  # private use (RFC 1918)
    "100.64.0.0/10",  # shared address space of carriers (RFC 6598)
    "127.0.0.0/8",  # loopback (RFC 1122)
    "169.254.0.0/16",  # link local (RFC 3927)
    "172.16.0.0/12",  # private use (RFC 1918)
    "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
    "192.0.2.0/24",  # documentation (RFC 5737)
    "192.168.0.0/16",  # private use (RFC 1918)
    "198.18.0.0/15",  # benchmarking (RFC 2544)
    "198.51.100.0/24",  # documentation (RFC 5737)
    "203.0.113.0/24",  # documentation (RFC 5737)
    "240.0.0.0/4",  # reserved, and limited broadcast (RFC 1112, RFC 919)
    "::/128",  # unspecified (RFC 4291)
    "::1/128",  # loopback (RFC 4291)
    "::ffff:0:0/96",  # IPv4-mapped (RFC 4291)
    "64:ff9b:1::/48",  # local-use translation (RFC 8215)
    "100::/64",  # discard only (RFC 6666)
    "100:0:0:1::/64",  # dummy prefix (RFC 9780)
    "2001::/23",  # IETF protocol assignments (RFC 2928)
    "2001:db8::/32",  # documentation (RFC 3849)
    "3fff::/20",  # documentation (RFC 9637)
    "5f00::/16",  # segment routing (RFC 9602)
    "fc00::/7",  # unique local (RFC 4193)
    "fe80::/10",  # link local (RFC 4291)
)

REACHABLE_WITHIN: Final = (
    "192.0.0.9/32",  # port control protocol anycast (RFC 7723)
    "192.0.0.10/32",  # TURN anycast (RFC 8155)
    "2001::/32",  # Teredo: registry says not applicable (RFC 4380)
    "2001:1::1/128",  # port control protocol anycast (RFC 7723)
    "2001:1::2/128",  # TURN anycast (RFC 8155)
    "2001:1::3/128",  # DNS-SD registration anycast (RFC 9665)
    "2001:3::/32",  # AMT (RFC 7450)
    "2001:4:112::/48",  # AS112 (RFC 7535)
    "2001:10::/28",  # ORCHID, deprecated: registry says not applicable (RFC 4843)
    "2001:20::/28",  # ORCHIDv2 (RFC 7343)
    "2001:30::/28",  # drone remote identification (RFC 9374)
)
"""More specific entries of the registries, inside the blocks above, that are not marked False."""

MULTICAST: Final = ("224.0.0.0/4", "ff00::/8")


def _together(blocks: tuple[str, ...]) -> AddressSet:
    return reduce(or_, map(AddressSet.parse, blocks))


PUBLIC_ADDRESSES: Final = (
    (_together(NOT_GLOBALLY_REACHABLE) - _together(REACHABLE_WITHIN)) | _together(MULTICAST)
).complement()
"""Every public literal."""
