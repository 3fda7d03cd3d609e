"""Two operator processes and one Lease: kills, a graceful stop, a replica cut off, a replica frozen.

They take a minute and more of waiting, so they run only with BATCHACCESS_FAILOVERS=N (`make e2e-failover`): so many
kills, of which the median and the longest are printed.
"""

import asyncio
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.operator.replicas import World, world
from tests.support.waiting import eventually

KILLS = int(os.environ.get("BATCHACCESS_FAILOVERS", "0"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120 + 40 * KILLS),
    pytest.mark.skipif(not KILLS, reason="replicas are killed with BATCHACCESS_FAILOVERS=N, or `make e2e-failover`"),
]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.start()
        await made.led_by_other(None, within=20)
        await made.start()
        yield made


async def test_after_a_kill_the_standby_works_within_fifteen_seconds(pair: World) -> None:
    taken: list[float] = []
    for _ in range(KILLS):
        leader = pair.leader()
        assert leader is not None
        await eventually(lambda: pair.calls_of(leader, writes=True), within=20, what="a write of the leader")  # noqa: B023
        killed_at = time.monotonic()
        leader.signal(signal.SIGKILL)
        successor = await pair.led_by_other(leader, within=16)
        await eventually(
            lambda: pair.calls_of(successor, since=killed_at),  # noqa: B023
            within=5,
            what="a request of the successor to the account",
        )
        taken.append(pair.calls_of(successor, since=killed_at)[0] - killed_at)
        await pair.start()
    figures = f"median {statistics.median(taken):.1f} s, longest {max(taken):.1f} s"
    print(f"failover after SIGKILL, {len(taken)} kills: {figures}")  # noqa: T201 the figures of this proof
    assert max(taken) < 15
    assert pair.writes_without_the_lease() == []


async def test_after_a_graceful_stop_the_standby_works_within_two_seconds(pair: World) -> None:
    leader = pair.leader()
    assert leader is not None
    await eventually(lambda: pair.calls_of(leader, writes=True), within=20, what="a write of the leader")
    asked_at = time.monotonic()
    leader.signal(signal.SIGTERM)
    await eventually(lambda: pair.witness.holder == "" or pair.leader() is not leader, within=25, what="the release")
    released_at = time.monotonic()
    successor = await pair.led_by_other(leader, within=5)
    await eventually(lambda: pair.calls_of(successor, since=released_at - 0.1), within=5, what="its first request")
    taken = pair.calls_of(successor, since=released_at - 0.1)[0] - released_at
    figures = f"{taken:.1f} s after the release, {released_at - asked_at + taken:.1f} s after the signal"
    print(f"handover after SIGTERM: {figures}")  # noqa: T201 the figures of this proof
    assert taken < 2
    assert await asyncio.to_thread(leader.process.wait, 30) == 0
    assert pair.writes_without_the_lease() == []


async def test_a_leader_that_loses_the_api_server_stops_writing_before_the_other_begins(pair: World) -> None:
    leader = pair.leader()
    assert leader is not None
    await eventually(lambda: pair.calls_of(leader, writes=True), within=20, what="a write of the leader")
    cut_at = time.monotonic()
    leader.gate.slam()
    successor = await pair.led_by_other(leader, within=16)
    began_at = pair.terms()[-1][0]
    await eventually(lambda: pair.calls_of(successor, since=cut_at, writes=True), within=10, what="its first write")
    leader.gate.shut = False
    await asyncio.sleep(5)
    last_write = max(pair.calls_of(leader, writes=True))
    assert last_write < began_at - 1.5
    assert not [at for at in pair.calls_of(leader, writes=True) if at > began_at]
    assert pair.leader() is successor
    assert leader.process.poll() is None
    assert pair.writes_without_the_lease() == []


async def test_a_leader_that_was_frozen_finds_out_before_it_writes(pair: World) -> None:
    leader = pair.leader()
    assert leader is not None
    await eventually(lambda: pair.calls_of(leader, writes=True), within=20, what="a write of the leader")
    leader.signal(signal.SIGSTOP)
    successor = await pair.led_by_other(leader, within=16)
    began_at = pair.terms()[-1][0]
    leader.signal(signal.SIGCONT)
    await asyncio.sleep(5)
    assert not [at for at in pair.calls_of(leader, writes=True) if at > began_at]
    assert pair.leader() is successor
    assert pair.writes_without_the_lease() == []


async def test_a_drain_that_its_leader_died_in_is_finished_by_the_other(tmp_path: Path) -> None:
    async with world(tmp_path, "busy") as pair:
        await pair.start()
        leader = await pair.led_by_other(None, within=20)
        await pair.start()
        await eventually(lambda: resizes(pair), within=40, what="the drain")
        leader.signal(signal.SIGKILL)
        successor = await pair.led_by_other(leader, within=16)
        await eventually(lambda: len(resizes(pair)) > 1, within=60, what="the restore")
        pool = pair.batch.pool("busy")
        await eventually(lambda: not pool.settings.get("metadata"), within=30, what="the removal of the journal")
        assert [each["targetDedicatedNodes"] for each in resizes(pair)] == [0, 2]
        assert (pool.targets.dedicated, "networkSecurityGroupRules" in str(pool.settings)) == (2, True)
        await eventually(lambda: pair.calls_of(successor, writes=True), within=10, what="the witness to see its writes")
        assert pair.writes_without_the_lease() == []


def resizes(pair: World) -> list[dict[str, Any]]:
    return [entry.json() for entry in pair.batch.requests.of("resize_pool", pool="busy")]
