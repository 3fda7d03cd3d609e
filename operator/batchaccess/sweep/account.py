"""One account, one pass after another: observe, decide, act, report.

A pass lists the pools once and looks again only at what changed since. It never raises for what the outside world does:
how a pass ended is a value.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from batchaccess.core.decision import PatchNetwork
from batchaccess.core.declared import AccountConnection
from batchaccess.core.memory import PoolMemory
from batchaccess.core.model import (
    ObjectKey,
    ObservedPool,
)
from batchaccess.core.saga.actions import Remediate
from batchaccess.core.saga.decision import is_starting
from batchaccess.core.tally import PolicyTally, PoolRecord
from batchaccess.core.texts import pool_access_name
from batchaccess.ports import Catalogue, Listing, PortError, UnreadablePool
from batchaccess.sweep.acceptances import CandidatesOfConnection
from batchaccess.sweep.accountsagas import AccountSagas
from batchaccess.sweep.executor import Executor, Judgement
from batchaccess.sweep.listingtroubles import ListingTroubles
from batchaccess.sweep.nodelistings import NodeListings
from batchaccess.sweep.onepass import OpenAccount, Pass
from batchaccess.sweep.parts import SweepParts
from batchaccess.sweep.poolreporting import PoolReporter, Report
from batchaccess.sweep.pooltracks import PoolTrack
from batchaccess.sweep.preconditions import Preconditions
from batchaccess.sweep.summary import SweepSummary, completed, failed
from batchaccess.sweep.surprises import Surprises
from batchaccess.sweep.trackedpools import TrackedPools
from batchaccess.telemetry.words import CorrectionOutcome, SweepResult

_log = logging.getLogger(__name__)

_POOLS_BETWEEN_YIELDS: Final = 10
"""New assessments, about a millisecond each, after which the event loop gets its turn."""

_LEAVE_FOR: Final = timedelta(minutes=15)
"""How long a connection that `batchaccess uninstall` marked begins nothing."""

_THE_POOLS: Final = "the pools"

_FAILURES_BEFORE_UNKNOWN: Final = 3
"""Failed passes in a row after which what was concluded before is no longer said of policies."""


class AccountSweep:
    """The passes over the account of one connection."""

    def __init__(self, name: str, parts: SweepParts) -> None:
        self._name = name
        self._parts = parts
        self._clock = parts.clock
        self._candidates = CandidatesOfConnection(parts.acceptances)
        self._surprises = Surprises()
        self._reporter = PoolReporter(
            reports=parts.reports,
            recorder=parts.recorder,
            metrics=parts.metrics,
            clock=parts.clock,
            beat=parts.beat,
            surprises=self._surprises,
        )
        self._account: OpenAccount | None = None
        self._sagas = AccountSagas(name, parts)
        self._leaving: tuple[AccountConnection, AccountConnection] | None = None
        self._pools = TrackedPools(name, self._sagas, self._clock)
        self._tallies: Mapping[ObjectKey, PolicyTally] | None = None
        self._failures = 0
        self._troubles = ListingTroubles(_log)
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
            await self._sagas.settle(connection, catalogue)
            return self._failed(connection, catalogue, error, started)
        self._troubles.listed(_THE_POOLS)
        candidates = self._candidates.of(connection, catalogue)
        this = Pass(account=account, connection=connection, candidates=candidates, asked=asked, started=started)
        await self._observe(listing, this)
        await self._visit(this, [track for track in self._pools.all() if self._sagas.is_open(track.name)])
        await self._correct(this)
        self._pools.conclude_unbegun(this)
        unreadable = self._unreadable(listing)
        report = await self._reporter.report(asked, self._understood(), unreadable)
        await self._settle(connection, catalogue)
        return self._completed(this, catalogue, report, unreadable=len(unreadable))

    @property
    def has_open_sagas(self) -> bool:
        """Whether `visit_sagas` has something to do."""
        return self._sagas.any_open and self._account is not None

    async def visit_sagas(self, catalogue: Catalogue) -> None:
        """Go on with every open saga, without listing the account; nothing else is looked at."""
        connection, account = self._declared(catalogue), self._account
        if connection is None or account is None:
            return
        this = Pass(
            account=account,
            connection=connection,
            candidates=self._candidates.of(connection, catalogue),
            asked=self._reporter.begin(connection),
            started=self._clock.monotonic(),
        )
        self._sagas.read(this.asked.existing)
        tracks = [track for track in self._pools.all() if self._sagas.is_open(track.name)]
        await self._visit(this, tracks)
        await self._reporter.report_some(this.asked, [track for track in tracks if self._is_understood(track)])
        await self._settle(connection, catalogue)

    async def _visit(self, this: Pass, tracks: Collection[PoolTrack]) -> None:
        """Visit the pools whose sagas are open: they hold capacity, so they come before everything else."""
        for track in self._pools.by_danger(tracks):
            latest = self._latest(this)
            if latest is None:
                return
            with self._surprises.about(track.pool_id):
                await self._visit_one(track, latest)
            self._parts.beat()

    @property
    def surprises(self) -> Mapping[str, str]:
        """The pools that died of an exception that nobody expected, and what is said of them."""
        return self._surprises.problems

    def _is_understood(self, track: PoolTrack) -> bool:
        return track.pool_id not in self._surprises.problems

    def _understood(self) -> list[PoolTrack]:
        return [track for track in self._pools.all() if self._is_understood(track)]

    def _unreadable(self, listing: Listing) -> list[UnreadablePool]:
        """The pools of which nothing is claimed."""
        surprises = self._surprises.problems.items()
        unreadable = [*listing.unreadable, *(UnreadablePool(id=pool, problem=problem) for pool, problem in surprises)]
        self._sagas.unread(pool_access_name(self._name, pool.id) for pool in unreadable)
        return unreadable

    async def _visit_one(self, track: PoolTrack, this: Pass) -> None:
        track.attempt = None
        with track.logged():
            await this.account.visits.visit(
                track,
                this.connection,
                lambda pool: self._pools.look(pool, this),
                lambda attempt, pool: self._pools.look_after(attempt, pool, this),
            )
        self._sagas.tell_metrics(self._pools.all())

    async def _settle(self, connection: AccountConnection, catalogue: Catalogue) -> None:
        self._sagas.tell_metrics(self._pools.all())
        await self._sagas.settle(connection, catalogue)

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

    async def _open(self, connection: AccountConnection) -> OpenAccount:
        if self._account is None:
            pools = await self._parts.connect(connection)
            preconditions = Preconditions()
            executor = Executor(pools, self._clock, self._parts.jitter, preconditions)
            self._account = OpenAccount(
                pools=pools,
                listings=NodeListings(pools, self._clock),
                executor=executor,
                visits=self._sagas.visits(pools, executor, preconditions),
            )
        return self._account

    async def _observe(self, listing: Listing, this: Pass) -> None:
        """Bring the tracks to what was listed; only what changed is assessed again."""
        self._pools.keep_only(listing.pools)
        self._surprises.begin_pass({pool.id for pool in listing.pools})
        seconds = this.connection.sync_period_seconds / 2
        await this.account.listings.refresh(listing.pools, seconds=seconds, beat=self._parts.beat)
        for position, pool in enumerate(listing.pools):
            with self._surprises.about(pool.id):
                self._pools.look(pool, this).attempt = None
            if position % _POOLS_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)
        if self._sagas.observe(self._pools.all(), this.connection):
            for track in self._pools.all():
                self._pools.decide(track, this)

    async def _correct(self, this: Pass) -> None:
        """Carry out what was decided, most dangerous first, but sagas that only Azure knows of before new ones.

        Every pool that waits for a drain wants one while there is room for one; what those before it took is asked
        again before it costs a request.
        """
        tracks = self._pools.all()
        wanting = [track for track in tracks if self._may_be_corrected(track)]
        for track in sorted(self._pools.by_danger(wanting), key=lambda track: is_starting(track.decision)):
            latest = self._latest(this)
            if latest is None:
                return
            if self._clock.monotonic() >= this.deadline:
                _log.info("more pools to correct than one period allows; the rest follows in the next sweep")
                return
            with self._surprises.about(track.pool_id):
                await self._begin(track, latest)
            self._parts.beat()

    def _may_be_corrected(self, track: PoolTrack) -> bool:
        return _wants(track) and self._is_understood(track) and self._sagas.is_free(track.name)

    async def _begin(self, track: PoolTrack, this: Pass) -> None:
        """Carry out what was decided if it is still to be done."""
        self._pools.decide(track, this)
        if _wants(track):
            await (self._visit_one if isinstance(track.decision, Remediate) else self._correct_one)(track, this)

    def _latest(self, this: Pass) -> Pass | None:
        """The pass under what is declared by now, None if nothing may be changed any more.

        A pass may last for a whole period, and whoever suspends a policy does not mean after that.
        """
        catalogue = self._parts.store.catalogue()
        connection = self._declared(catalogue)
        if self._winding_down or connection is None or connection.uid != this.connection.uid:
            return None
        return replace(this, connection=connection, candidates=self._candidates.of(connection, catalogue))

    async def _correct_one(self, track: PoolTrack, this: Pass) -> None:
        def judge(pool: ObservedPool, memory: PoolMemory) -> Judgement:
            return self._pools.judge(track, pool, memory, this)

        kind = track.assessment.drift.kind
        with track.logged():
            attempt = await this.account.executor.correct(track.pool_id, judge, track.memory, kind)
            track.attempt, track.memory = attempt, attempt.memory
            if attempt.outcome is not None:
                self._parts.metrics.drift_corrected(attempt.kind, attempt.outcome)
            if attempt.pool is not None:
                self._pools.look_after(attempt, attempt.pool, this)

    def _completed(self, this: Pass, catalogue: Catalogue, report: Report, *, unreadable: int) -> SweepSummary:
        tracks = self._understood()
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
        self._troubles.failed(_THE_POOLS, error)
        self._failures += 1
        if self._failures >= _FAILURES_BEFORE_UNKNOWN:
            self._tallies = None
        self._parts.metrics.sweep_finished(
            SweepResult.FAILED, seconds=self._clock.monotonic() - started, ended=self._clock.now(), writes=0
        )
        return failed(connection, catalogue, error, tallies=self._tallies)


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
