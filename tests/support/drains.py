"""A sweep over an emulated account without sockets, threads or waiting: one clock for both, moved by hand.

Everything between the sweep and the service is real but the wire: `AzureBatchPools` speaks to `BatchEmulator.handle`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import orjson

from batchaccess.api.windows import windows_of
from batchaccess.azurebatch.classify import error_from_answer, retry_after_seconds
from batchaccess.azurebatch.failures import no_answer_in_time
from batchaccess.azurebatch.pools import AzureBatchPools
from batchaccess.azurebatch.wire import API_VERSION, BatchWire
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Auth,
    AuthType,
    NodeDeallocation,
    Remediation,
    RequestBudget,
    SecretRef,
    Strategy,
)
from batchaccess.core.model import JsonObject
from batchaccess.ports import Catalogue, Pools
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.account import AccountSweep
from batchaccess.sweep.parts import SagaParts, SweepParts
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.sweep.sagadecisions import WindowsOf
from batchaccess.telemetry.metrics import Metrics
from batchemulator import DEV_ACCOUNT, Assumptions, Fault, ManualClock, Timings, make_service
from batchemulator.outside_edits import edit_pool
from batchemulator.seeds import seed_pool
from batchemulator.service import BatchEmulator
from batchemulator.state.pool import Pool
from batchemulator.wire.messages import Delivery, Request, Response
from tests.support.build import NOW, connection, policy, wanted
from tests.support.reports import FakeFinalizers, FakeRecorder, FakeReports

HOST = "http://127.0.0.1"
OPEN_SSH: dict[str, Any] = {
    "endpointConfiguration": {
        "inboundNATPools": [
            {
                "name": "SSH",
                "protocol": "tcp",
                "backendPort": 22,
                "frontendPortRangeStart": 4000,
                "frontendPortRangeEnd": 4100,
            }
        ]
    }
}
"""Everybody reaches SSH."""

FORMULA = "$TargetDedicatedNodes = 2;"
_READS = frozenset({"GET", "HEAD"})
_SUCCESS = range(200, 300)


class SharedClock:
    """Implements `ports.Clock` on the emulator's own time."""

    def __init__(self) -> None:
        self.service = ManualClock(NOW)

    def now(self) -> datetime:
        return self.service.now()

    def monotonic(self) -> float:
        return (self.service.now() - NOW).total_seconds()


Handle = Callable[[Request], Response]
Pace = Callable[[], Awaitable[None]]
"""What is awaited before each request: others may act meanwhile."""


async def _at_once() -> None:
    return


