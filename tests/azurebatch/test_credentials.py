"""Every auth type on the wire: a token endpoint with TLS on loopback, and the emulator that takes its tokens."""

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from aiohttp import web
from azure.identity._credentials import imds

from batchaccess.azurebatch import credentials
from batchaccess.azurebatch.credentials import new_identity
from batchaccess.azurebatch.endpoints import parse_endpoint
from batchaccess.azurebatch.pools import AzureBatchPools
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.declared import (
    Auth,
    AuthType,
    SecretRef,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError
from batchemulator import Emulator, TlsFiles, TokenPolicy, running
from batchemulator.certificates import self_signed
from tests.azurebatch.accounts import Secrets, SteppedClock, connected
from tests.azurebatch.scripted_service import Answer, ScriptedService, json, raw, serving
from tests.contract.pools.worlds import raw_pool
from tests.support.listening import reserved_port

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
ASSERTION = "service-account-token-of-the-pod"
CLIENT_SECRET = "hunter2-hunter2"
ENVIRONMENT = ("AZURE_AUTHORITY_HOST", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID")

WORKLOAD = Auth(type=AuthType.WORKLOAD_IDENTITY, client_id=CLIENT, tenant_id=TENANT)
SECRET = Auth(
    type=AuthType.CLIENT_SECRET,
    client_id=CLIENT,
    tenant_id=TENANT,
    secret_ref=SecretRef(name="prod", key="value"),
)


def jwt(audience: str) -> str:
    """A token with the shape of Entra's, unsigned."""
    parts = [orjson.dumps({"alg": "none"}), orjson.dumps({"aud": audience}), b"no signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


TOKEN = jwt("https://batch.core.windows.net/")
ISSUED = json({"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN})
REFUSED = json(
    {
        "error": "invalid_client",
        "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: 0a1b Correlation ID: 2c3d "
        "Timestamp: 2026-02-03 00:00:21Z",
    },
    401,
)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment as the workload identity webhook makes it, without the authority."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    token_file = tmp_path / "token"
    token_file.write_text(ASSERTION)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token_file))
    return token_file


@asynccontextmanager
async def token_endpoint(tls: TlsFiles, *script: Answer) -> AsyncIterator[ScriptedService]:
    async with serving(*script, tls=tls.server_context()) as service:
        yield service


@asynccontextmanager
async def account(tls: TlsFiles, tokens: TokenPolicy | None = None) -> AsyncIterator[Emulator]:
    async with running(tls=tls, tokens=tokens or TokenPolicy(accepted=frozenset({TOKEN}))) as emulator:
        emulator.seed(raw_pool("a"))
        yield emulator


@asynccontextmanager
async def reached(
    emulator: Emulator,
    tls: TlsFiles,
    auth: Auth,
    *,
    authority: str | None = None,
    secrets: Secrets | None = None,
    clock: SteppedClock | None = None,
) -> AsyncIterator[AzureBatchPools]:
    settings = AdapterSettings(
        allow_endpoint_suffixes=("127.0.0.1",), ca_file=str(tls.authority), authority_host=authority
    )
    async with connected(emulator.url(), auth=auth, settings=settings, secrets=secrets, clock=clock) as pools:
        yield pools


@asynccontextmanager
async def authenticated(
    tls: TlsFiles,
    auth: Auth,
    *script: Answer,
    secret: str = CLIENT_SECRET,
    tokens: TokenPolicy | None = None,
) -> AsyncIterator[tuple[AzureBatchPools, ScriptedService, Emulator, Secrets]]:
    """Pools of an emulated account, whose tokens come from an issuer that follows `script`."""
    secrets = Secrets({("prod", "value"): secret})
    async with (
        token_endpoint(tls, *script) as issuer,
        account(tls, tokens) as emulator,
        reached(emulator, tls, auth, authority=issuer.url, secrets=secrets) as pools,
    ):
        yield pools, issuer, emulator, secrets


async def ids(pools: AzureBatchPools) -> list[str]:
    return [pool.id for pool in (await pools.list_pools()).pools]


def form(service: ScriptedService, index: int = 0) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(service.asked[index].body.decode()).items()}


async def test_workload_identity_exchanges_the_pods_token(tls: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    async with token_endpoint(tls, ISSUED) as issuer, account(tls) as emulator:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", issuer.url)
        async with reached(emulator, tls, WORKLOAD) as pools:
            assert await ids(pools) == ["a"]
            assert await ids(pools) == ["a"]
    assert len(issuer.asked) == 1, "one token serves until it expires, and no discovery is asked"
    assert issuer.asked[0].path == f"/{TENANT}/oauth2/v2.0/token"
    assert form(issuer)["client_assertion"] == ASSERTION
    assert form(issuer)["client_id"] == CLIENT
    assert form(issuer)["scope"] == "https://batch.core.windows.net//.default"


async def test_workload_identity_takes_client_and_tenant_from_the_environment(
    tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    async with authenticated(tls, Auth(type=AuthType.WORKLOAD_IDENTITY), ISSUED) as (pools, issuer, _, _):
        assert await ids(pools) == ["a"]
    assert form(issuer)["client_id"] == CLIENT


async def test_workload_identity_in_a_pod_not_prepared_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    with pytest.raises(PortError, match=r"azure\.workload\.identity/use") as caught:
        async with connected("https://a.weu.batch.azure.com", auth=WORKLOAD):
            pass
    assert caught.value.code == "AuthenticationFailed"


async def test_a_token_file_that_is_gone_is_an_authentication_failure(
    tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")
    async with authenticated(tls, WORKLOAD, ISSUED) as (pools, _, emulator, _):
        with pytest.raises(PortError) as caught:
            await ids(pools)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.DENIED, "AuthenticationFailed")
    assert caught.value.message == "WorkloadIdentity could not be prepared: No such file or directory"
    assert len(emulator.requests) == 0


@pytest.mark.parametrize("auth", [WORKLOAD, SECRET], ids=lambda auth: str(auth.type))
@pytest.mark.parametrize(
    ("host", "authority"),
    [
        pytest.param("a.weu.batch.azure.com", "https://login.microsoftonline.com", id="the public cloud"),
        pytest.param("a.cn.batch.chinacloudapi.cn", "https://login.chinacloudapi.cn", id="China"),
        pytest.param("a.va.batch.usgovcloudapi.net", "https://login.microsoftonline.us", id="US Government"),
        pytest.param("a.batch.example", "https://login.example", id="a suffix that was allowed"),
    ],
)
async def test_no_login_host_but_that_of_the_accounts_own_cloud_is_sent_a_secret(
    auth: Auth, host: str, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def made(*, authority: str, **_: object) -> Any:  # noqa: ANN401 a credential that is never used
        asked.append(authority)
        return None

    for name in ("WorkloadIdentityCredential", "ClientSecretCredential"):
        monkeypatch.setattr(credentials, name, made)
    # As the workload identity webhook of a cluster elsewhere sets it for every container.
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.example")
    endpoint = parse_endpoint(f"https://{host}", allow_suffixes=["batch.example"])
    secrets = Secrets({("prod", "value"): CLIENT_SECRET})
    await new_identity(auth, endpoint, secrets=secrets, settings=AdapterSettings(), monotonic=lambda: 0)
    assert asked == [authority]


async def test_a_client_secret_gets_a_token(tls: TlsFiles) -> None:
    async with authenticated(tls, SECRET, ISSUED, secret=f"{CLIENT_SECRET}\n") as (pools, issuer, _, _):
        assert await ids(pools) == ["a"]
    assert form(issuer)["client_secret"] == CLIENT_SECRET
    assert form(issuer)["scope"] == "https://batch.core.windows.net//.default"


async def test_a_refused_client_secret_is_told_without_what_changes_at_every_try(tls: TlsFiles) -> None:
    async with authenticated(tls, SECRET, REFUSED) as (pools, _, emulator, _):
        with pytest.raises(PortError) as caught:
            await ids(pools)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.DENIED, "AuthenticationFailed")
    assert "AADSTS7000215: Invalid client secret provided." in caught.value.message
    assert "Trace ID" not in caught.value.message
    assert "2026" not in caught.value.message
    assert len(emulator.requests) == 0


async def test_a_rotated_client_secret_is_taken_up_when_the_old_one_is_refused(tls: TlsFiles) -> None:
    async def only_new(request: web.Request) -> web.StreamResponse:
        posted = await request.post()
        return await (ISSUED if posted["client_secret"] == "new" else REFUSED)(request)

    async with authenticated(tls, SECRET, only_new, secret="old") as (pools, issuer, _, secrets):
        secrets.values["prod", "value"] = "new"
        assert await ids(pools) == ["a"]
    assert [form(issuer, index)["client_secret"] for index in (0, 1)] == ["old", "new"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(json({"error": "temporarily_unavailable", "error_description": "later"}, 503), id="busy"),
        pytest.param(raw("<html>", 502), id="a proxy's page"),
        pytest.param(json({"error": "throttled", "error_description": "slow down"}, 429), id="throttled"),
    ],
)
async def test_a_token_endpoint_in_trouble_is_transient(tls: TlsFiles, answer: Answer) -> None:
    async with authenticated(tls, SECRET, answer) as (pools, _, _, secrets):
        with pytest.raises(PortError) as caught:
            await pools.patch_network("a", {}, etag="0x1")
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "TokenEndpointUnreachable")
    assert not caught.value.outcome_unknown
    assert secrets.reads == 1


async def test_a_token_endpoint_that_is_away_is_transient_and_leaves_no_write_in_doubt(tls: TlsFiles) -> None:
    async with token_endpoint(tls, ISSUED) as issuer:
        away = issuer.url
    async with account(tls) as emulator, reached(emulator, tls, WORKLOAD, authority=away) as pools:
        with pytest.raises(PortError) as caught:
            await pools.patch_network("a", {}, etag="0x1")
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "TokenEndpointUnreachable")
    assert not caught.value.outcome_unknown


async def test_a_token_the_service_refuses_is_an_authentication_failure(tls: TlsFiles) -> None:
    policy = TokenPolicy(accepted=frozenset({"another"}))
    async with authenticated(tls, WORKLOAD, ISSUED, tokens=policy) as (pools, _, _, _):
        with pytest.raises(PortError) as caught:
            await ids(pools)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.DENIED, "AuthenticationFailed")


