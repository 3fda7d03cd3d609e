"""Sagas that an earlier process left open count from the start, on whatever connection they are."""

from pathlib import Path
from typing import Any

from batchaccess.api import render_part
from batchaccess.core.model import NodeCounts, ObjectKey
from batchaccess.core.saga.copies import journal_status
from batchaccess.core.saga.journal import Holder, Journal, PolicyVersion
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import KubernetesJournal, Step
from tests.operator.test_operator_app import App
from tests.support.build import NOW
from tests.support.kube import CONNECTION_PATH, POOL_ACCESS_PATH, Cluster, cluster, connection_manifest
from tests.support.waiting import eventually


def journal_of(uid: str) -> dict[str, Any]:
    """A drain that policy `ssh` began on the connection of this UID."""
    journal = Journal(
        saga_id="0123456789ab",
        holder=Holder(cluster_uid="cluster-1", connection_uid=uid),
        pool_id="busy",
        pool_created=None,
        policy=PolicyVersion(key=ObjectKey(namespace="render", name="ssh"), uid="uid-ssh", generation=1),
        started=NOW,
        recorded=RecordedScale(targets=NodeCounts(dedicated=3), current=NodeCounts(dedicated=3)),
    )
    return render_part(journal_status(KubernetesJournal(journal=journal, step=Step.DRAINING, since=NOW)))


def leave_open(kube: Cluster, connection: str) -> None:
    kube.apply(connection_manifest(connection))
    uid = kube.call("GET", f"{CONNECTION_PATH}/{connection}")["metadata"]["uid"]
    owner = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchAccountConnection",
        "name": connection,
        "uid": uid,
        "controller": True,
    }
    manifest = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchPoolAccess",
        "metadata": {"name": f"{connection}.busy", "ownerReferences": [owner]},
        "spec": {"connection": connection, "poolId": "busy"},
    }
    kube.call("POST", POOL_ACCESS_PATH, manifest)
    path = f"{POOL_ACCESS_PATH}/{connection}.busy/status"
    kube.call("PATCH", path, {"status": {"journal": journal_of(uid)}}, patch=True)


async def test_they_count_before_the_first_sweep_of_any_connection(tmp_path: Path) -> None:
    """Else whichever connection is swept first would exceed `maxConcurrent` of a policy."""
    with cluster(tmp_path) as kube:
        for connection in ("one", "two"):
            leave_open(kube, connection)
        app = App(kube.kubeconfig)
        try:
            await eventually(lambda: len(app.open_sagas) == 2, what="the first sweeps")
            assert app.open_sagas == [{"uid-ssh": 2}] * 2
        finally:
            await app.end()
