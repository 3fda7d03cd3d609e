"""One program of a control plane: started, killed and started again with the same arguments, its output in a file."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_READY_SECONDS: Final = 120
_STOP_SECONDS: Final = 20
_TAIL: Final = 3000


class StartError(RuntimeError):
    """A program did not become ready; the text holds the end of its output."""


class RunningProgram:
    """A program that may be ended and started again; `ready` tells whether it answers."""

    def __init__(self, command: Sequence[str], *, log: Path, ready: Callable[[], bool]) -> None:
        self._command = list(command)
        self._log = log
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StartError: it ended instead, or did not answer in time.
        """
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                text = self._log.read_text(errors="replace")[-_TAIL:]
                self.kill()
                raise StartError(f"{self._command[0]} did not become ready:\n{text}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it gently, by force if it takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
