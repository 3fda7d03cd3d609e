"""Log lines: one shape, the context on each, secrets on none."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from batchaccess.telemetry.logcontext import current_log_context, log_context
from batchaccess.telemetry.logs import LogFormat, configure_logging, redact

OURS = logging.getLogger("batchaccess.probe")


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    names = ("aiohttp", "asyncio", "azure", "msal", "kubernetes", "kopf", "urllib3")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def configured(format: LogFormat, level: int = logging.INFO) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(format, level=level, stream=stream)
    return stream


def fail(text: str) -> None:
    raise ValueError(text)


def test_a_json_line_holds_message_and_context() -> None:
    stream = configured(LogFormat.JSON)
    with log_context(connection="prod", sweep="41"), log_context(pool="render-1", policy="render/ssh"):
        OURS.warning("corrected %s", "SSH")
    line = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": "batchaccess.probe",
        "message": "corrected SSH",
        "connection": "prod",
        "pool": "render-1",
        "policy": "render/ssh",
        "sweep": "41",
    }


def test_a_text_line_reads_well() -> None:
    stream = configured(LogFormat.TEXT)
    with log_context(connection="prod", pool="render-1"):
        OURS.info("corrected")
    OURS.info("idle")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO    corrected  \(connection=prod pool=render-1\)", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO    idle", second)


@pytest.mark.parametrize("format", LogFormat)
def test_an_exception_comes_with_its_traceback(format: LogFormat) -> None:
    stream = configured(format)
    try:
        fail("no such pool")
    except ValueError:
        OURS.exception("failed")
    assert "ValueError: no such pool" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
    if format is LogFormat.JSON:
        assert len(stream.getvalue().splitlines()) == 1


def test_a_message_cannot_pretend_to_be_another_line() -> None:
    stream = configured(LogFormat.TEXT)
    OURS.info("pool %s", "x\n12:00:00 INFO    all is well")
    assert len(stream.getvalue().splitlines()) == 1


def test_kopf_lines_name_their_object() -> None:
    stream = configured(LogFormat.JSON)
    reference = {"kind": "BatchPoolAccessPolicy", "namespace": "render", "name": "ssh", "uid": "u"}
    logging.getLogger("kopf.objects").error("handler failed", extra={"k8s_ref": reference})
    assert json.loads(stream.getvalue())["object"] == "BatchPoolAccessPolicy/render/ssh"


def test_concurrent_tasks_keep_their_own_context() -> None:
    seen: dict[str, str | None] = {}

    async def sweep(name: str, both_inside: asyncio.Barrier) -> None:
        with log_context(connection=name):
            await both_inside.wait()
            seen[name] = current_log_context().connection

    async def both() -> None:
        barrier = asyncio.Barrier(2)
        await asyncio.gather(sweep("a", barrier), sweep("b", barrier))

    asyncio.run(both())
    assert seen == {"a": "a", "b": "b"}
    assert current_log_context().fields() == {}


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING])
@pytest.mark.parametrize(
    "noisy",
    [
        "azure.core.pipeline.policies.http_logging_policy",
        "azure.core.pipeline.policies._universal",
        "azure.identity.aio._internal.get_token_mixin",
        "kubernetes.aio.client.rest",
        "kubernetes.client.rest",
        "kopf.objects",
        "aiohttp.access",
        "msal.application",
    ],
)
def test_foreign_chatter_stays_out_at_every_level(noisy: str, level: int) -> None:
    stream = configured(LogFormat.TEXT, level)
    logging.getLogger(noisy).debug('response body: {"data": {"key": "c2VjcmV0"}}')
    logging.getLogger(noisy).info("Request URL: ...")
    assert stream.getvalue() == ""
    logging.getLogger(noisy).error("broken")
    assert "broken" in stream.getvalue()


def test_our_level_is_the_one_asked_for() -> None:
    stream = configured(LogFormat.TEXT, logging.WARNING)
    OURS.info("unheard")
    OURS.warning("heard")
    assert "unheard" not in stream.getvalue()
    assert "heard" in stream.getvalue()


def test_a_second_configuration_replaces_the_first_and_no_foreign_handler() -> None:
    foreign = logging.NullHandler()
    logging.getLogger().addHandler(foreign)
    first = configured(LogFormat.TEXT)
    second = configured(LogFormat.TEXT)
    OURS.info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
    assert foreign in logging.getLogger().handlers


KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(f"Authorization: Bearer {JWT}", JWT, id="a bearer token"),
        pytest.param("authorization: bearer opaque-token", "opaque-token", id="an opaque bearer token in lower case"),
        pytest.param("Authorization: SharedKey acct:c2lnbmF0dXJl=", "c2lnbmF0dXJl", id="a shared key signature"),
        pytest.param(f"token {JWT} expired", JWT, id="a web token anywhere"),
        pytest.param(f"key={KEY}", KEY, id="an account key"),
        pytest.param(f"{{'key': '{KEY}'}}", KEY, id="an account key in a repr"),
        pytest.param("grant_type=x&client_secret=s3cr3t&scope=y", "s3cr3t", id="a client secret in a form"),
        pytest.param(f"client_assertion={JWT}", JWT, id="a client assertion in a form"),
        pytest.param("https://a.example/c?sv=1&sig=abc%3D&se=2", "abc%3D", id="a SAS signature"),
    ],
)
def test_what_looks_like_a_credential_is_redacted(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact(text)
    for log_format in LogFormat:
        stream = configured(log_format)
        OURS.info("answer: %s", text)
        try:
            fail(text)
        except ValueError:
            OURS.exception("failed")
        assert secret not in stream.getvalue()
        assert "REDACTED" in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "pool render-1 of prod is not as declared: endpoints[SSH] admits Internet",
        "eTag 0x8DE4F2D1A2B3C4D, policy render/ssh",
        "/subscriptions/6b1e8a52-0000-4000-8000-000000000000/resourceGroups/rg/providers/Microsoft.Network",
        "sha256 " + "ab" * 32,
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text
