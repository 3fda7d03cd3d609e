"""Whether the connections that a policy names accept it.

One accepting connection is enough for the policy to be Accepted; each says for itself what it makes of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from batchaccess.core.assertions import GuardrailViolation, guardrail_violations
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.desired import desired_network
from batchaccess.core.model import Network
from batchaccess.core.reachability import PoolReachability, reachability
from batchaccess.core.reasons import AcceptedReason
from batchaccess.core.selection import (
    NamespaceLabels,
    connects,
    covering_grants,
    granted_pools,
    granted_to,
)
from batchaccess.core.status import ConnectionTarget
from batchaccess.core.texts import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What all connections together make of a policy. `targets` are the connections it names, sorted."""

    accepted: bool
    reason: AcceptedReason
    message: str
    targets: tuple[ConnectionTarget, ...] = ()

    def accepts(self, connection: str) -> bool:
        """Whether the connection of this name accepts the policy."""
        return any(target.accepted and target.name == connection for target in self.targets)


def accept(
    policy: AccessPolicy, connections: Iterable[AccountConnection], namespace_labels: NamespaceLabels
) -> Acceptance:
    """What the connections that a policy names make of it."""
    named = sorted(
        (each for each in connections if connects(policy.connections, each)), key=lambda connection: connection.name
    )
    if not named:
        return Acceptance(
            accepted=False,
            reason=AcceptedReason.TARGET_NOT_FOUND,
            message="No BatchAccountConnection matches spec.connections.",
        )
    own = _own_reachability(policy) if any(each.forbid_internet_ports for each in named) else None
    return _summary(tuple(_target(policy, each, namespace_labels, own) for each in named))


def _own_reachability(policy: AccessPolicy) -> PoolReachability:
    """Who reaches the endpoints that the policy itself declares, on a pool that has nothing else."""
    return reachability(desired_network(Network(), policy.access), legacy=False)


def _target(
    policy: AccessPolicy,
    connection: AccountConnection,
    namespace_labels: NamespaceLabels,
    own: PoolReachability | None,
) -> ConnectionTarget:
    grants = covering_grants(policy, connection, namespace_labels)
    if not grants:
        return _refused(
            connection, AcceptedReason.NOT_PERMITTED, _not_permitted_message(policy, connection, namespace_labels)
        )
    broken = guardrail_violations(own, connection.forbid_internet_ports) if own is not None else ()
    if broken:
        return _refused(connection, AcceptedReason.GUARDRAIL_VIOLATION, _guardrail_message(broken))
    granted = granted_pools(grants)
    return ConnectionTarget(
        name=connection.name,
        accepted=True,
        reason=AcceptedReason.ACCEPTED,
        message="Accepted for all pools." if "*" in granted else f"Accepted for pools matching {listed(granted)}.",
    )


def _refused(connection: AccountConnection, reason: AcceptedReason, message: str) -> ConnectionTarget:
    return ConnectionTarget(name=connection.name, accepted=False, reason=reason, message=message)


def _not_permitted_message(
    policy: AccessPolicy, connection: AccountConnection, namespace_labels: NamespaceLabels
) -> str:
    namespace = policy.key.namespace
    if not granted_to(namespace, connection, namespace_labels):
        return f"No grant of the connection names namespace {namespace}."
    return (
        f"No single grant to namespace {namespace} covers priority {policy.priority}, mode {policy.mode} and strategy "
        f"{policy.remediation.strategy} together."
    )


def _guardrail_message(broken: tuple[GuardrailViolation, ...]) -> str:
    return (
        f"As declared, {'; '.join(str(violation) for violation in broken)}, which the connection forbids. Narrow "
        "allowFrom or the rules of this endpoint."
    )


def invalid(problems: Iterable[tuple[str, str]]) -> Acceptance:
    """What to say of a policy that the API server stored but that we refuse, with every problem as (path, message)."""
    message = "; ".join(f"{path}: {problem}" for path, problem in problems)
    return Acceptance(accepted=False, reason=AcceptedReason.INVALID, message=f"{message}.")


def _summary(targets: tuple[ConnectionTarget, ...]) -> Acceptance:
    accepting = [target.name for target in targets if target.accepted]
    if accepting:
        return Acceptance(
            accepted=True,
            reason=AcceptedReason.ACCEPTED,
            message=f"Accepted by {listed(accepting)}.",
            targets=targets,
        )
    reasons = {target.reason for target in targets}
    reason = (
        AcceptedReason.GUARDRAIL_VIOLATION
        if AcceptedReason.GUARDRAIL_VIOLATION in reasons
        else AcceptedReason.NOT_PERMITTED
    )
    first = next(target for target in targets if target.reason is reason)
    return Acceptance(accepted=False, reason=reason, message=f"{first.name}: {first.message}", targets=targets)
