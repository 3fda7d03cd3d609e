"""What an audit finds in one pool or account, by the rules of `findingrules`. Texts are stable: no counts that move."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from batchaccess.core import findingrules
from batchaccess.core.addresses import NO_ADDRESSES, AddressSet
from batchaccess.core.assertions import guardrail_violations
from batchaccess.core.explain import admits, because
from batchaccess.core.findingrules import FindingKind, FindingRule
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    LOGIN_PORTS,
    IpFamily,
    Provisioning,
)
from batchaccess.core.pooltraits import PoolTraits
from batchaccess.core.reachability import BackendPort, EndpointReachability, PoolReachability
from batchaccess.core.zones import Why, ZoneVerdict


class Severity(StrEnum):
    """How much a finding matters."""

    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    INFO = "Info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `endpoint` is the name of the endpoint it is about, None if it is about the whole."""

    rule: FindingRule
    severity: Severity
    message: str
    endpoint: str | None = None


_BY_WEIGHT: Final = (Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)


def weight(finding: Finding) -> tuple[int, int]:
    """Sort key that puts what matters most first."""
    return _BY_WEIGHT.index(finding.severity), findingrules.RULES.index(finding.rule)


def pool_findings(
    reachability: PoolReachability,
    traits: PoolTraits,
    *,
    forbidden_ports: tuple[int, ...] = (),
    trusted: AddressSet = NO_ADDRESSES,
) -> tuple[Finding, ...]:
    """Everything found in one pool, what matters most first.

    Args:
        reachability: who reaches its nodes.
        traits: what it shows beside its network.
        forbidden_ports: backend ports that the guardrails of its connection forbid.
        trusted: public addresses that are meant to get in, such as those of an office; no exposure by themselves.
    """
    found = [
        *(finding for endpoint in reachability.endpoints for finding in _of_endpoint(endpoint, trusted)),
        *_broken_guardrails(reachability, forbidden_ports),
        *_advice(reachability, traits),
    ]
    return tuple(sorted(found, key=weight))


def account_findings(*, shared_key: bool) -> tuple[Finding, ...]:
    """Everything found in an account itself."""
    if not shared_key:
        return ()
    message = "the account was read with a shared key, so it accepts them from everyone who has one"
    return (Finding(rule=findingrules.SHARED_KEY, severity=Severity.INFO, message=message),)


def _of_endpoint(endpoint: EndpointReachability, trusted: AddressSet) -> Iterator[Finding]:
    if endpoint.internet.value is ZoneVerdict.OPEN:
        admitted = (endpoint.function.open_sources & PUBLIC_ADDRESSES) - trusted
        if admitted:
            yield _exposure(endpoint, admitted)
    elif endpoint.internet.value is ZoneVerdict.UNDETERMINED:
        unknown = endpoint.internet.witness.why is Why.IMPLICIT_MAPPING_UNKNOWN
        yield Finding(
            rule=findingrules.IMPLICIT_MAPPING_UNKNOWN if unknown else findingrules.REACH_UNDETERMINED,
            severity=Severity.MEDIUM if endpoint.backend_port in LOGIN_PORTS else Severity.LOW,
            message=f"{_named(endpoint)} may be open to the Internet: {because(endpoint.internet)}",
            endpoint=endpoint.name,
        )


_IN_USE: Final = PUBLIC_ADDRESSES & (AddressSet.parse("0.0.0.0/0") | AddressSet.parse("2000::/3"))
"""Of IPv6 only 2000::/3 is handed out (IANA "IPv6 Global Unicast Address Assignments")."""

_EXPOSURES: Final = {
    (True, True): Severity.HIGH,
    (True, False): Severity.MEDIUM,
    (False, True): Severity.MEDIUM,
    (False, False): Severity.LOW,
}
"""By whether it is a login port, and whether most of the Internet gets in."""


def _exposure(endpoint: EndpointReachability, admitted: AddressSet) -> Finding:
    login = endpoint.backend_port in LOGIN_PORTS
    if endpoint.implicit:
        rule = findingrules.IMPLICIT_MAPPING
    else:
        rule = findingrules.LOGIN_PORT_OPEN if login else findingrules.ENDPOINT_OPEN
    return Finding(
        rule=rule,
        severity=_EXPOSURES[login, _is_broad(admitted)],
        message=f"{_named(endpoint)} lets in {admits(endpoint)}: {because(endpoint.internet)}",
        endpoint=endpoint.name,
    )


def _is_broad(admitted: AddressSet) -> bool:
    """Whether most of the Internet gets in, by one family or the other, rather than a list of addresses."""
    return any(2 * (admitted & _IN_USE).size(family) > _IN_USE.size(family) for family in IpFamily)


def _named(endpoint: EndpointReachability) -> str:
    return f"{endpoint.name} ({BackendPort(endpoint.protocol, endpoint.backend_port)})"


def _broken_guardrails(reachability: PoolReachability, forbidden: tuple[int, ...]) -> Iterator[Finding]:
    for violation in guardrail_violations(reachability, forbidden):
        yield Finding(
            rule=findingrules.GUARDRAIL_BROKEN,
            severity=Severity.HIGH,
            message=f"{violation}, which the connection forbids",
            endpoint=violation.endpoint,
        )


def _advice(reachability: PoolReachability, traits: PoolTraits) -> Iterator[Finding]:
    network = reachability.network
    closed = all(each.internet.value is ZoneVerdict.CLOSED for each in reachability.endpoints)
    if closed and network.provisioning in {Provisioning.BATCH_MANAGED, Provisioning.USER_MANAGED}:
        yield _advised(
            findingrules.PUBLIC_ADDRESSES_UNUSED, "its nodes have public IP addresses, and no endpoint lets anyone in"
        )
    if network.subnet_id is None:
        yield _advised(findingrules.NO_SUBNET, "it is in no subnet, so only its own rules stand before its nodes")
    if traits.user_accounts:
        yield _advised(findingrules.USER_ACCOUNTS, f"every node has the users {_users(traits)}")
    if traits.trusted_launch is False:
        yield _advised(findingrules.TRUSTED_LAUNCH_OFF, "its nodes start without Trusted Launch, secure boot and vTPM")
    if traits.encryption_at_host is False:
        yield _advised(findingrules.ENCRYPTION_AT_HOST_OFF, "disks of its nodes are not encrypted at the host")


def _advised(rule: FindingRule, message: str) -> Finding:
    return Finding(rule=rule, severity=Severity.INFO, message=message)


def _users(traits: PoolTraits) -> str:
    return ", ".join(f"{user.name} (admin)" if user.admin else user.name for user in traits.user_accounts)


def counts_as_found(finding: Finding, *, least: FindingKind) -> bool:
    """Whether a finding makes an audit end 1, where `least` is the least kind that does."""
    order = (FindingKind.ADVICE, FindingKind.UNDETERMINED, FindingKind.EXPOSURE)
    return order.index(finding.rule.kind) >= order.index(least)
