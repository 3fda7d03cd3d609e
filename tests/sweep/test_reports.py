"""What a pass tells: objects, events, metrics, and nothing twice."""

import logging
from dataclasses import replace

import pytest

from batchaccess.core.model import (
    NodeFindings,
    ObjectKey,
)
from batchaccess.core.reasons import ConnectionReason, ErrorKind, EventReason
from batchaccess.ports import AzureOperation, PortError, ReportedPool, StoredStatus, UnreadablePool
from tests.support.account import AccountWorld
from tests.support.build import connection, endpoint, policy, pool, wanted

SSH_CLOSED = policy("ssh", wanted("SSH", allow_from=[]))
CLOSED = endpoint("SSH", "deny * priority 1000")
NAME = "prod-weu.render-1"


async def test_steady_state_is_one_list_and_no_write() -> None:
    pools = [pool(f"render-{number}", CLOSED) for number in range(50)]
    world = AccountWorld.of(*pools, policies=[SSH_CLOSED])
    await world.sweep()
    world.pools.calls.clear()
    world.reports.writes.clear()
    for _ in range(5):
        world.clock.advance(60)
        await world.sweep()
    assert [call.operation for call in world.pools.calls] == [AzureOperation.LIST_POOLS] * 5
    assert world.reports.writes == []


async def test_node_counts_that_move_cause_no_write() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED), policies=[SSH_CLOSED])
    await world.sweep()
    world.reports.writes.clear()
    for nodes in (1, 5, 2):
        world.pools.fill("render-1", nodes)
        await world.sweep()
    assert world.reports.writes == []


async def test_restart_writes_nothing_and_repeats_no_event() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH"), nodes=1), policies=[SSH_CLOSED])
    await world.sweep()
    told = list(world.recorder.events)
    world.reports.writes.clear()
    world.restart()
    world.clock.advance(600)
    await world.sweep()
    assert world.recorder.events == told
    assert world.reports.writes == []


async def test_restart_keeps_the_last_change() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH")), policies=[SSH_CLOSED])
    await world.sweep()
    change = world.reports.status(NAME)["lastChange"]
    world.restart()
    world.pools.fill("render-1", 3)
    world.policies = []
    await world.sweep()
    assert world.reports.status(NAME)["lastChange"] == change


async def test_a_pool_made_anew_does_not_show_what_was_changed_of_its_predecessor() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH")), policies=[SSH_CLOSED])
    await world.sweep()
    assert "lastChange" in world.reports.status(NAME)
    world.clock.advance(60)
    world.pools.remove("render-1")
    world.pools.put(replace(pool("render-1", CLOSED), creation_time=world.clock.now()))
    await world.sweep()
    assert "lastChange" not in world.reports.status(NAME)


async def test_status_edited_by_hand_is_put_right_by_the_next_pass() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED), policies=[SSH_CLOSED])
    await world.sweep()
    right = world.reports.status(NAME)
    world.reports.overwrite(NAME, {"conditions": "nonsense"})
    await world.sweep()
    assert set(world.reports.status(NAME)) == set(right)
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_deleted_pool_takes_its_object_and_metrics_along() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED), pool("render-2", CLOSED), policies=[SSH_CLOSED])
    await world.sweep()
    world.pools.remove("render-2")
    await world.sweep()
    assert set(world.reports.objects) == {NAME}
    exposition = world.metrics.exposition().decode()
    assert 'pool="render-1"' in exposition
    assert 'pool="render-2"' not in exposition


async def test_object_of_an_earlier_connection_is_replaced() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED))
    stored = StoredStatus(name=NAME, namespace=None, uid="old", generation=1, status={"policy": "old/one"})
    world.reports.objects[NAME] = ReportedPool(stored=stored, pool_id="render-1", owned=False)
    await world.sweep()
    assert world.reports.objects[NAME].stored.uid != "old"
    assert "policy" not in world.reports.status(NAME)


async def test_pool_that_cannot_be_understood_is_unknown_and_never_taken_for_gone() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED), policies=[SSH_CLOSED])
    await world.sweep()
    world.pools.remove("render-1")
    world.pools.unreadable.append(UnreadablePool(id="render-1", problem="networkConfiguration is a list"))
    summary = await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("Unknown", "Unreadable")
    assert summary.counts is not None
    assert summary.counts.unknown == 1


