"""Everything is read anew for whoever asks: for administrators at once, for all policies together at a pace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.core.model import JsonObject
from batchaccess.core.pace import Pace, Urgency
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.missedchanges import MissedChanges
from batchaccess.kube.resources import POLICIES
from batchaccess.kube.resync import PACE_OF_POLICIES, ResyncLoop
from tests.support.clock import FakeClock
from tests.support.waiting import eventually

PERIOD, TURN = 0.05, 0.01
"""Seconds of a clock that stands still but for the test; the loop itself also pauses for as long as the period."""


@dataclass
class EmptyCluster:
    """An API server that has nothing, and counts how often it was asked for policies."""

    readings: int = 0
    clock: FakeClock = field(default_factory=FakeClock)

    async def get(self, path: str, **_: str | int) -> JsonObject:
        self.readings += path == POLICIES.path()
        return {"items": [], "metadata": {"resourceVersion": "1"}}


@pytest.fixture
def cluster() -> EmptyCluster:
    return EmptyCluster()


@pytest.fixture
async def resyncs(cluster: EmptyCluster) -> AsyncIterator[ResyncLoop]:
    live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
    client = cast("Any", cluster)
    pace = Pace(burst=2, seconds=TURN)
    missed = MissedChanges(cluster.clock, lambda *_: None)
    loop = ResyncLoop(client, live, missed, period_seconds=PERIOD, clock=cluster.clock, pace=pace)
    task = asyncio.create_task(loop.run())
    yield loop
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def becomes(cluster: EmptyCluster, readings: int) -> None:
    """So many readings, and no more after the pause between two."""
    await eventually(lambda: cluster.readings == readings)
    await asyncio.sleep(3 * PERIOD)
    assert cluster.readings == readings


def test_all_policies_together_have_everything_read_once_a_minute() -> None:
    assert Pace(burst=2, seconds=60) == PACE_OF_POLICIES


async def test_policies_ask_for_two_and_then_wait_for_their_turn(cluster: EmptyCluster, resyncs: ResyncLoop) -> None:
    await asyncio.sleep(0)
    for readings in (1, 2):
        for _ in range(5):
            resyncs.ask(Urgency.PACED)
        await becomes(cluster, readings)
    resyncs.ask(Urgency.PACED)
    await becomes(cluster, 2)
    cluster.clock.advance(TURN)
    await becomes(cluster, 3)
    cluster.clock.advance(TURN)
    await becomes(cluster, 3)


async def test_administrators_wait_for_no_turn(cluster: EmptyCluster, resyncs: ResyncLoop) -> None:
    await asyncio.sleep(0)
    for readings in (1, 2):
        resyncs.ask(Urgency.PACED)
        await becomes(cluster, readings)
    resyncs.ask(Urgency.PACED)
    for readings in (3, 4, 5):
        resyncs.ask(Urgency.AT_ONCE)
        await becomes(cluster, readings)


async def test_the_period_goes_on_answers_those_who_wait_and_counts_against_none_of_them(
    cluster: EmptyCluster, resyncs: ResyncLoop
) -> None:
    await asyncio.sleep(0)
    for readings in (1, 2):
        resyncs.ask(Urgency.PACED)
        await becomes(cluster, readings)
    resyncs.ask(Urgency.PACED)
    cluster.clock.advance(2 * PERIOD)
    await becomes(cluster, 3)
    for readings in (4, 5):
        resyncs.ask(Urgency.PACED)
        await becomes(cluster, readings)
