"""What the metrics are told of sagas: steps begun and ended, sagas resumed and over, capacity that is missing."""

from dataclasses import dataclass, field

from batchaccess.core.model import ObservedPool
from batchaccess.core.saga.steps import Ending, KubernetesJournal
from batchaccess.ports import Clock
from batchaccess.sweep.executor import Attempt
from batchaccess.sweep.sagabook import SagaBook, SagaRecord
from batchaccess.telemetry.connection import ConnectionMetrics
from batchaccess.telemetry.words import SagaOutcome


@dataclass(slots=True, kw_only=True)
class SagaProgress:
    """Tells the metrics of one connection; decides nothing."""

    metrics: ConnectionMetrics
    book: SagaBook
    clock: Clock
    _seen: dict[str, float] = field(default_factory=dict)
    """When the nodes of each pool in a saga were last counted, as monotonic seconds."""

    def seen(self, name: str, pool: ObservedPool) -> None:
        """Add up what is missing since the last reading of the pool, as it is now."""
        now, journal = self.clock.monotonic(), self.book.of(name).journal
        if not isinstance(journal, KubernetesJournal):
            self._seen.pop(name, None)
            return
        before = self._seen.get(name, now)
        self._seen[name] = now
        missing = max(0, journal.journal.recorded.current.total - pool.scale.current.total)
        if missing and now > before:
            self.metrics.capacity_lost(missing * (now - before))

    def stepped(self, name: str, before: SagaRecord, after: SagaRecord) -> None:
        """Take in what one action made of the record of a pool."""
        old, new = _copy(before), _copy(after)
        if old is not None and (new is None or new.step is not old.step):
            self.metrics.saga_step_ended(old.step, seconds=(self.clock.now() - old.since).total_seconds())
        if new is not None and old is None and new.ending is Ending.RESUMED:
            self.metrics.saga_resumed()
        if new is not None and new.shrunk and not (old is not None and old.shrunk):
            self.metrics.nodes_drained(new.journal.recorded.current.total)
        if old is not None and new is None:
            self._seen.pop(name, None)
            self.metrics.saga_ended(SagaOutcome.FORGOTTEN if old.ending is None else SagaOutcome(old.ending.value))

    def affected(self, running_tasks: int) -> None:
        """Take in how many tasks ran on the nodes that a resize takes out."""
        if running_tasks:
            self.metrics.tasks_affected(running_tasks)

    def abandoned(self, name: str, before: SagaRecord) -> None:
        """A person gave the saga of a pool up."""
        self._seen.pop(name, None)
        if _copy(before) is not None:
            self.metrics.saga_ended(SagaOutcome.ABANDONED)

    def corrected(self, attempt: Attempt) -> None:
        """Take in how a PATCH ended."""
        if attempt.outcome is not None:
            self.metrics.drift_corrected(attempt.kind, attempt.outcome)


def _copy(record: SagaRecord) -> KubernetesJournal | None:
    return record.journal if isinstance(record.journal, KubernetesJournal) else None
