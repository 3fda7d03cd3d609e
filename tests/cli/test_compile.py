"""What a policy means, in both spellings; the real SDK takes it, and the pool made of it is as declared."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, TypeAlias

import pytest
import yaml
from azure.batch import BatchClient, models
from azure.core.credentials import AccessToken, AccessTokenInfo
from hypothesis import assume, given, settings

from batchaccess.api import parse_policy
from batchaccess.azurebatch.saved import read_saved_pools
from batchaccess.cli.compile.forms import for_resource_manager, network_configuration, open_questions
from batchaccess.core.declared import AccessPolicy, DesiredAccess
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import drift_between
from batchaccess.core.reasons import DriftClass
from batchemulator import ManualClock, make_service, serving_in_thread
from batchemulator.certificates import self_signed
from tests.cli.demoaccounts import run
from tests.cli.generatedpools import generated_pools
from tests.core.strategies import accesses
from tests.support.build import policy

NUMBERS = count()
Create: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
API_VERSION = "2025-06-01"
MACHINE = {
    "vmSize": "STANDARD_D2S_V3",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "ubuntu", "sku": "22_04-lts"},
        "nodeAgentSKUId": "batch.node.ubuntu 22.04",
    },
}
SSH = """\
apiVersion: batchaccess.dev/v1alpha1
kind: BatchPoolAccessPolicy
metadata: {name: ssh, namespace: render}
spec:
  connections: {names: [prod]}
  access:
    endpoints:
      items:
        - name: SSH
          backendPort: 22
          frontendPorts: {start: 4000, end: 4100}
          allowFrom: [192.0.2.0/24]
        - name: dns
          protocol: UDP
          backendPort: 53
          frontendPorts: {start: 5000, end: 5100}
          allowFrom: []
    publicAddresses: {provisioning: BatchManaged}
    acceleratedNetworking: true
"""


def compiled(text: str, *args: str) -> Any:  # noqa: ANN401 any JSON
    result = run("compile", "-f", "-", *args, stdin=text)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_data_plane_form() -> None:
    everyone = {"sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}
    assert compiled(SSH) == {
        "networkConfiguration": {
            "endpointConfiguration": {
                "inboundNATPools": [
                    {
                        "name": "SSH",
                        "protocol": "tcp",
                        "backendPort": 22,
                        "frontendPortRangeStart": 4000,
                        "frontendPortRangeEnd": 4100,
                        "networkSecurityGroupRules": [
                            {
                                "priority": 1000,
                                "access": "allow",
                                "sourceAddressPrefix": "192.0.2.0/24",
                                "sourcePortRanges": ["*"],
                            },
                            {"priority": 1001, "access": "deny", **everyone},
                        ],
                    },
                    {
                        "name": "dns",
                        "protocol": "udp",
                        "backendPort": 53,
                        "frontendPortRangeStart": 5000,
                        "frontendPortRangeEnd": 5100,
                        "networkSecurityGroupRules": [{"priority": 1002, "access": "deny", **everyone}],
                    },
                ]
            },
            "enableAcceleratedNetworking": True,
            "publicIPAddressConfiguration": {"provision": "batchmanaged"},
        }
    }


def test_the_form_of_resource_manager_differs_in_spelling_only() -> None:
    ours, theirs = compiled(SSH), compiled(SSH, "--arm")
    nat_pools = theirs["networkConfiguration"]["endpointConfiguration"]["inboundNatPools"]
    assert [each["protocol"] for each in nat_pools] == ["TCP", "UDP"]
    assert [rule["access"] for rule in nat_pools[0]["networkSecurityGroupRules"]] == ["Allow", "Deny"]
    assert theirs["networkConfiguration"]["publicIPAddressConfiguration"] == {"provision": "BatchManaged"}
    assert json.dumps(theirs).lower() == json.dumps(ours).lower()


def test_yaml_says_the_same() -> None:
    result = run("compile", "-f", "-", "-o", "yaml", stdin=SSH)
    assert yaml.safe_load(result.stdout) == compiled(SSH)


@pytest.mark.parametrize(
    ("access", "words", "told"),
    [
        pytest.param("  mode: Audit\n", {}, "declares no access", id="nothing declared"),
        pytest.param(
            "  access: {endpoints: {unlisted: Keep, items: []}}\n",
            {"endpointConfiguration": {"inboundNATPools": []}},
            "are kept",
            id="unlisted ones kept",
        ),
        pytest.param(
            "  access: {acceleratedNetworking: false}\n",
            {"enableAcceleratedNetworking": False},
            "declares no endpoints",
            id="no endpoints",
        ),
        pytest.param(
            "  access:\n    endpoints: {items: []}\n    publicAddresses: {provisioning: NoPublicIPAddresses}\n",
            {
                "endpointConfiguration": {"inboundNATPools": []},
                "publicIPAddressConfiguration": {"provision": "nopublicipaddresses"},
            },
            "needs a subnet",
            id="no addresses and no subnet",
        ),
    ],
)
def test_what_to_know_is_told_beside(access: str, words: dict[str, Any], told: str) -> None:
    result = run("compile", "-f", "-", stdin=SSH.partition("  access:")[0] + access)
    assert json.loads(result.stdout) == {"networkConfiguration": words}
    assert (result.exit_code, told in result.stderr) == (0, True)


@pytest.mark.parametrize(
    ("text", "args", "told"),
    [
        pytest.param(SSH.replace("22", "29876"), (), "backendPort must not be", id="a mistake"),
        pytest.param(SSH + "---\n" + SSH.replace("ssh", "rdp"), (), "render/ssh, render/rdp", id="two policies"),
        pytest.param(SSH, ("--policy", "rdp"), "there is no policy rdp; there is render/ssh", id="another name"),
        pytest.param("kind: ConfigMap\n", (), "no BatchPoolAccessPolicy", id="no policy"),
        pytest.param("a: [", (), "is not valid YAML", id="no YAML"),
    ],
)
def test_what_cannot_be_compiled_ends_2(text: str, args: tuple[str, ...], told: str) -> None:
    result = run("compile", "-f", "-", *args, stdin=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", ["ssh", "render/ssh"])
def test_one_of_several_is_chosen_by_name(name: str) -> None:
    both = SSH + "---\n" + SSH.replace("ssh", "rdp").replace("22", "3389")
    assert compiled(both, "--policy", name) == compiled(SSH)


class StaticToken:
    """A token credential that always has the same token: a shared key must not name a subnet."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("a.b.c", 4_000_000_000)

    def get_token_info(self, *_scopes: str, **_options: object) -> AccessTokenInfo:
        return AccessTokenInfo("a.b.c", 4_000_000_000)


