"""What somebody meets who installs the chart for the first time: notes, long names, a registry that wants a login."""

import re
from typing import Any

import pytest
import yaml

from batchaccess.api import parse_connection
from batchaccess.core.declared import AccountConnection
from tests.deploy.rendering import CHART, NAMESPACE, chart, is_hook, run_helm

LONGEST_DNS_LABEL = 63
LONGEST_RELEASE_NAME = 53


def notes(*values: str) -> str:
    """What `helm install` prints in the end."""
    settings = [part for value in values for part in ("--set", value)]
    where = ("--dry-run=client", f"--namespace={NAMESPACE}")
    return run_helm("install", "batchaccess", CHART, *where, *settings).stdout.partition("\nNOTES:\n")[2]


def heredoc(text: str) -> str:
    """What a shell hands to kubectl if somebody pastes the notes; a heredoc ends at a bare word only."""
    found = re.search(r"^kubectl apply -f - <<YAML\n(.*?)^YAML$", text, re.DOTALL | re.MULTILINE)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize(
    ("values", "type"),
    [
        pytest.param((), "SharedKey", id="no identity is set up"),
        pytest.param(("workloadIdentity.enabled=true",), "WorkloadIdentity", id="Workload ID"),
        pytest.param(("managedIdentity.enabled=true",), "ManagedIdentity", id="an identity of the node"),
        pytest.param(
            ("workloadIdentity.enabled=true", "managedIdentity.enabled=true"), "WorkloadIdentity", id="both identities"
        ),
    ],
)
def test_the_first_connection_can_be_pasted_and_authenticates_as_the_release_can(
    values: tuple[str, ...], type: str
) -> None:
    pasted: dict[str, Any] = yaml.safe_load(heredoc(notes(*values)))
    assert pasted["spec"]["auth"]["type"] == type
    pasted["spec"]["endpoint"] = "https://prod.westeurope.batch.azure.com"
    parsed = parse_connection(pasted | {"metadata": pasted["metadata"] | {"uid": "1", "generation": 1}})
    assert isinstance(parsed, AccountConnection), parsed


def test_the_notes_tell_how_the_secret_that_the_connection_names_is_made() -> None:
    printed = notes()
    secret = yaml.safe_load(heredoc(printed))["spec"]["auth"]["secretRef"]
    assert f"create secret generic {secret['name']} --from-file={secret['key']}=" in printed
    assert "create secret" not in notes("workloadIdentity.enabled=true")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param(
            (), f"kubectl label namespace {NAMESPACE} pod-security.kubernetes.io/enforce=restricted", id="Pod Security"
        ),
        pytest.param(("crds.keep=false",), "uninstalling this release deletes every connection", id="definitions go"),
        pytest.param(("crds.install=false",), "kubectl apply --server-side -f crds/", id="no definitions"),
        pytest.param(("networkPolicy.metricsFrom=null",), "Nobody may scrape metrics", id="no metrics"),
        pytest.param(("highAvailability.enabled=true",), "2 replicas of which one works at a time", id="a pair"),
        pytest.param(
            ("highAvailability.enabled=true", "highAvailability.replicas=1"), "with a Lease", id="one replica"
        ),
    ],
)
def test_the_notes_say(values: tuple[str, ...], said: str) -> None:
    assert said in notes(*values)
    assert (said in notes()) == (values == ())


def test_names_of_a_long_release_are_names_that_kubernetes_takes() -> None:
    rendered = chart(release="r" * LONGEST_RELEASE_NAME)
    names = {each["metadata"]["name"] for each in rendered if each["kind"] in ("Service", "Deployment", "Job", "Pod")}
    assert len(names) == 4
    assert [name for name in names if len(name) > LONGEST_DNS_LABEL] == []


def test_labels_of_a_long_name_are_labels_that_kubernetes_takes() -> None:
    longest = "n" * 53
    rendered = chart(f"nameOverride={longest}")
    labels = [label for each in rendered for label in _labels(each)]
    assert f"{longest}-uninstall" in labels
    assert [label for label in labels if len(label) > LONGEST_DNS_LABEL] == []
    refused = run_helm("template", "batchaccess", CHART, "--set", f"nameOverride={longest}n", check=False)
    assert "/nameOverride" in refused.stderr


def _labels(node: Any) -> list[str]:  # noqa: ANN401 any part of a manifest
    if isinstance(node, list):
        return [label for each in node for label in _labels(each)]
    if not isinstance(node, dict):
        return []
    own = list(node["labels"].values()) if isinstance(node.get("labels"), dict) else []
    return own + [label for value in node.values() for label in _labels(value)]


def test_pods_of_hooks_are_pulled_and_placed_as_the_operator_is() -> None:
    values = ("imagePullSecrets[0].name=registry", "nodeSelector.pool=system", "tolerations[0].key=dedicated")
    rendered = chart(*values)
    specs = [each["spec"] for each in rendered if is_hook(each) and each["kind"] == "Pod"]
    specs += [each["spec"]["template"]["spec"] for each in rendered if each["kind"] in ("Job", "Deployment")]
    assert len(specs) == 3
    for spec in specs:
        assert spec["imagePullSecrets"] == [{"name": "registry"}]
        assert spec["nodeSelector"] == {"pool": "system"}
        assert spec["tolerations"] == [{"key": "dedicated"}]
