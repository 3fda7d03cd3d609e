"""The real API server takes every manifest that Helm and kustomize render, and admits every pod under `restricted`."""

from collections.abc import Callable

import pytest

from tests.deploy.releases import Server
from tests.deploy.rendering import EVERYTHING, KUSTOMIZE, NAMESPACE, Manifest, chart, kustomized
from tests.e2e_cluster.figures import FIGURES
from tests.e2e_cluster.realcluster import RealCluster

OF_THE_PROMETHEUS_OPERATOR = {"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"}
FORBIDDEN = 403
DEFAULT_ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "default", "namespace": NAMESPACE},
}
"""What every namespace of a cluster has, once the controller for it runs, which does not run here."""


@pytest.mark.parametrize("rendered", ["chart", *sorted(path.name for path in KUSTOMIZE.glob("overlays/*")), "base"])
def test_the_api_server_takes_every_manifest(
    cluster: RealCluster, rendered: str, record_property: Callable[[str, object], None]
) -> None:
    if rendered == "chart":
        # Another release than what is installed: the labels by which a Deployment selects never change.
        manifests = chart(*EVERYTHING, release="other")
    else:
        manifests = kustomized(KUSTOMIZE / ("base" if rendered == "base" else f"overlays/{rendered}"))
    cluster.apply(DEFAULT_ACCOUNT)
    server = Server(cluster.kubeconfig, kubectl=str(cluster.program))
    for kind, plural in OF_THE_PROMETHEUS_OPERATOR.items():
        server.apply(definition_of_a_stranger(kind, plural))
    server.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", *strangers())
    try:
        answered = server.apply(*manifests, flags=["--dry-run=server", "--force-conflicts"])
    finally:
        server.kubectl("delete", "crd", *strangers())
    assert answered.count("serverside-applied (server dry run)") == len(manifests)
    record_property(FIGURES, f"server-side dry run of {rendered}: {len(manifests)} manifests taken")


def strangers() -> list[str]:
    return [f"{plural}.monitoring.coreos.com" for plural in OF_THE_PROMETHEUS_OPERATOR.values()]


def definition_of_a_stranger(kind: str, plural: str) -> Manifest:
    """A kind of the Prometheus operator, known by its name and open for anything."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }


def pods() -> dict[str, Manifest]:
    """Every pod that we would have a cluster run, as it would be made of its template."""
    built = [("the chart", each) for each in chart(*EVERYTHING)]
    built += [("the overlay", each) for each in kustomized(KUSTOMIZE / "overlays" / "ha")]
    return {
        f"{manifest['kind']} of {of}": manifest["spec"] if manifest["kind"] == "Pod" else _template(manifest)
        for of, manifest in built
        if manifest["kind"] in ("Deployment", "Job", "Pod")
    }


def _template(manifest: Manifest) -> Manifest:
    spec: Manifest = manifest["spec"]["template"]["spec"]
    return spec


def test_restricted_pod_security_admits_every_pod(cluster: RealCluster) -> None:
    cluster.apply(DEFAULT_ACCOUNT)
    assert len(pods()) == 4
    for name, spec in pods().items():
        code, body = admission(cluster, spec)
        assert code == 201, (name, body["message"])

    (careless, *_) = pods().values()
    code, body = admission(cluster, careless | {"securityContext": {"runAsUser": 0}})
    assert (code, "violates PodSecurity" in body["message"]) == (FORBIDDEN, True)


def admission(cluster: RealCluster, spec: Manifest) -> tuple[int, Manifest]:
    """What the API server says to a pod in the operator's namespace, which it does not keep."""
    account = (
        {"serviceAccountName": "batchaccess"} if "serviceAccountName" in spec else {"serviceAccountName": "default"}
    )
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asked"}, "spec": spec | account}
    return cluster.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", pod)