async def test_drift_that_somebody_else_closed_is_not_claimed() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH"), nodes=1), policies=[SSH_CLOSED])
    await world.sweep()
    world.pools.edit("render-1", network=pool("x", CLOSED).network, raw_network=pool("x", CLOSED).raw_network)
    await world.sweep()
    assert world.recorder.reasons(NAME) == [
        EventReason.DRIFT_DETECTED,
        EventReason.INTERNET_REACHABLE,
        EventReason.DRIFT_CLOSED,
        EventReason.NO_LONGER_REACHABLE,
    ]


async def test_drift_of_unchanged_kind_is_counted_and_told_once() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH"), nodes=1), policies=[SSH_CLOSED])
    for _ in range(4):
        await world.sweep()
        world.pools.fill("render-1", 2)
    assert world.recorder.reasons(NAME).count(EventReason.DRIFT_DETECTED) == 1
    detected = [
        line
        for line in world.metrics.exposition().decode().splitlines()
        if line.startswith("batchaccess_drift_detected_total{") and 'kind="Widening"' in line
    ]
    assert [line.rsplit(" ", 1)[1] for line in detected] == ["1.0"]


async def test_requested_at_is_echoed_by_the_pass_that_began_after_it() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED))
    await world.sweep()
    assert "lastHandledRequestedAt" not in world.reports.status(NAME)
    world.reports.request(NAME, "2026-11-21T10:00:00Z")
    await world.sweep()
    assert world.reports.status(NAME)["lastHandledRequestedAt"] == "2026-11-21T10:00:00Z"


async def test_failed_write_is_tried_again_by_the_next_pass() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED))
    world.reports.refuse = frozenset({NAME})
    await world.sweep()
    assert world.reports.objects == {}
    world.reports.refuse = frozenset()
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("Unknown", "NotManaged")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(
            PortError(ErrorKind.DENIED, "AuthenticationFailed", "no", status=401),
            ConnectionReason.AUTHENTICATION_FAILED,
            id="wrong credentials",
        ),
        pytest.param(
            PortError(ErrorKind.TRANSIENT, "ConnectionFailed", "no"), ConnectionReason.UNREACHABLE, id="no answer"
        ),
        pytest.param(
            PortError(ErrorKind.TRANSIENT, "TooManyRequests", "no", status=429, retry_after=5),
            ConnectionReason.THROTTLED,
            id="throttled",
        ),
        pytest.param(
            PortError(ErrorKind.TRANSIENT, "UnreadableAnswer", "no"),
            ConnectionReason.UNREADABLE_ANSWER,
            id="an answer that is not understood",
        ),
    ],
)
async def test_account_that_cannot_be_listed_says_why_and_recovers(error: PortError, reason: ConnectionReason) -> None:
    world = AccountWorld.of(pool("render-1", CLOSED), policies=[SSH_CLOSED])
    world.pools.fail_next(AzureOperation.LIST_POOLS, error)
    assert (await world.sweep()).reason is reason
    assert (await world.sweep()).reason is ConnectionReason.CONNECTED


