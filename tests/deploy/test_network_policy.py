"""Where the operator's pod may connect to: by default, and with each value or component that changes it."""

import ipaddress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from tests.deploy.rendering import CHART, KUSTOMIZE, Manifest, chart, composed, kustomized, parsed, run_helm, the
from tests.support.kube import ROOT

DNS: Final = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
AZURE: Final = {"ports": [{"port": 443, "protocol": "TCP"}]}
API_SERVER: Final = {"ports": [{"port": 6443, "protocol": "TCP"}]}
METADATA_SERVICE: Final = "169.254.169.254"
INSTANCE_METADATA: Final = {
    "to": [{"ipBlock": {"cidr": f"{METADATA_SERVICE}/32"}}],
    "ports": [{"port": 80, "protocol": "TCP"}],
}


def egress(manifests: list[Manifest]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = the(manifests, "NetworkPolicy")["spec"]["egress"]
    return rules


def reaches(rules: list[dict[str, Any]], address: str, port: int) -> bool:
    """Whether TCP to an address gets out; a rule without ports or without peers, even an empty list, names them all."""
    return any(
        (not rule.get("ports") or {"port": port, "protocol": "TCP"} in rule["ports"])
        and (not rule.get("to") or any(_within(address, peer) for peer in rule["to"]))
        for rule in rules
    )


def _within(address: str, peer: dict[str, Any]) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"])


def test_by_default_names_azure_and_the_api_server_are_reached_and_nothing_else() -> None:
    for rendered in (chart(), kustomized(KUSTOMIZE / "base")):
        assert egress(rendered) == [DNS, AZURE, API_SERVER]
        assert not reaches(egress(rendered), METADATA_SERVICE, 80)


@pytest.mark.parametrize("overlay", sorted((KUSTOMIZE / "overlays").iterdir()), ids=lambda path: path.name)
def test_no_overlay_lets_the_pod_reach_the_identities_of_its_node(overlay: Path) -> None:
    assert egress(kustomized(overlay)) == [DNS, AZURE, API_SERVER]


def test_managed_identity_opens_the_metadata_service_and_nothing_else(tmp_path: Path) -> None:
    released, built = chart("managedIdentity.enabled=true"), composed(tmp_path, "managed-identity")
    for rules in (egress(released), egress(built)):
        assert rules == [DNS, AZURE, API_SERVER, INSTANCE_METADATA]
        assert reaches(rules, METADATA_SERVICE, 80)
    for rendered, default in ((released, chart()), (built, kustomized(KUSTOMIZE / "base"))):
        changed = [each for each in rendered if each not in default]
        assert [each["kind"] for each in changed] == ["NetworkPolicy"]


def test_the_address_of_the_metadata_service_is_written_once() -> None:
    manifests = [path for path in (ROOT / "deploy").rglob("*.yaml") if METADATA_SERVICE in path.read_text()]
    assert manifests == [KUSTOMIZE / "components" / "managed-identity" / "networkpolicy.yaml"]


@pytest.mark.parametrize(
    ("ports", "api_server"),
    [
        pytest.param("{16443}", [16443], id="another port"),
        pytest.param("{443,6443}", [443, 6443], id="443 named as well"),
        pytest.param("null", [], id="none but 443"),
    ],
)
def test_ports_of_the_api_server_never_take_azure_away(ports: str, api_server: list[int]) -> None:
    rules = egress(chart(f"networkPolicy.apiServerPorts={ports}"))
    assert rules[:2] == [DNS, AZURE]
    assert [each["port"] for rule in rules[2:] for each in rule["ports"]] == api_server
    assert not reaches(rules, "203.0.113.1", 3128)


def test_a_proxy_is_reached_with_the_values_of_the_documentation(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "install.md").read_text()
    example = page.partition("### Behind a proxy\n")[2].partition("```yaml\n")[2].partition("```")[0]
    values = tmp_path / "values.yaml"
    values.write_text(example)
    rendered = parsed(run_helm("template", "batchaccess", CHART, "--values", values).stdout)
    (container,) = the(rendered, "Deployment")["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    proxy = urlsplit(environment["HTTPS_PROXY"])
    assert proxy.hostname is not None
    assert proxy.port is not None
    assert reaches(egress(rendered), proxy.hostname, proxy.port)
    assert not reaches(egress(chart()), proxy.hostname, proxy.port)
    assert egress(rendered)[:-1] == egress(chart())


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({}, id="an empty rule, which lets everything out"),
        pytest.param({"ports": []}, id="an empty list of ports, which is every port"),
        pytest.param({"to": [{}], "ports": [{"port": 3128}]}, id="a peer that is nobody"),
        pytest.param({"from": [{"ipBlock": {"cidr": "10.0.0.9/32"}}]}, id="a rule of the other direction"),
    ],
)
def test_a_rule_that_opens_more_than_it_says_is_refused(rule: dict[str, Any], tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"networkPolicy": {"extraEgress": [rule]}}))
    done = run_helm("template", "batchaccess", CHART, "--values", values, check=False)
    assert done.returncode != 0
    assert "/networkPolicy/extraEgress/0" in done.stderr
