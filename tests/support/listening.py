"""Loopback ports for programs that must be told their port before they listen, and may listen on it again after a kill.

A port that the kernel hands out may be handed out again to an outgoing connection, before the program listens on it or
while it is down. So these lie outside the kernel's range for outgoing connections (net.ipv4.ip_local_port_range), and a
locked file holds each for as long as the process that asked for it lives, against the other workers of a test run.
"""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final

_OUTGOING: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST: Final = 10_000
_TRIES: Final = 1000

# Open files: a lock lasts as long as its descriptor.
_reserved: list[int] = []


def reserved_port() -> int:
    """A loopback port that is this process's own until it ends.

    Raises:
        RuntimeError: none of many ports tried was to be had.
    """
    folder = Path(tempfile.gettempdir()) / "batchaccess-test-ports"
    folder.mkdir(exist_ok=True)
    outgoing = int(_OUTGOING.read_text().split()[0])
    for _ in range(_TRIES):
        port = random.SystemRandom().randrange(_FIRST, outgoing)
        if _lock(folder / str(port)) and not _listened_on(port):
            return port
    raise RuntimeError(f"none of {_TRIES} ports between {_FIRST} and {outgoing} is free")


def _lock(file: Path) -> bool:
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _reserved.append(descriptor)
    return True


def _listened_on(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
