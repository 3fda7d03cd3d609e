"""One API server for the whole suite: the one of BATCHACCESS_KUBECONFIG, by default an emulator with roles enforced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from kubeemulator.launch import emulator
from tests.contract.kubernetes.apiclient import ApiClient, Server, server_of, until
from tests.contract.kubernetes.capabilities import Capability, capabilities_of
from tests.contract.kubernetes.subject import Subject, definition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(capability): skipped on API servers that lack the capability")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    given = os.environ.get("BATCHACCESS_KUBECONFIG")
    if given:
        yield server_of(Path(given))
        return
    with emulator(tmp_path_factory.mktemp("contract") / "kubeconfig", rbac=True) as started:
        yield server_of(started.kubeconfig)


@pytest.fixture(scope="session")
def subject(server: Server) -> Iterator[Subject]:
    """A definition and a namespace of this run, on a server that may have others."""
    subject = Subject(group=f"c{uuid.uuid4().hex[:8]}.example.com", namespace=f"contract-{uuid.uuid4().hex[:8]}")
    asyncio.run(_prepare(server, subject))
    yield subject
    asyncio.run(_clear(server, subject))


@pytest.fixture(scope="session")
def capabilities(server: Server) -> frozenset[Capability]:
    async def ask() -> frozenset[Capability]:
        async with _client(server) as api:
            return await capabilities_of(api)

    return asyncio.run(ask())


@pytest.fixture(autouse=True)
def _needed(request: pytest.FixtureRequest, capabilities: frozenset[Capability]) -> None:
    for marker in request.node.iter_markers("needs"):
        if marker.args[0] not in capabilities:
            pytest.skip(f"this API server lacks {marker.args[0]}")


@pytest.fixture
async def api(server: Server) -> AsyncIterator[ApiClient]:
    async with _client(server) as client:
        yield client


@contextlib.asynccontextmanager
async def _client(server: Server) -> AsyncIterator[ApiClient]:
    async with aiohttp.ClientSession() as session:
        yield ApiClient(server, session)


async def _prepare(server: Server, subject: Subject) -> None:
    async with _client(server) as api:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": subject.namespace}}
        await api.post("/api/v1/namespaces", namespace)
        created = await api.post(subject.definitions, definition(subject.group))
        assert created.code == 201, created.body

        async def is_served() -> bool:
            return (await api.get(subject.policies)).code == 200

        await until(is_served)


async def _clear(server: Server, subject: Subject) -> None:
    async with _client(server) as api:
        await api.delete(f"{subject.definitions}/policies.{subject.group}")
        await api.delete(f"/api/v1/namespaces/{subject.namespace}")
