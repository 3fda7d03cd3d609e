"""The journal in a status and our finalizers, on the embedded Kubernetes API: nothing is lost, nothing overwritten."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import ObjectKey
from batchaccess.core.status import DrainsStatus, JournalStatus, PoolStatus, RecordedScaleStatus
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.finalizers import LiveFinalizers
from batchaccess.kube.poolaccess import PoolAccessObjects
from batchaccess.kube.resources import FINALIZER
from batchaccess.kube.resync import resync
from batchaccess.kube.statuswriter import StatusWriter
from batchaccess.ports import ReportedPool
from tests.support.kube import (
    CONNECTION_PATH,
    POOL_ACCESS_PATH,
    Cluster,
    connection_manifest,
    policy_manifest,
    policy_path,
)

NAME = "prod-weu.p1"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DRAINS = DrainsStatus(policy_uid="policy-1", policy_generation=1, started=(AT,))


def journal(step: str) -> JournalStatus:
    return JournalStatus(
        version=1,
        saga_id="0123456789ab",
        cluster_uid="cluster-1",
        connection_uid="connection-1",
        pool_id="p1",
        pool_created=None,
        policy=ObjectKey(namespace="default", name="ssh"),
        policy_uid="policy-1",
        policy_generation=1,
        started=AT,
        scale=RecordedScaleStatus(
            target_dedicated_nodes=3,
            target_low_priority_nodes=0,
            current_dedicated_nodes=3,
            current_low_priority_nodes=0,
            resize_timeout="PT15M",
        ),
        step=step,
        since=AT,
    )


@pytest.fixture
def kube(shared: Cluster) -> Iterator[Cluster]:
    shared.apply(connection_manifest(), policy_manifest("ssh"))
    yield shared
    shared.heal()
    for kind, name in (("bac", "prod-weu"), ("bpap", "ssh")):
        shared.kubectl("patch", kind, name, "--type=merge", '--patch={"metadata":{"finalizers":null}}', check=False)
        shared.kubectl("delete", kind, name, "--ignore-not-found")
    shared.call("DELETE", POOL_ACCESS_PATH)


@pytest.fixture
async def live(client: KubeClient) -> LiveCatalogue:
    made = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
    await resync(client, made)
    return made


@pytest.fixture
def pools(client: KubeClient, live: LiveCatalogue) -> PoolAccessObjects:
    return PoolAccessObjects(client, live, StatusWriter(client, live, lambda *_: None), lambda *_: None)


@pytest.fixture
async def reported(pools: PoolAccessObjects, live: LiveCatalogue) -> ReportedPool:
    made = await pools.create(declared(live)[0], name=NAME, pool_id="p1")
    assert made is not None
    return made


def declared(live: LiveCatalogue) -> tuple[AccountConnection, AccessPolicy]:
    catalogue = live.catalogue()
    return catalogue.connections[0], catalogue.policies[0]


def stored(kube: Cluster) -> dict[str, Any]:
    return kube.status_of(f"{POOL_ACCESS_PATH}/{NAME}")


async def test_a_journal_survives_reports_and_reports_survive_it(
    kube: Cluster, pools: PoolAccessObjects, reported: ReportedPool
) -> None:
    status = PoolStatus(observed_generation=1, conditions=())
    written = await pools.write_journal(reported, journal=journal("Preparing"), drains=DRAINS)
    assert written is not None
    assert await pools.write(written, status) is not None
    assert stored(kube)["observedGeneration"] == 1
    assert stored(kube)["journal"]["step"] == "Preparing"
    assert stored(kube)["journal"]["scale"]["targetDedicatedNodes"] == 3
    now = await pools.write_journal(written, journal=None, drains=DRAINS)
    assert now is not None
    assert "journal" not in stored(kube)
    assert stored(kube)["drains"]["policyUid"] == "policy-1"
    assert stored(kube)["observedGeneration"] == 1


async def test_the_same_journal_is_not_written_twice(
    kube: Cluster, pools: PoolAccessObjects, reported: ReportedPool
) -> None:
    written = await pools.write_journal(reported, journal=journal("Preparing"), drains=None)
    assert written is not None
    kube.forget_requests()
    assert await pools.write_journal(written, journal=journal("Preparing"), drains=None) == written
    assert kube.requests() == []


async def test_a_journal_that_somebody_else_wrote_meanwhile_is_not_overwritten(
    kube: Cluster, pools: PoolAccessObjects, reported: ReportedPool
) -> None:
    theirs = {"version": 1, "sagaId": "ffffffffffff", "step": "Draining"}
    kube.call("PATCH", f"{POOL_ACCESS_PATH}/{NAME}/status", {"status": {"journal": theirs}}, patch=True)
    assert await pools.write_journal(reported, journal=journal("Preparing"), drains=None) is None
    assert stored(kube)["journal"] == theirs


async def test_a_report_that_somebody_else_wrote_meanwhile_does_not_hinder_a_journal(
    kube: Cluster, pools: PoolAccessObjects, reported: ReportedPool
) -> None:
    kube.call("PATCH", f"{POOL_ACCESS_PATH}/{NAME}/status", {"status": {"observedGeneration": 7}}, patch=True)
    assert await pools.write_journal(reported, journal=journal("Preparing"), drains=None) is not None
    assert stored(kube)["observedGeneration"] == 7


async def test_a_journal_whose_write_is_in_doubt_counts_as_not_written_until_it_is_seen(
    kube: Cluster, pools: PoolAccessObjects, reported: ReportedPool
) -> None:
    kube.fault(method="PATCH", drop=True, after_effect=True)
    assert await pools.write_journal(reported, journal=journal("Preparing"), drains=None) is None
    again = await pools.write_journal(reported, journal=journal("Preparing"), drains=None)
    assert again is not None
    assert stored(kube)["journal"]["step"] == "Preparing"


async def test_annotations_tell_what_people_want_of_a_saga(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, pools: PoolAccessObjects, reported: ReportedPool
) -> None:
    assert (reported.adopt, reported.abandon) == (None, False)
    annotations = {"batchaccess.dev/adopt": "0123456789ab", "batchaccess.dev/abandon": "true"}
    kube.call("PATCH", f"{POOL_ACCESS_PATH}/{NAME}", {"metadata": {"annotations": annotations}}, patch=True)
    await resync(client, live)
    found = pools.existing(declared(live)[0])[NAME]
    assert (found.adopt, found.abandon) == ("0123456789ab", True)


async def test_finalizers_hold_what_is_deleted_until_they_are_taken_away(
    kube: Cluster, client: KubeClient, live: LiveCatalogue
) -> None:
    finalizers = LiveFinalizers(client, live)
    connection, policy = declared(live)
    assert await finalizers.hold(connection, policy)
    kube.forget_requests()
    assert await finalizers.hold(connection, policy)
    assert kube.requests() == []
    assert finalizers.held_policies() == [policy.key]
    for path in (f"{CONNECTION_PATH}/prod-weu", policy_path("ssh")):
        kube.call("DELETE", path)
        assert kube.call("GET", path)["metadata"]["finalizers"] == [FINALIZER]
    assert await finalizers.release_connection("prod-weu")
    assert await finalizers.release_policy(policy.key)
    assert kube.call("GET", CONNECTION_PATH)["items"] == []


async def test_a_finalizer_of_somebody_else_stays(kube: Cluster, client: KubeClient, live: LiveCatalogue) -> None:
    finalizers = LiveFinalizers(client, live)
    path = f"{CONNECTION_PATH}/prod-weu"
    kube.call("PATCH", path, {"metadata": {"finalizers": ["example.com/theirs"]}}, patch=True)
    assert await finalizers.hold(declared(live)[0], None)
    assert kube.call("GET", path)["metadata"]["finalizers"] == ["example.com/theirs", FINALIZER]
    assert await finalizers.release_connection("prod-weu")
    assert kube.call("GET", path)["metadata"]["finalizers"] == ["example.com/theirs"]


async def test_what_is_being_deleted_is_not_held_any_more(
    kube: Cluster, client: KubeClient, live: LiveCatalogue
) -> None:
    path = f"{CONNECTION_PATH}/prod-weu"
    kube.call("PATCH", path, {"metadata": {"finalizers": ["example.com/theirs"]}}, patch=True)
    kube.call("DELETE", path)
    assert not await LiveFinalizers(client, live).hold(declared(live)[0], None)


async def test_the_cluster_is_told_by_its_oldest_namespace(
    kube: Cluster, client: KubeClient, live: LiveCatalogue
) -> None:
    expected = kube.call("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert LiveFinalizers(client, live).cluster_uid() == expected
