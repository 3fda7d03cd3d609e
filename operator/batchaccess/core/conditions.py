"""Conditions as the Kubernetes API conventions define them: `lastTransitionTime` moves only when `status` flips."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchaccess.core.reasons import ConditionStatus, ConditionType
from batchaccess.core.status import Condition
from batchaccess.core.texts import LONGEST_MESSAGE, shortened

_ORDER: Final = tuple(ConditionType)
"""Ready first, and always the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a condition is to say, before it is known since when."""

    type: ConditionType
    status: ConditionStatus
    reason: str
    message: str


def dated(
    findings: Iterable[Finding], *, previous: Iterable[Condition], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions that say `findings`, Ready first; types not found any more are left out.

    Args:
        findings: at most one of each type.
        previous: the conditions as they are in Kubernetes now.
        generation: the generation of the object that was looked at.
        now: the time of day; cut to whole seconds, as Kubernetes does.
    """
    since = {condition.type: condition for condition in previous}
    second = now.replace(microsecond=0)
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.type))
    return tuple(_dated(finding, since.get(finding.type), generation, second) for finding in ordered)


def _dated(finding: Finding, before: Condition | None, generation: int, second: datetime) -> Condition:
    flipped = before is None or before.status is not finding.status
    return Condition(
        type=finding.type,
        status=finding.status,
        reason=finding.reason,
        message=shortened(finding.message, LONGEST_MESSAGE),
        observed_generation=generation,
        last_transition_time=second if before is None or flipped else before.last_transition_time,
    )
