"""The API server accepts and refuses what the parity corpus says, as kubeemulator and our models do."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.realcluster import RealCluster
from tests.parity.corpus import Case, cases, without_nulls

CORPUS = cases()
INVALID = 422
_PLURALS = {
    "BatchAccountConnection": "batchaccountconnections",
    "BatchPoolAccessPolicy": "batchpoolaccesspolicies",
    "BatchPoolAccess": "batchpoolaccesses",
}


def collection(obj: dict[str, Any]) -> str:
    namespace = obj["metadata"].get("namespace")
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/batchaccess.dev/v1alpha1{where}/{_PLURALS[obj['kind']]}"


@pytest.fixture(scope="module", autouse=True)
def _namespaces(cluster: RealCluster) -> None:
    names = {str(case.obj["metadata"]["namespace"]) for case in CORPUS if "namespace" in case.obj["metadata"]}
    for name in sorted(names):
        cluster.kubectl("create", "namespace", name, check=False)


def disagreement(cluster: RealCluster, case: Case, obj: dict[str, Any]) -> str:
    """What the API server says otherwise than the corpus; empty if nothing."""
    code, body = cluster.call("POST", f"{collection(obj)}?dryRun=All", obj)
    if case.refused is None:
        return "" if code == 201 else f"{case.name}: refused: {body.get('message')}"
    if code != INVALID:
        return f"{case.name}: answered {code}, not {INVALID}: {body.get('message')}"
    causes = body["details"].get("causes", [])
    texts = [cause["message"] for cause in causes if cause.get("field", "<nil>") == case.refused]
    if not texts:
        return f"{case.name}: names {sorted({cause.get('field', '') for cause in causes})}, not {case.refused}"
    return "" if case.says in "\n".join(texts) else f"{case.name}: says {texts}, not {case.says!r}"


def test_it_agrees_with_the_corpus(cluster: RealCluster, record_property: Callable[[str, object], None]) -> None:
    found = [each for case in CORPUS if (each := disagreement(cluster, case, case.obj))]

    record_property(FIGURES, f"corpus: {len(CORPUS)} objects judged, {len(found)} disagreements")
    assert found == []
    assert len(CORPUS) >= 150


def test_it_judges_absent_as_null(cluster: RealCluster) -> None:
    found = []
    for case in CORPUS:
        obj = without_nulls(case.obj)
        assert isinstance(obj, dict)
        code, _ = cluster.call("POST", f"{collection(obj)}?dryRun=All", obj)
        if (code == 201) is not (case.refused is None):
            found.append(f"{case.name}: {code}")

    assert found == []


@pytest.mark.parametrize(
    ("name", "patch", "says"),
    [
        pytest.param(
            "connection: an endpoint and an identity type are enough",
            {"spec": {"endpoint": "https://other.westeurope.batch.azure.com"}},
            "endpoint is immutable; create another BatchAccountConnection",
            id="a connection does not move to another account",
        ),
        pytest.param(
            "pool_access: connection and pool are enough",
            {"spec": {"poolId": "render-2"}},
            "spec is the identity of a pool and immutable",
            id="a pool access does not come to mean another pool",
        ),
    ],
)
def test_identity_is_immutable(cluster: RealCluster, name: str, patch: dict[str, Any], says: str) -> None:
    (obj,) = (case.obj for case in CORPUS if case.name == name)
    path = f"{collection(obj)}/{obj['metadata']['name']}"
    code, body = cluster.call("POST", collection(obj), obj)
    assert code == 201, body
    try:
        code, body = cluster.call("PATCH", path, patch, content="application/merge-patch+json")
        assert (code, says in body["message"]) == (INVALID, True), body
    finally:
        cluster.call("DELETE", path)
