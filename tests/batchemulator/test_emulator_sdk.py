"""The real azure-batch against the emulator: every operation it has, through its own models and pipeline."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.batch import BatchClient as BlockingBatchClient
from azure.batch import models
from azure.batch.aio import BatchClient
from azure.batch.models._models import BatchJobTerminateOptions
from azure.core import MatchConditions
from azure.core.credentials import AccessToken, AccessTokenInfo, AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from batchemulator import (
    DEV_ACCOUNT,
    Emulator,
    ManualClock,
    make_service,
    running,
    serving_in_thread,
)
from batchemulator.certificates import self_signed
from batchemulator.operations.routes import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

KEY = AzureNamedKeyCredential(DEV_ACCOUNT.name, DEV_ACCOUNT.key)
SSH = models.BatchInboundNatPool(
    name="ssh",
    protocol=models.InboundEndpointProtocol.TCP,
    backend_port=22,
    frontend_port_range_start=4000,
    frontend_port_range_end=4100,
    network_security_group_rules=[
        models.NetworkSecurityGroupRule(priority=200, access="deny", source_address_prefix="*"),
    ],
)
NETWORK = models.NetworkConfiguration(
    endpoint_configuration=models.BatchPoolEndpointConfiguration(inbound_nat_pools=[SSH]),
)
MACHINE = models.VirtualMachineConfiguration(
    image_reference=models.BatchVmImageReference(publisher="canonical", offer="ubuntu", sku="22_04-lts"),
    node_agent_sku_id="batch.node.ubuntu 22.04",
)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Emulator, BatchClient]]:
    """An emulator whose time stands still, and the real client signing with its key."""
    async with running(clock=ManualClock()) as emulator, BatchClient(emulator.url(), KEY) as client:
        yield emulator, client


async def begin(request: Awaitable[object]) -> None:
    """Send what starts a long operation; time is moved by hand, so nothing is polled."""
    await request


async def test_a_pool_lives_from_creation_to_deletion() -> None:
    async with connected() as (emulator, client):
        await client.create_pool(
            models.BatchPoolCreateOptions(
                id="p",
                vm_size="STANDARD_D2S_V3",
                virtual_machine_configuration=MACHINE,
                network_configuration=NETWORK,
                resize_timeout=timedelta(minutes=10),
            ),
        )
        emulator.advance(2)
        assert await client.pool_exists("p") is True
        pool = await client.get_pool("p", service_timeout=20)
        assert (pool.allocation_state, pool.resize_timeout) == ("steady", timedelta(minutes=10))
        assert pool.network_configuration is not None
        assert pool.network_configuration.dynamic_vnet_assignment_scope == "none"

        await begin(client.begin_resize_pool("p", models.BatchPoolResizeOptions(target_dedicated_nodes=2)))
        assert (await client.get_pool("p", select=["allocationState"])).allocation_state == "resizing"
        await begin(client.begin_stop_pool_resize("p"))
        emulator.advance(5)
        await begin(client.begin_resize_pool("p", models.BatchPoolResizeOptions(target_dedicated_nodes=2)))
        emulator.advance(120)

        nodes = [node async for node in client.list_nodes("p")]
        assert [node.state for node in nodes] == ["idle", "idle"]
        node = await client.get_node("p", nodes[0].id)
        assert node.endpoint_configuration is not None
        assert node.endpoint_configuration.inbound_endpoints[0].backend_port == 22
        login = await client.get_node_remote_login_settings("p", nodes[0].id)
        assert login.remote_login_port in {4000, 4001}
        counts = [entry async for entry in client.list_pool_node_counts(filter="poolId eq 'p'")]
        assert counts[0].dedicated is not None
        assert (counts[0].dedicated.idle, counts[0].dedicated.total) == (2, 2)

        await begin(client.begin_remove_nodes("p", models.BatchNodeRemoveOptions(node_ids=[nodes[0].id])))
        emulator.advance(60)
        assert (await client.get_pool("p")).current_dedicated_nodes == 1
        await begin(client.begin_delete_pool("p"))
        assert (await client.get_pool("p")).state == "deleting"
        emulator.advance(120)
        with pytest.raises(ResourceNotFoundError):
            await client.get_pool("p")


async def test_properties_change_with_conditions() -> None:
    async with connected() as (emulator, client):
        emulator.seed({"id": "p"})
        stale = await client.get_pool("p")
        update = models.BatchPoolUpdateOptions(network_configuration=NETWORK)
        await client.update_pool("p", update, etag=stale.etag, match_condition=MatchConditions.IfNotModified)
        assert emulator.requests.of("update_pool")[0].if_match == f'"{stale.etag}"'
        with pytest.raises(ResourceModifiedError) as refused:
            await client.update_pool("p", update, etag=stale.etag, match_condition=MatchConditions.IfNotModified)
        assert refused.value.status_code == 412
        replacement = models.BatchPoolReplaceOptions(
            application_package_references=[],
            metadata=[models.BatchMetadataItem(name="a", value="b")],
        )
        await client.replace_pool_properties("p", replacement)
        pool = await client.get_pool("p")
        assert pool.metadata is not None
        assert pool.network_configuration is not None


async def test_autoscale_is_enabled_evaluated_and_disabled() -> None:
    async with connected() as (emulator, client):
        emulator.seed({"id": "p"})
        enabling = models.BatchPoolEnableAutoScaleOptions(
            auto_scale_formula="$TargetDedicatedNodes=1",
            auto_scale_evaluation_interval=timedelta(minutes=6),
        )
        await client.enable_pool_auto_scale("p", enabling)
        run = await client.evaluate_pool_auto_scale(
            "p",
            models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$bogus"),
        )
        assert run.error is not None
        assert run.error.code == "AutoScalingFormulaEvaluationError"
        emulator.advance(10)
        pool = await client.get_pool("p")
        assert (pool.target_dedicated_nodes, pool.auto_scale_evaluation_interval) == (1, timedelta(minutes=6))
        with pytest.raises(HttpResponseError) as refused:
            await begin(client.begin_resize_pool("p", models.BatchPoolResizeOptions(target_dedicated_nodes=0)))
        assert refused.value.status_code == 409
        await client.disable_pool_auto_scale("p")
        assert (await client.get_pool("p")).enable_auto_scale is False


async def test_lists_are_paged_selected_and_filtered() -> None:
    async with connected() as (emulator, client):
        emulator.seed(*({"id": f"p{number}"} for number in range(7)))
        ids = [pool.id async for pool in client.list_pools(max_results=3, select=["id"])]
        assert ids == [f"p{number}" for number in range(7)]
        assert len(emulator.requests.of("list_pools")) == 3
        found = [pool.id async for pool in client.list_pools(filter="startswith(id,'p3')")]
        assert found == ["p3"]
        images = [image async for image in client.list_supported_images()]
        assert {image.os_type for image in images} == {"linux", "windows"}


async def test_jobs_and_tasks_are_made_run_and_ended() -> None:
    async with connected() as (emulator, client):
        emulator.seed({"id": "p", "targetDedicatedNodes": 1})
        pool_info = models.BatchPoolInfo(pool_id="p")
        await client.create_job(models.BatchJobCreateOptions(id="j", pool_info=pool_info))
        await client.create_task("j", models.BatchTaskCreateOptions(id="t0", command_line="sleep 20; exit 1"))
        tasks = [models.BatchTaskCreateOptions(id=f"t{number}", command_line="sleep 20") for number in (1, 2, 3)]
        await client.create_task_collection("j", models.BatchTaskGroup(task_values=tasks))
        assert (await client.get_job_task_counts("j")).task_counts.running == 1
        emulator.advance(20)
        first = await client.get_task("j", "t0")
        assert first.execution_info is not None
        assert (first.execution_info.exit_code, first.execution_info.result) == (1, "failure")
        running_job = [
            job.id async for job in client.list_jobs(filter="executionInfo/poolId eq 'p' and state eq 'active'")
        ]
        assert running_job == ["j"]
        await client.terminate_task("j", "t1")
        await client.delete_task("j", "t1")
        assert [task.id async for task in client.list_tasks("j")] == ["t0", "t2", "t3"]

        await client.update_job("j", models.BatchJobUpdateOptions(priority=7))
        job = await client.get_job("j")
        assert job.priority == 7
        await client.replace_job("j", job)
        node = next(iter(emulator.pool("p").nodes))
        await client.disable_node_scheduling(
            "p", node.id, models.BatchNodeDisableSchedulingOptions(node_disable_scheduling_option="requeue")
        )
        await client.enable_node_scheduling("p", node.id)
        await begin(client.begin_disable_job("j", models.BatchJobDisableOptions(disable_tasks="requeue")))
        emulator.advance(2)
        assert (await client.get_job("j")).state == "disabled"
        await begin(client.begin_enable_job("j"))
        await begin(client.begin_terminate_job("j", BatchJobTerminateOptions(termination_reason="over")))
        emulator.advance(2)
        assert (await client.get_job("j")).state == "completed"
        await begin(client.begin_delete_job("j"))
        emulator.advance(2)
        with pytest.raises(ResourceNotFoundError):
            await client.get_job("j")


async def test_a_missing_pool_raises_what_the_real_service_makes_it_raise() -> None:
    async with connected() as (_, client):
        with pytest.raises(ResourceNotFoundError) as missing:
            await client.get_pool("none")
        assert missing.value.error is not None
        assert missing.value.error.code == "PoolNotFound"
        with pytest.raises(ResourceNotFoundError):
            await client.pool_exists("none")


async def test_a_wrong_key_is_refused() -> None:
    wrong = AzureNamedKeyCredential(DEV_ACCOUNT.name, "d3Jvbmc=")
    async with running() as emulator, BatchClient(emulator.url(), wrong) as client:
        with pytest.raises(HttpResponseError) as refused:
            await client.get_pool("p")
        assert refused.value.status_code == 403


class StaticToken:
    """A token credential that always has the same token."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("a.b.c", 4_000_000_000)

    def get_token_info(self, *_scopes: str, **_options: object) -> AccessTokenInfo:
        return AccessTokenInfo("a.b.c", 4_000_000_000)


