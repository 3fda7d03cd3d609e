"""What only the replica that leads may do: sweep accounts, report statuses, and let go of what is held in vain."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeAlias

from batchaccess.control.statusreports import StatusReports
from batchaccess.control.supervisor import Supervisor
from batchaccess.core.pace import Urgency
from batchaccess.kube.catalogue import Reading

_log = logging.getLogger(__name__)

_LAST_REPORTS_SECONDS: Final = 5
"""For the statuses of the last sweeps, after the sweeps have ended."""

Chore: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Runs for ever, until it is cancelled."""


class Duty:
    """Implements `terms.Work`; events of the watches reach the sweeps and reports through it."""

    def __init__(
        self,
        supervisor: Supervisor,
        reports: StatusReports,
        *,
        chores: Mapping[str, Chore],
        stood_down: Callable[[], None],
    ) -> None:
        """Keep what is needed.

        Args:
            supervisor: starts and ends the sweeps.
            reports: writes the statuses of policies and connections.
            chores: what else runs meanwhile, by name.
            stood_down: called after the duty was given up, to forget what was known by sweeping.
        """
        self._supervisor = supervisor
        self._reports = reports
        self._chores = chores
        self._stood_down = stood_down
        self._on_duty = False
        self._running: set[asyncio.Task[None]] = set()

    def begin(self) -> asyncio.Future[None]:
        """Sweep and report; what is returned ends when a chore does, which none should."""
        self._on_duty = True
        self._supervisor.reopen()
        self._supervisor.reconcile()
        self._reports.mark_all()
        chores = {"status reports": self._reports.run, **self._chores}
        self._running = {asyncio.create_task(chore(), name=name) for name, chore in chores.items()}
        return asyncio.ensure_future(_first_end(self._running))

    async def finish(self) -> None:
        """End the sweeps within their grace period, then write what they found."""
        self._on_duty = False
        await self._supervisor.stop()
        await self._cancel_chores()
        try:
            await asyncio.wait_for(self._reports.report(), timeout=_LAST_REPORTS_SECONDS)
        except TimeoutError:
            _log.warning("the last statuses were not all written in time; the next start writes them")

    async def abandon(self) -> None:
        """End everything and forget what was known by sweeping: the replica that leads knows better."""
        self._on_duty = False
        await self._cancel_chores()
        await self._supervisor.stop(forget=True)
        self._stood_down()

    def connections_changed(self) -> None:
        """A connection came, went or was edited."""
        if self._on_duty:
            self._supervisor.reconcile()

    def wake(self, connections: Iterable[str], urgency: Urgency) -> None:
        """These connections should sweep soon."""
        if self._on_duty:
            self._supervisor.wake(connections, urgency)

    def report(self, reading: Reading) -> None:
        """A status may have to change."""
        if self._on_duty:
            self._reports.notice(reading)

    async def _cancel_chores(self) -> None:
        running, self._running = self._running, set()
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


async def _first_end(chores: set[asyncio.Task[None]]) -> None:
    done, _ = await asyncio.wait(chores, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task.cancelled():
            continue
        _log.error("%s ended, so the operator ends too", task.get_name(), exc_info=task.exception())
