"""Whole readings of everything, beside the watches: what a watch dropped is found at the next one at the latest."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from batchaccess.core.pace import Asked, Pace, TokenBucket, Urgency
from batchaccess.kube.catalogue import LiveCatalogue, Reading
from batchaccess.kube.client import KubeClient
from batchaccess.kube.listing import list_all
from batchaccess.kube.missedchanges import MissedChanges
from batchaccess.kube.resources import WATCHED, Resource
from batchaccess.ports import Clock, PortError

_log = logging.getLogger(__name__)

_LEAST_PAUSE_SECONDS: Final = 5
"""Between two readings, however often one is asked for."""

PACE_OF_POLICIES: Final = Pace(burst=2, seconds=60)
"""How often all policies together may have everything read anew: it costs more than the sweep of an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlistable:
    """A kind that could not be listed, and why."""

    resource: Resource
    error: PortError

    @property
    def explanation(self) -> str:
        """What is wrong and what to do about it, in one line."""
        kind = self.resource.kind
        match self.error.status:
            case 404:
                return f"the API server does not know {kind}: install the CRDs (batchaccess crds | kubectl apply -f -)"
            case 403:
                return (
                    f"listing {kind} is forbidden: bind the ClusterRole of deploy/kustomize/base to the "
                    f"operator's ServiceAccount ({self.error.message})"
                )
            case _:
                return f"{kind} could not be listed: {self.error.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncResult:
    """What a whole reading brought: `news` is what the watches had not told us, or not yet."""

    news: Sequence[Reading]
    failures: tuple[Unlistable, ...]


async def resync(client: KubeClient, live: LiveCatalogue) -> ResyncResult:
    """List every watched kind and take it in; a kind that cannot be listed keeps its last reading."""
    news: list[Reading] = []
    failures: list[Unlistable] = []
    for resource in WATCHED:
        known = live.newest_version(resource)
        try:
            listing = await list_all(client, resource)
        except PortError as error:
            failures.append(Unlistable(resource=resource, error=error))
        else:
            news += live.replace(resource, listing, began_after=known)
    return ResyncResult(news=tuple(news), failures=tuple(failures))


class ResyncLoop:
    """Reads everything anew from time to time, and when asked."""

    def __init__(
        self,
        client: KubeClient,
        live: LiveCatalogue,
        missed: MissedChanges,
        *,
        period_seconds: float,
        clock: Clock,
        pace: Pace = PACE_OF_POLICIES,
    ) -> None:
        """Keep what is read, how often, and how often more those may ask for it who have to keep to a pace."""
        self._client = client
        self._live = live
        self._missed = missed
        self._period_seconds = period_seconds
        self._clock = clock
        self._asked = Asked(bucket=TokenBucket.full(pace, now=clock.monotonic()))
        self._woken = asyncio.Event()

    def ask(self, urgency: Urgency) -> None:
        """Read everything soon: somebody who asks for a sweep may do so because a watch dropped something."""
        self._asked = self._asked.by(urgency)
        self._woken.set()

    async def first_reading(self, *, tell: Callable[[Sequence[str]], None]) -> None:
        """Read until every kind was read once; `tell` is given what stands in the way, and nothing in the end."""
        for pause in _pauses():
            result = await resync(self._client, self._live)
            explanations = [failure.explanation for failure in result.failures]
            tell(explanations)
            if not explanations:
                return
            await asyncio.sleep(pause)

    async def run(self) -> None:
        """Read at the period, with a tenth of jitter, for ever."""
        while True:
            await self._until_due(self._clock.monotonic() + self._period_seconds * random.uniform(0.9, 1.1))  # noqa: S311 no secret
            await self._read()
            await asyncio.sleep(min(_LEAST_PAUSE_SECONDS, self._period_seconds))

    async def _until_due(self, period_ends: float) -> None:
        """Wait for the end of the period, or for the turn of who asked; from then on everybody who did is answered."""
        while True:
            self._woken.clear()
            now = self._clock.monotonic()
            asked_at = self._asked.due_at(now)
            until = period_ends if asked_at is None else min(period_ends, asked_at)
            if until <= now:
                self._asked = self._asked.answered(now, anyway=period_ends <= now)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), timeout=until - now)

    async def _read(self) -> None:
        try:
            result = await resync(self._client, self._live)
        except Exception:  # noqa: BLE001 one reading that cannot be digested must not be the last one
            _log.exception("reading the Kubernetes API anew failed")
            return
        self._missed.read(result.news)
        for failure in result.failures:
            _log.warning("%s; the last reading stays in use", failure.explanation)
        if result.news:
            _log.info("reading the Kubernetes API anew brought changes that the watches had not delivered")


def _pauses() -> Iterator[float]:
    """Seconds between first readings: an API server that starts, or CRDs still to be installed, are waited for."""
    yield from (1, 1, 2, 3, 5)
    while True:
        yield 5
