"""Where pools come from: files of every form, accounts by every key, and a clear line for everything that is wrong."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from batchaccess.api import parse_connection
from batchaccess.cli.inputs import PoolSources, Reading, read_sources
from batchaccess.cli.inputs.files import NamedFile
from batchaccess.cli.inputs.identities import (
    EnvironmentKeys,
    EnvironmentSecrets,
    secret_variable,
    with_environment_key,
)
from batchaccess.core.declared import AccountConnection, AuthType
from batchaccess.core.model import NodeFindings
from batchaccess.ports import PortError
from batchemulator import Fault, FaultKind
from tests.cli.demoaccounts import DEV, EMPTY, KEYS, NO_CREDENTIALS, PROD, DemoAccounts, demo_accounts

POOL = {"id": "p", "url": "https://acct.westeurope.batch.azure.com/pools/p", "creationTime": "2024-01-01T00:00:00Z"}
NODES = [{"id": "n", "endpointConfiguration": {"inboundEndpoints": [{"name": "SSHRule.0", "backendPort": 22}]}}]


def reading(*files: str, environment: Mapping[str, str] | None = None, **sources: Any) -> Reading:  # noqa: ANN401 fields of PoolSources
    return read_sources(PoolSources(pool_files=files, **sources), environment=environment or {})


def live(*endpoints: str, keys: str = KEYS, **sources: Any) -> Reading:  # noqa: ANN401 fields of PoolSources
    return read_sources(
        PoolSources(endpoints=endpoints, **sources), environment={"BATCHACCESS_SHARED_KEY": keys} if keys else {}
    )


def messages(found: Reading) -> list[str]:
    return [f"{problem.source}: {problem.message}" for problem in found.problems]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    def to_file(content: object, name: str = "pools.json") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    return to_file


TEXT = json.dumps([POOL])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(TEXT.encode(), "pools.json", id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), "pools.json", id="UTF-8 with a mark"),
        pytest.param(TEXT.encode("utf-16"), "pools.json", id="UTF-16, as PowerShell 5 redirects"),
        pytest.param(b"- id: p\n  url: https://acct.westeurope.batch.azure.com/pools/p\n", "pools.yaml", id="YAML"),
        pytest.param(b"id: p\ncreationTime: 2024-01-01 00:00:00\nname: acct\n", "acct.yml", id="one pool in YAML"),
    ],
)
def test_a_file_is_read_in_whatever_form_a_shell_left_it(content: bytes, name: str, save: Callable[..., str]) -> None:
    found = reading(save(content, name))
    assert messages(found) == []
    assert [(account.name, [each.pool.id for each in account.pools]) for account in found.accounts] == [("acct", ["p"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "is empty: the command that wrote it probably failed", id="empty"),
        pytest.param(b"<html>", "is not JSON (line 1 column 1); save pools with", id="a web page"),
        pytest.param(b"Please run 'az login'", "is not JSON", id="an error message of az"),
        pytest.param(b'[{"id": ', "is not valid JSON:", id="cut off"),
        pytest.param(b"\xff\xfe\x00", "is neither UTF-8 nor UTF-16 text", id="broken UTF-16"),
        pytest.param(b"7", 'expected a list of pools, an object with a list "value"', id="another document"),
        pytest.param(b'{"code": "PoolNotFound"}', "expected a list of pools", id="an error of the service"),
    ],
)
def test_a_file_that_holds_no_pools_is_a_failure_that_says_so(
    content: bytes, said: str, save: Callable[..., str]
) -> None:
    (failure,) = reading(save(content)).failures
    assert said in failure.message


def test_a_file_that_is_not_there_is_a_failure() -> None:
    assert messages(reading("missing.json")) == ["missing.json: cannot be read: No such file or directory"]


def test_no_pools_are_no_problem(save: Callable[..., str]) -> None:
    found = reading(save([]))
    assert [(account.name, account.pools) for account in found.accounts] == [("pools", ())]
    assert found.problems == ()


def test_unreadable_pools_are_problems_beside_the_readable_ones(save: Callable[..., str]) -> None:
    path = save([POOL, {"id": "bad", "metadata": 7}, 7])
    found = reading(path)
    assert [each.pool.id for _, each in found.pools] == ["p"]
    assert messages(found) == [
        f"{path}: pool bad: metadata: 7 is not a list",
        f"{path}: pool [2]: is not an object",
    ]


RESOURCE = {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/Armed/pools/q",
    "name": "q",
    "properties": {"provisioningState": "Succeeded", "userAccounts": [{"name": "ops", "elevationLevel": "Admin"}]},
}


def test_pools_belong_to_the_account_that_they_name(save: Callable[..., str]) -> None:
    found = reading(save([POOL, RESOURCE, {"id": "r"}]))
    named = {account.name: [each.pool.id for each in account.pools] for account in found.accounts}
    assert named == {"acct": ["p"], "armed": ["q"], "pools": ["r"]}


def test_pools_belong_to_the_account_that_the_user_names(save: Callable[..., str]) -> None:
    found = reading(f"prodbatch={save([POOL, RESOURCE])}")
    assert [(account.name, len(account.pools)) for account in found.accounts] == [("prodbatch", 2)]


def test_a_path_with_an_equals_sign_is_a_path_if_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=b.json").write_text("[]", encoding="utf-8")
    assert NamedFile.parse("a=b.json") == NamedFile(name=None, path="a=b.json")
    assert NamedFile.parse("a=c.json") == NamedFile(name="a", path="c.json")
    assert NamedFile.parse("/tmp/x=y.json").name is None  # noqa: S108 never opened


def test_traits_are_read_from_every_form(save: Callable[..., str]) -> None:
    machine = {
        "securityProfile": {
            "securityType": "TrustedLaunch",
            "encryptionAtHost": True,
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
        }
    }
    found = reading(save([{**POOL, "virtualMachineConfiguration": machine}, RESOURCE]))
    traits = {each.pool.id: each.traits for _, each in found.pools}
    assert (traits["p"].trusted_launch, traits["p"].encryption_at_host) == (True, True)
    assert [(user.name, user.admin) for user in traits["q"].user_accounts] == [("ops", True)]
    assert traits["q"].trusted_launch is None


SSH_FOUND = NodeFindings(nodes=1, implicit_ports=frozenset({22}))


def test_nodes_saved_apart_are_those_of_the_pool_they_are_said_to_be_of(save: Callable[..., str]) -> None:
    found = reading(save([POOL]), node_files=(f"P={save({'value': NODES}, 'nodes.json')}",))
    assert [each.nodes for _, each in found.pools] == [SSH_FOUND]


def test_a_pool_may_carry_its_nodes(save: Callable[..., str]) -> None:
    assert [each.nodes for _, each in reading(save([{**POOL, "nodes": NODES}])).pools] == [SSH_FOUND]


def test_nodes_of_no_pool_unnamed_or_unreadable_are_failures(save: Callable[..., str]) -> None:
    nodes = save(NODES, "nodes.json")
    wrong = save([{"endpointConfiguration": 7}], "wrong.json")
    found = reading(save([POOL]), node_files=(f"other={nodes}", nodes, f"p={wrong}", "p2=missing.json"))
    assert messages(found) == [
        "nodes of pool p: value[0].endpointConfiguration: 7 is not an object",
        f"{nodes}: say whose nodes these are: --nodes POOL=FILE",
        "missing.json: cannot be read: No such file or directory",
        "--nodes other: no pool of that id is in the files given with --pools",
    ]


def test_without_any_source_the_options_are_named() -> None:
    with pytest.raises(click.UsageError, match="--endpoint URL, --connection FILE or --pools FILE"):
        reading()


def test_stdin_is_read_once() -> None:
    with pytest.raises(click.UsageError, match="only one input"):
        reading("-", connections=("-",))


def test_live_pools_come_with_traits_and_nodes_where_age_calls_for_them(demo: DemoAccounts) -> None:
    found = live(demo.endpoint())
    nodes = {each.pool.id: each.nodes for _, each in found.pools}
    assert nodes["sim-mpi"] == NodeFindings(nodes=2, implicit_ports=frozenset({22}))
    assert {name for name, each in nodes.items() if each is not None} == {"sim-mpi"}
    assert all(each.traits.trusted_launch is False for _, each in found.pools)
    assert found.problems == ()


def test_no_nodes_are_listed_that_nobody_wants(demo: DemoAccounts) -> None:
    assert all(each.nodes is None for _, each in live(demo.endpoint(), list_nodes=False).pools)
    wanting_none = read_sources(
        PoolSources(endpoints=(demo.endpoint(),)),
        wanted=lambda _: False,
        environment={"BATCHACCESS_SHARED_KEY": KEYS},
    )
    assert all(each.nodes is None for _, each in wanting_none.pools)


def test_an_empty_account_is_no_problem(demo: DemoAccounts) -> None:
    (account,) = live(demo.endpoint(EMPTY)).accounts
    assert (account.name, account.pools, account.live) == ("archivebatch", (), True)


def test_one_account_that_fails_hides_no_other(demo: DemoAccounts) -> None:
    found = live(demo.endpoint(), "https://example.com", demo.endpoint(DEV))
    assert [account.name for account in found.accounts] == ["prodbatch", "devbatch"]
    (failure,) = found.failures
    assert failure.message.startswith("host 'example.com' is no Batch account")
    assert failure.message.endswith("given with --allow-endpoint-suffix")


def test_a_wrong_key_is_told_with_the_remedy(demo: DemoAccounts) -> None:
    (failure,) = live(demo.endpoint(), keys=f"prodbatch:{DEV.key}").failures
    assert failure.message.startswith("AuthenticationFailed: ")
    assert failure.message.endswith(
        "check the key, or that the identity may read the account, as the role Azure Batch Account Reader lets it"
    )


def test_a_key_that_is_none_is_told_before_anything_is_asked(demo: DemoAccounts) -> None:
    (failure,) = live(demo.endpoint(), keys="no-key").failures
    assert failure.message.startswith("BATCHACCESS_SHARED_KEY holds no Batch account key, which is base64")


def test_missing_credentials_name_every_way_to_have_some(demo: DemoAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NO_CREDENTIALS.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    (failure,) = live(demo.endpoint(), keys="").failures
    assert "run `az login`" in failure.message
    assert "BATCHACCESS_SHARED_KEY" in failure.message


def test_nobody_listening_is_told_without_words_of_the_cluster() -> None:
    (failure,) = live("prodbatch=http://127.0.0.1:9").failures
    assert failure.message == (
        "ConnectionFailed: 127.0.0.1 accepts no connection: Connection refused; "
        "check the endpoint and the network, then try again"
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [(FaultKind.UNAUTHORIZED, "AuthenticationFailed"), (FaultKind.FORBIDDEN, "InsufficientAccountPermissions")],
    ids=["an expired token", "a missing role"],
)
def test_a_refusal_of_the_service_is_told_by_its_code(kind: FaultKind, code: str) -> None:
    with demo_accounts() as demo:
        demo.emulator.fail(Fault(kind=kind, operation="list_pools", count=9))
        (failure,) = live(demo.endpoint()).failures
    assert failure.message.startswith(f"{code}: ")


def test_nodes_that_cannot_be_listed_are_a_failure_and_the_pool_stays() -> None:
    with demo_accounts() as demo:
        demo.emulator.fail(Fault(kind=FaultKind.FORBIDDEN, operation="list_nodes", count=9))
        found = live(demo.endpoint())
    assert {each.pool.id: each.nodes for _, each in found.pools}["sim-mpi"] is None
    (failure,) = found.failures
    assert failure.source.endswith("nodes of pool sim-mpi")


CONNECTION = """
apiVersion: batchaccess.dev/v1alpha1
kind: BatchAccountConnection
metadata: {{name: prod-weu}}
spec:
  endpoint: {endpoint}
  auth: {{type: SharedKey, secretRef: {{name: prod-weu, key: value}}}}
  guardrails: {{forbidInternetPorts: [22]}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: passed-over}}
