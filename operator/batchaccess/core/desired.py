"""Compiles what a policy declares, and what a pool has, to the network that the pool should have.

What a policy does not declare keeps its observed value, so that it is never drift. `core.wire` turns the result into
the body of a PATCH.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from batchaccess.core.declared import (
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    Unlisted,
)
from batchaccess.core.model import (
    Access,
    InboundEndpoint,
    Network,
    Rule,
)

FIRST_COMPILED_PRIORITY: Final = 1000
"""Compiled rules start here, which leaves the numbers before it to verbatim rules and to people in the portal."""

ANYONE: Final = "*"


def desired_network(observed: Network, access: DesiredAccess) -> Network:
    """The network that a pool should have: `access` where it declares something, `observed` elsewhere."""
    endpoints, public = access.endpoints, access.public_addresses
    return Network(
        endpoints=observed.endpoints if endpoints is None else _desired_endpoints(observed, endpoints),
        provisioning=observed.provisioning if public is None else public.provisioning,
        address_ids=observed.address_ids if public is None else _resource_ids(public.address_ids),
        ip_families=observed.ip_families,
        ip_tags=observed.ip_tags,
        subnet_id=observed.subnet_id if access.subnet_id is None else access.subnet_id,
        accelerated_networking=(
            observed.accelerated_networking if access.accelerated_networking is None else access.accelerated_networking
        ),
        dynamic_vnet_assignment_scope=observed.dynamic_vnet_assignment_scope,
    )


def _resource_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Each id once, in the order of observed ones: Azure compares them without regard to case."""
    by_meaning = {each.casefold(): each for each in sorted(ids, reverse=True)}
    return tuple(text for _, text in sorted(by_meaning.items()))


def kept_endpoints(observed: Network, endpoints: DesiredEndpoints | None) -> tuple[InboundEndpoint, ...]:
    """The observed endpoints that stay exactly as they are: all if none are declared, else the unlisted ones with Keep.

    Names are compared without regard to case.
    """
    if endpoints is None:
        return observed.endpoints
    if endpoints.unlisted is Unlisted.REMOVE:
        return ()
    listed = {item.name.casefold() for item in endpoints.items}
    return tuple(endpoint for endpoint in observed.endpoints if endpoint.name.casefold() not in listed)


def _desired_endpoints(observed: Network, endpoints: DesiredEndpoints) -> tuple[InboundEndpoint, ...]:
    kept = kept_endpoints(observed, endpoints)
    priorities = _free_priorities(kept, endpoints.items)
    compiled = [_compile(item, priorities) for item in sorted(endpoints.items, key=lambda item: item.name)]
    return tuple(sorted([*kept, *compiled], key=lambda endpoint: endpoint.name))


def _free_priorities(kept: Iterable[InboundEndpoint], items: Iterable[DesiredEndpoint]) -> Iterator[int]:
    """Priorities in ascending order that no kept or verbatim rule uses: they are unique over the whole pool."""
    taken = {rule.priority for endpoint in kept for rule in endpoint.rules}
    taken.update(rule.priority for item in items for rule in item.rules or ())
    return (priority for priority in count(FIRST_COMPILED_PRIORITY) if priority not in taken)


def _compile(item: DesiredEndpoint, priorities: Iterator[int]) -> InboundEndpoint:
    if item.rules is None:
        rules = _compile_sources(item.allow_from or (), priorities)
    else:
        rules = tuple(sorted(item.rules, key=lambda rule: rule.priority))
    return InboundEndpoint(
        name=item.name,
        protocol=item.protocol,
        backend_port=item.backend_port,
        frontend=item.frontend,
        rules=rules,
    )


def _compile_sources(sources: Iterable[str], priorities: Iterator[int]) -> tuple[Rule, ...]:
    """One Allow rule per source and a final explicit Deny.

    The Deny is never left out: an endpoint without rules admits everyone (REST document "Pool - Add": "a default rule
    will be created to allow inbound access").
    """
    allowed = [
        Rule(priority=next(priorities), access=Access.ALLOW, source=source) for source in canonical_sources(sources)
    ]
    return (*allowed, Rule(priority=next(priorities), access=Access.DENY, source=ANYONE))


def canonical_sources(sources: Iterable[str]) -> tuple[str, ...]:
    """Each source once, in one spelling and one order: IPv4, IPv6, service tags, `*`; tags without regard to case."""
    by_meaning = {_source_order(source): _source_text(source) for source in sorted(sources, reverse=True)}
    return tuple(text for _, text in sorted(by_meaning.items()))


def _source_order(source: str) -> tuple[int, int, int, str]:
    parsed = _parse(source)
    if parsed is None:
        return (3 if source == ANYONE else 2, 0, 0, source.casefold())
    return (parsed.version // 6, int(parsed.network_address), parsed.prefixlen, "")


def _source_text(source: str) -> str:
    parsed = _parse(source)
    if parsed is None:
        return source
    return str(parsed.network_address) if parsed.prefixlen == parsed.max_prefixlen else str(parsed)


def _parse(source: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(source, strict=False)
    except ValueError:
        return None
