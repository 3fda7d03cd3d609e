"""One account, one pass after another: observe, decide, act, report.

A pass lists the pools once and looks again only at what changed since. It never raises for what the outside world does:
how a pass ended is a value.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from batchaccess.core.assessment import assess, danger
from batchaccess.core.decision import Nothing, PatchNetwork
from batchaccess.core.declared import AccountConnection
from batchaccess.core.memory import PoolMemory, after_observation, after_request
from batchaccess.core.model import (
    ObjectKey,
    ObservedPool,
)
from batchaccess.core.reasons import PoolOutcome
from batchaccess.core.reporting import network_change
from batchaccess.core.saga.actions import Remediate
from batchaccess.core.saga.outcomes import NO_SAGA_MEMORY
from batchaccess.core.selection import Candidates
from batchaccess.core.tally import PolicyTally, PoolRecord
from batchaccess.core.texts import pool_access_name
from batchaccess.ports import Catalogue, Listing, Pools, PortError
from batchaccess.sweep.acceptances import CandidatesOfConnection
from batchaccess.sweep.accountsagas import AccountSagas
from batchaccess.sweep.executor import Attempt, Executor, Judgement
from batchaccess.sweep.nodelistings import NodeListings
from batchaccess.sweep.parts import SweepParts
from batchaccess.sweep.poolreporting import Asked, PoolReporter, Report
from batchaccess.sweep.pooltracks import Basis, PoolTrack, Requested
from batchaccess.sweep.preconditions import Preconditions
from batchaccess.sweep.sagavisits import SagaVisits
from batchaccess.sweep.summary import SweepSummary, completed, failed
from batchaccess.telemetry.logcontext import log_context
from batchaccess.telemetry.words import CorrectionOutcome, SweepResult

_log = logging.getLogger(__name__)

_POOLS_BETWEEN_YIELDS: Final = 10
"""New assessments, about a millisecond each, after which the event loop gets its turn."""

_LEAVE_FOR: Final = timedelta(minutes=15)
"""How long a connection that `batchaccess uninstall` marked begins nothing."""

_FAILURES_BEFORE_UNKNOWN: Final = 3
"""Failed passes in a row after which what was concluded before is no longer said of policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """The open account: its pools and what is remembered of their nodes."""

    pools: Pools
    listings: NodeListings
    executor: Executor
    visits: SagaVisits


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
        self._sagas = AccountSagas(name, parts)
        self._leaving: tuple[AccountConnection, AccountConnection] | None = None
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
        self._sagas.read(asked.existing)
        try:
            account = await self._open(connection)
            listing = await account.pools.list_pools()
        except PortError as error:
            await self._sagas.settle(connection, catalogue.connections)
            return self._failed(connection, catalogue, error, started)
        candidates = self._candidates.of(connection, catalogue)
        this = _Pass(account=account, connection=connection, candidates=candidates, asked=asked, started=started)
        await self._observe(listing, this)
        await self._visit(this, [track for track in self._tracks.values() if self._sagas.is_open(track.name)])
        await self._correct(this)
        report = await self._reporter.report(asked, list(self._tracks.values()), listing.unreadable)
        await self._settle(connection, catalogue)
        return self._completed(this, catalogue, report, unreadable=len(listing.unreadable))

    @property
    def has_open_sagas(self) -> bool:
        """Whether `visit_sagas` has something to do."""
        return self._sagas.any_open and self._account is not None

    async def visit_sagas(self, catalogue: Catalogue) -> None:
        """Go on with every open saga, without listing the account; nothing else is looked at."""
        connection, account = self._declared(catalogue), self._account
        if connection is None or account is None:
            return
        this = _Pass(
            account=account,
            connection=connection,
            candidates=self._candidates.of(connection, catalogue),
            asked=self._reporter.begin(connection),
            started=self._clock.monotonic(),
        )
        self._sagas.read(this.asked.existing)
        tracks = [track for track in self._tracks.values() if self._sagas.is_open(track.name)]
        await self._visit(this, tracks)
        await self._reporter.report_some(this.asked, tracks)
        await self._settle(connection, catalogue)

    async def _visit(self, this: _Pass, tracks: Collection[PoolTrack]) -> None:
        """Visit the pools whose sagas are open: they hold capacity, so they come before everything else."""
        for track in sorted(tracks, key=lambda track: danger(track.assessment)):
            latest = self._latest(this)
            if latest is None:
                return
            await self._visit_one(track, latest)
            self._parts.beat()

    async def _visit_one(self, track: PoolTrack, this: _Pass) -> None:
        track.attempt = None
        with self._logged(track):
            await this.account.visits.visit(
                track,
                this.connection,
                lambda pool: self._look(pool, this),
                lambda attempt, pool: self._look_after(attempt, pool, this),
            )

    async def _settle(self, connection: AccountConnection, catalogue: Catalogue) -> None:
        self._sagas.tell_metrics(self._tracks.values())
        await self._sagas.settle(connection, catalogue.connections)

    def _declared(self, catalogue: Catalogue) -> AccountConnection | None:
        """The connection as it is declared; as if it were deleted for as long as the operator is told to leave."""
        found = next((each for each in catalogue.connections if each.name == self._name), None)
        if found is None or found.deleting or found.leaving_since is None:
            return found
        if not _is_leaving(found.leaving_since, self._clock.now()):
            return found
        if self._leaving is None or self._leaving[0] is not found:
            self._leaving = (found, replace(found, deleting=True))
        return self._leaving[1]

    async def _open(self, connection: AccountConnection) -> _Account:
        if self._account is None:
            pools = await self._parts.connect(connection)
            preconditions = Preconditions()
            executor = Executor(pools, self._clock, self._parts.jitter, preconditions)
            self._account = _Account(
                pools=pools,
                listings=NodeListings(pools, self._clock),
                executor=executor,
                visits=self._sagas.visits(pools, executor, preconditions),
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
        self._sagas.observe(self._tracks.values(), this.connection)

    def _look(self, pool: ObservedPool, this: _Pass) -> PoolTrack:
        """Assess a pool if anything about it changed, and decide, which depends on the time as well."""
        basis = self._basis(pool, this)
        track = self._tracks.get(_key(pool))
        if track is not None and track.basis.pool.creation_time != pool.creation_time:
            track = None  # Deleted and created anew: what the old one taught says nothing of the new one.
        if track is None or not track.basis.is_same(basis):
            judgement = self._judge(basis, PoolMemory() if track is None else track.memory, track)
            if track is None:
                track = PoolTrack.begin(basis, judgement.assessment, judgement.decision)
                self._tracks[_key(pool)] = track
            track.basis, track.assessment = basis, judgement.assessment
        drifts = track.assessment.drift.is_correctable
        now = self._clock.now()
        if track.is_newly(self._requested(track, this)):
            track.memory = after_request(track.memory)
        track.memory = after_observation(track.memory, pool=pool, drifts=drifts, now=now)
        track.decided(
            self._sagas.decide(
                track.assessment,
                name=track.name,
                connection=this.connection,
                memory=track.memory,
                saga_memory=track.saga_memory,
            )
        )
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

    def _judge(self, basis: Basis, memory: PoolMemory, track: PoolTrack | None) -> Judgement:
        assessment = assess(basis.pool, nodes=basis.nodes, connection=basis.connection, candidates=basis.candidates)
        decision = self._sagas.decide(
            assessment,
            name=pool_access_name(self._name, basis.pool.id) if track is None else track.name,
            connection=basis.connection,
            memory=memory,
            saga_memory=NO_SAGA_MEMORY if track is None else track.saga_memory,
        )
        return Judgement(assessment=assessment, decision=decision)

    async def _correct(self, this: _Pass) -> None:
        """Carry out what was decided, most dangerous first."""
        tracks = self._tracks.values()
        wanting = [track for track in tracks if _wants(track) and not self._sagas.is_open(track.name)]
        for track in sorted(wanting, key=lambda track: danger(track.assessment)):
            latest = self._latest(this)
            if latest is None:
                return
            if self._clock.monotonic() >= this.deadline:
                _log.info("more pools to correct than one period allows; the rest follows in the next sweep")
                return
            await (self._visit_one if isinstance(track.decision, Remediate) else self._correct_one)(track, latest)
            self._parts.beat()

    def _logged(self, track: PoolTrack) -> AbstractContextManager[None]:
        policy = track.assessment.policy
        return log_context(pool=track.pool_id, policy=str(policy.key) if policy else None)

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
            return self._judge(self._basis(pool, this), memory, track)

        kind = track.assessment.drift.kind
        with self._logged(track):
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


def _is_leaving(since: datetime, now: datetime) -> bool:
    """Whether the operator was told to leave a moment ago; an older word was left behind by an earlier one."""
    return now < since + _LEAVE_FOR


def _wants(track: PoolTrack) -> bool:
    """Whether something is to be changed now."""
    return isinstance(track.decision, PatchNetwork | Remediate)


def _is_unfinished(track: PoolTrack) -> bool:
    """Whether a correction failed, or was called for and not begun."""
    if track.attempt is None:
        return isinstance(track.decision, PatchNetwork)
    return track.attempt.outcome not in (None, CorrectionOutcome.VERIFIED)
