"""What the metrics show of one pool, derived from the same values as its status."""

from collections.abc import Iterable, Iterator

from batchaccess.core.assessment import Assessment
from batchaccess.core.conclusion import Conclusion
from batchaccess.core.model import IpFamily
from batchaccess.core.reachability import PoolReachability, reachability
from batchaccess.core.reasons import PoolOutcome
from batchaccess.core.status import Condition
from batchaccess.core.zones import ZoneVerdict
from batchaccess.telemetry.rows import PoolRow


def pool_row(assessment: Assessment, conclusion: Conclusion, conditions: tuple[Condition, ...]) -> PoolRow:
    """The row of a pool that could be read."""
    reach = assessment.reachability
    open_ports = _ports(reach, ZoneVerdict.OPEN)
    return PoolRow(
        pool=assessment.pool.id,
        outcome=conclusion.outcome,
        conditions=conditions,
        policy=None if assessment.policy is None else assessment.policy.key,
        mode=None if assessment.policy is None else assessment.policy.mode,
        internet_open_ports=open_ports,
        internet_undetermined_ports=_ports(reach, ZoneVerdict.UNDETERMINED),
        violating_ports=open_ports & frozenset(_forbidden_ports(assessment, open_ports)),
        exposed_addresses={family: reach.exposed_addresses(family) for family in IpFamily},
    )


def unreadable_row(pool_id: str, conditions: tuple[Condition, ...]) -> PoolRow:
    """The row of a pool whose description is not understood: nothing is claimed of it."""
    return PoolRow(pool=pool_id, outcome=PoolOutcome.UNKNOWN, conditions=conditions)


def _ports(reach: PoolReachability, verdict: ZoneVerdict) -> frozenset[int]:
    return frozenset(endpoint.backend_port for endpoint in reach.endpoints if endpoint.internet.value is verdict)


def _forbidden_ports(assessment: Assessment, open_ports: Iterable[int]) -> Iterator[int]:
    """The open ports that a guardrail, an assertion or the declared network closes to the Internet."""
    yield from (violation.port.port for violation in assessment.guardrail_violations)
    if assessment.policy is not None:
        for assertion in assessment.policy.assertions:
            if "Internet" in assertion.not_reachable_from:
                yield from assertion.ports or open_ports
    if assessment.desired is not None and assessment.policy is not None and assessment.policy.access.endpoints:
        declared = reachability(assessment.desired, legacy=False)
        allowed = _ports(declared, ZoneVerdict.OPEN) | _ports(declared, ZoneVerdict.UNDETERMINED)
        yield from (port for port in open_ports if port not in allowed)
