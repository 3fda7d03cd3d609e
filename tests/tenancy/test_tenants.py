"""What tenants may not do has no effect: on the account, on others' secrets, on where our credentials go."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.kube import CRDS, policy_manifest
from tests.tenancy.clusterworld import World, clusterworld, connection_to, namespace, open_pool, secret, shared_key

GRANTS = [
    {
        "namespaces": {"names": ["render"]},
        "pools": ["render-*"],
        "maxPriority": 10,
        "modes": ["Audit", "Enforce"],
        "strategies": ["WhenEmpty"],
    },
    {"namespaces": {"names": ["auditors"]}, "pools": ["render-*"]},
]
POOLS = ("render-1", "other-1")
WIDE_OPEN = {"networkConfiguration": open_pool("any")["networkConfiguration"]}
EVERYONE = {"name": "SSH", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4100}, "allowFrom": ["*"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with clusterworld(tmp_path_factory.mktemp("tenants"), *POOLS) as made:
        made.apply(
            namespace("render"),
            namespace("auditors"),
            namespace("intruders"),
            secret("weu", shared_key()),
            connection_to(made.batch.url(), grants=GRANTS, guardrails={"forbidInternetPorts": [22]}),
        )
        made.until(lambda: made.condition("bac", "prod-weu", "Ready")[0] == "True", "the connection to be ready")
        yield made


@pytest.fixture
def policy(world: World, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The policy of the row, applied, and gone after it."""
    spec = dict(request.param)
    manifest = policy_manifest("attempt", namespace=spec.pop("namespace", "render"), **spec)
    world.batch.requests.reset()
    world.apply(manifest)
    yield manifest
    world.kubectl("delete", "bpap", "attempt", "--namespace", manifest["metadata"]["namespace"])


def verdict(world: World, manifest: dict[str, Any]) -> tuple[str, str]:
    metadata = manifest["metadata"]
    return world.condition("bpap", metadata["name"], "Accepted", namespace=metadata["namespace"])


def assert_without_effect(world: World) -> None:
    """A whole sweep later nothing was written."""
    sweep_again(world)
    assert world.batch.requests.writes() == []


def sweep_again(world: World) -> None:
    before = sum(1 for each in world.batch.requests if each.operation == "list_pools")
    world.ask_for_sweep(f"after-{before}-{len(world.batch.requests)}")
    world.until(
        lambda: sum(1 for each in world.batch.requests if each.operation == "list_pools") > before, "another sweep"
    )


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param({"namespace": "intruders"}, id="a namespace that was granted nothing"),
        pytest.param(
            {"namespace": "auditors", "pools": {"ids": ["render-*"]}, "mode": "Enforce"},
            id="enforcement, when nothing but an audit was granted",
        ),
        pytest.param({"pools": {"ids": ["render-*"]}, "priority": 11}, id="a priority beyond the grant"),
        pytest.param(
            {"pools": {"ids": ["render-*"]}, "remediation": {"strategy": "Drain"}}, id="a strategy beyond the grant"
        ),
    ],
    indirect=True,
)
def test_what_is_not_granted_is_not_permitted_and_has_no_effect(world: World, policy: dict[str, Any]) -> None:
    world.until(lambda: verdict(world, policy) == ("False", "NotPermitted"), "the policy to be refused")
    assert_without_effect(world)


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(
            {"pools": {"ids": ["render-*"]}, "access": {"endpoints": {"items": [EVERYONE]}}},
            id="a forbidden port opened to the Internet",
        ),
    ],
    indirect=True,
)
def test_guardrails_beat_policies(world: World, policy: dict[str, Any]) -> None:
    world.until(lambda: verdict(world, policy) == ("False", "GuardrailViolation"), "the policy to be refused")
    assert_without_effect(world)


