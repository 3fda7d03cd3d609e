"""One account, one pass after another: observe, decide, act, report.

A pass lists the pools once and looks again only at what changed since. It never raises for what the outside world does:
how a pass ended is a value.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from batchaccess.core.assessment import assess, danger
from batchaccess.core.decision import Nothing, PatchNetwork, decide
from batchaccess.core.declared import AccountConnection
from batchaccess.core.memory import PoolMemory, after_observation, after_request
from batchaccess.core.model import (
    ObjectKey,
    ObservedPool,
)
from batchaccess.core.reasons import PoolOutcome
from batchaccess.core.reporting import network_change
from batchaccess.core.selection import Candidates
from batchaccess.core.tally import PolicyTally, PoolRecord
from batchaccess.ports import Catalogue, Clock, Listing, PolicyStore, PoolReports, Pools, PortError, Recorder
from batchaccess.sweep.acceptances import Acceptances, CandidatesOfConnection
from batchaccess.sweep.executor import Attempt, Executor, Judgement
from batchaccess.sweep.nodelistings import NodeListings
from batchaccess.sweep.poolreporting import Asked, PoolReporter, Report
from batchaccess.sweep.pooltracks import Basis, PoolTrack, Requested
from batchaccess.sweep.summary import SweepSummary, completed, failed
from batchaccess.telemetry.connection import ConnectionMetrics
from batchaccess.telemetry.logcontext import log_context
from batchaccess.telemetry.words import CorrectionOutcome, SweepResult

_log = logging.getLogger(__name__)

_POOLS_BETWEEN_YIELDS: Final = 10
"""New assessments, about a millisecond each, after which the event loop gets its turn."""

_FAILURES_BEFORE_UNKNOWN: Final = 3
"""Failed passes in a row after which what was concluded before is no longer said of policies."""

Connect = Callable[[AccountConnection], Awaitable[Pools]]
"""Makes the pools of a connection; raises `PortError` if its endpoint or credentials do not allow that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepParts:
    """What a sweep works with, besides the account itself."""

    connect: Connect
    store: PolicyStore
    reports: PoolReports
    recorder: Recorder
    metrics: ConnectionMetrics
    acceptances: Acceptances
    clock: Clock
    jitter: Callable[[], float]
    beat: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """The open account: its pools and what is remembered of their nodes."""

    pools: Pools
    listings: NodeListings
    executor: Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """What stays the same during one pass. `started` and `deadline` are monotonic times."""

    account: _Account
    connection: AccountConnection
    candidates: Candidates
    asked: Asked
    started: float

    @property
    def deadline(self) -> float:
        """When no further correction is begun: the next pass has its turn."""
        return self.started + self.connection.sync_period_seconds


