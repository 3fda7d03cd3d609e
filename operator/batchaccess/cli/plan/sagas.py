"""What the operator decides about pools that it may have begun to correct, by what it wrote down in the cluster."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchaccess.core.assessment import Assessment
from batchaccess.core.declared import AccountConnection
from batchaccess.core.memory import NOTHING_REMEMBERED
from batchaccess.core.preview import decided_by_a_stranger, open_correction
from batchaccess.core.saga.actions import SagaDecision
from batchaccess.core.saga.metadata import journal_in
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY
from batchaccess.core.saga.steps import KubernetesJournal
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.core.texts import pool_access_name
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.poolaccess import reported_pools
from batchaccess.sweep.sagabook import SagaBook, SagaRegister
from batchaccess.sweep.sagadecisions import SagaDecisions

_NO_SAGA_ID: Final = "0" * 12
_OPEN: Final = WindowVerdict(permitted=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """Implements `ports.Clock`: a plan is of one moment."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


class OperatorsDecisions:
    """Decides as the operator does, with its own code, on its journals and on what earlier drains taught it.

    Windows are taken to be open, as a plan says apart when they are. What the operator only remembers, such as failures
    since it started and its breaker, nobody else knows.
    """

    def __init__(self, written: LiveCatalogue | None, connections: Iterable[AccountConnection], now: datetime) -> None:
        """Take in what is written about the pools of all connections; None for `written` if nothing is known of it."""
        self._now = now
        self._cluster_uid = None if written is None else written.cluster_uid()
        self._sagas: dict[str, SagaDecisions] = {}
        register = SagaRegister()
        for connection in connections:
            if written is not None and connection.uid:
                book = SagaBook(connection.name, register)
                book.read(reported_pools(written, connection))
                self._sagas[connection.name] = self._decisions(book, register)

    def decide(self, assessment: Assessment, connection: AccountConnection) -> SagaDecision:
        """What the operator would do about a pool of the connection; neutral where its journal may be anybody's."""
        sagas = self._sagas.get(connection.name)
        if sagas is None or not connection.uid:
            return decided_by_a_stranger(assessment, connection, now=self._now)
        name = pool_access_name(connection.name, assessment.pool.id)
        if self._cluster_uid is None:
            journal = sagas.book.of(name).journal
            if isinstance(journal, KubernetesJournal):
                return open_correction(journal.journal)
            if journal_in(assessment.pool.metadata) is not None:
                return decided_by_a_stranger(assessment, connection, now=self._now)
        return sagas.decide(
            assessment, name=name, connection=connection, memory=NOTHING_REMEMBERED, saga_memory=NO_SAGA_MEMORY
        )

    def _decisions(self, book: SagaBook, register: SagaRegister) -> SagaDecisions:
        return SagaDecisions(
            book=book,
            register=register,
            windows=lambda _policy, _now: _OPEN,
            clock=_Moment(at=self._now),
            new_saga_id=lambda: _NO_SAGA_ID,
            cluster_uid=lambda: self._cluster_uid or "",
        )
