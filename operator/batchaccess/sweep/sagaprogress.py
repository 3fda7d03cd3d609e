"""What the metrics are told of sagas: steps begun and ended, sagas resumed and over, capacity that is missing."""

from dataclasses import dataclass, field

from batchaccess.core.model import ObservedPool
from batchaccess.core.saga.scale import is_drained
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
    _sent: dict[str, int] = field(default_factory=dict)
    """For each pool whose drain was sent and is not known to be accepted: the tasks that ran right before."""

    def seen(self, name: str, pool: ObservedPool) -> None:
        """Add up what is missing since the last reading of the pool, as it is now."""
        now, journal = self.clock.monotonic(), self.book.of(name).journal
        if not isinstance(journal, KubernetesJournal):
            self._forget(name)
            return
        if is_drained(pool.scale):
            self.drained(name)
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
        if old is not None and new is None:
            self._forget(name)
            self.metrics.saga_ended(SagaOutcome.FORGOTTEN if old.ending is None else SagaOutcome(old.ending.value))

    def drain_sent(self, name: str, running_tasks: int) -> None:
        """A drain is being sent, with so many tasks on the nodes that it takes out; it may have no effect."""
        self._sent[name] = running_tasks

    def drain_refused(self, name: str) -> None:
        """The drain certainly had no effect."""
        self._sent.pop(name, None)

    def drained(self, name: str) -> None:
        """The drain was accepted, or is seen to have had its effect: counted the first time one is known to have."""
        journal, running_tasks = self.book.of(name).journal, self._sent.pop(name, None)
        if running_tasks is None or not isinstance(journal, KubernetesJournal):
            return
        self.metrics.nodes_drained(journal.journal.recorded.current.total)
        if running_tasks:
            self.metrics.tasks_affected(running_tasks)

    def _forget(self, name: str) -> None:
        self._seen.pop(name, None)
        self._sent.pop(name, None)

    def abandoned(self, name: str, before: SagaRecord) -> None:
        """A person gave the saga of a pool up."""
        self._forget(name)
        if _copy(before) is not None:
            self.metrics.saga_ended(SagaOutcome.ABANDONED)

    def corrected(self, attempt: Attempt) -> None:
        """Take in how a PATCH ended."""
        if attempt.outcome is not None:
            self.metrics.drift_corrected(attempt.kind, attempt.outcome)


def _copy(record: SagaRecord) -> KubernetesJournal | None:
    return record.journal if isinstance(record.journal, KubernetesJournal) else None
