"""One account under sweep with everything around it in memory."""

from dataclasses import dataclass, field

from batchaccess.api.windows import windows_of
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.model import ObservedPool
from batchaccess.ports import Catalogue, Pools, PortError
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.account import AccountSweep
from batchaccess.sweep.parts import SagaParts, SweepParts
from batchaccess.sweep.sagabook import SagaRegister
from batchaccess.sweep.summary import SweepSummary
from batchaccess.telemetry.metrics import Metrics
from tests.support.build import connection
from tests.support.clock import FakeClock
from tests.support.fake_pools import FakePools
from tests.support.reports import FakeFinalizers, FakeRecorder, FakeReports


@dataclass
class AccountWorld:
    """An account of `FakePools`, what is declared for it, and the sweep over it."""

    pools: FakePools
    declared: AccountConnection = field(default_factory=connection)
    policies: list[AccessPolicy] = field(default_factory=list)
    reports: FakeReports = field(default_factory=FakeReports)
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    finalizers: FakeFinalizers = field(default_factory=FakeFinalizers)
    register: SagaRegister = field(default_factory=SagaRegister)
    clock: FakeClock = field(default_factory=FakeClock)
    metrics: Metrics = field(init=False)
    refuse_to_connect: PortError | None = None
    beats: int = 0
    sagas_begun: int = 0
    _catalogue: Catalogue | None = None
    _sweep: AccountSweep | None = None

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.clock)

    @classmethod
    def of(cls, *pools: ObservedPool, policies: list[AccessPolicy] | None = None) -> "AccountWorld":
        """A world of these pools, governed by these policies."""
        return cls(pools=FakePools(*pools), policies=list(policies or ()))

    async def sweep(self) -> SweepSummary:
        """One pass."""
        summary = await self.sweeping.run_once(self.catalogue())
        assert summary is not None
        assert not self.sweeping.surprises, dict(self.sweeping.surprises)
        return summary

    @property
    def sweeping(self) -> AccountSweep:
        """The sweep; a new one after `restart`."""
        if self._sweep is None:
            self._sweep = AccountSweep(
                self.declared.name,
                SweepParts(
                    connect=self._connect,
                    store=self,
                    reports=self.reports,
                    recorder=self.recorder,
                    metrics=self.metrics.connection(self.declared.name),
                    acceptances=Acceptances(),
                    sagas=SagaParts(
                        finalizers=self.finalizers,
                        register=self.register,
                        windows=windows_of,
                        new_saga_id=self._new_saga_id,
                        handled_request=lambda _: None,
                    ),
                    clock=self.clock,
                    jitter=lambda: 0.5,
                    beat=self._beat,
                ),
            )
        return self._sweep

    def catalogue(self) -> Catalogue:
        """What is declared; the same object while it did not change, as the live catalogue's."""
        known = self._catalogue
        if known is None or list(known.policies) != self.policies or known.connections[0] is not self.declared:
            known = Catalogue(
                version=0 if known is None else known.version + 1,
                connections=(self.declared,),
                policies=tuple(self.policies),
                namespace_labels={},
            )
            self._catalogue = known
        return known

    def restart(self) -> None:
        """The operator starts anew: only what is in Kubernetes and in Azure is left."""
        self._sweep = None
        self.pools.calls.clear()

    async def visit(self) -> None:
        """One visit to the open sagas."""
        await self.sweeping.visit_sagas(self.catalogue())
        assert not self.sweeping.surprises, dict(self.sweeping.surprises)

    def _new_saga_id(self) -> str:
        self.sagas_begun += 1
        return f"{self.sagas_begun:012x}"

    async def _connect(self, _: AccountConnection) -> Pools:
        if self.refuse_to_connect is not None:
            raise self.refuse_to_connect
        return self.pools

    def _beat(self) -> None:
        self.beats += 1
