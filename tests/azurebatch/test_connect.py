"""From a connection to its account: what is refused before any request, and how rotated secrets are taken up."""

import asyncio
import logging

import pytest
from aiohttp import web

from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.declared import (
    Auth,
    AuthType,
    SecretRef,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError
from tests.azurebatch.accounts import KEY, Secrets, SteppedClock, connected
from tests.azurebatch.scripted_service import json, raw, refusal, serving
from tests.contract.pools.worlds import raw_pool as pool


async def test_a_rotated_key_is_taken_up_when_the_service_refuses_the_old_one() -> None:
    secrets = Secrets()
    new_key = "bmV3LWtleQ=="

    async def only_new_account(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"].startswith("SharedKey renamed:"):
            return web.json_response(pool("a"))
        return web.json_response({"code": "AuthenticationFailed"}, status=403)

    async with serving(only_new_account) as service, connected(service.url, secrets=secrets) as pools:
        with pytest.raises(PortError) as caught:
            await pools.get_pool("a")
        assert (caught.value.kind, caught.value.code) == (ErrorKind.DENIED, "AuthenticationFailed")
        assert secrets.reads == 2
        secrets.values["prod", "value"] = f"renamed:{new_key}"
        with pytest.raises(PortError):
            await pools.get_pool("a")
        assert secrets.reads == 2, "a refusal a moment later must not ask Kubernetes again"
    async with serving(only_new_account) as service:
        secrets = Secrets()
        async with connected(service.url, secrets=secrets) as pools:
            secrets.values["prod", "value"] = f"renamed:{new_key}"
            assert (await pools.get_pool("a")).id == "a"
            assert (secrets.reads, len(service.asked)) == (2, 2)


async def test_a_rotated_key_is_taken_up_within_five_minutes_though_the_old_one_works() -> None:
    secrets, clock = Secrets(), SteppedClock()
    async with serving(json(pool("a"))) as service, connected(service.url, secrets=secrets, clock=clock) as pools:
        await pools.get_pool("a")
        secrets.values["prod", "value"] = f"renamed:{KEY}"
        clock.step(299)
        await pools.get_pool("a")
        clock.step(1)
        await pools.get_pool("a")
    names = [asked.headers["authorization"].partition(":")[0] for asked in service.asked]
    assert names == ["SharedKey acct", "SharedKey acct", "SharedKey renamed"]


async def test_a_secret_that_cannot_be_asked_for_is_used_on_and_a_deleted_one_is_not() -> None:
    secrets, clock = Secrets(), SteppedClock()
    async with serving(json(pool("a"))) as service, connected(service.url, secrets=secrets, clock=clock) as pools:
        secrets.failure = PortError(ErrorKind.TRANSIENT, "ConnectionFailed", "API server away")
        clock.step(300)
        assert (await pools.get_pool("a")).id == "a"
        secrets.failure = None
        secrets.values.clear()
        clock.step(300)
        with pytest.raises(PortError) as caught:
            await pools.get_pool("a")
    assert caught.value.code == "SecretNotFound"
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("written", "code"),
    [
        pytest.param("no base64!", "AuthenticationFailed", id="no key"),
        pytest.param(" ", "SecretNotFound", id="nothing"),
        pytest.param(PortError(ErrorKind.DENIED, "SecretInvalid", "no text"), "SecretInvalid", id="no text"),
    ],
)
async def test_a_secret_that_is_rotated_to_garbage_is_told_until_it_is_mended(
    written: str | PortError, code: str
) -> None:
    secrets, clock = Secrets(), SteppedClock()
    async with serving(json(pool("a"))) as service, connected(service.url, secrets=secrets, clock=clock) as pools:

        async def told() -> str:
            with pytest.raises(PortError) as caught:
                await pools.get_pool("a")
            return caught.value.code

        good = secrets.values["prod", "value"]
        if isinstance(written, PortError):
            secrets.failure = written
        else:
            secrets.values["prod", "value"] = written
        clock.step(300)
        assert [await told(), await told()] == [code, code]
        assert secrets.reads == 2, "the API server is not asked again for every request"
        for reads in (3, 4):
            clock.step(5)
            assert (await told(), secrets.reads) == (code, reads)
        secrets.failure, unreachable = PortError(ErrorKind.TRANSIENT, "ConnectionFailed", "away"), secrets.failure
        clock.step(5)
        assert await told() == code, "what was read last counts while nothing else can be read"
        secrets.failure = unreachable
        assert service.asked == []

        secrets.failure, secrets.values["prod", "value"] = None, good
        clock.step(5)
        assert (await pools.get_pool("a")).id == "a"
        clock.step(5)
        await pools.get_pool("a")
        assert secrets.reads == 6


async def test_garbage_that_is_read_after_a_refusal_is_told_too() -> None:
    secrets, clock = Secrets(), SteppedClock()
    async with (
        serving(refusal(403, "AuthenticationFailed")) as service,
        connected(service.url, secrets=secrets, clock=clock) as pools,
    ):
        secrets.values["prod", "value"] = "no base64!"
        for _ in range(3):
            with pytest.raises(PortError, match="does not hold a Batch account key"):
                await pools.get_pool("a")
            clock.step(10)
    assert len(service.asked) == 1


async def test_a_secret_that_may_not_be_read_any_more_is_used_on_and_that_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets, clock = Secrets(), SteppedClock()
    async with serving(json(pool("a"))) as service, connected(service.url, secrets=secrets, clock=clock) as pools:
        secrets.failure = PortError(ErrorKind.DENIED, "Forbidden", 'secrets "prod" is forbidden', status=403)
        for _ in range(2):
            clock.step(300)
            assert (await pools.get_pool("a")).id == "a"
    assert (
        caplog.messages
        == ['the Secret prod was not read again, so what was read last counts: Forbidden: secrets "prod" is forbidden']
        * 2
    )


async def test_a_refused_write_is_repeated_once_with_the_new_key() -> None:
    secrets = Secrets()
    script = [refusal(401, "AuthenticationFailed"), raw("")]
    async with serving(*script) as service, connected(service.url, secrets=secrets) as pools:
        secrets.values["prod", "value"] = "acct:bmV3LWtleQ=="
        await pools.patch_network("a", {}, etag="0x1")
    assert len(service.asked) == 2
    assert service.asked[0].headers["authorization"] != service.asked[1].headers["authorization"]


async def test_no_key_appears_in_logs_errors_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(refusal(403, "AuthenticationFailed")) as service, connected(service.url) as pools:
        with pytest.raises(PortError) as caught:
            await pools.get_pool("a")
        signature = service.asked[0].headers["authorization"].partition(":")[2]
        shown = " ".join([repr(pools), str(vars(pools)), str(vars(pools._wire)), str(caught.value), caplog.text])
    assert KEY not in shown
    assert signature not in shown


@pytest.mark.parametrize(
    ("endpoint", "auth", "values", "code", "says"),
    [
        pytest.param("https://evil.example", None, None, "EndpointNotAllowed", "evil.example", id="a host elsewhere"),
        pytest.param(None, None, {}, "SecretNotFound", "no key 'value' in Secret 'prod'", id="no secret"),
        pytest.param(None, None, {("prod", "value"): " \n"}, "SecretNotFound", "is empty", id="an empty secret"),
        pytest.param(
            None, None, {("prod", "value"): "no base64!"}, "AuthenticationFailed", "base64", id="a key that is none"
        ),
        pytest.param(None, Auth(type=AuthType.SHARED_KEY), None, "Invalid", "spec.auth.secretRef", id="no reference"),
        pytest.param(
            None,
            Auth(type=AuthType.CLIENT_SECRET, secret_ref=SecretRef(name="prod", key="value")),
            None,
            "Invalid",
            "spec.auth.clientId",
            id="a client secret without client",
        ),
    ],
)
async def test_a_connection_that_cannot_work_says_why(
    endpoint: str | None, auth: Auth | None, values: dict[tuple[str, str], str] | None, code: str, says: str
) -> None:
    secrets = Secrets() if values is None else Secrets(values)
    with pytest.raises(PortError, match=says) as caught:
        async with connected(
            endpoint or "https://prod.westeurope.batch.azure.com",
            auth=auth or Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name="prod", key="value")),
            secrets=secrets,
        ):
            pass
    assert caught.value.code == code
    assert "no base64!" not in str(caught.value)


