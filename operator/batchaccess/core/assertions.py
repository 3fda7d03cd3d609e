"""Properties that must hold whatever the configuration: assertions of policies and guardrails of connections.

Both are reported for every pool they concern, whoever governs it, and never corrected.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from batchaccess.core.declared import (
    AccessPolicy,
    Assertion,
)
from batchaccess.core.reachability import BackendPort, EndpointReachability, PoolReachability
from batchaccess.core.reasons import ConditionStatus
from batchaccess.core.sources import Tag, parse_source
from batchaccess.core.status import AssertionStatus
from batchaccess.core.zones import ZoneVerdict

ZONE_INTERNET: Final = "Internet"
ZONE_VIRTUAL_NETWORK: Final = "VirtualNetwork"

_MOST_NAMED: Final = 5
_UNMAPPED: Final = "a port that no endpoint maps"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailViolation:
    """One endpoint that lets the Internet in, or may do so, on a port that the connection forbids."""

    endpoint: str
    port: BackendPort
    verdict: ZoneVerdict

    def __str__(self) -> str:
        """In words that stay the same while the fact does."""
        reached = "is reachable" if self.verdict is ZoneVerdict.OPEN else "may be reachable"
        return f"{self.endpoint} ({self.port}) {reached} from the Internet"


def guardrail_violations(reachability: PoolReachability, forbidden: Iterable[int]) -> tuple[GuardrailViolation, ...]:
    """Where the Internet reaches a forbidden backend port; Undetermined counts, as a guardrail must hold for sure."""
    ports = frozenset(forbidden)
    return tuple(
        GuardrailViolation(
            endpoint=endpoint.name,
            port=BackendPort(endpoint.protocol, endpoint.backend_port),
            verdict=endpoint.internet.value,
        )
        for endpoint in reachability.endpoints
        if endpoint.backend_port in ports and endpoint.internet.value in (ZoneVerdict.OPEN, ZoneVerdict.UNDETERMINED)
    )


def evaluate_assertions(
    policies: Iterable[AccessPolicy], reachability: PoolReachability
) -> tuple[AssertionStatus, ...]:
    """Whether each assertion of each policy holds for a pool, sorted by policy and name."""
    found = (_evaluate(policy, assertion, reachability) for policy in policies for assertion in policy.assertions)
    return tuple(sorted(found, key=lambda status: (status.policy, status.name)))


def _evaluate(policy: AccessPolicy, assertion: Assertion, reachability: PoolReachability) -> AssertionStatus:
    open_to: list[str] = []
    undetermined: list[str] = []
    for zone in assertion.not_reachable_from:
        for what, verdict in _verdicts(zone, assertion.ports, reachability):
            if verdict is ZoneVerdict.OPEN:
                open_to.append(f"{zone} reaches {what}")
            elif verdict is ZoneVerdict.UNDETERMINED:
                undetermined.append(f"{zone} may reach {what}")
    if open_to:
        holds, message = ConditionStatus.FALSE, _joined(open_to)
    elif undetermined:
        holds, message = ConditionStatus.UNKNOWN, _joined(undetermined)
    else:
        holds, message = ConditionStatus.TRUE, "It holds."
    return AssertionStatus(policy=policy.key, name=assertion.name, holds=holds, message=message)


def _joined(texts: list[str]) -> str:
    distinct = sorted(set(texts))
    more = f"; and {len(distinct) - _MOST_NAMED} more" if len(distinct) > _MOST_NAMED else ""
    return f"{'; '.join(distinct[:_MOST_NAMED])}{more}."


def _verdicts(zone: str, ports: tuple[int, ...], reachability: PoolReachability) -> Iterator[tuple[str, ZoneVerdict]]:
    """What a zone gets of every endpoint on the ports asked for, and of the ports asked for that nothing maps."""
    wanted = frozenset(ports)
    mapped = set()
    for endpoint in reachability.endpoints:
        if not wanted or endpoint.backend_port in wanted:
            mapped.add(endpoint.backend_port)
            yield _name(endpoint), _verdict(zone, endpoint, reachability)
    if not wanted:
        yield _UNMAPPED, _unmapped_verdict(zone, reachability)
    for port in sorted(wanted - mapped):
        yield f"port {port}, which no endpoint maps", _unmapped_verdict(zone, reachability)


def _name(endpoint: EndpointReachability) -> str:
    return f"{endpoint.name} ({BackendPort(endpoint.protocol, endpoint.backend_port)})"


def _verdict(zone: str, endpoint: EndpointReachability, reachability: PoolReachability) -> ZoneVerdict:
    if zone == ZONE_INTERNET:
        return endpoint.internet.value
    if zone == ZONE_VIRTUAL_NETWORK:
        return endpoint.virtual_network.value
    sources = parse_source(zone)
    if isinstance(sources, Tag):
        return ZoneVerdict.UNDETERMINED
    return reachability.verdict_from(sources, endpoint).value


def _unmapped_verdict(zone: str, reachability: PoolReachability) -> ZoneVerdict:
    if zone == ZONE_INTERNET:
        return reachability.unmapped_internet.value
    if zone == ZONE_VIRTUAL_NETWORK:
        return reachability.unmapped_virtual_network.value
    sources = parse_source(zone)
    if isinstance(sources, Tag):
        return ZoneVerdict.UNDETERMINED
    return reachability.unmapped_from(sources).value
