import asyncio
import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchaccess.core.reasons import ErrorKind, EventReason, EventType
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.events import EventRecorder
from batchaccess.kube.listing import list_all
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES
from batchaccess.kube.resync import resync
from batchaccess.kube.secrets import SecretReader
from batchaccess.ports import PortError
from tests.kube.writes import the_connection
from tests.support.clock import FakeClock
from tests.support.kube import (
    CONNECTION_PATH,
    Cluster,
    cluster,
    connection_manifest,
    policy_manifest,
    policy_path,
)


async def test_a_resync_reads_everything_declared(kube: Cluster, client: KubeClient, live: LiveCatalogue) -> None:
    kube.apply(policy_manifest("ssh"))
    result = await resync(client, live)
    assert result.failures == ()
    assert [connection.name for connection in live.catalogue().connections] == ["prod-weu"]
    assert [str(policy.key) for policy in live.catalogue().policies] == ["default/ssh"]
    assert "default" in live.catalogue().namespace_labels
    assert (await resync(client, live)).news == ()


async def test_a_resync_notices_what_no_watch_told(kube: Cluster, client: KubeClient, live: LiveCatalogue) -> None:
    kube.apply(policy_manifest("gone"))
    await resync(client, live)
    version = live.catalogue().version
    kube.call("DELETE", policy_path("gone"))
    kube.apply(policy_manifest("new"))
    result = await resync(client, live)
    assert len(result.news) == 2
    assert [policy.key.name for policy in live.catalogue().policies] == ["new"]
    assert live.catalogue().version > version


async def test_an_api_that_lost_its_store_is_read_as_it_is_now(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, tmp_path: Path
) -> None:
    kube.apply(policy_manifest("lost"), policy_manifest("ssh"))
    for number in range(60):
        kube.call("PATCH", policy_path("ssh"), {"spec": {"priority": number}}, patch=True)
    await resync(client, live)
    with cluster(tmp_path) as anew:
        anew.apply(connection_manifest(), policy_manifest("ssh", priority=7))
        successor = await KubeClient.connect(anew.kubeconfig)
        try:
            await resync(successor, live)
        finally:
            await successor.close()
        uid = anew.call("GET", f"{CONNECTION_PATH}/prod-weu")["metadata"]["uid"]
    assert [(policy.key.name, policy.priority) for policy in live.catalogue().policies] == [("ssh", 7)]
    assert the_connection(live).uid == uid


async def test_a_few_requests_are_in_flight_and_who_waits_for_its_turn_does_not_run_out_of_time(kube: Cluster) -> None:
    client = await KubeClient.connect(kube.kubeconfig, timeout_seconds=3)
    kube.fault(path="unhurried", delay_seconds=1, count=100)
    started = asyncio.get_running_loop().time()
    try:
        gotten = await asyncio.gather(
            *(client.get(f"{CONNECTION_PATH}/unhurried-{number}") for number in range(80)), return_exceptions=True
        )
    finally:
        await client.close()
    assert asyncio.get_running_loop().time() - started >= 5, "80 at 16 a time, each answered after a second"
    assert {each.status if isinstance(each, PortError) else None for each in gotten} == {404}


async def test_long_lists_are_read_in_pages(kube: Cluster, client: KubeClient) -> None:
    kube.apply(*(policy_manifest(f"p{number}") for number in range(7)))
    kube.forget_requests()
    listing = await list_all(client, POLICIES, page_size=3)
    assert len(listing.items) == 7
    assert len(kube.requests()) == 3


async def test_a_list_whose_snapshot_expired_is_read_again(kube: Cluster, client: KubeClient) -> None:
    kube.apply(*(policy_manifest(f"p{number}") for number in range(4)))
    kube.fault(path="continue=", status=410)
    assert len((await list_all(client, POLICIES, page_size=3)).items) == 4


