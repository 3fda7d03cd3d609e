"""The sagas of one connection: what is known of them, what holds them back, and what ends with the last of them."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Final

from batchaccess.api import stored_conditions
from batchaccess.core.assessment import Assessment
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.memory import PoolMemory
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import CompliantReason, ConditionType, EventReason, EventType, RemediatingReason
from batchaccess.core.saga.actions import SagaDecision
from batchaccess.core.saga.breaker import CLOSED, Breaker, next_breaker
from batchaccess.core.saga.outcomes import SagaMemory
from batchaccess.core.saga.scale import scale_line
from batchaccess.core.saga.steps import KubernetesJournal
from batchaccess.ports import Catalogue, Finalizers, Pools, ReportedPool
from batchaccess.sweep.executor import Executor
from batchaccess.sweep.parts import SweepParts
from batchaccess.sweep.pooltracks import PoolTrack
from batchaccess.sweep.preconditions import Preconditions
from batchaccess.sweep.sagabook import SagaBook, SagaRegister
from batchaccess.sweep.sagadecisions import SagaDecisions
from batchaccess.sweep.sagaprogress import SagaProgress
from batchaccess.sweep.sagasteps import SagaSteps
from batchaccess.sweep.sagavisits import SagaVisits

_log = logging.getLogger(__name__)

RESTORE_WITHIN: Final = timedelta(seconds=600)
"""How long a deleted connection is held for its pools' scale to be brought back."""