@pytest.fixture(scope="module")
def create(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Create]:
    """Makes a pool with a network through the real SDK, and returns it as the service then describes it."""
    tls = self_signed(tmp_path_factory.mktemp("tls"))
    with (
        serving_in_thread(make_service(clock=ManualClock()), tls=tls) as emulator,
        BatchClient(emulator.url(), StaticToken(), connection_verify=str(tls.authority)) as client,
    ):

        def made(configuration: dict[str, Any]) -> dict[str, Any]:
            pool_id = f"pool-{next(NUMBERS)}"
            body = {"id": pool_id, **MACHINE, "networkConfiguration": configuration}
            client.create_pool(models.BatchPoolCreateOptions(body))
            pool: dict[str, Any] = client.get_pool(pool_id).as_dict()
            return pool

        yield made
        assert {entry.query["api-version"] for entry in emulator.requests} == {API_VERSION}


def is_as_declared(pool: dict[str, Any], access: DesiredAccess) -> bool:
    (observed,) = read_saved_pools([pool]).pools
    drift = drift_between(observed.network, desired_network(observed.network, access))
    return drift.kind in (DriftClass.NONE, DriftClass.NEUTRAL)


@settings(max_examples=100, deadline=None)
@given(access=accesses())
def test_the_service_takes_it_and_the_pool_is_as_declared(access: DesiredAccess, create: Create) -> None:
    declaring = policy("p", declares=access)
    assume(not open_questions(declaring))
    configuration = network_configuration(declaring)
    assert is_as_declared(create(configuration), access)
    in_arm = {"name": "p", "properties": {"networkConfiguration": for_resource_manager(configuration)}}
    assert is_as_declared(in_arm, access)


def test_the_service_takes_what_200_imported_policies_mean(create: Create) -> None:
    pools = generated_pools(7, 200)
    imported = json.loads(run("import", "*", "--pools", "-", "-o", "json", stdin=json.dumps(pools)).stdout)["items"]
    for manifest in imported:
        declaring = parse_policy(manifest)
        assert isinstance(declaring, AccessPolicy)
        assert is_as_declared(create(network_configuration(declaring)), declaring.access)
