"""An emulated cluster in a process of its own, for programs and tests that run an operator or a loop themselves."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READY: Final = re.compile(r"serves (https?://\S+?)(?:,|\s|$)")
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 5.0


class LaunchError(RuntimeError):
    """The process did not become ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeEmulator:
    """A running emulator process."""

    url: str
    kubeconfig: Path
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End the process, gently at first."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_in_process(
    kubeconfig: Path,
    *,
    port: int = 0,
    store: Path | None = None,
    tls: bool = False,
    rbac: bool = False,
    history: int = 1000,
    bookmark_seconds: float | None = None,
) -> KubeEmulator:
    """Start an emulator in its own process and wait until it answers.

    Args:
        kubeconfig: Where to write the kubeconfig of its administrator.
        port: The port on loopback; 0 takes a free one.
        store: An SQLite file for the objects; None keeps them in memory.
        tls: Whether it serves https.
        rbac: Whether it asks for tokens and enforces roles; implies `tls`.
        history: How many events of each resource are kept for watches, at least.
        bookmark_seconds: How often quiet watches get a bookmark; the real server's minute when None.

    Raises:
        LaunchError: It did not become ready within half a minute.
    """
    options = [f"--port={port}", f"--kubeconfig={kubeconfig}", f"--history={history}"]
    options += [f"--store={store}"] if store is not None else []
    options += ["--tls"] if tls else []
    options += ["--rbac"] if rbac else []
    options += [f"--bookmark-seconds={bookmark_seconds}"] if bookmark_seconds is not None else []
    process = subprocess.Popen(  # noqa: S603 -- this very program
        [sys.executable, "-m", "kubeemulator", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        url = _ready_url(process)
    except LaunchError:
        process.kill()
        process.communicate()
        raise
    return KubeEmulator(url=url, kubeconfig=kubeconfig, process=process)


@contextlib.contextmanager
def emulator(
    kubeconfig: Path, *, store: Path | None = None, tls: bool = False, rbac: bool = False, history: int = 1000
) -> Iterator[KubeEmulator]:
    """An emulator in its own process as long as the context lasts; arguments as `start_in_process`."""
    started = start_in_process(kubeconfig, store=store, tls=tls, rbac=rbac, history=history)
    try:
        yield started
    finally:
        started.stop()


def _ready_url(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise LaunchError("the emulator's output is not connected")
    deadline = time.monotonic() + _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and selector.select(left):
            line = process.stdout.readline()
            found = _READY.search(line)
            if found:
                return found[1]
            if not line:
                raise LaunchError(f"the emulator ended with status {process.wait()} before it was ready")
    raise LaunchError(f"the emulator was not ready within {_START_SECONDS:.0f} s")
