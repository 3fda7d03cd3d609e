"""Tells the metrics how writes to Kubernetes ended, in the words of telemetry."""

from collections.abc import Callable
from typing import Final

from batchaccess.control.hub import OBJECT_KINDS
from batchaccess.core.reasons import EventReason, EventType
from batchaccess.kube.resources import Resource
from batchaccess.kube.statuswriter import WriteOutcome
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.words import WriteResult

_WRITE_RESULTS: Final = {
    WriteOutcome.WRITTEN: WriteResult.WRITTEN,
    WriteOutcome.CONFLICT: WriteResult.CONFLICT,
    WriteOutcome.GONE: WriteResult.GONE,
    WriteOutcome.REFUSED: WriteResult.FAILED,
    WriteOutcome.FAILED: WriteResult.FAILED,
}


def counting_writes(metrics: Metrics) -> Callable[[Resource, WriteOutcome], None]:
    """Counts writes of status by kind and result."""

    def count(resource: Resource, outcome: WriteOutcome) -> None:
        metrics.status_written(OBJECT_KINDS[resource], _WRITE_RESULTS[outcome])

    return count


def counting_events(metrics: Metrics) -> Callable[[EventType, EventReason, bool], None]:
    """Counts events by type, reason and whether they could be written."""

    def count(event_type: EventType, reason: EventReason, succeeded: bool) -> None:  # noqa: FBT001 a callback's word
        metrics.event_emitted(event_type, reason, WriteResult.WRITTEN if succeeded else WriteResult.FAILED)

    return count
