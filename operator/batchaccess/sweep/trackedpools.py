"""Every pool of one account as it was seen last, with what was concluded and learned from it."""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from batchaccess.api import stored_conditions, stored_in_order_under
from batchaccess.core.assessment import assess, danger
from batchaccess.core.decision import Nothing, Wait
from batchaccess.core.memory import PoolMemory, after_observation, after_request
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import CompliantReason, PoolOutcome
from batchaccess.core.reporting import known_exposed_since, network_change
from batchaccess.core.saga.breaker import PolicyGeneration
from batchaccess.core.saga.decision import is_starting
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY, after_saga_request
from batchaccess.core.status import Condition
from batchaccess.core.texts import pool_access_name
from batchaccess.ports import Clock
from batchaccess.sweep.accountsagas import AccountSagas
from batchaccess.sweep.executor import Attempt, Judgement
from batchaccess.sweep.onepass import Pass
from batchaccess.sweep.pooltracks import Basis, PoolTrack
from batchaccess.sweep.sagadecisions import what_is_requested
from batchaccess.telemetry.words import CorrectionOutcome

_log = logging.getLogger(__name__)


_NEXT: Final = Wait(
    reason=CompliantReason.CORRECTING, message="The pool is among the next to be drained, in one of the next sweeps."
)


class TrackedPools:
    """The tracks of one account. Nothing here speaks to Azure or Kubernetes."""

    def __init__(self, connection: str, sagas: AccountSagas, clock: Clock) -> None:
        self._connection = connection
        self._sagas = sagas
        self._clock = clock
        self._by_key: dict[str, PoolTrack] = {}

    def all(self) -> Collection[PoolTrack]:
        """The tracks, in the order in which their pools were first seen."""
        return self._by_key.values()

    @staticmethod
    def by_danger(tracks: Iterable[PoolTrack]) -> list[PoolTrack]:
        """The most dangerous first."""
        return sorted(tracks, key=lambda track: danger(track.assessment))

    def keep_only(self, pools: Sequence[ObservedPool]) -> None:
        """Forget what is not there any more."""
        for gone in self._by_key.keys() - {_key(pool) for pool in pools}:
            del self._by_key[gone]

    def look(self, pool: ObservedPool, this: Pass) -> PoolTrack:
        """Assess a pool if anything about it changed, and decide, which depends on the time as well."""
        basis = self._basis(pool, this)
        track = self._by_key.get(_key(pool))
        is_another = track is not None and track.basis.pool.creation_time != pool.creation_time
        if is_another:
            track = None  # Deleted and created anew: what the old one taught says nothing of the new one.
        if track is None or not track.basis.is_same(basis):
            judgement = self._judge(basis, PoolMemory() if track is None else track.memory, track)
            if track is None:
                track = PoolTrack.begin(
                    basis,
                    judgement.assessment,
                    judgement.decision,
                    in_order_under=None if is_another else self._remembered(pool, this),
                )
                self._by_key[_key(pool)] = track
            track.assessed(basis, judgement.assessment, now=self._clock.now())
        drifts = track.assessment.drift.is_correctable
        now = self._clock.now()
        if track.is_newly(what_is_requested(track.assessment, this.connection, this.asked.existing.get(track.name))):
            track.memory = after_request(track.memory)
            track.saga_memory = after_saga_request(track.saga_memory)
        track.memory = after_observation(track.memory, pool=pool, drifts=drifts, now=now)
        self.decide(track, this)
        return track

    def decide(self, track: PoolTrack, this: Pass, *, ahead: Collection[str] = ()) -> None:
        """Decide about a pool as it was seen last; `ahead` as in `AccountSagas.decide`."""
        track.decided(
            self._sagas.decide(
                track.assessment,
                name=track.name,
                connection=this.connection,
                memory=track.memory,
                saga_memory=track.saga_memory,
                ahead=ahead,
            )
        )

    def conclude_unbegun(self, this: Pass) -> None:
        """Say of each pool that may be drained, and was not begun, what it waits for: no saga is open there."""
        ahead: list[str] = []
        for track in self.by_danger(track for track in self.all() if is_starting(track.decision)):
            self.decide(track, this, ahead=ahead)
            policy = track.assessment.policy
            if policy is not None and is_starting(track.decision):
                ahead.append(policy.uid)
                track.decided(_NEXT)

    def judge(self, track: PoolTrack, pool: ObservedPool, memory: PoolMemory, this: Pass) -> Judgement:
        """Assess and decide on a pool as it was just read, and remember nothing of it."""
        return self._judge(self._basis(pool, this), memory, track)

    def look_after(self, attempt: Attempt, pool: ObservedPool, this: Pass) -> None:
        """Conclude anew from the pool as it was read last."""
        track = self.look(pool, this)
        track.attempt = attempt
        if attempt.outcome is CorrectionOutcome.VERIFIED:
            _log.info("corrected %s drift", attempt.kind)
        if attempt.outcome is CorrectionOutcome.VERIFIED and track.decision == Nothing(outcome=PoolOutcome.COMPLIANT):
            track.decided(Nothing(outcome=PoolOutcome.CORRECTED))
        if attempt.change is not None:
            track.change = network_change(
                attempt.change.policy.key,
                before=attempt.change.before.pool.network,
                after=pool.network,
                time=attempt.change.time,
                exposed_since=known_exposed_since(
                    attempt.change.before, self._told_of(track, this), changed=attempt.change.time
                ),
            )

    def _told_of(self, track: PoolTrack, this: Pass) -> tuple[Condition, ...]:
        """The conditions of a pool in Kubernetes when the pass began."""
        reported = this.asked.existing.get(track.name)
        return () if reported is None else stored_conditions(reported.stored.status)

    def _remembered(self, pool: ObservedPool, this: Pass) -> PolicyGeneration | None:
        """What governed the pool when it was last as declared, as an earlier process or leader saw it."""
        reported = this.asked.existing.get(pool_access_name(self._connection, pool.id))
        return None if reported is None or not reported.owned else stored_in_order_under(reported.stored.status)

    def _basis(self, pool: ObservedPool, this: Pass) -> Basis:
        nodes = this.account.listings.findings(pool)
        return Basis(pool=pool, nodes=nodes, candidates=this.candidates, connection=this.connection)

    def _judge(self, basis: Basis, memory: PoolMemory, track: PoolTrack | None) -> Judgement:
        assessment = assess(basis.pool, nodes=basis.nodes, connection=basis.connection, candidates=basis.candidates)
        decision = self._sagas.decide(
            assessment,
            name=pool_access_name(self._connection, basis.pool.id) if track is None else track.name,
            connection=basis.connection,
            memory=memory,
            saga_memory=NO_SAGA_MEMORY if track is None else track.saga_memory,
        )
        return Judgement(assessment=assessment, decision=decision)


def _key(pool: ObservedPool) -> str:
    """Pool ids keep their case, but two of them never differ in case only (REST doc "Add Pool To Account")."""
    return pool.id.casefold()
