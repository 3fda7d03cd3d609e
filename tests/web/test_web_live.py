"""The readings of a running operator: what Kubernetes holds, the same value while it does not change."""

from typing import Any

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import EventReason, EventType
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.resources import CONNECTIONS, POLICIES, POOL_ACCESSES
from batchaccess.web.live import LiveReadings
from batchaccess.web.readings import Standby
from batchaccess.web.recentevents import RecentEvents
from tests.support.clock import FakeClock
from tests.support.kube import connection_manifest, policy_manifest
from tests.web.feed import pool_status
from tests.web.test_web_recentevents import Told


def stored(manifest: dict[str, Any], version: int = 1, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 parts of an object
    metadata = {
        "uid": manifest["metadata"]["name"],
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": "2026-03-01T00:00:00Z",
        **manifest["metadata"],
    }
    return {**manifest, **parts, "metadata": metadata}


def pool_access(pool_id: str, version: int = 1, **status: Any) -> dict[str, Any]:  # noqa: ANN401 parts of a status
    return stored(
        {"metadata": {"name": f"prod-weu.{pool_id}"}, "spec": {"connection": "prod-weu", "poolId": pool_id}},
        version,
        status=pool_status(**status),
    )


@pytest.fixture
def live() -> LiveCatalogue:
    live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
    live.observe(CONNECTIONS, stored(connection_manifest()))
    live.observe(POLICIES, stored(policy_manifest(), status={"conditions": []}))
    live.observe(POOL_ACCESSES, pool_access("a"))
    return live


@pytest.fixture
def readings(live: LiveCatalogue) -> LiveReadings:
    return LiveReadings(live, RecentEvents(Told(), FakeClock()), probes=(lambda: ["one"], list, lambda: ["two"]))


def test_what_kubernetes_holds_is_read(readings: LiveReadings) -> None:
    assert [each.name for each in readings.connections()] == ["prod-weu"]
    assert [each.key for each in readings.policies()] == [ObjectKey(namespace="default", name="ssh")]
    (pool,) = readings.pools()
    assert (pool.name, pool.connection, pool.pool_id) == ("prod-weu.a", "prod-weu", "a")
    assert pool.status() == pool_status()
    assert type(pool.status()) is dict


def test_one_object_is_read(readings: LiveReadings) -> None:
    connection, pool = readings.connection("prod-weu"), readings.pool("prod-weu.a")
    policy = readings.policy(ObjectKey(namespace="default", name="ssh"))
    assert connection is not None
    assert isinstance(connection.declared, AccountConnection)
    assert policy is not None
    assert isinstance(policy.declared, AccessPolicy)
    assert pool is not None


def test_what_is_not_there_is_not_read(readings: LiveReadings) -> None:
    assert readings.connection("gone") is None
    assert readings.policy(ObjectKey(namespace="default", name="gone")) is None
    assert readings.pool("prod-weu.gone") is None


def test_what_is_refused_is_read_without_its_content(live: LiveCatalogue, readings: LiveReadings) -> None:
    live.observe(CONNECTIONS, stored(connection_manifest("odd", endpoint="")))
    live.observe(POLICIES, stored(policy_manifest("odd", mode="Sometimes")))
    assert [(each.name, each.declared is None) for each in readings.connections()] == [
        ("odd", True),
        ("prod-weu", False),
    ]
    assert [(each.key.name, each.declared is None) for each in readings.policies()] == [("odd", True), ("ssh", False)]


def test_the_version_changes_with_the_status_only(live: LiveCatalogue, readings: LiveReadings) -> None:
    (before,) = readings.pools()
    live.observe(POOL_ACCESSES, pool_access("a", 2))
    (same,) = readings.pools()
    live.observe(POOL_ACCESSES, pool_access("a", 3, message="Another message."))
    (after,) = readings.pools()
    assert before.version is same.version
    assert before.version is not after.version


def test_who_leads_is_asked_each_time(live: LiveCatalogue) -> None:
    answers = [None, Standby(leader="other", reach="kubectl")]
    asked = LiveReadings(live, RecentEvents(Told(), FakeClock()), probes=(), standby=answers.pop)
    assert [asked.standby(), asked.standby()] == [Standby(leader="other", reach="kubectl"), None]


def test_all_probes_are_asked(readings: LiveReadings) -> None:
    assert readings.problems() == ["one", "two"]


async def test_the_newest_event_comes_first(live: LiveCatalogue) -> None:
    events = RecentEvents(Told(), FakeClock())
    for message in ("first", "second"):
        await events.record(
            kind="BatchPoolAccess",
            name="prod-weu.a",
            namespace=None,
            uid="1",
            event_type=EventType.NORMAL,
            reason=EventReason.DRIFT_CORRECTED,
            message=message,
        )
    assert [each.message for each in LiveReadings(live, events, probes=()).events()] == ["second", "first"]
