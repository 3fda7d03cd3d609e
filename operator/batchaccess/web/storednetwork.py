"""Stored endpoints as values that the core can compute with; what cannot be understood is left out."""

from typing import Final

from batchaccess.core.model import ALL_PORTS, Access, IpFamily, JsonObject, PortRange, Provisioning, Rule
from batchaccess.web.storedjson import entries_in, number_in, text_in, texts_in

_ACCESSES: Final = {each.value: each for each in Access}
_PROVISIONINGS: Final = {each.value: each for each in Provisioning}


def families_in(network: JsonObject) -> tuple[IpFamily, ...]:
    """The address families of a stored network; a pool that names none has public IPv4 addresses."""
    named = texts_in(network, "ipFamilies")
    return tuple(family for family in IpFamily if family.value in named) or (IpFamily.IPV4,)


def provisioning_in(network: JsonObject) -> Provisioning:
    """Where the public addresses of a stored network come from."""
    return _PROVISIONINGS.get(text_in(network, "provisioning"), Provisioning.UNKNOWN)


def rules_in(endpoint: JsonObject) -> tuple[Rule, ...]:
    """The rules of a stored endpoint."""
    return tuple(rule for entry in entries_in(endpoint, "rules") if (rule := _rule(entry)) is not None)


def _rule(entry: JsonObject) -> Rule | None:
    priority, source = number_in(entry, "priority"), text_in(entry, "sourceAddressPrefix")
    if priority is None or not source:
        return None
    return Rule(
        priority=priority,
        access=_ACCESSES.get(text_in(entry, "access"), Access.UNKNOWN),
        source=source,
        source_ports=tuple(_ports(text) for text in texts_in(entry, "sourcePortRanges")) or (ALL_PORTS,),
    )


def _ports(text: str) -> PortRange:
    if text == "*":
        return ALL_PORTS
    first, _, last = text.partition("-")
    try:
        return PortRange(int(first), int(last or first))
    except ValueError:
        return ALL_PORTS