async def test_account_that_cannot_be_opened_is_opened_again_by_the_next_pass() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED))
    world.refuse_to_connect = PortError(ErrorKind.DENIED, "SecretNotFound", "no such Secret")
    assert (await world.sweep()).reason is ConnectionReason.SECRET_NOT_FOUND
    world.refuse_to_connect = None
    assert (await world.sweep()).reason is ConnectionReason.CONNECTED


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was logged of listings since the last time, by level."""
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if "listed" in record.getMessage()]
    caplog.clear()
    return lines


async def test_account_that_cannot_be_listed_is_logged_when_it_begins_when_the_reason_changes_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "batchaccess.sweep.account")
    world = AccountWorld.of(pool("render-1", CLOSED), policies=[SSH_CLOSED])
    await world.sweep()
    assert told(caplog) == []
    world.pools.fail_next(AzureOperation.LIST_POOLS, PortError(ErrorKind.TRANSIENT, "ConnectionFailed", "no"), times=5)
    for _ in range(5):
        await world.sweep()
    assert told(caplog) == [("WARNING", "the pools were not listed: ConnectionFailed: no")]
    world.pools.fail_next(AzureOperation.LIST_POOLS, PortError(ErrorKind.TRANSIENT, "ServerBusy", "later"), times=2)
    for _ in range(2):
        await world.sweep()
    assert told(caplog) == [("WARNING", "the pools were not listed: ServerBusy: later")]
    for _ in range(3):
        await world.sweep()
    assert told(caplog) == [("INFO", "the pools are listed again")]


async def test_failed_passes_leave_pools_alone_and_after_three_nothing_is_claimed_of_policies() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED), policies=[SSH_CLOSED])
    await world.sweep()
    objects = dict(world.reports.objects)
    down = PortError(ErrorKind.TRANSIENT, "ConnectionFailed", "no")
    world.pools.fail_next(AzureOperation.LIST_POOLS, down, times=3)
    known = [(await world.sweep()).tallies for _ in range(3)]
    assert [tallies is not None for tallies in known] == [True, True, False]
    assert world.reports.objects == objects


async def test_tallies_count_what_each_policy_governs() -> None:
    other = policy("other", wanted("SSH", allow_from=[]), ids=["render-2"], priority=0, age_days=5)
    world = AccountWorld.of(pool("render-1", CLOSED), pool("render-2", CLOSED), policies=[SSH_CLOSED, other])
    tallies = (await world.sweep()).tallies
    assert tallies is not None
    winner, loser = tallies[ObjectKey(namespace="render", name="other")], tallies[SSH_CLOSED.key]
    assert (winner.pools.total, winner.overridden) == (1, 0)
    assert (loser.pools.total, loser.overridden) == (1, 1)


async def test_nodes_of_a_legacy_pool_are_listed_once_per_allocation_state() -> None:
    legacy = pool("render-1", CLOSED, legacy=True, nodes=2)
    world = AccountWorld.of(legacy, pool("render-2", CLOSED), policies=[SSH_CLOSED])
    world.pools.find_on_nodes("render-1", NodeFindings(nodes=2, implicit_ports=frozenset({3389})))
    for _ in range(3):
        await world.sweep()
    assert [call.pool_id for call in world.pools.calls_of(AzureOperation.LIST_NODES)] == ["render-1"]
    assert world.reports.condition(NAME, "Drifted") == ("True", "ImplicitMapping")
    world.pools.edit("render-1", allocation_state_transition_time="2026-02-02T00:00:00Z")
    await world.sweep()
    assert len(world.pools.calls_of(AzureOperation.LIST_NODES)) == 2


async def test_legacy_pool_without_nodes_is_undetermined_and_lists_nothing() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED, legacy=True), policies=[SSH_CLOSED])
    await world.sweep()
    assert world.pools.calls_of(AzureOperation.LIST_NODES) == []
    assert world.reports.condition(NAME, "Exposed") == ("Unknown", "Undetermined")


async def test_node_listing_that_fails_leaves_login_ports_undetermined_until_it_works() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED, legacy=True, nodes=1))
    world.pools.find_on_nodes("render-1", NodeFindings(nodes=1))
    world.pools.fail_next(AzureOperation.LIST_NODES, PortError(ErrorKind.TRANSIENT, "ServerBusy", "no", status=503))
    await world.sweep()
    assert world.reports.condition(NAME, "Exposed") == ("Unknown", "Undetermined")
    await world.sweep()
    assert world.reports.condition(NAME, "Exposed") == ("False", "None")


async def test_node_listing_that_keeps_failing_is_logged_once_and_once_that_it_works_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "batchaccess.sweep.nodelistings")
    world = AccountWorld.of(pool("render-1", CLOSED, legacy=True, nodes=1))
    world.pools.fail_next(AzureOperation.LIST_NODES, PortError(ErrorKind.TRANSIENT, "ServerBusy", "no"), times=4)
    for _ in range(4):
        await world.sweep()
    assert told(caplog) == [("WARNING", "the nodes of pool render-1 were not listed: ServerBusy: no")]
    for _ in range(3):
        await world.sweep()
    assert told(caplog) == [("INFO", "the nodes of pool render-1 are listed again")]


async def test_more_legacy_pools_than_half_a_period_lists_are_spread_over_passes() -> None:
    pools = [pool(f"render-{number}", CLOSED, legacy=True, nodes=1) for number in range(10)]
    world = AccountWorld.of(*pools)
    listing = world.pools.list_node_endpoints

    async def slow(asked: object) -> NodeFindings:
        world.clock.advance(10)
        return await listing(asked)  # type: ignore[arg-type]

    world.pools.list_node_endpoints = slow  # type: ignore[method-assign,assignment]
    counts = []
    for _ in range(4):
        await world.sweep()
        counts.append(len(world.pools.calls_of(AzureOperation.LIST_NODES)))
    assert counts == [3, 6, 9, 10]


async def test_connection_that_is_gone_is_not_swept() -> None:
    world = AccountWorld.of(pool("render-1", CLOSED))
    world.declared = connection("another")
    assert await world.sweeping.run_once(world.catalogue()) is not None
    world.declared = connection("prod-weu")
    assert await world.sweeping.run_once(world.catalogue()) is None
