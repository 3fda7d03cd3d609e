from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.poolaccess import PoolAccessObjects
from batchaccess.kube.resync import resync
from batchaccess.kube.statuswriter import StatusWriter, WriteOutcome
from tests.kube.writes import Counted, the_connection
from tests.support.kube import (
    POOL_ACCESS_PATH,
    Cluster,
)


async def test_a_pool_object_is_made_once_owned_by_its_connection(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, counted: Counted
) -> None:
    await resync(client, live)
    pools = PoolAccessObjects(client, live, writer, counted)
    connection = the_connection(live)
    made = await pools.create(connection, name="prod-weu.p1", pool_id="p1")
    assert made is not None
    again = await pools.create(connection, name="prod-weu.p1", pool_id="p1")
    assert again == made
    assert list(pools.existing(connection)) == ["prod-weu.p1"]
    stored = kube.call("GET", f"{POOL_ACCESS_PATH}/prod-weu.p1")
    assert stored["metadata"]["ownerReferences"][0]["uid"] == connection.uid
    assert stored["metadata"].get("finalizers") is None
    assert stored["spec"] == {"connection": "prod-weu", "poolId": "p1"}
    assert counted.outcomes == [WriteOutcome.WRITTEN]


async def test_a_pool_object_of_an_earlier_connection_is_replaced(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, counted: Counted
) -> None:
    await resync(client, live)
    pools = PoolAccessObjects(client, live, writer, counted)
    orphan = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchPoolAccess",
        "metadata": {"name": "prod-weu.p1"},
        "spec": {"connection": "prod-weu", "poolId": "p1"},
    }
    old = kube.call("POST", POOL_ACCESS_PATH, orphan)
    connection = the_connection(live)
    # Nobody told us of it yet: the first attempt finds it, the next one replaces it.
    assert await pools.create(connection, name="prod-weu.p1", pool_id="p1") is None
    assert not pools.existing(connection)["prod-weu.p1"].owned
    made = await pools.create(connection, name="prod-weu.p1", pool_id="p1")
    assert pools.existing(connection)["prod-weu.p1"].owned
    assert made is not None
    assert made.stored.uid != old["metadata"]["uid"]


async def test_a_pool_object_that_is_gone_already_counts_as_deleted(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, writer: StatusWriter, counted: Counted
) -> None:
    await resync(client, live)
    pools = PoolAccessObjects(client, live, writer, counted)
    await pools.create(the_connection(live), name="prod-weu.p1", pool_id="p1")
    kube.call("DELETE", f"{POOL_ACCESS_PATH}/prod-weu.p1")
    assert await pools.delete("prod-weu.p1")
    assert pools.existing(the_connection(live)) == {}
    assert await pools.delete("prod-weu.p1")
