"""A cluster for the tests of one file, and what talks to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.statuswriter import StatusWriter
from tests.kube.writes import Counted
from tests.support.kube import (
    CONNECTION_PATH,
    POOL_ACCESS_PATH,
    Cluster,
    cluster,
    connection_manifest,
    policy_path,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("kube")) as made:
        yield made


@pytest.fixture
def kube(shared: Cluster) -> Iterator[Cluster]:
    shared.apply(connection_manifest())
    yield shared
    shared.heal()
    for path in (CONNECTION_PATH, POOL_ACCESS_PATH):
        shared.call("DELETE", path)
    shared.call("DELETE", policy_path("").rstrip("/"))


@pytest.fixture
async def client(kube: Cluster) -> AsyncIterator[KubeClient]:
    made = await KubeClient.connect(kube.kubeconfig)
    yield made
    await made.close()


@pytest.fixture
def live() -> LiveCatalogue:
    return LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def writer(client: KubeClient, live: LiveCatalogue, counted: Counted) -> StatusWriter:
    return StatusWriter(client, live, counted)