@pytest.mark.parametrize(
    ("policy", "touched"),
    [
        pytest.param({"pools": {"ids": ["other-*"]}}, set(), id="pools beyond the grant"),
        pytest.param({"pools": {"ids": ["*"]}}, {"render-1"}, id="all pools, when some are granted"),
    ],
    indirect=["policy"],
)
def test_a_policy_is_accepted_for_the_granted_pools_and_no_other_is_touched(
    world: World, policy: dict[str, Any], touched: set[str]
) -> None:
    world.until(lambda: verdict(world, policy) == ("True", "Accepted"), "the policy to be accepted")
    assert "render-*" in world.kubectl("get", "bpap", "attempt", "--namespace", "render", "-o=yaml")
    before = world.batch.pool("other-1").etag
    world.batch.edit("render-1", WIDE_OPEN)
    for _ in range(2):
        sweep_again(world)
    world.until(lambda: governed(world) == len(touched), "the policy to count its pools")

    assert {each.pool_id for each in world.batch.requests.writes()} == touched
    assert world.batch.pool("other-1").etag == before
    assert policies_of(world, "other-1") == []
    assert policies_of(world, "render-1") == ["render/attempt"] * len(touched)


def governed(world: World) -> int:
    status = json.loads(world.kubectl("get", "bpap", "attempt", "--namespace", "render", "-o=json")).get("status", {})
    counted: int = status.get("pools", {}).get("total", 0)
    return counted


def policies_of(world: World, pool_id: str) -> list[str]:
    """The policies that a pool's status names, winner or overridden."""
    status = json.loads(world.kubectl("get", "bpa", f"prod-weu.{pool_id}", "-o=json")).get("status", {})
    return [*([status["policy"]] if "policy" in status else []), *status.get("overridden", [])]


class Listener:
    """A host of a tenant: notes who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self.visits = 0
        self._ends = False
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ends:
            try:
                self._socket.accept()[0].close()
                self.visits += 1
            except TimeoutError:
                continue

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def elsewhere() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param("http://localhost:{port}", id="a host that was not allowed"),
        pytest.param("https://prod.batch.azure.com.localhost:{port}", id="a host that begins like an allowed one"),
    ],
)
def test_credentials_go_to_allowed_hosts_only(world: World, elsewhere: Listener, endpoint: str) -> None:
    world.apply(
        secret("elsewhere", shared_key()),
        connection_to(endpoint.format(port=elsewhere.port), "elsewhere", reads="elsewhere"),
    )
    try:
        world.until(
            lambda: world.condition("bac", "elsewhere", "Ready") == ("False", "EndpointNotAllowed"), "the refusal"
        )
        assert elsewhere.visits == 0
        assert not [each for each in world.requests_of_operator() if "/secrets/elsewhere" in each]
    finally:
        world.kubectl("delete", "bac", "elsewhere")


def test_of_two_connections_to_one_account_the_older_works_and_the_other_reads_nothing(world: World) -> None:
    world.apply(secret("copy", shared_key()), connection_to(world.batch.url(), "a-copy", reads="copy"))
    try:
        world.until(
            lambda: world.condition("bac", "a-copy", "Ready") == ("False", "DuplicateEndpoint"),
            "the duplicate to say so",
        )
        assert world.condition("bac", "prod-weu", "Ready")[0] == "True"
        assert not [each for each in world.requests_of_operator() if "/secrets/copy" in each]
    finally:
        world.kubectl("delete", "bac", "a-copy")


def test_secrets_are_read_by_name_in_the_operators_namespace_and_nowhere_else(world: World) -> None:
    world.apply(secret("weu", "devaccount:c3R1ZmY=", namespace="render"))
    world.apply(connection_to("http://127.0.0.1:9", "lost", reads="only-in-render"))
    world.apply(secret("only-in-render", shared_key(), namespace="render"))
    try:
        world.until(lambda: world.condition("bac", "lost", "Ready") == ("False", "SecretNotFound"), "the lost secret")
        read = {each for each in world.requests_of_operator() if "secrets" in each}
        assert read
        assert all(each.startswith("GET /api/v1/namespaces/batchaccess/secrets/") for each in read)
    finally:
        world.kubectl("delete", "bac", "lost")


def test_a_policy_names_neither_hosts_nor_secrets() -> None:
    (definition,) = [path.read_text() for path in CRDS if "policies" in path.name]
    assert "secretRef" not in definition
    assert "https://" not in definition