async def test_a_missing_certificate_file_is_told() -> None:
    settings = AdapterSettings(ca_file="/nowhere/ca.pem")
    with pytest.raises(PortError, match="certificate file"):
        async with connected("https://prod.westeurope.batch.azure.com", settings=settings):
            pass


async def test_a_plain_key_belongs_to_the_account_of_the_host() -> None:
    secrets = Secrets({("prod", "value"): f"{KEY}\n"})
    settings = AdapterSettings(allow_endpoint_suffixes=("localhost",))
    async with serving(json(pool("a"))) as service:
        url = service.url.replace("127.0.0.1", "localhost")
        async with connected(url, secrets=secrets, settings=settings) as pools:
            await pools.get_pool("a")
    assert service.asked[0].headers["authorization"].startswith("SharedKey localhost:")


async def test_what_is_asked_after_closing_is_an_error_of_the_port() -> None:
    async with serving(json(pool("a"))) as service:
        async with connected(service.url) as pools:
            await pools.get_pool("a")
        with pytest.raises(PortError) as caught:
            await pools.get_pool("a")
    assert caught.value.kind is ErrorKind.TRANSIENT
    assert len(service.asked) == 1


async def test_calls_refused_at_once_read_the_secret_once_and_all_use_the_new_one() -> None:
    secrets = Secrets()

    async def only_new(request: web.Request) -> web.StreamResponse:
        new = request.headers["Authorization"].startswith("SharedKey renamed:")
        return web.json_response(pool("a") if new else {"code": "AuthenticationFailed"}, status=200 if new else 403)

    async with serving(only_new) as service, connected(service.url, secrets=secrets) as pools:
        secrets.values["prod", "value"] = f"renamed:{KEY}"
        found = await asyncio.gather(*(pools.get_pool("a") for _ in range(5)))
    assert [each.id for each in found] == ["a"] * 5
    assert secrets.reads == 2
