"""What the metrics show of one pool, derived from the same values as its status."""

from collections import Counter

from batchaccess.core.assessment import Assessment
from batchaccess.core.conclusion import Conclusion
from batchaccess.core.model import IpFamily
from batchaccess.core.reachability import PoolReachability
from batchaccess.core.reasons import PoolOutcome
from batchaccess.core.status import Condition
from batchaccess.core.zones import ZoneVerdict
from batchaccess.telemetry.rows import PoolRow


def pool_row(assessment: Assessment, conclusion: Conclusion, conditions: tuple[Condition, ...]) -> PoolRow:
    """The row of a pool that could be read."""
    reach = assessment.reachability
    return PoolRow(
        pool=assessment.pool.id,
        outcome=conclusion.outcome,
        conditions=conditions,
        policy=None if assessment.policy is None else assessment.policy.key,
        mode=None if assessment.policy is None else assessment.policy.mode,
        internet_open_ports=_ports(reach, ZoneVerdict.OPEN),
        internet_undetermined_ports=_ports(reach, ZoneVerdict.UNDETERMINED),
        violating_ports=frozenset(violation.port for violation in assessment.exposure_violations),
        exposed_addresses={family: reach.exposed_addresses(family) for family in IpFamily},
        failed_assertions=Counter(failed.policy for failed in assessment.failed_assertions),
    )


def unreadable_row(pool_id: str, conditions: tuple[Condition, ...]) -> PoolRow:
    """The row of a pool whose description is not understood: nothing is claimed of it."""
    return PoolRow(pool=pool_id, outcome=PoolOutcome.UNKNOWN, conditions=conditions)


def _ports(reach: PoolReachability, verdict: ZoneVerdict) -> frozenset[int]:
    return frozenset(endpoint.backend_port for endpoint in reach.endpoints if endpoint.internet.value is verdict)
