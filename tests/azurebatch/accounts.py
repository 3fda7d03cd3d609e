"""Connections and clocks for tests of the adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from batchaccess.azurebatch.connect import connect
from batchaccess.azurebatch.pools import AzureBatchPools
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.core.declared import (
    AccountConnection,
    Auth,
    AuthType,
    RequestBudget,
    SecretRef,
)
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

KEY = "YmF0Y2hhY2Nlc3MtdGVzdC1rZXk="
SHARED_KEY = Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name="prod", key="value"))


@dataclass
class SteppedClock:
    """A clock that a test moves."""

    moment: datetime = datetime(2026, 2, 3, tzinfo=UTC)
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def step(self, seconds: float) -> None:
        self.seconds += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class Secrets:
    """Implements SecretReader on a dict."""

    values: dict[tuple[str, str], str] = field(default_factory=lambda: {("prod", "value"): f"acct:{KEY}"})
    reads: int = 0
    failure: PortError | None = None

    async def read(self, name: str, key: str) -> str:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        try:
            return self.values[name, key]
        except KeyError:
            raise PortError(ErrorKind.DENIED, "SecretNotFound", f"no key {key!r} in Secret {name!r}") from None


def connection(endpoint: str, auth: Auth = SHARED_KEY) -> AccountConnection:
    return AccountConnection(
        name="prod",
        uid="1",
        generation=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        endpoint=endpoint,
        auth=auth,
        request_budget=RequestBudget(per_second=1000, burst=1000),
    )


@asynccontextmanager
async def connected(
    endpoint: str,
    *,
    auth: Auth = SHARED_KEY,
    secrets: Secrets | None = None,
    settings: AdapterSettings | None = None,
    clock: SteppedClock | None = None,
) -> AsyncIterator[AzureBatchPools]:
    pools = await connect(
        connection(endpoint, auth),
        secrets=secrets or Secrets(),
        settings=settings or AdapterSettings(allow_endpoint_suffixes=("127.0.0.1",)),
        clock=clock or SteppedClock(),
    )
    try:
        yield pools
    finally:
        await pools.close()
