from typing import Any

import pytest

from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import CONNECTIONS
from batchaccess.kube.resync import resync
from batchaccess.kube.statuswriter import StatusWriter, WriteOutcome
from tests.kube.writes import Counted, the_connection
from tests.support.kube import (
    CONNECTION_PATH,
    Cluster,
    connection_manifest,
)

READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Connected",
    "message": "The account answers.",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-03-01T12:00:00Z",
}


async def write(writer: StatusWriter, live: LiveCatalogue, status: dict[str, Any]) -> WriteOutcome:
    name, uid = "prod-weu", the_connection(live).uid
    return await writer.write(CONNECTIONS, namespace=None, name=name, uid=uid, status=status)


async def test_a_status_is_written_once_and_then_left_alone(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, counted: Counted
) -> None:
    await resync(client, live)
    status = {"observedGeneration": 1, "conditions": [READY]}
    assert await write(writer, live, status) is WriteOutcome.WRITTEN
    kube.forget_requests()
    assert await write(writer, live, status) is WriteOutcome.UNCHANGED
    assert kube.requests() == []
    assert kube.status_of(f"{CONNECTION_PATH}/prod-weu") == status
    assert counted.outcomes == [WriteOutcome.WRITTEN]


async def test_what_a_status_no_longer_says_is_removed(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter
) -> None:
    await resync(client, live)
    await write(writer, live, {"conditions": [READY], "pools": {"total": 3, "compliant": 2}})
    await write(writer, live, {"conditions": [READY], "pools": {"total": 3}})
    assert kube.status_of(f"{CONNECTION_PATH}/prod-weu")["pools"] == {"total": 3}
    await write(writer, live, {"conditions": [READY]})
    assert "pools" not in kube.status_of(f"{CONNECTION_PATH}/prod-weu")


async def test_a_status_edited_behind_our_back_is_read_again_and_put_right(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, counted: Counted
) -> None:
    await resync(client, live)
    path = f"{CONNECTION_PATH}/prod-weu"
    kube.call("PATCH", f"{path}/status", {"status": {"pools": {"total": 99}, "conditions": [READY]}}, patch=True)
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.WRITTEN
    assert counted.outcomes == [WriteOutcome.CONFLICT, WriteOutcome.WRITTEN]
    assert kube.status_of(path) == {"conditions": [READY]}


async def test_a_refused_status_is_logged_with_its_field_and_raises_nothing(
    client: KubeClient,
    live: LiveCatalogue,
    writer: StatusWriter,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await resync(client, live)
    wrong = {"conditions": [READY | {"status": "Perhaps"}]}
    assert await write(writer, live, wrong) is WriteOutcome.REFUSED
    assert "status.conditions[0].status" in caplog.text
    assert counted.outcomes == [WriteOutcome.REFUSED]
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.WRITTEN


async def test_a_status_of_an_object_that_is_gone_is_dropped(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter
) -> None:
    await resync(client, live)
    kube.call("DELETE", f"{CONNECTION_PATH}/prod-weu")
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.GONE


async def test_a_status_is_never_written_to_a_successor_of_the_same_name(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter
) -> None:
    await resync(client, live)
    uid = the_connection(live).uid
    kube.call("DELETE", f"{CONNECTION_PATH}/prod-weu")
    kube.apply(connection_manifest())
    outcome = await writer.write(CONNECTIONS, namespace=None, name="prod-weu", uid=uid, status={"conditions": [READY]})
    assert outcome is WriteOutcome.GONE
    assert kube.status_of(f"{CONNECTION_PATH}/prod-weu") == {}


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 429, "retry_after": 1}, {"drop": True}])
async def test_an_api_that_does_not_answer_fails_the_write_and_nothing_else(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, trouble: dict[str, Any]
) -> None:
    await resync(client, live)
    kube.fault(method="PATCH", count=1, **trouble)
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.FAILED
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.WRITTEN


async def test_a_write_whose_answer_was_lost_is_not_made_twice(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter
) -> None:
    await resync(client, live)
    kube.fault(method="PATCH", drop=True, after_effect=True)
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.FAILED
    version = kube.call("GET", f"{CONNECTION_PATH}/prod-weu")["metadata"]["resourceVersion"]
    assert await write(writer, live, {"conditions": [READY]}) is WriteOutcome.UNCHANGED
    assert kube.call("GET", f"{CONNECTION_PATH}/prod-weu")["metadata"]["resourceVersion"] == version
