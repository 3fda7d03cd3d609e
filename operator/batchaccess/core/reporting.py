"""Derives the statuses of pools and connections; nothing else writes conditions of these kinds.

The same facts always give an equal status, so that an unchanged pool causes no write.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final, assert_never

from batchaccess.core.assessment import Assessment
from batchaccess.core.conclusion import Conclusion, drift_summary
from batchaccess.core.conditions import Finding, dated
from batchaccess.core.departing import WORKING
from batchaccess.core.drift import Drift
from batchaccess.core.explain import SUBNET_NOTE, admits, because
from batchaccess.core.model import (
    ALL_PORTS,
    Network,
    ObjectKey,
    PortRange,
    Rule,
)
from batchaccess.core.reachability import EndpointReachability, PoolReachability, reachability
from batchaccess.core.reasons import (
    CompliantReason,
    ConditionStatus,
    ConditionType,
    ConnectionReason,
    ExposedReason,
    PoolOutcome,
    RemediatingReason,
)
from batchaccess.core.saga.breaker import PolicyGeneration
from batchaccess.core.saga.journal import UnreadableJournal
from batchaccess.core.saga.scale import scale_line
from batchaccess.core.saga.steps import KubernetesJournal
from batchaccess.core.status import (
    AssertionStatus,
    Change,
    Condition,
    ConnectionStatus,
    EndpointStatus,
    NetworkStatus,
    PoolCounts,
    PoolStatus,
    RuleStatus,
)
from batchaccess.core.texts import listed, shortened
from batchaccess.core.zones import ZoneVerdict

MOST_OVERRIDDEN: Final = 20
MOST_DIFFERENCES: Final = 20
MOST_ASSERTIONS: Final = 50
LONGEST_CHANGE: Final = 2000
"""Of the line that describes a network in `status.lastChange`, in characters: more than five endpoints make."""

_BY_TROUBLE: Final = (ConditionStatus.FALSE, ConditionStatus.UNKNOWN, ConditionStatus.TRUE)


def pool_status(
    assessment: Assessment,
    conclusion: Conclusion,
    *,
    generation: int,
    previous: Iterable[Condition],
    now: datetime,
    last_change: Change | None = None,
    in_order_under: PolicyGeneration | None = None,
    requested_at: str | None = None,
) -> PoolStatus:
    """The status of a pool that could be read.

    Args:
        assessment: what is known of it.
        conclusion: what that and the decision come to.
        generation: of the BatchPoolAccess.
        previous: the conditions in Kubernetes now.
        now: the time of day.
        last_change: the last change we made to it; the stored one has to be handed in again.
        in_order_under: what governed it when it was last as declared.
        requested_at: the last handled `batchaccess.dev/requested-at`.
    """
    findings = (
        Finding(
            type=ConditionType.COMPLIANT,
            status=conclusion.compliant,
            reason=conclusion.reason,
            message=conclusion.message,
        ),
        _drifted(assessment.drift, managed=assessment.policy is not None),
        _exposed(assessment.reachability),
        _remediating(conclusion),
    )
    return PoolStatus(
        observed_generation=generation,
        conditions=dated(findings, previous=previous, generation=generation, now=now),
        policy=None if assessment.policy is None else assessment.policy.key,
        overridden=assessment.overridden[:MOST_OVERRIDDEN],
        network=network_status(assessment.reachability),
        differences=assessment.drift.differences[:MOST_DIFFERENCES],
        assertions=_most_troubled(assessment.assertions),
        last_change=last_change,
        in_order_under=in_order_under,
        last_handled_requested_at=requested_at,
    )


def unreadable_pool_status(
    problem: str,
    *,
    generation: int,
    previous: Iterable[Condition],
    now: datetime,
    journal: KubernetesJournal | UnreadableJournal | None = None,
    last_change: Change | None = None,
    in_order_under: PolicyGeneration | None = None,
    requested_at: str | None = None,
) -> PoolStatus:
    """The status of a pool whose description could not be understood: nothing is claimed of it, and nothing is done.

    `journal` is that of the saga in whose middle it became so; the rest is as in `pool_status`.
    """
    message = f"The service's description of the pool is not understood: {problem}"
    unknown = (ConditionType.COMPLIANT, ConditionType.DRIFTED, ConditionType.EXPOSED)
    findings = [
        Finding(type=each, status=ConditionStatus.UNKNOWN, reason=CompliantReason.UNREADABLE, message=message)
        for each in unknown
    ]
    findings.append(_left_in_a_saga(journal, problem))
    return PoolStatus(
        observed_generation=generation,
        conditions=dated(findings, previous=previous, generation=generation, now=now),
        last_change=last_change,
        in_order_under=in_order_under,
        last_handled_requested_at=requested_at,
    )


def _left_in_a_saga(journal: KubernetesJournal | UnreadableJournal | None, problem: str) -> Finding:
    """What becomes of the saga of a pool that cannot be read: somebody has to look, whatever its step is."""
    match journal:
        case None:
            return _idle()
        case KubernetesJournal():
            return Finding(
                type=ConditionType.REMEDIATING,
                status=ConditionStatus.TRUE,
                reason=RemediatingReason.RESTORE_PENDING,
                message=f"The scale to bring back is {scale_line(journal.journal.recorded)} (status.journal), but the "
                "service's description of the pool is not understood. The correction goes on once it is; set the scale "
                f"by hand if it is needed before. Not understood: {problem}",
            )
        case UnreadableJournal():
            return Finding(
                type=ConditionType.REMEDIATING,
                status=ConditionStatus.FALSE,
                reason=RemediatingReason.STALLED,
                message=f"Neither status.journal ({journal.problem}) nor the service's description of the pool is "
                f"understood, so its scale may have to be brought back by hand. Not understood: {problem}",
            )
        case _:
            assert_never(journal)


def _drifted(drift: Drift, *, managed: bool) -> Finding:
    return Finding(
        type=ConditionType.DRIFTED,
        status=ConditionStatus.FALSE if drift.is_as_declared else ConditionStatus.TRUE,
        reason=drift.kind,
        message=drift_summary(drift) if managed else "No policy governs this pool.",
    )


_EXPOSED_STATUS: Final = {
    ExposedReason.INTERNET_REACHABLE: ConditionStatus.TRUE,
    ExposedReason.UNDETERMINED: ConditionStatus.UNKNOWN,
    ExposedReason.NONE: ConditionStatus.FALSE,
}


def _exposed(reach: PoolReachability) -> Finding:
    reason = reach.exposed
    return Finding(
        type=ConditionType.EXPOSED, status=_EXPOSED_STATUS[reason], reason=reason, message=_exposure_message(reach)
    )


def _exposure_message(reach: PoolReachability) -> str:
    reached = [
        _endpoint_line(endpoint)
        for verdict in _NOT_CLOSED
        for endpoint in reach.endpoints
        if endpoint.internet.value is verdict
    ]
    subnet = "" if reach.network.subnet_id is None else f" {SUBNET_NOTE[0].upper()}{SUBNET_NOTE[1:]}."
    if not reached:
        return f"Nobody on the Internet reaches a node.{subnet}"
    return f"{'; '.join(reached)}.{subnet}"


_NOT_CLOSED: Final = (ZoneVerdict.OPEN, ZoneVerdict.UNDETERMINED)
"""What there is somebody or something to blame for, in the order in which it is told: the end of a message is cut."""


def _endpoint_line(endpoint: EndpointReachability) -> str:
    """An endpoint, who it admits and, unless it keeps the Internet out, why: the rule to blame."""
    line = f"{_endpoint_name(endpoint)}: {admits(endpoint)}"
    return f"{line} (because {because(endpoint.internet)})" if endpoint.internet.value in _NOT_CLOSED else line


def _endpoint_name(endpoint: EndpointReachability) -> str:
    return f"{endpoint.name} ({endpoint.protocol}/{endpoint.backend_port})"


def _remediating(conclusion: Conclusion) -> Finding:
    if conclusion.progress is not None:
        return Finding(
            type=ConditionType.REMEDIATING,
            status=ConditionStatus.TRUE,
            reason=conclusion.progress.reason,
            message=conclusion.progress.message,
        )
    reasons = {PoolOutcome.PENDING: RemediatingReason.WAITING, PoolOutcome.STALLED: RemediatingReason.STALLED}
    reason = reasons.get(conclusion.outcome)
    if reason is None:
        return _idle()
    return Finding(
        type=ConditionType.REMEDIATING, status=ConditionStatus.FALSE, reason=reason, message=conclusion.message
    )


def _idle() -> Finding:
    return Finding(
        type=ConditionType.REMEDIATING,
        status=ConditionStatus.FALSE,
        reason=RemediatingReason.IDLE,
        message="There is nothing to correct.",
    )


def _most_troubled(assertions: Iterable[AssertionStatus]) -> tuple[AssertionStatus, ...]:
    ordered = sorted(assertions, key=lambda each: (_BY_TROUBLE.index(each.holds), each.policy, each.name))
    return tuple(ordered[:MOST_ASSERTIONS])


def network_status(reach: PoolReachability) -> NetworkStatus:
    """The network of a pool with who reaches each endpoint."""
    network = reach.network
    return NetworkStatus(
        provisioning=network.provisioning,
        address_ids=network.address_ids,
        ip_families=network.ip_families,
        subnet_id=network.subnet_id,
        accelerated_networking=network.accelerated_networking,
        endpoints=tuple(_endpoint_status(endpoint) for endpoint in reach.endpoints),
    )


def _endpoint_status(endpoint: EndpointReachability) -> EndpointStatus:
    return EndpointStatus(
        name=endpoint.name,
        protocol=endpoint.protocol,
        backend_port=endpoint.backend_port,
        frontend_ports=endpoint.frontend,
        rules=tuple(_rule_status(rule) for rule in endpoint.rules),
        implicit=endpoint.implicit,
        internet=endpoint.internet.value,
        virtual_network=endpoint.virtual_network.value,
        admits=admits(endpoint),
        because=because(endpoint.internet),
    )


def _rule_status(rule: Rule) -> RuleStatus:
    return RuleStatus(
        priority=rule.priority,
        access=rule.access,
        source_address_prefix=rule.source,
        source_port_ranges=tuple(_ports_text(ports) for ports in rule.source_ports),
    )


def _ports_text(ports: PortRange) -> str:
    return "*" if ports == ALL_PORTS else str(ports)


def network_change(
    policy: ObjectKey, *, before: Network, after: Network, time: datetime, exposed_since: datetime | None = None
) -> Change:
    """A change we made, in one line before and one after; `exposed_since` is as `known_exposed_since` says."""
    return Change(
        policy=policy,
        time=time.replace(microsecond=0),
        before=network_line(before),
        after=network_line(after),
        exposed_since=None if exposed_since is None else exposed_since.replace(microsecond=0),
    )


def network_line(network: Network) -> str:
    """A network in one line: each endpoint, who it admits, and the rule to blame if the Internet gets in."""
    endpoints = reachability(network, legacy=False).endpoints
    return shortened("; ".join(map(_endpoint_line, endpoints)) or "no endpoints", LONGEST_CHANGE)


def known_exposed_since(before: Assessment, conditions: Iterable[Condition], *, changed: datetime) -> datetime | None:
    """Since when a pool is known to have been reachable from the Internet when we changed it; None if it was not.

    That is when a look first found it so, or earlier: what a pool's own endpoints show they have shown since it was
    last modified, at the latest. A pool that the very look corrects that finds it open has no other beginning.

    Args:
        before: the pool as it was read right before the change.
        conditions: those in Kubernetes then.
        changed: when the change was made; clocks differ, so no beginning is taken to lie behind it.
    """
    if before.exposed is not ExposedReason.INTERNET_REACHABLE:
        return None
    known = [
        condition.last_transition_time
        for condition in conditions
        if condition.type is ConditionType.EXPOSED and condition.status is ConditionStatus.TRUE
    ]
    by_endpoint = any(
        endpoint.internet.value is ZoneVerdict.OPEN and not endpoint.implicit
        for endpoint in before.reachability.endpoints
    )
    if by_endpoint and before.pool.last_modified is not None:
        known.append(before.pool.last_modified)
    return min([*known, changed])


_COUNTED_AS: Final = {
    PoolOutcome.UNMANAGED: "unmanaged",
    PoolOutcome.COMPLIANT: "compliant",
    PoolOutcome.CORRECTED: "compliant",
    PoolOutcome.AUDIT_DRIFT: "drifted",
    PoolOutcome.PENDING: "pending",
    PoolOutcome.STALLED: "stalled",
    PoolOutcome.VIOLATING: "violating",
    PoolOutcome.UNKNOWN: "unknown",
}


def pool_counts(concluded: Iterable[tuple[PoolOutcome, ExposedReason]]) -> PoolCounts:
    """How many pools came to what, and how many the Internet reaches."""
    total = reachable = 0
    counts: Counter[str] = Counter()
    for outcome, exposed in concluded:
        total += 1
        reachable += exposed is ExposedReason.INTERNET_REACHABLE
        counts[_COUNTED_AS[outcome]] += 1
    return PoolCounts(total=total, internet_reachable=reachable, **counts)


def connection_status(
    reason: ConnectionReason,
    message: str,
    *,
    pools: PoolCounts | None,
    generation: int,
    previous: Iterable[Condition],
    now: datetime,
    requested_at: str | None = None,
) -> ConnectionStatus:
    """The status of a connection; `pools` is None as long as they could not be listed."""
    ready = Finding(
        type=ConditionType.READY,
        status=ConditionStatus.TRUE if reason in WORKING else ConditionStatus.FALSE,
        reason=reason,
        message=message,
    )
    return ConnectionStatus(
        observed_generation=generation,
        conditions=dated([ready], previous=previous, generation=generation, now=now),
        pools=pools,
        last_handled_requested_at=requested_at,
    )


def invalid_connection_message(problems: Iterable[tuple[str, str]]) -> str:
    """What to say of a connection that the API server stored but that we refuse."""
    return f"{listed(f'{path}: {problem}' for path, problem in problems)}."
