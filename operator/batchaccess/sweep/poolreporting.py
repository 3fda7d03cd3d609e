"""Tells what a pass concluded about the pools: objects, events, metric rows. Writes only what changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from batchaccess.api import stored_change, stored_conditions, stored_in_order_under
from batchaccess.core.announcements import Announcement, announcements
from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import EventReason, EventType
from batchaccess.core.reporting import pool_status, unreadable_pool_status
from batchaccess.core.saga.copies import stored_journal
from batchaccess.core.saga.course import UNKNOWN_COURSE, Course
from batchaccess.core.saga.journal import UnreadableJournal
from batchaccess.core.status import Change, Condition
from batchaccess.core.texts import pool_access_name
from batchaccess.ports import Clock, PoolReports, Recorder, ReportedPool, StoredStatus, UnreadablePool
from batchaccess.sweep.poolrows import pool_row, unreadable_row
from batchaccess.sweep.pooltracks import PoolTrack, Reported
from batchaccess.sweep.surprises import Surprises
from batchaccess.telemetry.connection import ConnectionMetrics
from batchaccess.telemetry.logcontext import log_context
from batchaccess.telemetry.rows import PoolRow
from batchaccess.telemetry.words import CorrectionOutcome

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 16
"""Objects written at the same time; the API server's own fairness does the rest."""

_LOGGED_WHEN_DONE: Final = frozenset(
    {EventReason.DRIFT_CORRECTED, EventReason.CORRECTION_FAILED, EventReason.REMEDIATING}
)
"""What the operator does itself is logged where it is done: a line for the same must not be there twice."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The objects of a connection as they were when a pass began: what is requested later is for the next one."""

    connection: AccountConnection
    existing: Mapping[str, ReportedPool]


