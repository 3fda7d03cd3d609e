"""Series made of conditions, alike for all kinds: one per condition, with its status and reason as labels.

Only the combination that holds has a series, as kube-state-metrics does for reasons: three statuses times all reasons
would make most of the series zeros.
"""

from collections.abc import Sequence

from batchaccess.core.reasons import ConditionStatus, ConditionType
from batchaccess.core.status import Condition


def condition_labels(condition: Condition) -> tuple[str, str, str]:
    """The labels type, status and reason of a condition's series, whose value is always 1."""
    return condition.type, condition.status, condition.reason


def true_since(conditions: Sequence[Condition], type: ConditionType) -> float | None:
    """Unix time at which a condition became True; None if it is not True."""
    return _since(conditions, type, ConditionStatus.TRUE)


def false_since(conditions: Sequence[Condition], type: ConditionType) -> float | None:
    """Unix time at which a condition became False; None if it is not False."""
    return _since(conditions, type, ConditionStatus.FALSE)


def _since(conditions: Sequence[Condition], type: ConditionType, status: ConditionStatus) -> float | None:
    for condition in conditions:
        if condition.type is type and condition.status is status:
            return condition.last_transition_time.timestamp()
    return None