class DirectWire:
    """What `AzureBatchPools` needs of a `BatchWire`, as plain calls of the service."""

    def __init__(self, service: BatchEmulator, handle: Handle | None = None, pace: Pace | None = None) -> None:
        self._service = service
        self._handle = handle or service.handle
        self._pace = pace or _at_once

    async def get(self, path: str, parameters: Mapping[str, str]) -> JsonObject:
        await self._pace()
        return self._read(path, urlencode({**parameters, "api-version": API_VERSION}))

    async def follow(self, link: str) -> JsonObject:
        await self._pace()
        url = urlsplit(link)
        return self._read(url.path, url.query)

    async def write(self, method: str, path: str, body: JsonObject | None, *, if_match: str | None) -> None:
        headers = {"content-type": "application/json"} if body is not None else {}
        if if_match is not None:
            headers["if-match"] = if_match
        content = b"" if body is None else orjson.dumps(body, default=dict)
        await self._pace()
        self._send(method, path, f"api-version={API_VERSION}", headers, content)

    async def close(self) -> None:
        return

    def _read(self, path: str, query: str) -> JsonObject:
        document: JsonObject = orjson.loads(self._send("GET", path, query, {}, b""))
        return document

    def _send(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> bytes:
        response = self._handle(
            Request(
                method=method,
                path=path,
                raw_query=query,
                headers={**headers, "authorization": "Bearer anybody"},
                body=body,
                base_url=HOST,
                bound_account=DEV_ACCOUNT.name,
            )
        )
        is_write = method not in _READS
        if response.delivery is not Delivery.ANSWERED:
            raise no_answer_in_time("devaccount", 30, outcome_unknown=is_write)
        if response.status in _SUCCESS:
            return response.body or b""
        raise error_from_answer(
            response.status,
            response.body or b"",
            retry_after=retry_after_seconds(
                {name.title(): value for name, value in response.headers.items()}, now=self._service.clock.now()
            ),
            is_write=is_write,
        )


def direct_pools(service: BatchEmulator, handle: Handle | None = None, pace: Pace | None = None) -> AzureBatchPools:
    """The real adapter on a service in this very thread; `handle` may look at each request on its way."""
    return AzureBatchPools(cast("BatchWire", DirectWire(service, handle, pace)))


def draining(
    policy_: AccessPolicy | None = None,
    *,
    deallocation: NodeDeallocation = NodeDeallocation.TASK_COMPLETION,
    timeout_seconds: int = 7200,
    max_concurrent: int = 1000,
) -> AccessPolicy:
    """A policy that closes SSH and may drain."""
    return replace(
        policy_ or policy("ssh", wanted("SSH")),
        remediation=Remediation(
            strategy=Strategy.DRAIN,
            node_deallocation=deallocation,
            drain_timeout_seconds=timeout_seconds,
            max_concurrent=max_concurrent,
        ),
    )


def account_connection(**changes: Any) -> AccountConnection:  # noqa: ANN401 fields of the connection
    """A connection that grants everything and permits many drains at once."""
    made = replace(
        connection(),
        max_concurrent_drains=1000,
        endpoint=HOST,
        auth=Auth(type=AuthType.WORKLOAD_IDENTITY, secret_ref=SecretRef(name="dev", key="value")),
        request_budget=RequestBudget(per_second=1000, burst=1000),
    )
    return replace(made, **changes)


def busy_pool(pool_id: str = "busy", *, nodes: int = 3, **more: Any) -> dict[str, Any]:  # noqa: ANN401 JSON
    """A pool with nodes that everybody reaches by SSH."""
    return {
        "id": pool_id,
        "creationTime": "2026-01-01T00:00:00Z",
        "targetDedicatedNodes": nodes,
        "currentDedicatedNodes": nodes,
        "networkConfiguration": OPEN_SSH,
        **more,
    }


@dataclass
class Drains:
    """One operator on one emulated account."""

    service: BatchEmulator
    clock: SharedClock
    declared: AccountConnection = field(default_factory=account_connection)
    policies: list[AccessPolicy] = field(default_factory=list)
    reports: FakeReports = field(default_factory=FakeReports)
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    finalizers: FakeFinalizers = field(default_factory=FakeFinalizers)
    metrics: Metrics = field(init=False)
    wrap: Callable[[Pools], Pools] | None = None
    handle: Handle | None = None
    pace: Pace | None = None
    tap_reports: Callable[[FakeReports], Any] = lambda reports: reports
    tap_finalizers: Callable[[FakeFinalizers], Any] = lambda finalizers: finalizers
    windows: WindowsOf = windows_of
    begun: int = 0
    handled: str | None = None
    """What the status of the connection says was answered last; it stays over a restart."""
    jitter: Callable[[], float] = lambda: 0.5
    register: SagaRegister = field(default_factory=SagaRegister)
    _sweep: AccountSweep | None = None
    _catalogue: Catalogue | None = None

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.clock)

    @classmethod
    def of(
        cls,
        *pools: JsonObject,
        policies: list[AccessPolicy] | None = None,
        assumptions: Assumptions | None = None,
        timings: Timings | None = None,
    ) -> "Drains":
        """One operator over a fresh account of these pools."""
        clock = SharedClock()
        service = make_service(assumptions=assumptions, timings=timings, clock=clock.service)
        made = cls(service=service, clock=clock, policies=policies if policies is not None else [draining()])
        made.seed(*pools)
        return made

    def seed(self, *pools: JsonObject) -> None:
        for document in pools:
            seed_pool(self.account, dict(document), self.service.clock.now())

    @property
    def account(self) -> Any:  # noqa: ANN401 the emulator's inside
        return self.service.accounts[DEV_ACCOUNT.name]

    def pool(self, pool_id: str = "busy") -> Pool:
        """A pool as the service has it now."""
        self.service.pass_time()
        found: Pool | None = self.account.pools.get(pool_id)
        assert found is not None
        return found

    def edit(self, changes: JsonObject, pool_id: str = "busy") -> None:
        """Somebody changes a pool behind the operator's back."""
        edit_pool(self.account, self.pool(pool_id), dict(changes), self.service.clock.now())

    def resize(self, nodes: int, pool_id: str = "busy") -> None:
        """Somebody resizes a pool as anybody would, by the service's own operation."""
        response = self.service.handle(
            Request(
                method="POST",
                path=f"/pools/{pool_id}/resize",
                raw_query=f"api-version={API_VERSION}",
                headers={"authorization": "Bearer anybody", "content-type": "application/json"},
                body=orjson.dumps({"targetDedicatedNodes": nodes, "targetLowPriorityNodes": 0}),
                base_url=HOST,
                bound_account=DEV_ACCOUNT.name,
            )
        )
        assert response.status in _SUCCESS, response

    def fail(self, fault: Fault) -> None:
        self.service.faults.add(fault)

    def advance(self, seconds: float) -> None:
        self.service.clock.advance(seconds)

    @property
    def sweeping(self) -> AccountSweep:
        if self._sweep is None:
            self._sweep = AccountSweep(
                self.declared.name,
                SweepParts(
                    connect=self._connect,
                    store=self,
                    reports=self.tap_reports(self.reports),
                    recorder=self.recorder,
                    metrics=self.metrics.connection(self.declared.name),
                    acceptances=Acceptances(),
                    sagas=SagaParts(
                        finalizers=self.tap_finalizers(self.finalizers),
                        register=self.register,
                        windows=self.windows,
                        new_saga_id=self._new_saga_id,
                        handled_request=lambda _: self.handled,
                    ),
                    clock=self.clock,
                    jitter=self.jitter,
                    beat=lambda: None,
                ),
            )
        return self._sweep

    def catalogue(self) -> Catalogue:
        known = self._catalogue
        if known is None or list(known.policies) != self.policies or known.connections[0] is not self.declared:
            version = 0 if known is None else known.version + 1
            known = Catalogue(
                version=version,
                connections=(self.declared,),
                policies=tuple(self.policies),
                namespace_labels={},
            )
            self._catalogue = known
        return known

    async def sweep(self) -> None:
        """One pass."""
        summary = await self.sweeping.run_once(self.catalogue())
        if summary is not None:
            self.handled = summary.connection.requested_at
        assert not self.sweeping.surprises, dict(self.sweeping.surprises)

    async def visit(self) -> None:
        """One visit to the open sagas, if there are any."""
        if self.sweeping.has_open_sagas:
            await self.sweeping.visit_sagas(self.catalogue())
            assert not self.sweeping.surprises, dict(self.sweeping.surprises)

    def restart(self) -> None:
        """The operator dies; what is in Kubernetes and Azure stays."""
        self._sweep = None
        self.register = SagaRegister()

    def share(self, register: SagaRegister) -> None:
        """One process sweeps the accounts of several such worlds."""
        self._sweep, self.register = None, register

    async def live(self, seconds: float, *, step: float = 5, period: float = 60) -> None:
        """Let time pass as the loop would: a visit every few seconds, a pass each period."""
        end, due = self.clock.monotonic() + seconds, self.clock.monotonic()
        while self.clock.monotonic() < end:
            if self.clock.monotonic() >= due:
                await self.sweep()
                due = self.clock.monotonic() + period
            else:
                await self.visit()
            self.advance(step)

    async def live_until(
        self, condition: Callable[[], bool], *, within: float = 36_000, step: float = 5, period: float = 60
    ) -> None:
        """The same until something is so."""
        end = self.clock.monotonic() + within
        while not condition():
            assert self.clock.monotonic() < end, "it did not become so in time"
            await self.live(step, step=step, period=period)

    @property
    def is_settled(self) -> bool:
        """Whether no saga is open in Kubernetes, nor in Azure."""
        return not self.journals() and not self.azure_journals()

    def journals(self) -> list[str]:
        """The objects with a journal."""
        return [name for name in self.reports.objects if "journal" in self.reports.status(name)]

    def azure_journals(self) -> list[str]:
        """The pools with items of ours that are a journal."""
        found = []
        for pool in self.account.pools:
            items = [item for item in pool.settings.get("metadata", ()) if item["name"].startswith("batchaccess")]
            if any(item["value"].startswith("v") for item in items):
                found.append(pool.id)
        return found

    async def _connect(self, _: AccountConnection) -> Pools:
        pools = direct_pools(self.service, self.handle, self.pace)
        return pools if self.wrap is None else self.wrap(pools)

    def _new_saga_id(self) -> str:
        self.begun += 1
        return f"{self.begun:012x}"


Act = Callable[[Drains], Awaitable[None]]
