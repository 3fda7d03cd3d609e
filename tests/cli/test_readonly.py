"""No command that only looks can write: the wrapper refuses, and an emulator sees nothing but reads."""

from inspect import getmembers, isfunction, signature
from typing import Any

import pytest

from batchaccess.azurebatch.survey import Survey
from batchaccess.cli.inputs.readonly import ReadOnlyPools
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import Pools, PortError
from tests.cli.demoaccounts import DEV, demo_accounts, run
from tests.support.build import pool
from tests.support.fake_pools import FakePools


class SurveyedFake(FakePools):
    async def survey(self) -> Survey:
        return Survey()

    async def running_tasks(self, pool_id: str) -> int:
        return len(pool_id)


READS = frozenset({"list_pools", "get_pool", "list_node_endpoints", "survey", "running_tasks", "close"})
WRITES = sorted(name for name, _ in getmembers(Pools, isfunction) if not name.startswith("_") and name not in READS)


def test_there_are_writes_to_refuse() -> None:
    assert "patch_network" in WRITES


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_is_refused_before_anything_leaves(name: str) -> None:
    inner = SurveyedFake(pool("p"))
    write = getattr(ReadOnlyPools(inner), name)
    arguments: dict[str, Any] = {
        parameter.name: "p" if parameter.name == "pool_id" else None
        for parameter in signature(write).parameters.values()
    }
    with pytest.raises(PortError) as refused:
        await write(**arguments)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.DENIED, "WriteRefused")
    assert inner.calls == []


async def test_reads_pass_through() -> None:
    inner = SurveyedFake(pool("p"))
    pools = ReadOnlyPools(inner)
    assert [each.id for each in (await pools.list_pools()).pools] == ["p"]
    assert (await pools.get_pool("p")).id == "p"
    assert (await pools.survey()) == Survey()
    assert await pools.running_tasks("p") == 1
    await pools.list_node_endpoints(await pools.get_pool("p"))
    await pools.close()
    assert inner.closed


@pytest.mark.parametrize(
    "args",
    [("audit",), ("audit", "-o", "sarif"), ("explain", "sim-mpi"), ("explain", "playground", "--from", "8.8.8.8")],
)
def test_commands_send_reads_and_nothing_else(args: tuple[str, ...]) -> None:
    with demo_accounts() as demo:
        run(*args, "--endpoint", demo.endpoint(), "--endpoint", demo.endpoint(DEV))
        assert {request.method for request in demo.emulator.requests} == {"GET"}
        assert demo.emulator.requests.writes() == []