class AccountSagas:
    """The sagas of one connection."""

    def __init__(self, name: str, parts: SweepParts) -> None:
        sagas = parts.sagas
        self._parts = parts
        self._name = name
        self._let_go_of: str | None = None
        self._holds = False
        self._unread: frozenset[str] = frozenset()
        self._is_breaker_known = False
        self.book = SagaBook(name, sagas.register)
        self.progress = SagaProgress(metrics=parts.metrics, book=self.book, clock=parts.clock)
        self._decisions = SagaDecisions(
            book=self.book,
            register=sagas.register,
            windows=sagas.windows,
            clock=parts.clock,
            new_saga_id=sagas.new_saga_id,
            cluster_uid=sagas.finalizers.cluster_uid,
        )

    def read(self, existing: Mapping[str, ReportedPool]) -> None:
        """Take in what Kubernetes says of all pools of the connection."""
        self.book.read(existing)
        if not self._is_breaker_known:
            self._is_breaker_known = True
            self._decisions.breaker = self._breaker_before(existing.values())

    def _breaker_before(self, existing: Iterable[ReportedPool]) -> Breaker:
        """The breaker as an earlier process left it, so that only a request it did not answer closes it."""
        if not any(_says_breaker_open(reported) for reported in existing):
            return CLOSED
        return Breaker(tripped=True, requested_at=self._parts.sagas.handled_request(self._name))

    def visits(self, pools: Pools, executor: Executor, preconditions: Preconditions) -> SagaVisits:
        """What visits the pools of the account."""
        steps = SagaSteps(
            pools=pools,
            reports=self._parts.reports,
            finalizers=self._parts.sagas.finalizers,
            book=self.book,
            preconditions=preconditions,
            clock=self._parts.clock,
            jitter=self._parts.jitter,
        )
        return SagaVisits(steps=steps, executor=executor, progress=self.progress)

    def decide(
        self,
        assessment: Assessment,
        *,
        name: str,
        connection: AccountConnection,
        memory: PoolMemory,
        saga_memory: SagaMemory,
        ahead: Collection[str] = (),
    ) -> SagaDecision:
        """What to do about one pool now; `ahead` are the policies of pools whose turn comes before this one's."""
        return self._decisions.decide(
            assessment, name=name, connection=connection, memory=memory, saga_memory=saga_memory, ahead=ahead
        )

    def observe(self, tracks: Collection[PoolTrack], connection: AccountConnection) -> bool:
        """Open or close the breaker by what the pools are like now; whether that changed what may start."""
        standings = (track.standing() for track in tracks)
        breaker = next_breaker(self._decisions.breaker, standings, requested_at=connection.requested_at)
        if breaker.overridden:
            for track in tracks:
                track.acknowledged()
        changed = breaker.is_open is not self._decisions.breaker.is_open
        if changed:
            _log.warning("the breaker is %s", "open: nothing new is drained" if breaker.is_open else "closed")
        self._decisions.breaker = breaker
        self._parts.metrics.observe_breaker(is_open=breaker.is_open)
        return changed

    def unread(self, names: Iterable[str]) -> None:
        """The pools of these objects are there and cannot be understood: whatever saga they are in does not go on."""
        self._unread = frozenset(names)

    def is_open(self, name: str) -> bool:
        """Whether the pool of this object is to be visited."""
        return self._let_go_of is None and isinstance(self.book.of(name).journal, KubernetesJournal)

    def is_free(self, name: str) -> bool:
        """Whether the pool of this object may be corrected: it has no saga of its own, and none was let go of."""
        return self._let_go_of is None and not isinstance(self.book.of(name).journal, KubernetesJournal)

    @property
    def any_open(self) -> bool:
        """Whether there is a saga to be visited."""
        return self._let_go_of is None and bool(self.book.open())

    def tell_metrics(self, tracks: Iterable[PoolTrack]) -> None:
        """Show how many sagas are at which step, and how many of them cannot bring a scale back."""
        still_open = self.book.open()
        steps = Counter(journal.step for journal in still_open.values())
        pending = sum(_is_pending(track) for track in tracks) + len(self._unread & still_open.keys())
        self._parts.metrics.observe_sagas(steps, pending=pending)

    async def settle(self, connection: AccountConnection, catalogue: Catalogue) -> None:
        """Let go of what no saga needs any more, and of everything once a deletion has waited long enough."""
        still_open = self.book.open()
        if not connection.deleting and not self._holds:
            await self._hold(connection, catalogue.policies, still_open.values())
        if connection.deleting and still_open and self._is_over(connection) and self._let_go_of is None:
            await self._let_go(connection, still_open)
        if self._let_go_of is not None or not still_open:
            await self._parts.sagas.finalizers.release_connection(connection.name)
        await release_policies(
            self._parts.sagas.finalizers, self._parts.sagas.register, [each.name for each in catalogue.connections]
        )

    async def _hold(
        self, connection: AccountConnection, policies: Iterable[AccessPolicy], still_open: Iterable[KubernetesJournal]
    ) -> None:
        """Go on with what was let go of, by this process or an earlier one, if the connection stays after all.

        A policy that cannot be held any more is not waited for: its sagas only bring scales back.
        """
        by_uid = {policy.uid: policy for policy in policies}
        self._let_go_of, self._holds = None, True
        self.book.reopen()
        for journal in still_open:
            await self._parts.sagas.finalizers.hold(connection, by_uid.get(journal.journal.policy.uid))

    def _is_over(self, connection: AccountConnection) -> bool:
        since = connection.leaving_since
        return connection.abandon or since is None or self._parts.clock.now() >= since + RESTORE_WITHIN

    async def _let_go(self, connection: AccountConnection, still_open: Mapping[str, KubernetesJournal]) -> None:
        """Leave the rest to people: the copy in each pool's metadata says what to bring back."""
        for name, journal in sorted(still_open.items()):
            scale = scale_line(journal.journal.recorded)
            _log.error("%s is let go of though its scale is not back: %s", name, scale)
            await self._parts.recorder.record(
                kind="BatchAccountConnection",
                name=connection.name,
                namespace=None,
                uid=connection.uid,
                event_type=EventType.WARNING,
                reason=EventReason.RESTORE_PENDING,
                message=f"The scale of pool {journal.journal.pool_id} is not back: {scale}. The journal in its "
                f"metadata (saga {journal.journal.saga_id}) stays; another connection may adopt it.",
            )
        self._let_go_of, self._holds = connection.uid, False
        self.book.close()


async def release_policies(finalizers: Finalizers, register: SagaRegister, connections: Collection[str]) -> None:
    """Take our finalizer off every policy that no open saga enforces, once all connections have told of theirs."""
    if not register.knows(connections):
        return
    needed = set(register.policies())
    for key in [key for key in finalizers.held_policies() if key not in needed]:
        await _release(finalizers, key)


async def _release(finalizers: Finalizers, key: ObjectKey) -> None:
    if await finalizers.release_policy(key):
        _log.info("policy %s is not held any more", key)


def _is_pending(track: PoolTrack) -> bool:
    progress = track.conclusion.progress
    return progress is not None and progress.reason is RemediatingReason.RESTORE_PENDING


def _says_breaker_open(reported: ReportedPool) -> bool:
    return reported.owned and any(
        condition.type is ConditionType.COMPLIANT and condition.reason == CompliantReason.BREAKER_OPEN
        for condition in stored_conditions(reported.stored.status)
    )