@dataclass(slots=True, kw_only=True)
class Report:
    """How many objects were made, written or deleted, and how many could not be."""

    written: int = 0
    failed: int = 0
    unreadable_rows: list[PoolRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReporter:
    """Reports the pools of one connection."""

    reports: PoolReports
    recorder: Recorder
    metrics: ConnectionMetrics
    clock: Clock
    beat: Callable[[], None]
    surprises: Surprises

    def begin(self, connection: AccountConnection) -> Asked:
        """What is in Kubernetes before the pass looks at the account."""
        return Asked(connection=connection, existing=self.reports.existing(connection))

    async def report(self, asked: Asked, tracks: Sequence[PoolTrack], unreadable: Sequence[UnreadablePool]) -> Report:
        """Bring Kubernetes and the metrics to what the pass concluded."""
        report = Report()
        present = {track.name for track in tracks}
        present.update(pool_access_name(asked.connection.name, pool.id) for pool in unreadable)
        changed = [track for track in tracks if not _is_current(track, asked)]
        gone = sorted(asked.existing.keys() - present)
        await self._each(changed, lambda track: self._report_track(track, asked, report))
        await self._each(unreadable, lambda pool: self._report_unreadable(pool, asked, report))
        await self._each(gone, lambda name: self._delete(name, report))
        self.metrics.observe_pools([*(track.row for track in tracks if track.row), *report.unreadable_rows])
        return report

    async def report_some(self, asked: Asked, tracks: Sequence[PoolTrack]) -> None:
        """Bring Kubernetes and the metrics to what a visit to some pools concluded; the others are left alone."""
        changed = [track for track in tracks if not _is_current(track, asked)]
        await self._each(changed, lambda track: self._report_track(track, asked, Report()))
        if changed:
            self.metrics.observe_some_pools([track.row for track in changed if track.row])

    async def _each(self, items: Sequence[_Item], write: Callable[[_Item], Awaitable[None]]) -> None:
        """Write a few objects at a time."""
        for start in range(0, len(items), _AT_ONCE):
            await asyncio.gather(*(write(item) for item in items[start : start + _AT_ONCE]))
            self.beat()

    async def _report_track(self, track: PoolTrack, asked: Asked, report: Report) -> None:
        with self.surprises.about(track.pool_id):
            await self._tell_of(track, asked, report)
            return
        report.failed += 1

    async def _tell_of(self, track: PoolTrack, asked: Asked, report: Report) -> None:
        reported = await self._object(asked, track.name, track.pool_id, report)
        if reported is None:
            return
        before = stored_conditions(reported.stored.status)
        status = pool_status(
            track.assessment,
            track.conclusion,
            generation=reported.stored.generation,
            previous=before,
            now=self.clock.now(),
            last_change=track.change or _change_told_before(reported, track.basis.pool),
            in_order_under=track.in_order_under,
            requested_at=reported.requested_at,
        )
        track.row = pool_row(track.assessment, track.conclusion, status.conditions)
        written = await self.reports.write(reported, status)
        if written is None:
            report.failed += 1
            return
        report.written += written is not reported
        track.reported = Reported(
            stored=written.stored,
            requested_at=written.requested_at,
            assessment=track.assessment,
            conclusion=track.conclusion,
            change=track.change,
            in_order_under=track.in_order_under,
        )
        track.course = _followed(track.course, written.stored.status)
        with track.logged():
            news = [*_of_attempt(track), *_of_conditions(track, before, status.conditions)]
            await self._announce(reported.stored, news, noticed_after=track.noticed_after)
        track.noticed_after, track.course = None, track.course.told()

    async def _report_unreadable(self, pool: UnreadablePool, asked: Asked, report: Report) -> None:
        name = pool_access_name(asked.connection.name, pool.id)
        reported = await self._object(asked, name, pool.id, report)
        if reported is None:
            return
        before = stored_conditions(reported.stored.status)
        status = unreadable_pool_status(
            pool.problem,
            generation=reported.stored.generation,
            previous=before,
            now=self.clock.now(),
            journal=stored_journal(reported.stored.status),
            last_change=stored_change(reported.stored.status),
            in_order_under=stored_in_order_under(reported.stored.status),
            requested_at=reported.requested_at,
        )
        report.unreadable_rows.append(unreadable_row(pool.id, status.conditions))
        written = await self.reports.write(reported, status)
        report.failed += written is None
        report.written += written is not None and written is not reported
        if written is not None:
            with log_context(pool=pool.id):
                await self._announce(
                    reported.stored, _of_a_missing_scale(before, status.conditions), noticed_after=None
                )

    async def _object(self, asked: Asked, name: str, pool_id: str, report: Report) -> ReportedPool | None:
        """The object of a pool; made if it is not there or not this pool's."""
        found = asked.existing.get(name)
        if found is not None and found.owned and found.pool_id.casefold() == pool_id.casefold():
            latest = self.reports.find(asked.connection, name) or found
            return found if latest.stored is found.stored else replace(latest, requested_at=found.requested_at)
        made = await self.reports.create(asked.connection, name=name, pool_id=pool_id)
        report.written += made is not None
        report.failed += made is None
        return made

    async def _delete(self, name: str, report: Report) -> None:
        deleted = await self.reports.delete(name)
        report.written += deleted
        report.failed += not deleted

    async def _announce(
        self, stored: StoredStatus, news: Iterable[Announcement], *, noticed_after: float | None
    ) -> None:
        for each in news:
            if each.reason not in _LOGGED_WHEN_DONE:
                level = logging.WARNING if each.type is EventType.WARNING else logging.INFO
                _log.log(level, "%s: %s", each.reason, each.message)
            if each.drift is not None:
                self.metrics.drift_detected(each.drift, after=noticed_after)
            await self.recorder.record(
                kind="BatchPoolAccess",
                name=stored.name,
                namespace=None,
                uid=stored.uid,
                event_type=each.type,
                reason=each.reason,
                message=each.message,
            )


def _is_current(track: PoolTrack, asked: Asked) -> bool:
    reported = asked.existing.get(track.name)
    return reported is not None and track.is_as_reported(reported.stored, reported.requested_at)


def _of_conditions(
    track: PoolTrack, before: Sequence[Condition], after: Sequence[Condition]
) -> tuple[Announcement, ...]:
    change = None if track.attempt is None else track.attempt.change
    return announcements(
        before,
        after,
        corrected=None if change is None else change.before.drift,
        is_governed=track.assessment.policy is not None,
        course=track.course,
    )


def _followed(course: Course, status: Mapping[str, Any]) -> Course:
    """The course after a look at a stored status: visits follow a journal that is there, nobody one that is gone."""
    if course.is_known and "journal" in status:
        return course
    journal = stored_journal(status)
    return course if isinstance(journal, UnreadableJournal) else course.seen(journal)


def _of_a_missing_scale(before: Sequence[Condition], after: Sequence[Condition]) -> Iterable[Announcement]:
    """All that is announced of a pool that cannot be read: of its network nothing is known."""
    told = announcements(before, after, corrected=None, is_governed=False, course=UNKNOWN_COURSE)
    return [each for each in told if each.reason is EventReason.RESTORE_PENDING]


def _of_attempt(track: PoolTrack) -> Iterable[Announcement]:
    """A correction that failed; a race is nobody's fault and tried again by itself."""
    outcome = None if track.attempt is None else track.attempt.outcome
    if outcome not in (None, CorrectionOutcome.VERIFIED, CorrectionOutcome.RACED):
        yield Announcement(
            type=EventType.WARNING, reason=EventReason.CORRECTION_FAILED, message=track.conclusion.message
        )


def _change_told_before(reported: ReportedPool, pool: ObservedPool) -> Change | None:
    """The last change in the stored status, unless it is of a pool of the same id that was deleted since."""
    change = stored_change(reported.stored.status)
    if change is None or pool.creation_time is None or change.time >= pool.creation_time:
        return change
    return None
