"""What a sweep of one account works with, besides the account itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from batchaccess.core.declared import AccountConnection
from batchaccess.ports import Clock, Finalizers, PolicyStore, PoolReports, Pools, Recorder
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.sweep.sagadecisions import WindowsOf
from batchaccess.telemetry.connection import ConnectionMetrics

Connect = Callable[[AccountConnection], Awaitable[Pools]]
"""Makes the pools of a connection; raises `PortError` if its endpoint or credentials do not allow that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaParts:
    """What sagas need besides.

    Attributes:
        finalizers: keep connection and policy from going while a saga is open.
        register: what is open on all connections; one for the whole process.
        windows: what the windows of a policy say at a moment.
        new_saga_id: gives ids nobody else has.
        handled_request: the `batchaccess.dev/requested-at` of a connection, by name, that was answered last, by
            whichever process; None if none was.
    """

    finalizers: Finalizers
    register: SagaRegister
    windows: WindowsOf
    new_saga_id: Callable[[], str]
    handled_request: Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepParts:
    """What a sweep works with, besides the account itself."""

    connect: Connect
    store: PolicyStore
    reports: PoolReports
    recorder: Recorder
    metrics: ConnectionMetrics
    acceptances: Acceptances
    sagas: SagaParts
    clock: Clock
    jitter: Callable[[], float]
    beat: Callable[[], None]
