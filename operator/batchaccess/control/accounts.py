"""From a declared connection to the sweep of its Batch account: where Azure, Kubernetes and the metrics are joined."""

import random
from dataclasses import dataclass
from typing import Final

from batchaccess.azurebatch.connect import connect
from batchaccess.azurebatch.observed import Call, observe_calls
from batchaccess.azurebatch.secrets import SecretReader
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.control.accountloop import Beat, SweepFactory
from batchaccess.control.leaseguard import guard_writes
from batchaccess.core.declared import AccountConnection
from batchaccess.ports import Clock, PolicyStore, PoolReports, Pools, Recorder, WriteLeave
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.account import AccountSweep
from batchaccess.sweep.parts import SagaParts, SweepParts
from batchaccess.telemetry.connection import ConnectionMetrics
from batchaccess.telemetry.metrics import Metrics

_OK: Final = "OK"
_STATUS_OK: Final = 200
"""What a call without an error is counted as; the adapter does not tell 200 from 202."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountParts:
    """What the sweeps of all accounts share."""

    adapter: AdapterSettings
    secrets: SecretReader
    store: PolicyStore
    reports: PoolReports
    recorder: Recorder
    metrics: Metrics
    acceptances: Acceptances
    sagas: SagaParts
    clock: Clock
    leave: WriteLeave | None = None
    """What every write to an account is bounded by; None if no other operator can lead."""


def account_factory(parts: AccountParts) -> SweepFactory:
    """Makes the sweep of a connection from what all of them share."""

    def make(connection: AccountConnection, beat: Beat) -> AccountSweep:
        metrics = parts.metrics.connection(connection.name)

        async def connect_account(declared: AccountConnection) -> Pools:
            pools = await connect(declared, secrets=parts.secrets, settings=parts.adapter, clock=parts.clock)
            metrics.watch_budget(lambda: pools.budget.level)
            return guard_writes(observe_calls(pools, lambda call: count_call(metrics, call)), parts.leave)

        return AccountSweep(
            connection.name,
            SweepParts(
                connect=connect_account,
                store=parts.store,
                reports=parts.reports,
                recorder=parts.recorder,
                metrics=metrics,
                acceptances=parts.acceptances,
                sagas=parts.sagas,
                clock=parts.clock,
                jitter=random.random,
                beat=beat,
            ),
        )

    return make


def count_call(metrics: ConnectionMetrics, call: Call) -> None:
    """Tell the metrics of one call to the account."""
    succeeded = call.code == _OK
    metrics.azure_request(
        call.operation,
        seconds=call.seconds,
        status=_STATUS_OK if succeeded else call.status,
        error=None if succeeded else call.code,
        retry_after=call.retry_after,
    )
