"""What is said of a pool that cannot be read, in a saga and outside."""

import pytest

from batchaccess.core.model import NodeCounts, ObjectKey
from batchaccess.core.reasons import ConditionStatus, ConditionType, RemediatingReason
from batchaccess.core.reporting import unreadable_pool_status
from batchaccess.core.saga.journal import Holder, Journal, PolicyVersion, UnreadableJournal
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import KubernetesJournal, Step
from tests.support.build import NOW
from tests.support.checker import assert_valid_status

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
PROBLEM = "metadata[2] has no value"
FIXED = RecordedScale(targets=NodeCounts(dedicated=3, low_priority=1))
SCALED = RecordedScale(autoscale_formula="$TargetDedicatedNodes = 2;")


def draining(recorded: RecordedScale) -> KubernetesJournal:
    journal = Journal(
        saga_id="0123456789ab",
        holder=Holder(cluster_uid="c", connection_uid="u"),
        pool_id="p",
        pool_created=None,
        policy=PolicyVersion(key=ObjectKey(namespace="render", name="ssh"), uid="u", generation=1),
        started=NOW,
        recorded=recorded,
    )
    return KubernetesJournal(journal=journal, step=Step.DRAINING, since=NOW)


CASES = {
    "it is in no saga": (None, (FALSE, RemediatingReason.IDLE), "nothing to correct"),
    "it was drained": (draining(FIXED), (TRUE, RemediatingReason.RESTORE_PENDING), "3 dedicated and 1 low-priority"),
    "its formula was paused": (draining(SCALED), (TRUE, RemediatingReason.RESTORE_PENDING), "the recorded formula"),
    "its journal is damaged too": (
        UnreadableJournal(problem="step is no text"),
        (FALSE, RemediatingReason.STALLED),
        "step is no text",
    ),
}


@pytest.mark.parametrize(("journal", "expected", "words"), CASES.values(), ids=CASES.keys())
def test_what_becomes_of_its_scale_when(
    journal: KubernetesJournal | UnreadableJournal | None, expected: tuple[ConditionStatus, str], words: str
) -> None:
    status = unreadable_pool_status(PROBLEM, generation=1, previous=(), now=NOW, journal=journal)
    assert_valid_status(status)
    (told,) = (each for each in status.conditions if each.type is ConditionType.REMEDIATING)
    assert (told.status, told.reason) == expected
    assert words in told.message
    assert journal is None or PROBLEM in told.message
