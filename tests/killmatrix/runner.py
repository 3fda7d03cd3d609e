"""The operator as its own process, composed as always, but that it dies of SIGKILL at a chosen external call.

    KILL_AT=12:before TRACE=calls.txt python -m tests.killmatrix.runner KUBECONFIG

Nothing of this is in the product: the parts are tapped from outside, and the clock runs `SPEED` times as fast.
"""

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from batchaccess.app import serve
from batchaccess.azurebatch.connect import connect as real_connect
from batchaccess.control import accounts
from batchaccess.control.accountloop import LoopRhythm, SweepFactory
from batchaccess.control.accounts import AccountParts, account_factory
from batchaccess.settings import Settings
from tests.killmatrix.tap import FINALIZERS, POOLS, REPORTS, Harm, Phase, Point, Tap

SPEED = 60
"""How many seconds pass for operator and service in one of ours."""


class FastClock:
    """Implements `ports.Clock`."""

    def __init__(self) -> None:
        self._started, self._monotonic = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self._started + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._monotonic) * SPEED


class TracedTap(Tap):
    """Writes down every call before it is made, for whoever survives."""

    def __init__(self, point: Point | None, trace: Path) -> None:
        super().__init__(point=point, calls=_Traced(trace), on_crash=_die)


class _Traced(list[str]):
    def __init__(self, trace: Path) -> None:
        super().__init__()
        self._file = trace.open("a")

    def append(self, call: str) -> None:
        super().append(call)
        self._file.write(f"{call}\n")
        self._file.flush()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _point() -> Point | None:
    number, _, phase = os.environ.get("KILL_AT", "").partition(":")
    return Point(number=int(number), harm=Harm.CRASH, phase=Phase(phase)) if number else None


def main() -> int:
    """Run it."""
    tap = TracedTap(_point(), Path(os.environ["TRACE"]))

    async def connect(*arguments: object, **named: object) -> object:
        return tap.tapped(await real_connect(*arguments, **named), POOLS)  # type: ignore[arg-type]  # handed on as is

    setattr(accounts, "connect", connect)  # noqa: B010 what is made is tapped, which mypy need not believe

    def make_factory(parts: AccountParts) -> SweepFactory:
        sagas = replace(parts.sagas, finalizers=tap.tapped(parts.sagas.finalizers, FINALIZERS))
        return account_factory(
            replace(
                parts,
                reports=tap.tapped(parts.reports, REPORTS),
                sagas=sagas,
                clock=FastClock(),
                adapter=replace(parts.adapter, request_timeout_seconds=1),
            )
        )

    settings = Settings(
        kubeconfig=Path(sys.argv[1]), telemetry_port=0, allow_endpoint_suffixes=("127.0.0.1",), resync_seconds=600
    )
    rhythm = LoopRhythm(min_pause_seconds=0.1, saga_seconds=0.1)
    return asyncio.run(serve(settings, make_factory=make_factory, rhythm=rhythm))


if __name__ == "__main__":
    sys.exit(main())