async def test_a_managed_identity_asks_its_host_for_a_token(tls: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    resource = "https://batch.core.windows.net/"
    issued = json({"access_token": TOKEN, "expires_on": "4102444800", "token_type": "Bearer", "resource": resource})
    async with serving(issued) as host, account(tls) as emulator:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{host.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        auth = Auth(type=AuthType.MANAGED_IDENTITY, client_id=CLIENT)
        async with reached(emulator, tls, auth) as pools:
            assert await ids(pools) == ["a"]
    assert host.asked[0].query["resource"] == resource
    assert host.asked[0].query["client_id"] == CLIENT


async def test_a_certificate_of_an_unknown_authority_is_refused_before_any_token_is_sent(tls: TlsFiles) -> None:
    async with account(tls) as emulator, connected(emulator.url()) as pools:
        with pytest.raises(PortError) as caught:
            await pools.get_pool("a")
    assert (caught.value.kind, caught.value.code) == (ErrorKind.TRANSIENT, "ConnectionFailed")
    assert "TLS certificate that is not trusted" in caught.value.message
    assert len(emulator.requests) == 0


async def test_tokens_over_plain_http_go_to_loopback_only(tls: TlsFiles) -> None:
    async with token_endpoint(tls, ISSUED) as issuer, running() as emulator:
        emulator.seed(raw_pool("a"))
        async with reached(emulator, tls, WORKLOAD, authority=issuer.url) as pools:
            assert await ids(pools) == ["a"]


async def test_a_managed_identity_whose_host_answers_oddly_is_an_authentication_failure(
    tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    async with serving(json({"access_token": TOKEN, "expires_on": "4102444800"})) as host, account(tls) as emulator:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{host.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        async with reached(emulator, tls, Auth(type=AuthType.MANAGED_IDENTITY)) as pools:
            with pytest.raises(PortError) as caught:
                await ids(pools)
    assert caught.value.code == "AuthenticationFailed"


async def test_a_managed_identity_that_cannot_reach_the_metadata_service_says_what_lets_it(
    tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{reserved_port()}")
    monkeypatch.setitem(imds.PIPELINE_SETTINGS, "retry_total", 0)
    async with account(tls) as emulator, reached(emulator, tls, Auth(type=AuthType.MANAGED_IDENTITY)) as pools:
        with pytest.raises(PortError) as caught:
            await ids(pools)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.DENIED, "AuthenticationFailed")
    assert "the instance metadata service (169.254.169.254) does not answer" in caught.value.message
    assert "managedIdentity.enabled" in caught.value.message
    assert "component managed-identity" in caught.value.message


async def test_an_identity_that_the_node_does_not_have_is_no_matter_of_the_network(
    tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    unknown = json({"error": "invalid_request", "error_description": "Identity not found"}, 400)
    async with serving(unknown) as host, account(tls) as emulator:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", host.url)
        async with reached(emulator, tls, Auth(type=AuthType.MANAGED_IDENTITY)) as pools:
            with pytest.raises(PortError) as caught:
                await ids(pools)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.DENIED, "AuthenticationFailed")
    assert "Identity not found" in caught.value.message
    assert "does not answer" not in caught.value.message


async def test_no_secret_or_token_appears_in_logs_errors_or_repr(
    tls: TlsFiles, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with authenticated(tls, SECRET, ISSUED) as (pools, _, _, _):
        await ids(pools)
        shown: list[Any] = [pools, pools._wire, pools._wire._identity, pools._wire._identity.credential]
        text = " ".join([*(repr(part) for part in shown), *(str(vars(part)) for part in shown), caplog.text])
    assert CLIENT_SECRET not in text
    assert TOKEN not in text
