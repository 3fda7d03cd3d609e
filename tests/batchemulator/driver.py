"""Talks to an emulator without a socket: requests in, (status, headers, document) out, time by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from batchemulator import DEV_ACCOUNT, Assumptions, BatchEmulator, ManualClock, Timings, make_service
from batchemulator.outside_edits import edit_pool
from batchemulator.seeds import seed_pool
from batchemulator.wire.messages import Request
from batchemulator.wire.sharedkey import sign, string_to_sign

if TYPE_CHECKING:
    from batchemulator.state.pool import Pool

BASE_URL = "https://devaccount.emulator.batch.azure.com"
V2024_02 = "2024-02-01.19.0"
V2024_07 = "2024-07-01.20.0"
V2025_06 = "2025-06-01"


@dataclass(frozen=True)
class Answer:
    """What came back; `document` is empty where there was no body."""

    status: int
    headers: dict[str, str]
    document: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.document.get("code", ""))

    @property
    def values(self) -> dict[str, str]:
        return {entry["key"]: entry.get("value") for entry in self.document.get("values", [])}

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.document["value"]]


@dataclass
class Driver:
    """One emulated account with a manual clock, called with a Bearer token unless told otherwise."""

    assumptions: Assumptions = field(default_factory=Assumptions)
    timings: Timings = field(default_factory=Timings)
    version: str = V2025_06
    clock: ManualClock = field(default_factory=ManualClock)
    service: BatchEmulator = field(init=False)

    def __post_init__(self) -> None:
        self.service = make_service(assumptions=self.assumptions, timings=self.timings, clock=self.clock)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
        version: str | None = None,
    ) -> Answer:
        if "api-version=" not in query:
            query = f"api-version={version or self.version}" + (f"&{query}" if query else "")
        response = self.service.handle(
            Request(
                method=method,
                path=path,
                raw_query=query,
                headers={"authorization": "Bearer token", **(headers or {})},
                body=b"" if body is None else orjson.dumps(body),
                base_url=BASE_URL,
            ),
        )
        document = orjson.loads(response.body) if response.body else {}
        return Answer(response.status, dict(response.headers), document)

    def signed(self, method: str, path: str, body: object, key: str = DEV_ACCOUNT.key) -> Answer:
        """A call with a SharedKey signature instead of a token."""
        content = orjson.dumps(body)
        request = Request(
            method=method,
            path=path,
            raw_query=f"api-version={self.version}",
            headers={"content-length": str(len(content))},
        )
        signature = sign(string_to_sign(request, DEV_ACCOUNT.name), key)
        headers = {**request.headers, "authorization": f"SharedKey {DEV_ACCOUNT.name}:{signature}"}
        return self.call(method, path, body, headers=headers)

    def get(self, path: str, query: str = "", **headers: str) -> Answer:
        return self.call("GET", path, query=query, headers=headers)

    def post(self, path: str, body: object = None) -> Answer:
        return self.call("POST", path, body)

    def patch(self, path: str, body: object, **headers: str) -> Answer:
        return self.call("PATCH", path, body, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def seed(self, *documents: dict[str, Any]) -> None:
        for document in documents:
            seed_pool(self.service.accounts[DEV_ACCOUNT.name], document, self.clock.now())

    def edit(self, pool_id: str, changes: dict[str, Any]) -> None:
        edit_pool(self.service.accounts[DEV_ACCOUNT.name], self.state(pool_id), changes, self.clock.now())

    def state(self, pool_id: str) -> Pool:
        self.service.pass_time()
        pool = self.service.accounts[DEV_ACCOUNT.name].pools.get(pool_id)
        assert pool is not None, f"no pool {pool_id}"
        return pool

    def pool(self, pool_id: str) -> dict[str, Any]:
        return self.get(f"/pools/{pool_id}").document

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.service.pass_time()

    def add_job(self, job_id: str, pool_id: str, *commands: str) -> None:
        assert self.post("/jobs", {"id": job_id, "poolInfo": {"poolId": pool_id}}).status == 201
        for number, command in enumerate(commands):
            added = self.post(f"/jobs/{job_id}/tasks", {"id": f"t{number}", "commandLine": command})
            assert added.status == 201, added

    def task_log(self) -> list[str]:
        """The task log as short lines: `started t0 #1`, `completed t0 #1 exit 0`."""
        lines = []
        for entry in self.service.accounts[DEV_ACCOUNT.name].task_log:
            exit_code = "" if entry.exit_code is None else f" exit {entry.exit_code}"
            lines.append(f"{entry.event} {entry.task_id} #{entry.run}{exit_code}")
        return lines


def nat_pool(name: str = "ssh", **changes: object) -> dict[str, Any]:
    """A NAT pool the service would take."""
    return {
        "name": name,
        "protocol": "tcp",
        "backendPort": 22,
        "frontendPortRangeStart": 4000,
        "frontendPortRangeEnd": 4100,
    } | changes


def rule(priority: int = 200, access: str = "allow", source: str = "10.0.0.0/24", **changes: object) -> dict[str, Any]:
    """A rule the service would take."""
    return {"priority": priority, "access": access, "sourceAddressPrefix": source} | changes


def network(*nat_pools: dict[str, Any], **changes: object) -> dict[str, Any]:
    """A networkConfiguration of NAT pools."""
    return {"endpointConfiguration": {"inboundNATPools": list(nat_pools)}} | changes