async def test_repeated_events_are_one_object_with_a_count(kube: Cluster, client: KubeClient) -> None:
    clock = FakeClock()
    counted: list[bool] = []
    recorder = EventRecorder(client, clock, lambda *told: counted.append(told[2]))
    uid = kube.call("GET", f"{CONNECTION_PATH}/prod-weu")["metadata"]["uid"]

    async def record() -> None:
        await recorder.record(
            kind="BatchAccountConnection",
            name="prod-weu",
            namespace=None,
            uid=uid,
            event_type=EventType.WARNING,
            reason=EventReason.CONNECTION_FAILED,
            message="The account does not answer.",
        )

    def events() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = kube.call("GET", "/api/v1/namespaces/default/events")["items"]
        return [event for event in listed if event["involvedObject"].get("uid") == uid]

    for _ in range(5):
        await record()
    assert [event["count"] for event in events()] == [1]
    clock.advance(6)
    await record()
    assert [event["count"] for event in events()] == [6]
    assert "ConnectionFailed" in kube.kubectl("describe", "bac", "prod-weu")

    kube.call("DELETE", f"/api/v1/namespaces/default/events/{events()[0]['metadata']['name']}")
    clock.advance(301)
    await record()
    assert [event["count"] for event in events()] == [1]

    kube.fault(method="POST", path="/events", status=500)
    clock.advance(301)
    await recorder.record(
        kind="BatchAccountConnection",
        name="prod-weu",
        namespace=None,
        uid=uid,
        event_type=EventType.NORMAL,
        reason=EventReason.CONNECTED,
        message="The account answers.",
    )
    assert counted[-1] is False


async def test_a_secret_is_read_by_name_in_one_namespace(kube: Cluster, client: KubeClient) -> None:
    encoded = base64.b64encode(b"s3cret").decode()
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "acc"},
        "data": {"key": encoded, "bad": "/w=="},
    }
    kube.apply(secret)
    reader = SecretReader(client, "default")
    assert await reader.read("acc", "key") == "s3cret"
    for name, key, code in (("acc", "other", "SecretNotFound"), ("none", "key", "SecretNotFound")):
        with pytest.raises(PortError) as refusal:
            await reader.read(name, key)
        assert refusal.value.code == code
        assert refusal.value.kind is ErrorKind.DENIED
    with pytest.raises(PortError) as unreadable:
        await reader.read("acc", "bad")
    assert unreadable.value.code == "SecretInvalid"
    assert "/w" not in str(unreadable.value)
    assert unreadable.value.__cause__ is None


async def test_rotated_credentials_are_read_again(kube: Cluster, client: KubeClient) -> None:
    kube.fault(method="GET", path="namespaces", status=401)
    assert (await client.get(NAMESPACES.path()))["kind"] == "NamespaceList"
    kube.fault(method="GET", path="namespaces", status=401, count=2)
    with pytest.raises(PortError) as refusal:
        await client.get(NAMESPACES.path())
    assert refusal.value.kind is ErrorKind.DENIED


async def test_a_client_under_a_leave_of_its_own_waits_for_nobody_elses_requests(
    kube: Cluster, client: KubeClient
) -> None:
    kube.fault(method="GET", path="namespaces", delay_seconds=60, count=1000)
    waiting = [asyncio.create_task(client.get(NAMESPACES.path())) for _ in range(100)]
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        assert (await client.under(None).get(f"{CONNECTION_PATH}/prod-weu"))["kind"] == "BatchAccountConnection"
    assert not any(each.done() for each in waiting)
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)


async def test_credentials_are_not_shown(client: KubeClient) -> None:
    assert repr(replace(await client.access(), authorization="Bearer s3cret")).count("s3cret") == 0


async def test_missing_crds_are_explained(tmp_path: Path, live: LiveCatalogue) -> None:
    with cluster(tmp_path, crds=False) as bare:
        client = await KubeClient.connect(bare.kubeconfig)
        result = await resync(client, live)
        await client.close()
    assert [failure.resource for failure in result.failures] == [CONNECTIONS, POLICIES, POOL_ACCESSES]
    assert "install the CRDs" in result.failures[0].explanation


async def test_an_unknown_connection_reads_as_no_answer(live: LiveCatalogue, tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
    )
    client = await KubeClient.connect(config)
    result = await resync(client, live)
    await client.close()
    assert {failure.resource for failure in result.failures} >= {CONNECTIONS, NAMESPACES}
    assert result.failures[0].error.kind is ErrorKind.TRANSIENT
    assert result.failures[0].error.outcome_unknown is False
