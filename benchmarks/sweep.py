"""What a whole sweep costs beside merely fetching and parsing the same bytes.

    python -m benchmarks.sweep [POOLS ...]

The account is that of `benchmarks.sweep_fetch`, governed by `POLICIES` policies; reports are kept in memory.
Printed per size: fetching and parsing alone, the first sweep (everything is new) and a steady one (nothing changed)
with their ratios to that, and the peak memory of this process. All times are processor time of this process.
"""

import resource
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from batchaccess.azurebatch.pools import AzureBatchPools
from batchaccess.clock import SystemClock
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Assertion,
    Auth,
    AuthType,
    Grant,
    Mode,
    NameSelector,
    NamespaceSelector,
    PoolSelector,
    RequestBudget,
    SecretRef,
)
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import EventReason, EventType
from batchaccess.core.saga.windows import WindowVerdict
from batchaccess.core.status import DrainsStatus, JournalStatus, PoolStatus
from batchaccess.ports import Catalogue, Pools, ReportedPool, StoredStatus
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.account import AccountSweep
from batchaccess.sweep.parts import SagaParts, SweepParts
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.telemetry.metrics import Metrics
from benchmarks.sweep_fetch import ROUNDS, RealClock, best_of, connected, fetch_and_parse, measure_each

POLICIES = 40


@dataclass
class MemoryReports:
    """Implements `ports.PoolReports`."""

    objects: dict[str, ReportedPool] = field(default_factory=dict)
    writes: int = 0

    def existing(self, connection: AccountConnection) -> Mapping[str, ReportedPool]:  # noqa: ARG002 there is only one
        """All objects."""
        return dict(self.objects)

    def find(self, connection: AccountConnection, name: str) -> ReportedPool | None:  # noqa: ARG002 there is only one
        """One object."""
        return self.objects.get(name)

    async def write_journal(
        self,
        reported: ReportedPool,
        *,
        journal: JournalStatus | None,  # noqa: ARG002 nothing is drained here
        drains: DrainsStatus | None,  # noqa: ARG002 nothing is drained here
    ) -> ReportedPool | None:
        """Nothing is drained here."""
        return reported

    async def create(
        self,
        connection: AccountConnection,  # noqa: ARG002 there is only one
        *,
        name: str,
        pool_id: str,
    ) -> ReportedPool:
        """Make one."""
        stored = StoredStatus(name=name, namespace=None, uid=name, generation=1, status={})
        self.objects[name] = ReportedPool(stored=stored, pool_id=pool_id)
        return self.objects[name]

    async def write(self, reported: ReportedPool, status: PoolStatus) -> ReportedPool:
        """Keep that there is a status; rendering and sending it is not what is measured."""
        self.writes += 1
        stored = replace(reported.stored, status={"observedGeneration": status.observed_generation})
        self.objects[stored.name] = replace(reported, stored=stored)
        return self.objects[stored.name]

    async def delete(self, name: str) -> bool:
        """Remove one."""
        return self.objects.pop(name, None) is not None


class SilentRecorder:
    """Implements `ports.Recorder`."""

    async def record(
        self,
        *,
        kind: str,
        name: str,
        namespace: str | None,
        uid: str,
        event_type: EventType,
        reason: EventReason,
        message: str,
    ) -> None:
        """Drop it."""


def declared(url: str) -> Catalogue:
    """One connection, and policies that audit every fortieth pool each."""
    connection = AccountConnection(
        name="bench",
        uid="1",
        generation=1,
        created=datetime.now(UTC),
        endpoint=url,
        auth=Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name="a", key="b")),
        request_budget=RequestBudget(per_second=1000, burst=1000),
        grants=(Grant(namespaces=NamespaceSelector(all=True), modes=(Mode.AUDIT, Mode.ENFORCE)),),
        sync_period_seconds=3600,
    )
    policies = [
        AccessPolicy(
            key=ObjectKey(namespace="bench", name=f"policy-{number}"),
            uid=f"policy-{number}",
            generation=1,
            created=datetime.now(UTC),
            connections=NameSelector(names=("bench",)),
            pools=PoolSelector(ids=(f"pool-{number}", f"pool-*{number:02}")),
            assertions=(Assertion(name="no-login", ports=(22, 3389), not_reachable_from=("Internet",)),),
        )
        for number in range(POLICIES)
    ]
    return Catalogue(version=1, connections=(connection,), policies=policies, namespace_labels={})


class NoFinalizers:
    """Implements `ports.Finalizers`: nothing is ever held here."""

    def cluster_uid(self) -> str | None:
        """A cluster."""
        return "bench"

    async def hold(self, connection: AccountConnection, policy: AccessPolicy | None) -> bool:  # noqa: ARG002 the port's
        """Nothing is held."""
        return True

    async def release_connection(self, name: str) -> bool:  # noqa: ARG002 the port's signature
        """Nothing is held."""
        return True

    async def release_policy(self, key: ObjectKey) -> bool:  # noqa: ARG002 the port's signature
        """Nothing is held."""
        return True

    def held_policies(self) -> Collection[ObjectKey]:
        """Nothing is held."""
        return ()


class Declared:
    """A `PolicyStore` whose content never changes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def catalogue(self) -> Catalogue:
        """The same reading, always."""
        return self._catalogue


def sweeping(pools: AzureBatchPools, reports: MemoryReports, catalogue: Catalogue) -> AccountSweep:
    """The sweep over an open account."""

    async def connect(_: AccountConnection) -> Pools:
        return pools

    return AccountSweep(
        "bench",
        SweepParts(
            connect=connect,
            store=Declared(catalogue),
            reports=reports,
            recorder=SilentRecorder(),
            metrics=Metrics(SystemClock()).connection("bench"),
            acceptances=Acceptances(),
            sagas=SagaParts(
                finalizers=NoFinalizers(),
                register=SagaRegister(),
                windows=lambda *_: WindowVerdict(permitted=True),
                new_saga_id=lambda: "0123456789ab",
                handled_request=lambda _: None,
            ),
            clock=RealClock(),
            jitter=lambda: 0.5,
            beat=lambda: None,
        ),
    )


def counted(sweep: AccountSweep, catalogue: Catalogue) -> Callable[[], Awaitable[int]]:
    """One pass that returns how many pools it concluded."""

    async def once() -> int:
        summary = await sweep.run_once(catalogue)
        if summary is None or summary.counts is None:
            raise RuntimeError("the account could not be swept")
        return summary.counts.total

    return once


async def measure(url: str, size: int) -> None:
    """Print one line."""
    catalogue, reports = declared(url), MemoryReports()
    bare = await best_of(ROUNDS, lambda: fetch_and_parse(url), size)
    async with connected(catalogue.connections[0]) as pools:
        once = counted(sweeping(pools, reports, catalogue), catalogue)
        first = await best_of(1, once, size)
        written = reports.writes
        steady = await best_of(ROUNDS, once, size)
    if reports.writes != written:
        raise RuntimeError(f"{reports.writes - written} statuses were written although nothing changed")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size:>6} pools: fetch and parse {bare * 1000:6.0f} ms, first sweep {first / bare:5.1f} x, "
        f"steady sweep {steady / bare:4.2f} x ({steady * 1000:.0f} ms), peak {peak:.0f} MiB"
    )


if __name__ == "__main__":
    measure_each(sys.argv[1:], measure)
