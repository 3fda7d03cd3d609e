"""Which backend ports the Internet reaches although a guardrail, an assertion or the declared network closes them.

A person is paged for these, so only what is certain counts: a public source, from some source port, that is let in as
observed. That some public source may get in is not enough to excuse another: a policy that lets in one office closes
the port for everyone else.
"""

from collections.abc import Iterable

from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.assertions import GuardrailViolation
from batchaccess.core.declared import AccessPolicy, Assertion, DesiredAccess
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import Network, Provisioning
from batchaccess.core.reach import NOBODY
from batchaccess.core.reachability import BackendPort, EndpointReachability, PoolReachability, functions_by_port
from batchaccess.core.sources import Tag, parse_source
from batchaccess.core.zones import ZoneVerdict


def exposed_by_guardrail(violations: Iterable[GuardrailViolation]) -> frozenset[BackendPort]:
    """The ports of violations that are certain; a guardrail itself takes Undetermined for a violation as well."""
    return frozenset(violation.port for violation in violations if violation.verdict is ZoneVerdict.OPEN)


def exposed_by_assertion(policies: Iterable[AccessPolicy], reach: PoolReachability) -> frozenset[BackendPort]:
    """The ports at which a public source gets in that an assertion of one of the policies keeps out."""
    opened = _open_endpoints(reach)
    if not opened:
        return frozenset()
    asserted = [assertion for policy in policies for assertion in policy.assertions]
    return frozenset(
        _port(endpoint)
        for endpoint in opened
        for assertion in asserted
        if _concerns(assertion, endpoint) and endpoint.function.open_sources & _kept_out(assertion)
    )


def exposed_by_policy(reach: PoolReachability, desired: Network, access: DesiredAccess) -> frozenset[BackendPort]:
    """The ports at which a public source gets in that the declared network does not let in for certain.

    Args:
        reach: who reaches the nodes of the pool now.
        desired: `desired_network(observed, access)`.
        access: what the governing policy declares.
    """
    if access.endpoints is None:
        return frozenset()
    declared = functions_by_port(desired)
    if desired.provisioning is Provisioning.NO_PUBLIC_IP_ADDRESSES:
        declared = {}
    found = set()
    for endpoint in _open_endpoints(reach):
        port = _port(endpoint)
        left = endpoint.implicit and access.endpoints.leaves(endpoint.backend_port)
        if not left and endpoint.function.open_beyond(declared.get(port, NOBODY)) & PUBLIC_ADDRESSES:
            found.add(port)
    return frozenset(found)


def _open_endpoints(reach: PoolReachability) -> list[EndpointReachability]:
    return [endpoint for endpoint in reach.endpoints if endpoint.internet.value is ZoneVerdict.OPEN]


def _port(endpoint: EndpointReachability) -> BackendPort:
    return BackendPort(endpoint.protocol, endpoint.backend_port)


def _concerns(assertion: Assertion, endpoint: EndpointReachability) -> bool:
    return not assertion.ports or endpoint.backend_port in assertion.ports


def _kept_out(assertion: Assertion) -> AddressSet:
    """The public literals that an assertion keeps out; which addresses VirtualNetwork holds is not known."""
    kept_out = NO_ADDRESSES
    for zone in assertion.not_reachable_from:
        sources = parse_source(zone)
        if not isinstance(sources, Tag):
            kept_out |= sources
    return kept_out & PUBLIC_ADDRESSES