class AccountSweep:
    """The passes over the account of one connection."""

    def __init__(self, name: str, parts: SweepParts) -> None:
        self._name = name
        self._parts = parts
        self._clock = parts.clock
        self._candidates = CandidatesOfConnection(parts.acceptances)
        self._reporter = PoolReporter(
            reports=parts.reports,
            recorder=parts.recorder,
            metrics=parts.metrics,
            clock=parts.clock,
            beat=parts.beat,
        )
        self._account: _Account | None = None
        self._tracks: dict[str, PoolTrack] = {}
        self._tallies: Mapping[ObjectKey, PolicyTally] | None = None
        self._failures = 0
        self._winding_down = False

    def wind_down(self) -> None:
        """Begin no further correction; the one under way is finished."""
        self._winding_down = True

    async def close(self) -> None:
        """Release connections and credentials."""
        if self._account is not None:
            await self._account.pools.close()

    async def run_once(self, catalogue: Catalogue) -> SweepSummary | None:
        """One pass under what is declared now; None if the connection is not declared any more."""
        connection = self._declared(catalogue)
        if connection is None:
            return None
        started = self._clock.monotonic()
        asked = self._reporter.begin(connection)
        try:
            account = await self._open(connection)
            listing = await account.pools.list_pools()
        except PortError as error:
            return self._failed(connection, catalogue, error, started)
        candidates = self._candidates.of(connection, catalogue)
        this = _Pass(account=account, connection=connection, candidates=candidates, asked=asked, started=started)
        await self._observe(listing, this)
        await self._correct(this)
        report = await self._reporter.report(asked, list(self._tracks.values()), listing.unreadable)
        return self._completed(this, catalogue, report, unreadable=len(listing.unreadable))

    def _declared(self, catalogue: Catalogue) -> AccountConnection | None:
        return next((each for each in catalogue.connections if each.name == self._name), None)

    async def _open(self, connection: AccountConnection) -> _Account:
        if self._account is None:
            pools = await self._parts.connect(connection)
            self._account = _Account(
                pools=pools,
                listings=NodeListings(pools, self._clock),
                executor=Executor(pools, self._clock, self._parts.jitter),
            )
        return self._account

    async def _observe(self, listing: Listing, this: _Pass) -> None:
        """Bring the tracks to what was listed; only what changed is assessed again."""
        for gone in self._tracks.keys() - {_key(pool) for pool in listing.pools}:
            del self._tracks[gone]
        seconds = this.connection.sync_period_seconds / 2
        await this.account.listings.refresh(listing.pools, seconds=seconds, beat=self._parts.beat)
        for position, pool in enumerate(listing.pools):
            track = self._look(pool, this)
            track.attempt = None
            if position % _POOLS_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)

    def _look(self, pool: ObservedPool, this: _Pass) -> PoolTrack:
        """Assess a pool if anything about it changed, and decide, which depends on the time as well."""
        basis = self._basis(pool, this)
        track = self._tracks.get(_key(pool))
        if track is not None and track.basis.pool.creation_time != pool.creation_time:
            track = None  # Deleted and created anew: what the old one taught says nothing of the new one.
        if track is None or not track.basis.is_same(basis):
            judgement = self._judge(basis, PoolMemory() if track is None else track.memory)
            if track is None:
                track = PoolTrack.begin(basis, judgement.assessment, judgement.decision)
                self._tracks[_key(pool)] = track
            track.basis, track.assessment = basis, judgement.assessment
        drifts = track.assessment.drift.is_correctable
        now = self._clock.now()
        if track.is_newly(self._requested(track, this)):
            track.memory = after_request(track.memory)
        track.memory = after_observation(track.memory, pool=pool, drifts=drifts, now=now)
        track.decided(decide(track.assessment, connection=this.connection, memory=track.memory, now=now))
        return track

    def _requested(self, track: PoolTrack, this: _Pass) -> Requested:
        reported, policy = this.asked.existing.get(track.name), track.assessment.policy
        return Requested(
            pool=None if reported is None else reported.requested_at,
            policy=None if policy is None else policy.requested_at,
            connection=this.connection.requested_at,
        )

    def _basis(self, pool: ObservedPool, this: _Pass) -> Basis:
        nodes = this.account.listings.findings(pool)
        return Basis(pool=pool, nodes=nodes, candidates=this.candidates, connection=this.connection)

    def _judge(self, basis: Basis, memory: PoolMemory) -> Judgement:
        assessment = assess(basis.pool, nodes=basis.nodes, connection=basis.connection, candidates=basis.candidates)
        decision = decide(assessment, connection=basis.connection, memory=memory, now=self._clock.now())
        return Judgement(assessment=assessment, decision=decision)

    async def _correct(self, this: _Pass) -> None:
        """Carry out what was decided, most dangerous first."""
        wanting = [track for track in self._tracks.values() if isinstance(track.decision, PatchNetwork)]
        for track in sorted(wanting, key=lambda track: danger(track.assessment)):
            latest = self._latest(this)
            if latest is None:
                return
            if self._clock.monotonic() >= this.deadline:
                _log.info("more pools to correct than one period allows; the rest follows in the next sweep")
                return
            policy = track.assessment.policy
            with log_context(pool=track.pool_id, policy=str(policy.key) if policy else None):
                await self._correct_one(track, latest)
            self._parts.beat()

    def _latest(self, this: _Pass) -> _Pass | None:
        """The pass under what is declared by now, None if nothing may be changed any more.

        A pass may last for a whole period, and whoever suspends a policy does not mean after that.
        """
        catalogue = self._parts.store.catalogue()
        connection = self._declared(catalogue)
        if self._winding_down or connection is None or connection.uid != this.connection.uid:
            return None
        return replace(this, connection=connection, candidates=self._candidates.of(connection, catalogue))

    async def _correct_one(self, track: PoolTrack, this: _Pass) -> None:
        def judge(pool: ObservedPool, memory: PoolMemory) -> Judgement:
            return self._judge(self._basis(pool, this), memory)

        kind = track.assessment.drift.kind
        attempt = await this.account.executor.correct(track.pool_id, judge, track.memory, kind)
        track.attempt, track.memory = attempt, attempt.memory
        if attempt.outcome is not None:
            self._parts.metrics.drift_corrected(attempt.kind, attempt.outcome)
        if attempt.pool is not None:
            self._look_after(attempt, attempt.pool, this)

    def _look_after(self, attempt: Attempt, pool: ObservedPool, this: _Pass) -> None:
        """Conclude anew from the pool as it was read last."""
        track = self._look(pool, this)
        track.attempt = attempt
        if attempt.outcome is CorrectionOutcome.VERIFIED and track.decision == Nothing(outcome=PoolOutcome.COMPLIANT):
            track.decided(Nothing(outcome=PoolOutcome.CORRECTED))
            _log.info("corrected %s drift", attempt.kind)
        if attempt.change is not None:
            track.change = network_change(
                attempt.change.policy.key,
                before=attempt.change.before.pool.network,
                after=pool.network,
                time=attempt.change.time,
            )

    def _completed(self, this: _Pass, catalogue: Catalogue, report: Report, *, unreadable: int) -> SweepSummary:
        tracks = self._tracks.values()
        troubled = any(_is_unfinished(track) for track in tracks) or report.failed or unreadable
        self._parts.metrics.sweep_finished(
            SweepResult.INCOMPLETE if troubled else SweepResult.COMPLETE,
            seconds=self._clock.monotonic() - this.started,
            ended=self._clock.now(),
            writes=report.written + sum(track.corrected for track in tracks),
        )
        records = [PoolRecord(track.assessment, track.conclusion) for track in tracks]
        summary = completed(this.connection, catalogue, records, unreadable=unreadable)
        self._failures, self._tallies = 0, summary.tallies
        return summary

    def _failed(
        self, connection: AccountConnection, catalogue: Catalogue, error: PortError, started: float
    ) -> SweepSummary:
        _log.warning("the pools were not listed: %s", error)
        self._failures += 1
        if self._failures >= _FAILURES_BEFORE_UNKNOWN:
            self._tallies = None
        self._parts.metrics.sweep_finished(
            SweepResult.FAILED, seconds=self._clock.monotonic() - started, ended=self._clock.now(), writes=0
        )
        return failed(connection, catalogue, error, tallies=self._tallies)


def _key(pool: ObservedPool) -> str:
    """Pool ids keep their case, but two of them never differ in case only (REST doc "Add Pool To Account")."""
    return pool.id.casefold()


def _is_unfinished(track: PoolTrack) -> bool:
    """Whether a correction failed, or was called for and not begun."""
    if track.attempt is None:
        return isinstance(track.decision, PatchNetwork)
    return track.attempt.outcome not in (None, CorrectionOutcome.VERIFIED)
