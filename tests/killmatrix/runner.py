"""The operator as its own process, composed as always, with harm done to it at one chosen external call.

Nothing of this is in the product: the parts are tapped from outside, and the clock runs `SPEED` times as fast. Trouble
of the services is not played here: they are told through their control endpoints to make it at the next request.
"""

import asyncio
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batchaccess.app import serve
from batchaccess.azurebatch.connect import connect as real_connect
from batchaccess.control import accounts
from batchaccess.control.accountloop import LoopRhythm, Sweep, SweepFactory
from batchaccess.control.accounts import AccountParts, account_factory
from batchaccess.ports import Catalogue
from batchaccess.settings import Settings
from tests.killmatrix.tap import FINALIZERS, OF_KUBERNETES, POOLS, REPORTS, Harm, Point, Tap

SPEED = 60
"""How many seconds pass for operator and service in one of ours."""

RETRY_AFTER_SECONDS = 30

_FAULTS: dict[Harm, dict[str, object]] = {
    Harm.RACE: {"kind": "condition-not-met"},
    Harm.THROTTLED: {"kind": "throttled", "retry_after": RETRY_AFTER_SECONDS},
    Harm.FAILED_BEFORE: {"kind": "internal-error"},
    Harm.FAILED_AFTER: {"kind": "timed-out-after"},
    Harm.TIMED_OUT_AFTER: {"kind": "silent-after"},
    Harm.DROPPED_AFTER: {"kind": "dropped-after"},
    Harm.STALE_READ: {"kind": "stale-read"},
    Harm.KUBERNETES_CONFLICT: {"status": 409},
    Harm.KUBERNETES_FAILED: {"status": 500},
    Harm.KUBERNETES_UNANSWERED: {"drop": True, "after_effect": True},
}
_OPERATIONS = {
    "list_pools": "list_pools",
    "get_pool": "get_pool",
    "list_node_endpoints": "list_nodes",
    "patch_metadata": "update_pool",
    "patch_network": "update_pool",
    "disable_autoscale": "disable_pool_auto_scale",
    "enable_autoscale": "enable_pool_auto_scale",
    "resize": "resize_pool",
    "stop_resize": "stop_pool_resize",
}
"""What the emulated service calls the requests of each call."""

_STATUS: dict[str, object] = {"method": "PATCH", "path": "batchpoolaccesses/[^/?]+/status"}
_HELD: dict[str, object] = {
    "method": "PATCH",
    "path": r"(batchaccountconnections|batchpoolaccesspolicies)/[^/?]+(\?|$)",
}
_REQUESTS: dict[str, dict[str, object]] = {
    "create": {"method": "POST", "path": r"batchpoolaccesses(\?|$)"},
    "write": _STATUS,
    "write_journal": _STATUS,
    "delete": {"method": "DELETE", "path": "batchpoolaccesses/"},
    "hold": _HELD,
    "release_connection": _HELD,
    "release_policy": _HELD,
}
"""What requests to Kubernetes each call makes that change something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What one operator process is told: where the services are, where to write what, where it is harmed."""

    kubeconfig: Path
    kubernetes: str
    batch: str
    log: Path
    trace: Path
    """Gets the name of each external call, before it is made."""
    point: Point | None = None


class FastClock:
    """Implements `ports.Clock`."""

    def __init__(self) -> None:
        self._started, self._monotonic = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self._started + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._monotonic) * SPEED


class FastSweep:
    """A sweep that is asked for once in a period of the real clock, which is `SPEED` times as long by its own."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._told: tuple[Catalogue, Catalogue] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever a sweep has
        return getattr(self._sweep, name)

    async def run_once(self, catalogue: Catalogue) -> Any:  # noqa: ANN401 what the sweep returns
        return await self._sweep.run_once(self._with_long_periods(catalogue))

    async def visit_sagas(self, catalogue: Catalogue) -> None:
        await self._sweep.visit_sagas(self._with_long_periods(catalogue))

    def _with_long_periods(self, catalogue: Catalogue) -> Catalogue:
        if self._told is None or self._told[0] is not catalogue:
            long = (
                replace(each, sync_period_seconds=each.sync_period_seconds * SPEED) for each in catalogue.connections
            )
            self._told = catalogue, replace(catalogue, connections=tuple(long))
        return self._told[1]


class TracedTap(Tap):
    """Writes down every call before it is made, for whoever survives, and has the services make the trouble."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(point=around.point, calls=_Traced(around.trace), on_crash=_die)
        self._around = around

    async def _harm(self, point: Point, name: str, effect: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 any call's
        if point.harm is Harm.CRASH:
            return await super()._harm(point, name, effect)
        if point.harm in OF_KUBERNETES:
            _arrange(self._around.kubernetes, {**_FAULTS[point.harm], **_REQUESTS[name]})
        else:
            _arrange(self._around.batch, {**_FAULTS[point.harm], "operation": _OPERATIONS[name]})
        return await effect()


class _Traced(list[str]):
    def __init__(self, trace: Path) -> None:
        super().__init__()
        self._file = trace.open("a")

    def append(self, call: str) -> None:
        super().append(call)
        self._file.write(f"{call}\n")
        self._file.flush()


def _arrange(url: str, fault: object) -> None:
    request = urllib.request.Request(  # noqa: S310 a loopback address of ours
        f"{url}/emulator/faults",
        method="POST",
        data=json.dumps(fault).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 the same
        return


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_operator(around: Surroundings) -> None:
    """Be the operator, until it ends or is killed."""
    with around.log.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    tap = TracedTap(around)

    async def connect(*arguments: object, **named: object) -> object:
        return tap.tapped(await real_connect(*arguments, **named), POOLS)  # type: ignore[arg-type]  # handed on as is

    setattr(accounts, "connect", connect)  # noqa: B010 what is made is tapped, which mypy need not believe

    def make_factory(parts: AccountParts) -> SweepFactory:
        sagas = replace(parts.sagas, finalizers=tap.tapped(parts.sagas.finalizers, FINALIZERS))
        make = account_factory(
            replace(
                parts,
                reports=tap.tapped(parts.reports, REPORTS),
                sagas=sagas,
                clock=FastClock(),
                adapter=replace(parts.adapter, request_timeout_seconds=1),
            )
        )
        return lambda connection, beat: FastSweep(make(connection, beat))

    settings = Settings(
        kubeconfig=around.kubeconfig, telemetry_port=0, allow_endpoint_suffixes=("127.0.0.1",), resync_seconds=600
    )
    rhythm = LoopRhythm(min_pause_seconds=0.1, saga_seconds=0.1)
    sys.exit(asyncio.run(serve(settings, make_factory=make_factory, rhythm=rhythm)))
