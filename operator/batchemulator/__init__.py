"""An Azure Batch data plane for development and tests, good enough for the real SDK and the real `az` client.

Start one with `running()` (this event loop), `serving_in_thread()` (blocking clients), `make_service()` (no socket at
all) or `python -m batchemulator`. Unknown behaviour of the service is a switch in `Assumptions`.
"""

from batchemulator.accounts import DEV_ACCOUNT, Account
from batchemulator.assumptions import Assumptions
from batchemulator.clocks import Clock, ManualClock, ScaledClock
from batchemulator.faults import Fault, FaultKind
from batchemulator.server import Emulator, make_service, running, serving, serving_in_thread
from batchemulator.service import BatchEmulator
from batchemulator.timings import Timings
from batchemulator.tls import TlsFiles
from batchemulator.wire.tokens import TokenPolicy

__all__ = [
    "DEV_ACCOUNT",
    "Account",
    "Assumptions",
    "BatchEmulator",
    "Clock",
    "Emulator",
    "Fault",
    "FaultKind",
    "ManualClock",
    "ScaledClock",
    "Timings",
    "TlsFiles",
    "TokenPolicy",
    "make_service",
    "running",
    "serving",
    "serving_in_thread",
]
