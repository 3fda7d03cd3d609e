"""From a pool to the access that declares exactly what it has, so that adopting it changes nothing.

Rules are taken over verbatim. An endpoint without rules, which admits everyone, is declared as `allowFrom: ["*"]`: it
says what is so, and compiles to rules that admit the same.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from batchaccess.core.declared import (
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    DesiredPublicAddresses,
    Unlisted,
)
from batchaccess.core.desired import ANYONE
from batchaccess.core.model import Access, InboundEndpoint, Network, Protocol, Provisioning


class Part(StrEnum):
    """A part of the access that may have to be left to the pool."""

    PUBLIC_ADDRESSES = "publicAddresses"
    SUBNET = "subnetId"


@dataclass(frozen=True, slots=True, kw_only=True)
class Omission:
    """Something that a policy cannot declare: an endpoint by its name, or a part; and why."""

    what: str
    why: str


_UNKNOWN_WORD: Final = "the service answered a word that this version does not know"


def declared_access(network: Network, *, leave_out: Collection[str] = ()) -> DesiredAccess:
    """What a policy declares to keep a network as it is.

    Where endpoints are left out, unlisted ones are kept, so that they stay as they are too.

    Args:
        network: the network of the pool.
        leave_out: names of endpoints, and parts, that cannot be declared.
    """
    declared = [endpoint for endpoint in network.endpoints if endpoint.name not in leave_out]
    whole = len(declared) == len(network.endpoints)
    public = DesiredPublicAddresses(provisioning=network.provisioning, address_ids=network.address_ids)
    return DesiredAccess(
        endpoints=DesiredEndpoints(
            unlisted=Unlisted.REMOVE if whole else Unlisted.KEEP, items=tuple(_item(each) for each in declared)
        ),
        public_addresses=None if Part.PUBLIC_ADDRESSES in leave_out else public,
        subnet_id=None if Part.SUBNET in leave_out else network.subnet_id,
        accelerated_networking=network.accelerated_networking,
    )


def _item(endpoint: InboundEndpoint) -> DesiredEndpoint:
    return DesiredEndpoint(
        name=endpoint.name,
        protocol=endpoint.protocol,
        backend_port=endpoint.backend_port,
        frontend=endpoint.frontend,
        allow_from=None if endpoint.rules else (ANYONE,),
        rules=endpoint.rules or None,
    )


def inexpressible(network: Network) -> Iterator[Omission]:
    """What no policy can declare, since this version has no word for it."""
    if network.provisioning is Provisioning.UNKNOWN:
        yield Omission(what=Part.PUBLIC_ADDRESSES, why=f"{_UNKNOWN_WORD} as provisioning")
    for endpoint in network.endpoints:
        if endpoint.protocol is Protocol.UNKNOWN:
            yield Omission(what=endpoint.name, why=f"{_UNKNOWN_WORD} as protocol")
        elif any(rule.access is Access.UNKNOWN for rule in endpoint.rules):
            yield Omission(what=endpoint.name, why=f"{_UNKNOWN_WORD} as access of a rule")
