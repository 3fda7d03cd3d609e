"""What the source text of a rule stands for: literal addresses, or a service tag that holds nobody knows which.

Azure Batch takes a single IP address, a CIDR, `*`, or a service tag such as Internet or VirtualNetwork (REST document
"NetworkSecurityGroupRule"), without regard to case.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from batchaccess.core.addresses import ALL_ADDRESSES, AddressSet
from batchaccess.core.internet import PUBLIC_ADDRESSES

EVERYONE: Final = "*"
INTERNET: Final = "internet"
VIRTUAL_NETWORK: Final = "virtualnetwork"


@dataclass(frozen=True, slots=True)
class Tag:
    """A source whose addresses we cannot know, by its canonical (lower-case) name.

    That is a service tag, and also a text that is nothing Azure documents: it may match any source.
    """

    name: str


Source: TypeAlias = AddressSet | Tag

_CACHED_SOURCES: Final = 4096
"""More distinct sources than the rules of one account show; a bound, not a limit."""


@lru_cache(maxsize=_CACHED_SOURCES)
def parse_source(text: str) -> Source:
    """The literals a source text stands for, or its tag. Never fails: what cannot be read may match anything."""
    name = text.lower()
    if name == EVERYONE:
        return ALL_ADDRESSES
    if name == INTERNET:
        return PUBLIC_ADDRESSES
    try:
        return AddressSet.parse(text)
    except ValueError:
        return Tag(name)