def test_the_blocking_client_works_with_a_token_over_tls(tmp_path: Path) -> None:
    tls = self_signed(tmp_path)
    with (
        serving_in_thread(make_service(), tls=tls) as emulator,
        BlockingBatchClient(emulator.url(), StaticToken(), connection_verify=str(tls.authority)) as client,
    ):
        emulator.seed({"id": "p"})
        assert [pool.id for pool in client.list_pools()] == ["p"]
        assert client.get_pool("p").state == "active"


async def test_the_pollers_of_the_client_end_when_time_passes() -> None:
    async with connected() as (emulator, client):
        emulator.seed({"id": "p"})
        poller = await client.begin_resize_pool(
            "p",
            models.BatchPoolResizeOptions(target_dedicated_nodes=1),
            polling_interval=0,
        )
        waiting = asyncio.create_task(poller.wait())
        emulator.advance(60)
        await asyncio.wait_for(waiting, 10)
        assert (await client.get_pool("p")).current_dedicated_nodes == 1


def test_every_operation_is_a_method_of_the_real_client_that_is_called_here() -> None:
    methods = set(dir(BlockingBatchClient))
    called = set(re.findall(r"client\.(\w+)\(", Path(__file__).read_text(encoding="utf-8")))
    for entry in OPERATIONS:
        names = {entry.name, f"begin_{entry.name}"}
        assert names & methods, f"{entry.name} is no method of the client"
        assert names & called, f"{entry.name} is not called in this file"
