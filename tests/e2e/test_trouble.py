"""The whole operator in trouble, on real parts: accounts that go away, answers with more in them, deletions."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from batchaccess.app import serve
from batchaccess.settings import Settings
from batchemulator import Account, Emulator, make_service
from batchemulator.server import serving
from tests.support.kube import CONNECTION_PATH, POOL_ACCESS_PATH, Cluster, cluster, connection_manifest, policy_manifest
from tests.support.listening import reserved_port
from tests.support.waiting import eventually

PROD, DEV = (Account(name=name, key=base64.b64encode(name.encode() * 8).decode()) for name in ("prod", "dev"))
OPEN_SSH = {
    "name": "SSH",
    "protocol": "tcp",
    "backendPort": 22,
    "frontendPortRangeStart": 4000,
    "frontendPortRangeEnd": 4100,
    "natTag": {"kept": ["in", "NAT pools"]},
}
UNKNOWN_EVERYWHERE = {
    "networkConfiguration": {
        "endpointConfiguration": {"inboundNATPools": [OPEN_SSH], "idleTimeout": 7},
        "publicIPAddressConfiguration": {"provision": "batchmanaged", "ddosPlan": {"id": "x"}},
        "serviceGateway": {"mode": "new"},
    }
}


@dataclass
class World:
    """A running operator with a Batch service that can be switched off and on again, and come back as it was."""

    kube: Cluster
    batch: Emulator
    ports: dict[str, int]
    metrics_url: str
    _served: AsyncExitStack

    async def switch_off(self) -> None:
        """Nothing listens on the ports of the accounts any more."""
        await self._served.aclose()

    async def switch_on(self) -> None:
        """The accounts are served again, where they were."""
        self.batch = await self._served.enter_async_context(serving(self.batch.service, ports=self.ports))

    def ask(self, connection: str, mark: str) -> None:
        """Ask for a sweep now."""
        requested = {"metadata": {"annotations": {"batchaccess.dev/requested-at": mark}}}
        self.kube.call("PATCH", f"{CONNECTION_PATH}/{connection}", requested, patch=True)

    def says(self, connection: str) -> str:
        """Why a connection is Ready or not."""
        conditions = self.kube.status_of(f"{CONNECTION_PATH}/{connection}").get("conditions", [])
        return next((each["reason"] for each in conditions), "")

    async def shows(self, connection: str) -> bool:
        """Whether a scrape has series of a connection."""
        async with aiohttp.ClientSession() as session, session.get(self.metrics_url) as answer:
            return f'connection="{connection}"' in await answer.text()


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 a generator's type says nothing here
    with cluster(tmp_path_factory.mktemp("kube")) as made:
        made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "batchaccess"}})
        yield made


@pytest.fixture
async def world(kube: Cluster) -> AsyncIterator[World]:
    stop, port = asyncio.Event(), reserved_port()
    settings = Settings(
        kubeconfig=kube.kubeconfig, telemetry_port=port, allow_endpoint_suffixes=("127.0.0.1",), resync_seconds=3600
    )
    pools: dict[str, list[dict[str, Any]]] = {
        "prod": [{"id": "render", **UNKNOWN_EVERYWHERE}],
        "dev": [{"id": "build"}],
    }
    async with AsyncExitStack() as served:
        batch = await served.enter_async_context(serving(make_service([PROD, DEV], pools=pools)))
        ports = {name: int(url.rpartition(":")[2]) for name, url in batch.urls.items()}
        for account in (PROD, DEV):
            kube.apply(*declared(account, batch.url(account)))
        operator = asyncio.create_task(serve(settings, stop=stop))
        made = World(kube, batch, ports, f"http://127.0.0.1:{port}/metrics", served)
        try:
            await eventually(lambda: made.says("prod") == made.says("dev") == "Connected", within=30)
            yield made
        finally:
            stop.set()
            await asyncio.wait_for(operator, timeout=30)
            kube.call("DELETE", CONNECTION_PATH)


def declared(account: Account, endpoint: str) -> list[dict[str, Any]]:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": account.name, "namespace": "batchaccess"},
        "stringData": {"key": f"{account.name}:{account.key}"},
    }
    auth = {"type": "SharedKey", "secretRef": {"name": account.name, "key": "key"}}
    return [secret, connection_manifest(account.name, endpoint=endpoint, auth=auth, syncPeriodSeconds=10)]


async def test_an_account_that_goes_away_is_said_and_recovers_by_itself(world: World) -> None:
    await world.switch_off()
    world.ask("prod", "off")
    await eventually(lambda: world.says("prod") == "Unreachable", within=30)
    await world.switch_on()
    await eventually(lambda: world.says("prod") == "Connected", within=30)


async def test_a_host_that_is_no_batch_account_is_said_and_the_others_go_on(world: World) -> None:
    world.kube.apply(*declared(Account(name="wrong", key=PROD.key), world.metrics_url.removesuffix("/metrics")))
    await eventually(lambda: world.says("wrong") not in ("", "Connected"), within=30)
    assert world.says("prod") == world.says("dev") == "Connected"
    message = world.kube.status_of(f"{CONNECTION_PATH}/wrong")["conditions"][0]["message"]
    assert message


async def test_what_we_do_not_know_of_a_pool_survives_its_correction(world: World) -> None:
    world.kube.apply(policy_manifest(connections={"names": ["prod"]}))

    def corrected() -> bool:
        return bool(world.kube.status_of(f"{POOL_ACCESS_PATH}/prod.render").get("lastChange"))

    await eventually(corrected, within=30)
    network = world.batch.pool("render", PROD).settings["networkConfiguration"]
    (nat_pool,) = network["endpointConfiguration"]["inboundNATPools"]
    assert [rule["access"] for rule in nat_pool["networkSecurityGroupRules"]] == ["deny"]
    assert nat_pool["natTag"] == {"kept": ["in", "NAT pools"]}
    assert network["endpointConfiguration"]["idleTimeout"] == 7
    assert network["publicIPAddressConfiguration"]["ddosPlan"] == {"id": "x"}
    assert network["serviceGateway"] == {"mode": "new"}


async def test_a_deleted_connection_takes_its_objects_and_series_along(world: World) -> None:
    await eventually(lambda: world.kube.status_of(f"{POOL_ACCESS_PATH}/dev.build"), within=30)
    assert await world.shows("dev")
    world.kube.call("DELETE", f"{CONNECTION_PATH}/dev")

    def objects() -> list[str]:
        return [each["metadata"]["name"] for each in world.kube.call("GET", POOL_ACCESS_PATH)["items"]]

    await eventually(lambda: objects() == ["prod.render"], within=30)
    for _ in range(300):
        if not await world.shows("dev"):
            break
        await asyncio.sleep(0.1)
    assert not await world.shows("dev")
    assert world.says("prod") == "Connected"


async def test_a_connection_created_anew_owns_its_objects(world: World) -> None:
    (before,) = (each["metadata"]["uid"] for each in world.kube.call("GET", POOL_ACCESS_PATH)["items"][-1:])
    world.kube.call("DELETE", f"{CONNECTION_PATH}/prod")
    world.kube.apply(*declared(PROD, world.batch.url(PROD)))
    uid = world.kube.call("GET", f"{CONNECTION_PATH}/prod")["metadata"]["uid"]

    def owner() -> str:
        items = world.kube.call("GET", POOL_ACCESS_PATH)["items"]
        owners = [each["metadata"]["ownerReferences"][0]["uid"] for each in items if each["spec"]["poolId"] == "render"]
        return str(owners[0]) if owners else ""

    await eventually(lambda: owner() == uid, within=40)
    assert before != world.kube.call("GET", f"{POOL_ACCESS_PATH}/prod.render")["metadata"]["uid"]