"""


def test_a_connection_takes_its_secret_from_the_environment(demo: DemoAccounts, save: Callable[..., str]) -> None:
    path = save(CONNECTION.format(endpoint=demo.emulator.url(PROD)).encode(), "connection.yaml")
    environment = {"BATCHACCESS_SECRET_PROD_WEU_VALUE": f"prodbatch:{PROD.key}"}
    found = reading(connections=(path,), environment=environment)
    (account,) = found.accounts
    assert (account.name, len(account.pools)) == ("prod-weu", 8)
    assert account.connection is not None
    assert account.connection.forbid_internet_ports == (22,)
    assert account.connection.auth.type is AuthType.SHARED_KEY


def declared() -> AccountConnection:
    raw = yaml.safe_load(CONNECTION.format(endpoint="https://prodbatch.westeurope.batch.azure.com").partition("---")[0])
    parsed = parse_connection(raw)
    assert isinstance(parsed, AccountConnection)
    return parsed


@pytest.mark.parametrize(
    ("environment", "secret"),
    [
        pytest.param({"BATCHACCESS_SHARED_KEY": f"prodbatch:{PROD.key}"}, f"prodbatch:{PROD.key}", id="by account"),
        pytest.param({"BATCHACCESS_SHARED_KEY": f"prod-weu:{PROD.key}"}, f"prod-weu:{PROD.key}", id="by connection"),
        pytest.param(
            {"BATCHACCESS_SHARED_KEY": DEV.key, "BATCHACCESS_SECRET_PROD_WEU_VALUE": PROD.key},
            PROD.key,
            id="the Secret's own variable goes before",
        ),
    ],
)
async def test_a_connection_of_type_shared_key_takes_the_accounts_key_too(
    environment: dict[str, str], secret: str
) -> None:
    ref = with_environment_key(declared(), environment).auth.secret_ref
    assert ref is not None
    assert await EnvironmentSecrets(environment).read(ref.name, ref.key) == secret


def test_a_secret_that_is_not_in_the_environment_is_asked_for_by_its_variable(
    demo: DemoAccounts, save: Callable[..., str]
) -> None:
    path = save(CONNECTION.format(endpoint=demo.emulator.url(PROD)).encode(), "connection.yaml")
    (failure,) = reading(connections=(path,)).failures
    assert failure.message == (
        "set BATCHACCESS_SECRET_PROD_WEU_VALUE to the value of key 'value' of Secret 'prod-weu', "
        "which only the cluster holds"
    )


def test_every_mistake_of_a_connection_is_told_with_its_path(save: Callable[..., str]) -> None:
    text = b"kind: BatchAccountConnection\napiVersion: batchaccess.dev/v1alpha1\nmetadata: {name: a}\nspec: {auth: 7}\n"
    found = messages(reading(connections=(save(text, "connection.yaml"),)))
    assert len(found) == 2
    assert any("spec.endpoint" in text for text in found)
    assert any("spec.auth" in text for text in found)


def test_a_file_without_connections_is_told(save: Callable[..., str]) -> None:
    path = save(b"kind: Namespace\n", "connection.yaml")
    assert messages(reading(connections=(path,))) == [f"{path}: holds no BatchAccountConnection"]


def test_keys_of_the_environment_go_to_their_accounts_and_never_show() -> None:
    keys = EnvironmentKeys.read(
        {
            "BATCHACCESS_SHARED_KEY": f"prodbatch:{PROD.key}",
            "AZURE_BATCH_ACCESS_KEY": DEV.key,
            "AZURE_BATCH_ACCOUNT": "DevBatch",
        }
    )
    assert keys.of("ProdBatch") == f"ProdBatch:{PROD.key}"
    assert keys.of("devbatch") == f"devbatch:{DEV.key}"
    assert keys.of("other") is None
    assert PROD.key not in repr(keys)


def test_a_key_alone_is_for_every_account() -> None:
    assert EnvironmentKeys.read({"AZURE_BATCH_ACCESS_KEY": DEV.key}).of("any") == f"any:{DEV.key}"


def test_a_key_with_a_typo_is_refused_without_being_shown() -> None:
    with pytest.raises(PortError, match="AZURE_BATCH_ACCESS_KEY holds no Batch account key") as refused:
        EnvironmentKeys.read({"AZURE_BATCH_ACCESS_KEY": "not base64"})
    assert "not base64" not in str(refused.value)


def test_secret_variables_are_what_a_shell_can_set() -> None:
    assert secret_variable("prod-weu", "tls.key") == "BATCHACCESS_SECRET_PROD_WEU_TLS_KEY"
