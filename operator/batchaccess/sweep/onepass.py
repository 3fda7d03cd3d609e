"""What one pass over an account works with."""

from dataclasses import dataclass

from batchaccess.core.declared import AccountConnection
from batchaccess.core.selection import Candidates
from batchaccess.ports import Pools
from batchaccess.sweep.executor import Executor
from batchaccess.sweep.nodelistings import NodeListings
from batchaccess.sweep.poolreporting import Asked
from batchaccess.sweep.sagavisits import SagaVisits


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """The open account: its pools and what is remembered of their nodes."""

    pools: Pools
    listings: NodeListings
    executor: Executor
    visits: SagaVisits


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What stays the same during one pass. `started` and `deadline` are monotonic times."""

    account: OpenAccount
    connection: AccountConnection
    candidates: Candidates
    asked: Asked
    started: float

    @property
    def deadline(self) -> float:
        """When no further correction is begun: the next pass has its turn."""
        return self.started + self.connection.sync_period_seconds
