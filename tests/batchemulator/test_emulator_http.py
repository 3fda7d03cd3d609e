"""The emulator on sockets: ports, TLS, the control endpoint, broken transports, its cost."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
import pytest

from batchemulator import (
    DEV_ACCOUNT,
    Account,
    Emulator,
    Fault,
    FaultKind,
    ManualClock,
    make_service,
    running,
    serving_in_thread,
)
from batchemulator.certificates import self_signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OTHER = Account(name="other", key="b3RoZXI=")
QUERY = "api-version=2025-06-01"
BEARER = {"Authorization": "Bearer t"}


@asynccontextmanager
async def session(**options: Any) -> AsyncIterator[aiohttp.ClientSession]:  # noqa: ANN401 - aiohttp's options
    async with aiohttp.ClientSession(headers=BEARER, **options) as opened:
        yield opened


async def get(client: aiohttp.ClientSession, url: str) -> Any:  # noqa: ANN401 - whatever JSON there is
    async with client.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


class Control:
    """Calls the control endpoint."""

    def __init__(self, emulator: Emulator, client: aiohttp.ClientSession) -> None:
        self._base = f"{emulator.url()}/emulator/"
        self._client = client

    async def __call__(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:  # noqa: ANN401
        async with self._client.request(method, self._base + path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()


async def test_every_account_has_its_own_port_and_pools() -> None:
    pools = {"devaccount": [{"id": "a"}], "other": [{"id": "b"}]}
    async with running([DEV_ACCOUNT, OTHER], pools=pools) as emulator, session() as client:
        for account, expected in ((DEV_ACCOUNT, "a"), (OTHER, "b")):
            listed = await get(client, f"{emulator.url(account)}/pools?{QUERY}")
            assert [pool["id"] for pool in listed["value"]] == [expected]
            assert listed["value"][0]["url"] == f"{emulator.url(account)}/pools/{expected}"
        assert {entry.account for entry in emulator.requests} == {"devaccount", "other"}


def test_pools_of_an_account_that_does_not_exist_are_an_error() -> None:
    with pytest.raises(ValueError, match="nobody"):
        make_service(pools={"nobody": []})


async def test_tls_with_a_certificate_of_our_own(tmp_path: Path) -> None:
    import ssl  # noqa: PLC0415 - only this test speaks TLS

    tls = self_signed(tmp_path)
    assert tls.authority is not None
    context = ssl.create_default_context(cafile=str(tls.authority))
    async with running(tls=tls) as emulator, session() as client:
        assert emulator.url().startswith("https://")
        async with client.get(f"{emulator.url()}/pools?{QUERY}", ssl=context) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.get(f"{emulator.url()}/pools?{QUERY}")
    assert tls.key.stat().st_mode & 0o077 == 0


async def test_control_injects_lists_and_clears_faults() -> None:
    async with running() as emulator, session() as client:
        control = Control(emulator, client)
        fault = {"kind": "throttled", "operation": "list_pools", "retry_after": 3, "count": 0}
        added = await control("POST", "faults", fault)
        assert added[0] | fault == added[0]
        async with client.get(f"{emulator.url()}/pools?{QUERY}") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
        assert await control("DELETE", "faults") == []
        await get(client, f"{emulator.url()}/pools?{QUERY}")
        await control("POST", "faults", {"kind": "earthquake"}, status=400)
        await control("POST", "faults", {"operation": "list_pools"}, status=400)


async def test_control_seeds_edits_and_removes_pools() -> None:
    async with running(clock=ManualClock()) as emulator, session() as client:
        control = Control(emulator, client)
        await control("POST", "accounts/devaccount/pools", {"id": "p", "targetDedicatedNodes": 1, "odd": 1})
        before = (await get(client, f"{emulator.url()}/pools/p?{QUERY}"))["eTag"]
        nat_pool = {
            "name": "rdp",
            "protocol": "tcp",
            "backendPort": 3389,
            "frontendPortRangeStart": 1000,
            "frontendPortRangeEnd": 1100,
        }
        changes = {
            "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": [nat_pool]}},
            "metadata": [{"name": "team", "value": "x"}],
            "targetDedicatedNodes": 3,
            "creationTime": "2025-01-01T00:00:00Z",
            "legacyMapping": True,
            "odd": None,
        }
        await control("PATCH", "accounts/devaccount/pools/p", changes)
        shown = await get(client, f"{emulator.url()}/pools/p?{QUERY}")
        assert shown["eTag"] != before
        assert (shown["currentDedicatedNodes"], shown["allocationState"]) == (3, "steady")
        assert (shown["creationTime"], "odd" in shown) == ("2025-01-01T00:00:00Z", False)
        nodes = await get(client, f"{emulator.url()}/pools/p/nodes?{QUERY}")
        names = {
            entry["name"] for node in nodes["value"] for entry in node["endpointConfiguration"]["inboundEndpoints"]
        }
        assert names == {f"{name}.{number}" for name in ("rdp", "SSHRule") for number in range(3)}
        await control(
            "PATCH",
            "accounts/devaccount/pools/p",
            {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=3"},
        )
        assert (await get(client, f"{emulator.url()}/pools/p?{QUERY}"))["enableAutoScale"] is True
        await control("PATCH", "accounts/devaccount/pools/p", {"enableAutoScale": False})
        assert [pool["id"] for pool in await control("GET", "accounts/devaccount/pools")] == ["p"]
        await control("DELETE", "accounts/devaccount/pools/p")
        assert await control("GET", "accounts/devaccount/pools") == []
        await control("PATCH", "accounts/devaccount/pools/p", {}, status=404)
        await control("POST", "accounts/nobody/pools", {"id": "p"}, status=404)
        await control("POST", "accounts/devaccount/pools", {}, status=400)
        await control("PUT", "accounts/devaccount/pools", {}, status=405)
        await control("GET", "nothing", status=404)


async def test_control_advances_time_switches_assumptions_and_shows_logs() -> None:
    async with running(clock=ManualClock()) as emulator, session() as client:
        control = Control(emulator, client)
        emulator.seed({"id": "p", "targetDedicatedNodes": 1})
        base = emulator.url()
        await client.post(f"{base}/jobs?{QUERY}", json={"id": "j", "poolInfo": {"poolId": "p"}})
        await client.post(f"{base}/jobs/j/tasks?{QUERY}", json={"id": "t", "commandLine": "sleep 9"})
        before = (await control("GET", "clock"))["now"]
        assert (await control("POST", "clock", {"advance": 9}))["now"] > before
        await control("POST", "clock", {"advance": -1}, status=400)
        log = (await control("GET", "tasklog"))["devaccount"]
        assert [(entry["event"], entry["exitCode"]) for entry in log] == [("started", None), ("completed", 0)]
        assert await control("DELETE", "tasklog") == {"devaccount": []}
        assert (await control("PATCH", "assumptions", {"patch-depth": "merges"}))["patch_depth"] == "merges"
        await control("PATCH", "assumptions", {"patch_depth": "sideways"}, status=400)
        logged = await control("GET", "requests")
        assert [entry["operation"] for entry in logged] == ["create_job", "create_task"]
        assert await control("DELETE", "requests") == []


@pytest.mark.parametrize("kind", [FaultKind.DROPPED_BEFORE, FaultKind.DROPPED_AFTER])
async def test_a_dropped_connection_gives_no_answer(kind: FaultKind) -> None:
    async with running(pools={"devaccount": [{"id": "p"}]}) as emulator, session() as client:
        emulator.fail(Fault(kind=kind, operation="update_pool"))
        metadata = [{"name": "a", "value": "b"}]
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.patch(f"{emulator.url()}/pools/p?{QUERY}", json={"metadata": metadata})
        assert ("metadata" in emulator.pool("p").settings) is (kind is FaultKind.DROPPED_AFTER)


@pytest.mark.parametrize("kind", [FaultKind.SILENT_BEFORE, FaultKind.SILENT_AFTER])
async def test_silence_lasts_until_the_client_gives_up(kind: FaultKind) -> None:
    timeout = aiohttp.ClientTimeout(total=0.3)
    async with running(pools={"devaccount": [{"id": "p"}]}) as emulator, session(timeout=timeout) as client:
        emulator.fail(Fault(kind=kind, operation="delete_pool"))
        with pytest.raises(asyncio.TimeoutError):
            await client.delete(f"{emulator.url()}/pools/p?{QUERY}")
        assert emulator.pool("p").state == ("deleting" if kind is FaultKind.SILENT_AFTER else "active")


def test_a_thread_serves_clients_that_block() -> None:
    import urllib.request  # noqa: PLC0415 - the plainest blocking client

    with serving_in_thread(make_service()) as emulator:
        request = urllib.request.Request(f"{emulator.url()}/pools?{QUERY}", headers=BEARER)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            assert orjson.loads(answer.read())["value"] == []


def test_a_list_of_ten_thousand_pools_is_cheap_once_it_was_made() -> None:
    from tests.batchemulator.driver import Driver  # noqa: PLC0415 - only this test needs no socket

    driver = Driver()
    driver.seed(*({"id": f"pool-{number:05}"} for number in range(10_000)))

    def list_all() -> float:
        start = time.perf_counter()
        query, seen = "$select=id,eTag,networkConfiguration", 0
        while query:
            answer = driver.get("/pools", query)
            seen += len(answer.document["value"])
            query = answer.document.get("odata.nextLink", "").partition("?")[2]
        assert seen == 10_000
        return time.perf_counter() - start

    list_all()
    assert min(list_all() for _ in range(3)) < 0.5
